"""Which kinds of security key the operator accepts of custodians and of root, as FIDO metadata proves the kind."""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep.credentials.fido_metadata import Metadata
from crownkeep.credentials.webauthn import Passkey, WebauthnRefused
from crownkeep.settings import Settings

_FIDO = "FIDO"


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """What a key must be to be enrolled; with neither, any key that verifies its person is accepted."""

    level: str = ""
    """The least level of FIDO certification, such as `L2`; levels are in the order of their letters."""
    models: tuple[str, ...] = ()
    """The AAGUIDs of the models that are accepted."""


ANY = KeyPolicy()


def of_custodians(settings: Settings) -> KeyPolicy:
    """Return what keys of custodians and other approvers must be."""
    return KeyPolicy(settings.custodian_key_level, settings.custodian_key_models)


def of_root(settings: Settings) -> KeyPolicy:
    """Return what keys of root users must be."""
    return KeyPolicy(settings.root_key_level, settings.root_key_models)


def require(policy: KeyPolicy, passkey: Passkey, metadata: Metadata | None) -> None:
    """Raise WebauthnRefused for a key that has not proved to be what a policy asks for.

    A key only says which model it is. Its attestation proves that, where the metadata knows the model and has judged it.
    """
    if policy == ANY:
        return
    if metadata is None:
        raise WebauthnRefused("only certain kinds of key are accepted, and this server has no FIDO metadata to tell them by")
    if passkey.attestation_format == "none" or not metadata.knows(passkey.aaguid):
        raise WebauthnRefused("only certain kinds of key are accepted, and this one does not prove its kind (no attestation)")
    if policy.models and passkey.aaguid not in policy.models:
        raise WebauthnRefused(f"keys of this model ({passkey.aaguid}) are not accepted here")
    level = dict(passkey.certifications).get(_FIDO, "")
    if policy.level and level < policy.level:
        raise WebauthnRefused(
            f"keys must be certified by FIDO at {policy.level} or above, and this model is at {level or 'none'}"
        )
