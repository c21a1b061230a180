"""Role templates: AWS's services publish them, no account can make one, and none of those services is here."""

from __future__ import annotations

from collections.abc import Mapping

from crownkeep import errors
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.iam.service import iam


def template(call: Call, *, template_arn: str, **_: object) -> Target:
    """The template that is looked at."""
    return Target(template_arn)


def acquired_template(call: Call, *, template_arn: str, **_: object) -> Target:
    """The template, and the key that says which one a role is made from."""
    return Target(template_arn, context={"iam:RoleTemplateARN": template_arn})


@iam.operation("GetRoleTemplateVersion", resource=template)
def get_role_template_version(call: Call, *, template_arn: str, minor_version: int | None = None) -> Result:
    """Return a version of a template."""
    raise _missing(template_arn)


@iam.operation("AcquireRole", resource=acquired_template, effect=Effect.STATE)
def acquire_role(
    call: Call,
    *,
    template_arn: str,
    template_minor_version: int | None = None,
    replacement_values: Mapping[str, object] | None = None,
) -> Result:
    """Make a role from a template."""
    raise _missing(template_arn)


def _missing(template_arn: str) -> errors.NoSuchEntity:
    return errors.NoSuchEntity(f"The role template {template_arn} cannot be found.")
