"""GetWebIdentityToken: a token by which the caller proves to servers outside who it is, signed by its account's own issuer.

Which claims it has, and which condition key each of them is, is in the IAM user guide, "Understanding token claims".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from crownkeep import clock, errors, ids
from crownkeep.domain.credentials import outbound_identity
from crownkeep.domain.credentials.outbound_identity import MintedKey
from crownkeep.operations import authorize, context
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import EVERYTHING, Effect, Mode, Target
from crownkeep.policy import ContextValue
from crownkeep.principals import PrincipalKind, Session
from crownkeep.services.sts import endpoints, session_tags, token_subjects
from crownkeep.services.sts.service import sts
from crownkeep.services.sts.session_tags import Tags
from crownkeep.storage.accounts import account_settings
from crownkeep.storage.identities import tags as tag_rows

_DEFAULT_SECONDS = 300
_LARGEST_CLAIMS = 8192
"""Bytes of the claims as JSON. AWS has a limit and doesn't publish it; ours is what fits into a header of most web servers."""

_NAMESPACE = "https://sts.amazonaws.com/"
# Claims that are a condition key of the request by another name.
_KEYS_AS_CLAIMS = {
    "aws_account": "aws:PrincipalAccount",
    "source_region": "aws:RequestedRegion",
    "org_id": "aws:PrincipalOrgID",
    "ou_path": "aws:PrincipalOrgPaths",
    "federated_provider": "aws:FederatedProvider",
    "source_identity": "aws:SourceIdentity",
    "identity_store_user_id": "identitystore:UserId",
    "identity_store_arn": "identitystore:IdentityStoreArn",
}


def token_asked_for(
    call: Call,
    *,
    audience: Sequence[str],
    signing_algorithm: str,
    duration_seconds: int | None = None,
    scope: str | None = None,
    subject_mode: str | None = None,
    **_: object,
) -> Target:
    """Everything, with what is asked of the token: a policy that limits its time sees the default's, too."""
    endpoints.refuse_global(call, "GetWebIdentityToken")
    keys: dict[str, ContextValue] = {
        "sts:IdentityTokenAudience": tuple(audience),
        "sts:SigningAlgorithm": signing_algorithm,
        # The default counts as asked for: a policy that limits the duration must see it.
        "sts:DurationSeconds": str(duration_seconds or _DEFAULT_SECONDS),
        "sts:SubjectMode": subject_mode or token_subjects.AWS_IDENTITY,
    }
    if scope is not None:
        keys["sts:IdentityTokenScope"] = tuple(scope.split(" "))
    return Target(EVERYTHING.arn, context=keys)


def make_signing_key(call: Call, *, signing_algorithm: str, **_: object) -> Sequence[MintedKey]:
    """Make the account's next key where its last may sign no more."""
    if signing_algorithm not in outbound_identity.ALGORITHMS or not _is_enabled(call):
        return ()
    return outbound_identity.mint_missing(call, (signing_algorithm,))


