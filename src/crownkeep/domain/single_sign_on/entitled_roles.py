"""Existing roles that people take by entitlements: the role's own trust policy has the last word, each time.

The service takes the role on as itself, `account-access.amazonaws.com`, and says for which application. The trust policy must let
it do sts:AssumeRole and sts:SetContext; attributes become session tags where it lets it do sts:TagSession, too (IAM user guide,
"Prepare your IAM roles").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from crownkeep import arn, errors, policy
from crownkeep.domain.credentials import issue
from crownkeep.domain.single_sign_on import access, access_applications, instances
from crownkeep.domain.single_sign_on.access import Issued, SignedIn
from crownkeep.operations import authorize, context, trust
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.policy import Applicable, ContextValue, ResourcePolicyRole
from crownkeep.principals import OnBehalfOf, Principal, PrincipalKind, Session
from crownkeep.storage.identities import roles, tags
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.single_sign_on import access_applications as access_application_rows
from crownkeep.storage.single_sign_on import role_entitlements
from crownkeep.storage.single_sign_on.access_applications import AccessApplicationRow

SHORTEST_SECONDS, DEFAULT_SECONDS = 900, 3600
# What policies may ask of whoever calls: a service has none of it, whoever it acts for.
_OF_A_CALLER = (
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalType",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:userid",
    "aws:username",
    "aws:TokenIssueTime",
    "aws:MultiFactorAuthPresent",
    "aws:MultiFactorAuthAge",
    "aws:SourceIdentity",
    "aws:FederatedProvider",
)


@dataclass(frozen=True, slots=True)
class SessionAsked:
    """What somebody asks of the session; None for what it has by default."""

    name: str | None = None
    seconds: int | None = None


def take(call: Call, person: SignedIn, role_arn: str, wanted: SessionAsked) -> Issued:
    """Issue a session of an existing role to somebody who is entitled to it; raises AccessDenied for all else alike.

    Raises ValidationException for a session longer than the role's may be.
    """
    application = access_application_rows.of_instance(call.db, person.instance.instance_id)
    role = _role(call, person, role_arn)
    if application is None or role is None:
        # The same words as below, so that nobody learns whether the role exists, or what it lacks.
        raise _denied(role_arn)
    name = wanted.name or access.session_name(person.user.user_name)
    keys = _keys(call, application, name)
    # Both are needed: to take the role on, and to tell it for whom.
    if not all(_is_trusted(call, role, action, keys, {}) for action in ("sts:AssumeRole", "sts:SetContext")):
        raise _denied(role_arn)
    session_tags = access.session_tags(person.instance, person.user)
    # A role that may not be tagged is taken without tags, as AWS does; whatever asks for them then refuses.
    if session_tags and not _is_trusted(call, role, "sts:TagSession", keys, session_tags):
        session_tags = {}
    session = Session(
        issued_at=call.now,
        expires_at=min(call.now + _lifetime(role, wanted.seconds), person.until),
        name=name,
        tags=session_tags,
        context=_identity(application, person),
        assumed_by=access_applications.arn_of(application),
        on_behalf_of=_on_behalf_of(person, role),
    )
    holder = Principal(PrincipalKind.ROLE, role.account_id, role.role_id, role.name, role.path, session=session)
    call.notes.shared_with = role.account_id
    call.notes.resources.append(("AWS::IAM::Role", role_arn))
    try:
        return Issued(session.expires_at, issue.credentials(call, holder, session))
    except errors.PackedPolicyTooLarge as error:
        # STS's error, which these models don't have.
        raise errors.ServiceValidation("The attributes that become session tags are too long for a session.") from error


def _role(call: Call, person: SignedIn, role_arn: str) -> RoleRow | None:
    """Return the role with this very ARN, letter for letter, where the person is entitled to it and its account is open."""
    instance, user = person.instance, person.user
    is_entitled = role_entitlements.may_take(
        call.db,
        instance.instance_id,
        role_digest=access_applications.role_digest(role_arn),
        store_id=instance.identity_store_id,
        user_id=user.user_id,
    )
    parts = arn.parse(role_arn)
    if not is_entitled or parts is None:
        # Not entitled, and no ARN at all, end alike.
        return None
    # A closed account's roles can't be taken, whoever is entitled to them.
    standing = call.wiring.standings.of_account(call.db, parts.account_id)
    if standing is None or not standing.is_active(call.db):
        return None
    # IAM finds names without regard to case, and an entitlement is for one ARN exactly.
    row = roles.named(call.db, parts.account_id, arn.name_and_path(parts.resource)[0])
    return row if row is not None and arn.role(row.account_id, row.path, row.name) == role_arn else None


def _is_trusted(
    call: Call, role: RoleRow, action: str, keys: Mapping[str, ContextValue], session_tags: Mapping[str, str]
) -> bool:
    role_arn = arn.role(role.account_id, role.path, role.name)
    target = Target(
        role_arn,
        tags=lambda: tags.of_resource(call.db, role.account_id, role.role_id),
        context=keys,
        account_id=role.account_id,
    )
    # The service is who calls. The person's own permissions have no part in this.
    caller = policy.PolicyPrincipal(policy.PolicyPrincipalKind.SERVICE, names=(access_applications.SERVICE,))
    request = policy.PolicyRequest(caller, action, role_arn, context.of_call(call, target, {"tags": dict(session_tags)}))
    applicable = Applicable(
        resource=trust.policy_of(role),
        resource_role=ResourcePolicyRole.TRUST,
        resource_account_id=role.account_id,
        resource_control=authorize.resource_controls(call, action, target),
    )
    return policy.authorize(request, applicable).allowed


def _keys(call: Call, application: AccessApplicationRow, name: str) -> dict[str, ContextValue]:
    """Return what the role's trust policy, and its organization's, may ask of a service that acts for an application."""
    membership = context.membership_of(call, application.account_id)
    return {
        # Said to be absent instead of left open: the general resolver would fill them in with the person's own.
        **dict.fromkeys(_OF_A_CALLER, ()),
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": access_applications.SERVICE,
        "aws:PrincipalServiceNamesList": (access_applications.SERVICE,),
        # These let a trust policy demand that the service acts for this organization only (the confused deputy).
        "aws:SourceAccount": application.account_id,
        "aws:SourceArn": access_applications.arn_of(application),
        "aws:SourceOrgID": membership.organization_id if membership is not None else (),
        "aws:SourceOrgPaths": (membership.path,) if membership is not None else (),
        "sts:RoleSessionName": name,
    }


def _identity(application: AccessApplicationRow, person: SignedIn) -> dict[str, str]:
    """Return the identity context that the session carries (IAM Identity Center user guide, "STS condition context keys")."""
    return {
        "identitystore:userid": person.user.user_id,
        "identitystore:identitystorearn": instances.store_arn(person.instance),
        "identitycenter:instancearn": instances.arn_of(person.instance.instance_id),
        "identitycenter:applicationarn": access_applications.arn_of(application),
    }


def _on_behalf_of(person: SignedIn, role: RoleRow) -> OnBehalfOf:
    instance = person.instance
    return OnBehalfOf(
        user_id=person.user.user_id,
        identity_store_id=instance.identity_store_id,
        owner_id=instance.account_id,
        instance_id=instance.instance_id,
        permission_set_id="",
        account_id=role.account_id,
        sign_in=person.sign_in,
        # By this the entitlement is looked up again with each request of the session.
        role_digest=access_applications.role_digest(arn.role(role.account_id, role.path, role.name)),
    )


def _lifetime(role: RoleRow, seconds: int | None) -> timedelta:
    # Without a wish it is the usual hour, or less where the role allows less.
    if seconds is None:
        return timedelta(seconds=min(DEFAULT_SECONDS, role.max_session_seconds))
    if not SHORTEST_SECONDS <= seconds <= role.max_session_seconds:
        raise errors.ServiceValidation(
            f"sessionDuration must be between {SHORTEST_SECONDS} and the role's maximum, {role.max_session_seconds} seconds."
        )
    return timedelta(seconds=seconds)


def _denied(role_arn: str) -> errors.AccessDenied:
    return errors.AccessDenied(f"You are not entitled to assume the role {role_arn}.")
