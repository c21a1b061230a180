"""The application that calls are about, as policies name it."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.domain.single_sign_on import access_applications
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.storage.single_sign_on import sso_tags
from crownkeep.storage.single_sign_on.access_applications import AccessApplicationRow


def application(call: Call, *, application_arn: str, **_: object) -> Target:
    """The application with this ARN."""
    row = access_applications.visible(call, application_arn)
    if row is None:
        return Target(application_arn, row=None)
    tags = lambda: sso_tags.of_resource(call.db, access_applications.tag_id(row))  # noqa: E731 - read only when a policy asks
    return Target(application_arn, tags=tags, account_id=row.account_id, row=row)


def tagged(call: Call, *, resource_arn: str, **_: object) -> Target:
    """The same, as operations on tags name it."""
    return application(call, application_arn=resource_arn)


def required(call: Call, application_arn: str) -> AccessApplicationRow:
    """Return the application that a call was decided on; raises ResourceNotFoundException."""
    row = call.target_row(AccessApplicationRow)
    if row is None:
        raise errors.ResourceNotFound(f"The application {application_arn} does not exist.")
    return row


def require_owner(call: Call, row: AccessApplicationRow) -> None:
    """Raise AccessDenied where a delegated administrator does what is the management account's alone."""
    if call.account_id != row.account_id:
        raise errors.AccessDenied("The management account alone enables and deletes account access.")