@sts.operation(
    "GetWebIdentityToken",
    resource=token_asked_for,
    mode=Mode.WRITE,  # A new signing key may be kept.
    effect=Effect.STATE,
    prepare=make_signing_key,
)
def get_web_identity_token(
    call: Call,
    *,
    audience: Sequence[str],
    signing_algorithm: str,
    duration_seconds: int | None = None,
    tags: Tags = (),
    scope: str | None = None,
    subject_mode: str | None = None,
) -> Result:
    """Return a token about the caller, for five minutes unless asked otherwise, and never beyond the caller's own session."""
    _require_algorithm(signing_algorithm)
    token_subjects.require_scope(scope, subject_mode, audience)
    settings = account_settings.of_account(call.db, call.account_id)
    if not settings.issues_web_identities or settings.issuer_id is None:
        raise errors.OutboundWebIdentityFederationDisabled(
            "The outbound web identity federation feature is not enabled for this account."
        )
    target = token_asked_for(
        call,
        audience=audience,
        signing_algorithm=signing_algorithm,
        duration_seconds=duration_seconds,
        scope=scope,
        subject_mode=subject_mode,
    )
    _require_further(call, target, tags, scope)
    lifetime = timedelta(seconds=duration_seconds or _DEFAULT_SECONDS)
    _require_within(call.principal.session, call.now + lifetime)
    claims = _claims(call, outbound_identity.issuer(call.settings, settings.issuer_id), audience, lifetime)
    claims["sub"] = token_subjects.subject(call.principal, subject_mode)
    if scope is not None:
        claims["scope"] = scope
    claims[_NAMESPACE] = {**_identity(call, session_tags.read(tags).tags), **token_subjects.members(subject_mode)}
    # Measured with everything in it, as the header will carry it.
    if len(msgspec.json.encode(claims)) > _LARGEST_CLAIMS:
        raise errors.JwtPayloadSizeExceeded("The requested token payload size exceeds the maximum allowed size.")
    # The key was made before the transaction, and is kept only now that the call is allowed.
    outbound_identity.adopt(call, call.prepared if isinstance(call.prepared, tuple) else ())
    token = outbound_identity.sign(call, claims, algorithm=signing_algorithm)
    return {"WebIdentityToken": token, "Expiration": (call.now + lifetime).replace(microsecond=0)}


def _require_further(call: Call, target: Target, tags: Tags, scope: str | None) -> None:
    """Raise AccessDenied unless the caller may also pass what it passes."""
    if tags:
        authorize.require_action(call, "sts:TagGetWebIdentityToken", target, {"tags": tags})
    if scope is not None:
        authorize.require_action(call, "sts:SetWebIdentityTokenScope", target)


def _require_algorithm(algorithm: str) -> None:
    if algorithm not in outbound_identity.ALGORITHMS:
        allowed = ", ".join(outbound_identity.ALGORITHMS)
        raise errors.ValidationError(
            f"1 validation error detected: Value '{algorithm}' at 'signingAlgorithm' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{allowed}]"
        )


def _require_within(session: Session | None, expires_at: datetime) -> None:
    if session is not None and expires_at > session.expires_at:
        raise errors.SessionDurationEscalation(
            "The requested token duration would extend the session beyond its original expiration time."
        )


def _is_enabled(call: Call) -> bool:
    return account_settings.of_account(call.db, call.account_id).issues_web_identities


def _claims(call: Call, issuer: str, audience: Sequence[str], lifetime: timedelta) -> dict[str, object]:
    issued_at = int(call.now.timestamp())
    return {
        "iss": issuer,
        "aud": audience[0] if len(audience) == 1 else list(audience),
        "iat": issued_at,
        "exp": issued_at + int(lifetime.total_seconds()),
        "jti": ids.request_id(clock.id_bytes(16)),
    }


def _identity(call: Call, request_tags: Mapping[str, str]) -> dict[str, object]:
    """Return what AWS says of the caller in its own namespace; what there is nothing to say of is left out."""
    known = context.of_call(call, EVERYTHING, {})
    said: dict[str, object] = {claim: known.get(key.lower()) for claim, key in _KEYS_AS_CLAIMS.items()}
    said["principal_id"] = call.principal.policy_arn
    session = call.principal.session
    if session is not None:
        said["original_session_exp"] = session.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    said["principal_tags"] = _principal_tags(call, session)
    said["request_tags"] = dict(request_tags)
    return {claim: value for claim, value in said.items() if value}


def _principal_tags(call: Call, session: Session | None) -> dict[str, str]:
    """Return the caller's tags; a session's cover those of its role or user whose keys differ at most in case."""
    principal = call.principal
    passed = dict(session.tags) if session is not None else {}
    if principal.kind is PrincipalKind.ROOT:
        return passed
    covered = {key.lower() for key in passed}
    own = tag_rows.of_resource(call.db, principal.account_id, principal.unique_id)
    return {**{key: value for key, value in own.items() if key.lower() not in covered}, **passed}
