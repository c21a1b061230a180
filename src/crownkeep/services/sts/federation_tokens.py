"""GetFederationToken: credentials for somebody whom IAM doesn't know, limited to what the caller may do and passes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from crownkeep import arn, errors
from crownkeep.domain.credentials import issue
from crownkeep.operations import authorize
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Mode, Target
from crownkeep.principals import PrincipalKind, Session
from crownkeep.services.sts import session_policies, session_tags
from crownkeep.services.sts.service import sts
from crownkeep.services.sts.session_policies import Descriptors
from crownkeep.services.sts.session_tags import Tags

_DEFAULT_SECONDS = 43_200
_ROOT_LONGEST_SECONDS = 3_600


def new_federated_user(call: Call, *, name: str, **_: object) -> Target:
    """The federated user to be; refused to whoever signs with temporary credentials."""
    caller = call.principal
    if caller.session is not None or caller.kind not in (PrincipalKind.USER, PrincipalKind.ROOT):
        raise errors.AccessDenied("Cannot call GetFederationToken with session credentials")
    return Target(arn.sts(call.account_id, f"federated-user/{name}"))


@sts.operation("GetFederationToken", resource=new_federated_user, mode=Mode.READ, effect=Effect.STATE)
def get_federation_token(
    call: Call,
    *,
    name: str,
    policy: str | None = None,
    policy_arns: Descriptors = (),
    duration_seconds: int | None = None,
    tags: Tags = (),
    minimum_session_token_size: int | None = None,
) -> Result:
    """Issue credentials of a federated user, who may do what both the caller and the session policies allow.

    Root's last an hour at most, whatever is asked for (API_GetFederationToken).
    """
    caller = call.principal
    tagged = session_tags.read(tags)
    if tags:
        authorize.require_action(call, "sts:TagSession", new_federated_user(call, name=name), {"tags": tags})
    policies = session_policies.read(call, call.account_id, document=policy, descriptors=policy_arns)
    seconds = duration_seconds or _DEFAULT_SECONDS
    if caller.kind is PrincipalKind.ROOT:
        seconds = min(seconds, _ROOT_LONGEST_SECONDS)
    session = Session(
        issued_at=call.now,
        expires_at=call.now + timedelta(seconds=seconds),
        name=name,
        policies=policies.documents,
        policy_arns=policies.arns,
        has_policy=policies.are_passed,
        tags=tagged.tags,
        issuing_key_id=caller.access_key_id,
    )
    holder = replace(caller, kind=PrincipalKind.FEDERATED_USER, session=session)
    issued = issue.credentials(call, holder, session, minimum_token_size=minimum_session_token_size or 0)
    token = issue.token_members(issued)
    return {
        "Credentials": issued,
        "FederatedUser": {"FederatedUserId": holder.user_id, "Arn": holder.arn},
        "PackedPolicySize": token["SessionTokenUtilization"] if policies.are_passed or tags else 0,
        **token,
    }
