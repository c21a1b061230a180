"""AssumeRole: a user or a role's session takes on a role that trusts it, in its own account or in another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crownkeep import errors
from crownkeep.domain.credentials import mfa
from crownkeep.operations import authorize
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.principals import Principal, PrincipalKind, Session
from crownkeep.services.sts import assumable, session_policies, session_tags
from crownkeep.services.sts.service import sts
from crownkeep.services.sts.session_policies import Descriptors
from crownkeep.services.sts.session_tags import Tags
from crownkeep.storage.identities.roles import RoleRow

_WITH_MFA = {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "0"}


def role_to_assume(
    call: Call, *, role_arn: str, serial_number: str | None = None, token_code: str | None = None, **asked: object
) -> Target:
    """The role, its trust policy, and the condition keys that both sides' policies may ask about.

    A one-time code is spent here, for the trust policy may ask whether there was one (aws:MultiFactorAuthPresent).
    """
    # Before the role is looked for: the answer is the same for every role, and tells nothing of it.
    if call.principal.kind is PrincipalKind.ROOT:
        raise errors.AccessDenied("Roles may not be assumed by root accounts.")
    target = assumable.target_of(call, assumable.find(call, role_arn), _context(call.principal, asked))
    if mfa.require_code(call, call.principal, serial_number=serial_number, token_code=token_code) is None:
        return target
    return replace(target, context={**target.context, **_WITH_MFA})


@sts.operation("AssumeRole", resource=role_to_assume, effect=Effect.STATE)
def assume_role(
    call: Call,
    *,
    role_arn: str,
    role_session_name: str,
    policy_arns: Descriptors = (),
    policy: str | None = None,
    duration_seconds: int | None = None,
    tags: Tags = (),
    transitive_tag_keys: Sequence[str] = (),
    external_id: str | None = None,
    serial_number: str | None = None,
    token_code: str | None = None,
    source_identity: str | None = None,
    provided_contexts: Sequence[Mapping[str, str]] = (),
    minimum_session_token_size: int | None = None,
) -> Result:
    """Issue credentials of a session of the role, limited by session policies where some are passed (API_AssumeRole)."""
    if provided_contexts:
        raise errors.InvalidParameterValue("ProvidedContexts are not accepted: no context provider is known here.")
    # A transitive tag of the caller's session can't be overwritten by what is passed now.
    tagged = session_tags.read(tags, transitive_tag_keys, of=_chaining(call.principal))
    _note_inherited_tags(call)
    asked: dict[str, object] = {"role_session_name": role_session_name, "transitive_tag_keys": transitive_tag_keys}
    asked |= {"external_id": external_id, "source_identity": source_identity, "tags": tags}
    _require_further(call, role_arn, asked, mfa_context=_WITH_MFA if token_code is not None else {})
    # Only after policies have decided: until then, a role that is missing looks like one that doesn't trust the caller.
    role = assumable.required(call, role_arn)
    policies = session_policies.read(call, role.account_id, document=policy, descriptors=policy_arns)
    session = replace(
        _session(call, role, duration_seconds),
        name=role_session_name,
        policies=policies.documents,
        policy_arns=policies.arns,
        has_policy=policies.are_passed,
        tags=tagged.tags,
        transitive_tag_keys=tagged.transitive_keys,
        source_identity=source_identity or _source_identity_of(call.principal),
    )
    session = _with_factor(session, call.principal, serial_number if token_code is not None else None)
    return assumable.answer(call, role, session, minimum_token_size=minimum_session_token_size)


def _note_inherited_tags(call: Call) -> None:
    """Say in the record which tags the chain of roles brings along."""
    if inherited := session_tags.inherited(_chaining(call.principal)):
        call.notes.parameters["incomingTransitiveTags"] = inherited


def _chaining(caller: Principal) -> Session | None:
    """Return the session of a role that takes on another role."""
    return caller.session if caller.kind is PrincipalKind.ROLE else None


def _session(call: Call, role: RoleRow, seconds: int | None) -> Session:
    """Return a session of the role as far as its caller and its length go; raises ValidationError for one too long.

    Whoever comes with temporary credentials, GetSessionToken's among them, chains roles; a user who signed in to the console
    does not.
    """
    caller = call.principal
    # Chaining is held to an hour, or sessions could take one another on for ever.
    is_chained = caller.session is not None and not caller.session.from_console
    lifetime = assumable.chained_lifetime(seconds) if is_chained else assumable.lifetime(role, seconds)
    began = Session(
        issued_at=call.now,
        expires_at=call.now + lifetime,
        chained=is_chained,
        assumed_by=caller.arn,
        assumed_by_id=caller.unique_id,
    )
    # What is taken on in a console session ends with it, and what a product provider takes on with lent permissions with those.
    return began if caller.session is None else caller.session.derive(began)


def _context(caller: Principal, asked: Mapping[str, object]) -> dict[str, str | tuple[str, ...]]:
    context: dict[str, str | tuple[str, ...]] = {"sts:RoleSessionName": str(asked["role_session_name"])}
    for key, argument in (("sts:ExternalId", "external_id"), ("sts:DurationSeconds", "duration_seconds")):
        if asked.get(argument) is not None:
            context[key] = str(asked[argument])
    transitive = asked.get("transitive_tag_keys")
    if isinstance(transitive, Sequence) and transitive:
        context["sts:TransitiveTagKeys"] = tuple(str(key) for key in transitive)
    # What is inherited is asked about as well: a policy can demand a certain source identity all along the chain.
    identity = asked.get("source_identity") or _source_identity_of(caller)
    if identity:
        context["sts:SourceIdentity"] = str(identity)
    return context


def _require_further(call: Call, role_arn: str, asked: Mapping[str, object], *, mfa_context: Mapping[str, str]) -> None:
    """Require what passing tags or a source identity asks for beside AssumeRole, of the caller and of the trust policy.

    Whoever has a source identity can't change it (IAM user guide, "Monitor and control actions taken with assumed roles").
    """
    given, held = asked["source_identity"], _source_identity_of(call.principal)
    # Nothing is passed, so nothing beside sts:AssumeRole is asked for.
    if not (asked["tags"] or given or held):
        return
    context = {**_context(call.principal, asked), **mfa_context}
    target = assumable.target_of(call, assumable.targeted(call, role_arn), context)
    if asked["tags"]:
        authorize.require_action(call, "sts:TagSession", target, asked)
    if given and held and given != held:
        raise errors.AccessDenied(
            f"User: {call.principal.arn} is not authorized to perform: sts:SetSourceIdentity on resource: {role_arn}"
        )
    if given or held:
        authorize.require_action(call, "sts:SetSourceIdentity", target, asked)


def _source_identity_of(caller: Principal) -> str:
    return caller.session.source_identity if caller.session is not None else ""


def _with_factor(session: Session, caller: Principal, serial: str | None) -> Session:
    """Mark the session with the factor that was given now, or with the user's session (GetSessionToken); roles pass none on."""
    if serial is not None:
        return replace(session, mfa_serial=serial, mfa_at=session.issued_at)
    # A role's session passes no MFA on: the factor was its user's, and not the role's.
    if caller.kind is PrincipalKind.USER and caller.session is not None:
        return replace(session, mfa_serial=caller.session.mfa_serial, mfa_at=caller.session.mfa_at)
    return session
