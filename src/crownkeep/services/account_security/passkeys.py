"""Passkeys and security keys of one's own, registered under AWS's permission and in AWS's record for it.

AWS's console activates a security key by EnableMFADevice, in two steps with condition keys of their own: the key is created, then
activated with what it is certified for (IAM user guide, "Supported configurations for using passkeys and security keys").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from crownkeep import errors
from crownkeep.credentials.webauthn import Passkey, RelyingParty, WebauthnRefused
from crownkeep.domain.credentials import key_policies, own_mfa, passkeys
from crownkeep.operations import authorize
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, RecordedAs, Target
from crownkeep.principals import PrincipalKind
from crownkeep.services.account_security import myself
from crownkeep.services.account_security.service import account_security

_ACTION = "iam:EnableMFADevice"
_STEP_KEY = "iam:RegisterSecurityKey"
_CERTIFICATION_KEYS = {
    "FIDO": "iam:FIDO-certification",
    "FIPS-140-2": "iam:FIDO-FIPS-140-2-certification",
    "FIPS-140-3": "iam:FIDO-FIPS-140-3-certification",
}


def step(call: Call, **_: object) -> Target:
    """Whoever calls, at the step that the call has come to: nothing is known of the key before it is verified."""
    passkey = call.prepared
    return _activating(call, passkey) if isinstance(passkey, Passkey) else _creating(call)


def verify_passkey(
    call: Call, *, user_name: str, serial_number: str, credential: str, challenge: bytes, relying_party: Mapping[str, str]
) -> Passkey:
    """Verify what the browser's key answered; raises InvalidAuthenticationCode."""
    _require_own(call, user_name, serial_number)
    party = RelyingParty(relying_party["Id"], relying_party["Name"], frozenset({relying_party["Origin"]}))
    policy = key_policies.of_root(call.settings) if call.principal.kind is PrincipalKind.ROOT else key_policies.ANY
    try:
        return passkeys.registered(call.settings, party, passkeys.answered(credential), challenge, policy)
    except WebauthnRefused as refusal:
        raise errors.InvalidAuthenticationCode(f"The passkey was not accepted: {refusal}") from refusal


@account_security.operation(
    "RegisterPasskey",
    resource=step,
    action=_ACTION,
    effect=Effect.STATE,
    prepare=verify_passkey,
    recorded_as=RecordedAs("iam.amazonaws.com", "AwsApiCall", "EnableMFADevice"),
)
def register_passkey(
    call: Call, *, user_name: str, serial_number: str, credential: str, challenge: bytes, relying_party: Mapping[str, str]
) -> Result:
    """Give the caller, who sits at a browser and has just proved to be there, the passkey that was verified."""
    passkey = call.prepared
    assert isinstance(passkey, Passkey)  # noqa: S101 - what verify_passkey answered, for the type checker
    # Both steps are decided here, where nobody acts on a permission that another request has just taken away.
    authorize.require_action(call, _ACTION, _creating(call))
    name = _require_own(call, user_name, serial_number)
    person = call.principal
    own_mfa.require_own_mfa(call, person.unique_id)
    own_mfa.require_room(call, person.unique_id)
    passkeys.add(call, passkey, serial=serial_number, name=name)
    own_mfa.note(call, serial_number, user_name=person.name if person.kind is PrincipalKind.USER else None)
    return NOTHING


def _creating(call: Call) -> Target:
    return replace(myself.myself(call), context={_STEP_KEY: "Create"})


def _activating(call: Call, passkey: Passkey) -> Target:
    certified = {_CERTIFICATION_KEYS[name]: level for name, level in passkey.certifications if name in _CERTIFICATION_KEYS}
    return replace(myself.myself(call), context={_STEP_KEY: "Activate", **certified})


def _require_own(call: Call, user_name: str, serial_number: str) -> str:
    """Return what a key of the caller's own is to be called.

    The challenge is the console's, so that a key registered by a call that somebody signed would prove nothing.
    """
    person = myself.with_credentials(call)
    call.require_fresh_proof()
    name = passkeys.name_in(person, serial_number)
    if name is None or user_name != myself.name_of(person):
        raise errors.ValidationError("a passkey is registered for oneself: give `UserName` and `SerialNumber` of the caller")
    return name
