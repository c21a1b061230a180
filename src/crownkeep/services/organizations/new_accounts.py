"""Creating accounts in an organization: members from their first moment, with a role for the management account to enter by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from crownkeep import arn, clock, errors, ids
from crownkeep.audit import redact
from crownkeep.catalogue import reserved_names
from crownkeep.domain import service_events
from crownkeep.domain.accounts import membership, new_accounts
from crownkeep.domain.identities import linked_roles
from crownkeep.operations import central_root, registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Tagging
from crownkeep.services.organizations import entities, next_tokens, quotas, refusals
from crownkeep.services.organizations import tags as tagging
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.service import organizations
from crownkeep.storage.accounts import accounts
from crownkeep.storage.credentials import root_login_profiles
from crownkeep.storage.identities import roles
from crownkeep.storage.identities.owners import OwnerKind
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.organizations import account_creations, organization_accounts, organization_tags
from crownkeep.storage.organizations.account_creations import AccountCreationRow
from crownkeep.storage.organizations.organizations import OrganizationRow
from crownkeep.storage.policies import attachments
from crownkeep.storage.policies.attachments import AttachmentRow

ACCESS_ROLE = "OrganizationAccountAccessRole"
_ADMINISTRATOR_ACCESS = arn.policy("aws", "/", "AdministratorAccess")
_STATES = ("IN_PROGRESS", "SUCCEEDED", "FAILED")
_A_DAY = timedelta(days=1)
_ID_LENGTH = 32
_ID_CHANCE = 24


@organizations.operation(
    "CreateAccount",
    resource=registry.everything,
    effect=Effect.STATE,
    tagging=Tagging(tagging.ACTION, entities.new_account),
    caller=AllowedCaller.MANAGEMENT,
)
def create_account(
    call: Call,
    organization: OrganizationRow,
    *,
    email: str,
    account_name: str,
    role_name: str = ACCESS_ROLE,
    iam_user_access_to_billing: str | None = None,
    tags: Sequence[Mapping[str, str]] = (),
) -> Result:
    """Create a member account whose root user has no credentials; it is there when the answer arrives.

    There is no billing here to give or deny access to, so `iam_user_access_to_billing` says nothing.
    """
    wanted = tagging.checked(tags)
    if not account_name.strip():
        raise refusals.value("INVALID_PATTERN")
    if reserved_names.fault_of_name(role_name) is not None:
        raise refusals.value("INVALID_ROLE_NAME")
    if organization_accounts.count(call.db, organization.organization_id) >= quotas.accounts(call):
        raise refusals.constraint("ACCOUNT_NUMBER_LIMIT_EXCEEDED")
    failed = account_creations.count_failed_since(call.db, call.account_id, organization.organization_id, call.now - _A_DAY)
    if failed >= quotas.failed_creations_a_day(call):
        raise refusals.constraint("ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED")
    is_taken = accounts.with_email(call.db, email) is not None
    account_id = None if is_taken else _make(call, organization, email, account_name, role_name, wanted)
    row = AccountCreationRow(
        creation_id=ids.organizations_id("car", clock.token_bytes(_ID_CHANCE), _ID_LENGTH),
        account_id=call.account_id,
        organization_id=organization.organization_id,
        account_name=account_name,
        state="FAILED" if account_id is None else "SUCCEEDED",
        requested_at=call.now,
        completed_at=call.now,
        created_account_id=account_id,
        failure_reason="EMAIL_ALREADY_EXISTS" if account_id is None else None,
    )
    account_creations.add(call.db, row)
    answer: dict[str, object] = {"CreateAccountStatus": _describe(row)}
    _record(call, answer)
    return answer


@organizations.operation("DescribeCreateAccountStatus", resource=registry.everything, caller=AllowedCaller.ADMINISTRATOR)
def describe_create_account_status(call: Call, organization: OrganizationRow, *, create_account_request_id: str) -> Result:
    """Return what became of a request to create an account."""
    row = account_creations.with_id(call.db, organization.organization_id, create_account_request_id)
    if row is None:
        raise errors.CreateAccountStatusNotFound(
            "We can't find an create account request with the CreateAccountRequestId that you specified."
        )
    return {"CreateAccountStatus": _describe(row)}


@organizations.operation("ListCreateAccountStatus", resource=registry.everything, caller=AllowedCaller.ADMINISTRATOR)
def list_create_account_status(
    call: Call,
    organization: OrganizationRow,
    *,
    states: Sequence[str] = (),
    next_token: str | None = None,
    max_results: int | None = None,
) -> Result:
    """List the requests to create accounts by id, all of them or those in these states."""
    wanted = tuple(states) or _STATES
    found, more = next_tokens.page(
        call,
        list_name="ListCreateAccountStatus",
        filters=sorted(wanted),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: account_creations.page(
            call.db,
            organization.management_account_id,
            organization.organization_id,
            states=wanted,
            after=after,
            limit=limit,
        ),
        key=lambda row: row.creation_id,
    )
    return {"CreateAccountStatuses": [_describe(row) for row in found], **more}


def _make(call: Call, organization: OrganizationRow, email: str, name: str, role_name: str, wanted: Mapping[str, str]) -> str:
    account_id = new_accounts.unused_id(call)
    new_accounts.add(call, account_id, email=email, name=name)
    membership.join(call, organization, account_id, joined_method=membership.CREATED)
    _add_access_role(call, account_id, role_name)
    place = (call.db, organization.organization_id)
    organization_tags.put(*place, organization.management_account_id, account_id, wanted)
    if central_root.CREDENTIALS_MANAGEMENT in central_root.enabled_features(call.db, organization):
        # Whoever reads its mail can then recover no password.
        root_login_profiles.withhold(call.db, account_id)
    return account_id


def _add_access_role(call: Call, account_id: str, name: str) -> None:
    """Add the role by which the management account's administrators enter (user guide, "Accessing a member account")."""
    trusted = f'{{"AWS":"{arn.root(call.account_id)}"}}'
    trust = f'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{trusted},"Action":"sts:AssumeRole"}}]}}'
    row = RoleRow(
        role_id=ids.unique_id(ids.Prefix.ROLE, clock.token_bytes(16)),
        account_id=account_id,
        name=name,
        name_key=name.lower(),
        path="/",
        created_at=call.now,
        trust_policy=trust,
        trusted_accounts="",
        description=None,
        max_session_seconds=linked_roles.LONGEST_SESSION,
    )
    roles.add(call.db, row)
    attachments.add(call.db, AttachmentRow(account_id, row.role_id, OwnerKind.ROLE, _ADMINISTRATOR_ACCESS, call.now))


def _record(call: Call, answer: Mapping[str, object]) -> None:
    """Record the outcome as an event of its own: CloudTrail user guide's CreateAccountResult."""
    operation = organizations.find("CreateAccount")
    details = redact.response(answer, operation.model.output if operation is not None else None)
    service_events.keep(
        call, source=membership.SERVICE, name="CreateAccountResult", account_id=call.account_id, details=details or {}
    )


def _describe(row: AccountCreationRow) -> dict[str, object]:
    """Return a `CreateAccountStatus`."""
    described: dict[str, object] = {
        "Id": row.creation_id,
        "AccountName": row.account_name,
        "State": row.state,
        "RequestedTimestamp": row.requested_at,
    }
    if row.completed_at is not None:
        described["CompletedTimestamp"] = row.completed_at
    if row.created_account_id is not None:
        described["AccountId"] = row.created_account_id
    if row.failure_reason is not None:
        described["FailureReason"] = row.failure_reason
    return described
