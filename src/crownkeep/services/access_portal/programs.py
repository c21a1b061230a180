"""Programs that a person lets act for them: by a code that goes to this computer, or by one that was shown on another."""

from __future__ import annotations

from crownkeep import clock, errors
from crownkeep.credentials import code_challenges
from crownkeep.domain.single_sign_on import clients
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, everything
from crownkeep.services.access_portal import me
from crownkeep.services.access_portal.me import Me
from crownkeep.services.access_portal.service import access_portal
from crownkeep.signin import programs
from crownkeep.signin.programs import Token
from crownkeep.storage.single_sign_on import person_grants
from crownkeep.storage.single_sign_on.person_grants import GIVEN, REFUSED, WAITING, PersonGrantRow


@access_portal.operation("AuthorizeProgram", resource=everything, effect=Effect.STATE)
def authorize_program(call: Call, *, client_id: str, redirect_uri: str, code_challenge: str) -> Result:
    """Let a program on the person's own computer act for them, by a code for one use (RFC 7636 and 8252)."""
    mine = me.required(call)
    client = clients.known(call.keyring, client_id, now=call.now)
    if client is None or not clients.may_receive(client, redirect_uri) or not code_challenges.is_challenge(code_challenge):
        raise errors.ServiceValidation("The program is not registered, or not for this address.")
    code = programs.mint().reveal()
    person_grants.forget(call.db, before=call.now)
    until = call.now + programs.CODE_LIFETIME
    row = PersonGrantRow(
        grant_id=clock.token_bytes(16).hex(),
        account_id=call.account_id,
        identity_store_id=mine.signed_in.instance.identity_store_id,
        client_digest=clients.digest_of(client_id),
        client_name=client.name,
        state=GIVEN,
        code_digest=programs.digest_of(Token.CODE, code),
        user_code_digest=None,
        redirect_uri=redirect_uri,
        code_challenge=code_challenge,
        asked_from=call.origin.source_ip[:64],
        user_agent=call.origin.user_agent[:512],
        owner_id=call.principal.unique_id,
        session_digest=mine.binding.session_digest,
        created_at=call.now,
        code_expires_at=until,
        expires_at=until,
        scopes=clients.scopes_of(client),
    )
    person_grants.add(call.db, row)
    return {"AuthorizationCode": code}


@access_portal.operation("GetDeviceRequest", resource=everything)
def get_device_request(call: Call, *, user_code: str) -> Result:
    """Return which program asks from where, by the code that it shows."""
    row = _waiting(call, me.required(call), user_code)
    return {
        "UserCode": programs.user_code(user_code),
        "ClientName": row.client_name,
        "SourceIPAddress": row.asked_from,
        "UserAgent": row.user_agent,
        "CreatedAt": row.created_at,
    }


@access_portal.operation("AllowDevice", resource=everything, effect=Effect.STATE)
def allow_device(call: Call, *, user_code: str) -> Result:
    """Let the program that shows this code act for the person."""
    return _decide(call, user_code, GIVEN)


@access_portal.operation("RefuseDevice", resource=everything, effect=Effect.STATE)
def refuse_device(call: Call, *, user_code: str) -> Result:
    """Refuse the program that shows this code, for good."""
    return _decide(call, user_code, REFUSED)


def _decide(call: Call, user_code: str, state: str) -> Result:
    mine = me.required(call)
    row = _waiting(call, mine, user_code)
    owner_id, session_digest = call.principal.unique_id, mine.binding.session_digest
    if not person_grants.decide(call.db, row.grant_id, state=state, owner_id=owner_id, session_digest=session_digest):
        raise _not_found()
    return NOTHING


def _waiting(call: Call, mine: Me, user_code: str) -> PersonGrantRow:
    """Return the request with a code, of the person's own instance; raises ResourceNotFoundException for all others alike."""
    row = person_grants.with_user_code(call.db, programs.digest_of(Token.USER_CODE, programs.user_code(user_code)))
    if row is None or row.state != WAITING or call.now >= row.code_expires_at:
        raise _not_found()
    if row.identity_store_id != mine.signed_in.instance.identity_store_id:
        raise _not_found()
    return row


def _not_found() -> errors.ResourceNotFound:
    return errors.ResourceNotFound("No program waits with this code: it was used, has expired, or is another one.")
