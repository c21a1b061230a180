"""The role that a call wants to take on: found by its ARN in whatever account it is, with the trust policy that must allow it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from crownkeep import arn, errors
from crownkeep.domain.credentials import issue
from crownkeep.operations import trust
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.operations.standing import ACTIVE
from crownkeep.policy import EMPTY, PolicySet, ResourcePolicyRole
from crownkeep.principals import Principal, PrincipalKind, Session
from crownkeep.storage.accounts import accounts
from crownkeep.storage.identities import roles, tags
from crownkeep.storage.identities.roles import RoleRow

DEFAULT_SECONDS = 3600
CHAINED_SECONDS = 3600
"""The longest session of a role that was taken on by another role's session."""

_ARN = re.compile(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Assumable:
    """A role by its ARN; `row` is None where there is none, which nobody is told apart from a role that doesn't trust them.

    Where there is a row, `arn` is made of it: policies are asked about the role that is taken on, never about a spelling of it.
    """

    arn: str
    account_id: str
    row: RoleRow | None

    @property
    def policy(self) -> PolicySet:
        """The role's trust policy; one that allows nothing where there is no role."""
        return EMPTY if self.row is None else trust.policy_of(self.row)


def find(call: Call, role_arn: str) -> Assumable:
    """Return the role with this very ARN, letter for letter; raises ValidationError for what is no ARN at all."""
    parts = arn.parse(role_arn)
    if parts is None or not _ARN.fullmatch(role_arn):
        raise errors.ValidationError(f"{role_arn} is invalid")
    # Any ARN is well formed enough to be denied by name; only one of a role's can lead to a row.
    if (parts.partition, parts.service, parts.region) != (arn.PARTITION, "iam", "") or not parts.resource.startswith("role/"):
        return Assumable(role_arn, parts.account_id, None)
    row = roles.named(call.db, parts.account_id, arn.name_and_path(parts.resource)[0])
    if row is None or not _is_open(call, row.account_id):
        return Assumable(role_arn, parts.account_id, None)
    found = arn.role(row.account_id, row.path, row.name)
    # Letter for letter: another spelling of an existing role must be neither allowed nor denied as that role.
    return Assumable(found, row.account_id, row) if found == role_arn else Assumable(role_arn, parts.account_id, None)


def target_of(call: Call, role: Assumable, context: dict[str, str | tuple[str, ...]]) -> Target:
    """Return the role as policies see it: its trust policy must allow what is done to it."""
    row = role.row
    return Target(
        role.arn,
        # Read only where a policy asks for the role's tags.
        tags=lambda: tags.of_resource(call.db, row.account_id, row.role_id) if row is not None else {},
        context=context,
        policy=role.policy,
        policy_role=ResourcePolicyRole.TRUST,
        account_id=role.account_id,
        row=role,
    )


def vouched_for(call: Call, *, role_arn: str, **_: object) -> Target:
    """The role that somebody wants to take on by an identity provider's word; its trust policy alone decides, in the handler."""
    return target_of(call, find(call, role_arn), {})


def lifetime(role: RoleRow, seconds: int | None) -> timedelta:
    """Return how long a session of the role lasts; raises ValidationError for longer than it may."""
    if seconds is not None and seconds > role.max_session_seconds:
        raise errors.ValidationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    return timedelta(seconds=seconds or DEFAULT_SECONDS)


def chained_lifetime(seconds: int | None) -> timedelta:
    """Return how long a session lasts that temporary credentials asked for; raises ValidationError beyond an hour."""
    if seconds is not None and seconds > CHAINED_SECONDS:
        raise errors.ValidationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        )
    return timedelta(seconds=seconds or DEFAULT_SECONDS)


def targeted(call: Call, role_arn: str) -> Assumable:
    """Return the role that a call was decided on."""
    return call.target_row(Assumable) or Assumable(role_arn, call.account_id, None)


def required(call: Call, role_arn: str) -> RoleRow:
    """Return the row of the role that a call was allowed to take on; raises AccessDenied where there is none."""
    row = targeted(call, role_arn).row
    if row is None:
        raise errors.AccessDenied(
            f"User: {call.principal.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
        )
    return row


def answer(call: Call, role: RoleRow, session: Session, *, minimum_token_size: int | None) -> dict[str, object]:
    """Issue the credentials of a role's session and return what all ways of taking on a role answer.

    `PackedPolicySize` is what AWS made of it: the same as `SessionTokenUtilization`, where policies or tags were passed.
    """
    holder = Principal(PrincipalKind.ROLE, role.account_id, role.role_id, role.name, role.path, session=session)
    issued = issue.credentials(call, holder, session, minimum_token_size=minimum_token_size or 0)
    token = issue.token_members(issued)
    # The role's own account has a record of who took it on, wherever they came from.
    call.notes.shared_with = role.account_id
    call.notes.resources.append(("AWS::IAM::Role", arn.role(role.account_id, role.path, role.name)))
    answered = {
        "Credentials": issued,
        "AssumedRoleUser": {"AssumedRoleId": holder.user_id, "Arn": holder.arn},
        **token,
    }
    if session.has_policy or session.tags:
        answered["PackedPolicySize"] = token["SessionTokenUtilization"]
    if session.source_identity:
        answered["SourceIdentity"] = session.source_identity
    return answered


def _is_open(call: Call, account_id: str) -> bool:
    # A closed account's roles can't be taken on: they look as if they were not there.
    if account_id == call.standing.account_id:
        return call.standing.is_active(call.db)
    account = accounts.with_id(call.db, account_id)
    return account is not None and account.state == ACTIVE
