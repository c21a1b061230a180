"""Whom a role trusts: its trust policy compiled, and whether it still names whoever took the role on."""

from __future__ import annotations

from crownkeep import arn, policy
from crownkeep.operations import permissions
from crownkeep.policy import Naming, PolicyKind, PolicySet, PolicySource, SourceType
from crownkeep.principals import Session
from crownkeep.storage.identities.roles import RoleRow

ACCOUNT_ACCESS = "account-access"
"""The service that takes existing roles for people who are entitled to them: it takes them on as itself."""

_ACTIONS = {
    policy.PolicyPrincipalKind.WEB_IDENTITY: "sts:AssumeRoleWithWebIdentity",
    policy.PolicyPrincipalKind.SAML: "sts:AssumeRoleWithSAML",
}


def policy_of(role: RoleRow) -> PolicySet:
    """Return a role's trust policy, compiled once per document."""
    source = PolicySource(PolicyKind.TRUST, role.role_id, role.name, None, SourceType.RESOURCE)
    return permissions.compiled([permissions.Text(role.trust_policy, source)])


def still_names(role: RoleRow, session: Session) -> bool:
    """Tell whether an Allow of the role's trust policy names whoever began this session, whatever its conditions say now.

    Conditions spoke when the role was taken on; a session ends when its holder is no longer trusted at all.
    """
    holder = _holder(session)
    action = _ACTIONS.get(holder.kind, "sts:AssumeRole")
    for statement in policy_of(role).for_action(action).statements:
        if statement.allows and (statement.named_by is None or statement.named_by(holder) is not Naming.NONE):
            return True
    return False


def _holder(session: Session) -> policy.PolicyPrincipal:
    """Return whoever took the role on, as policies can name it."""
    parts = arn.parse(session.assumed_by)
    kind, _, _ = (parts.resource if parts else "").partition("/")
    account_id = parts.account_id if parts else None
    match kind:
        case "user":
            return policy.PolicyPrincipal(policy.PolicyPrincipalKind.USER, session.assumed_by, account_id, session.assumed_by_id)
        case "oidc-provider":
            return policy.PolicyPrincipal(policy.PolicyPrincipalKind.WEB_IDENTITY, names=(session.assumed_by,))
        case "saml-provider":
            return policy.PolicyPrincipal(policy.PolicyPrincipalKind.SAML, names=(session.assumed_by,))
        case "application" if parts is not None and parts.service == ACCOUNT_ACCESS:
            return policy.PolicyPrincipal(policy.PolicyPrincipalKind.SERVICE, names=(f"{ACCOUNT_ACCESS}.amazonaws.com",))
        case "root":
            return policy.PolicyPrincipal(policy.PolicyPrincipalKind.ROOT, session.assumed_by, account_id)
        case _:
            return policy.PolicyPrincipal(
                policy.PolicyPrincipalKind.ROLE_SESSION, session.assumed_by, account_id, issuer_unique_id=session.assumed_by_id
            )
