"""Recovery codes: a set of ten for the day when a device is lost, made for whoever has just proved to be there."""

from __future__ import annotations

from crownkeep import clock
from crownkeep.credentials import recovery_codes as codes
from crownkeep.domain.credentials import own_mfa
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Permission, sign_in_event
from crownkeep.principals import PrincipalKind
from crownkeep.services.account_security import myself
from crownkeep.services.account_security.service import account_security
from crownkeep.storage.sign_in import recovery_codes
from crownkeep.storage.sign_in.recovery_codes import RecoveryCodeRow


@account_security.operation(
    "CreateRecoveryCodes",
    resource=myself.myself,
    effect=Effect.STATE,
    permission=Permission.UNLESS_DENIED,
    recorded_as=sign_in_event("RecoveryCodesCreated"),
)
def create_recovery_codes(call: Call) -> Result:
    """Make the caller's ten codes, told in this answer and nowhere else; the codes of the set before are void."""
    person = myself.with_credentials(call)
    call.require_fresh_proof()
    if person.kind is PrincipalKind.PERSON:
        # Codes stand in for a device: whoever has the password alone must not make them.
        own_mfa.require_own_mfa(call, person.unique_id)
    minted = codes.mint(clock.token_bytes(codes.COUNT * codes.CODE_ENTROPY))
    salt = clock.token_bytes(codes.SALT_SIZE)
    # The account is held by now: of two sets that are made at once the second finds the first, and replaces it.
    rows = [
        RecoveryCodeRow(person.account_id, person.unique_id, codes.hash_code(code, salt=salt), salt, call.now) for code in minted
    ]
    recovery_codes.replace_all(call.db, person.account_id, person.unique_id, rows)
    myself.note(call)
    return {"RecoveryCodes": [code.reveal() for code in minted]}
