"""A wrapping key in a PKCS#11 token (https://docs.oasis-open.org/pkcs11/pkcs11-spec/v3.1/): it is made there, and can't be read.

The token encrypts with AES-256-GCM (CKM_AES_GCM). What is wrapped is `nonce (12 bytes) | ciphertext and tag`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

import msgspec

from crownkeep import clock
from crownkeep.credentials.secret import Secret
from crownkeep.wrapping.faults import UnusableKeyHolder

Pin = Callable[[], Secret]
"""Finds the PIN of a token; raises UnusableKeyHolder where it is nowhere."""

_NONCE_SIZE = 12
_KEY_BITS = 256
_one_at_a_time = Lock()
"""A process is logged in to a token as a whole (PKCS#11, 5.6): a second login while one holds would be refused."""


class TokenKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="pkcs11", tag_field="by"):
    """A key in a token."""

    module: str
    """The library that the token's maker has, such as `/usr/lib/softhsm/libsofthsm2.so`."""
    token: str
    """The token's label."""
    key: str
    """The key's label."""

    @property
    def spoken(self) -> str:
        """Say whose key it is, for people."""
        return f"the key `{self.key}` of the token `{self.token}`"

    @contextmanager
    def opened(self, pin: Pin) -> Iterator[OpenToken]:
        """Log in to the token, which asks for its PIN once, whatever is done there; raises UnusableKeyHolder."""
        pkcs11 = _driver()
        secret = pin()
        with _one_at_a_time:
            try:
                found = self._library(pkcs11).get_token(token_label=self.token)
                with found.open(user_pin=secret.reveal()) as session:
                    yield OpenToken(self, pkcs11, found, session)
            except pkcs11.PKCS11Error as error:
                raise UnusableKeyHolder(self._told(pkcs11.exceptions, error)) from error

    def _library(self, pkcs11: Any) -> Any:
        try:
            return pkcs11.lib(self.module)
        except RuntimeError as error:
            raise UnusableKeyHolder(f"`{self.module}` can't be loaded as a PKCS#11 module: see whether it is there") from error

    def _told(self, faults: Any, error: Exception) -> str:
        match error:
            case faults.NoSuchToken() | faults.TokenNotPresent() | faults.SlotIDInvalid():
                return f"there is no token `{self.token}` at `{self.module}`: plug it in, or see what `pkcs11-tool -L` lists"
            case faults.MultipleTokensReturned():
                return f"there are several tokens `{self.token}` at `{self.module}`: give one another label"
            case faults.PinLocked():
                return f"the token `{self.token}` has locked its PIN after wrong ones: unlock it with its SO-PIN"
            case faults.PinIncorrect() | faults.PinLenRange() | faults.PinInvalid():
                return (
                    f"the PIN is not that of the token `{self.token}`: correct it before you try again, as a token locks itself"
                )
            case faults.MechanismInvalid():
                return f"the token `{self.token}` doesn't know AES-GCM: take another one"
            case _:
                # One of some ninety codes that the maker's own manual explains.
                return f"the token `{self.token}` failed: {type(error).__name__} (see its maker's manual)"


@dataclass(frozen=True, slots=True)
class OpenToken:
    """A token to which somebody is logged in."""

    holder: TokenKey
    _pkcs11: Any
    _token: Any
    _session: Any

    def wrap(self, plain: bytes, bound_to: bytes) -> bytes:
        """Encrypt; the key is made where the token has none of that label. Raises UnusableKeyHolder."""
        nonce = clock.token_bytes(_NONCE_SIZE)
        key = self._found() or self._made()
        return nonce + bytes(key.encrypt(plain, **self._by_gcm(nonce, bound_to)))

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        """Decrypt; raises UnusableKeyHolder."""
        nonce, sealed = wrapped[:_NONCE_SIZE], wrapped[_NONCE_SIZE:]
        key = self._found()
        if key is None:
            asked = self.holder
            raise UnusableKeyHolder(f"the token `{asked.token}` has no key `{asked.key}`: restore it from the token's backup")
        try:
            return bytes(key.decrypt(sealed, **self._by_gcm(nonce, bound_to)))
        except self._pkcs11.PKCS11Error as error:
            # Each maker has another code for a tag that is wrong: SoftHSM's is CKR_GENERAL_ERROR.
            reason = "it is another key, or the file was changed"
            raise UnusableKeyHolder(
                f"{self.holder.spoken} doesn't open the sealing key ({type(error).__name__}): {reason}"
            ) from error

    def _found(self) -> Any:
        wanted = self._pkcs11.Attribute
        template = {wanted.CLASS: self._pkcs11.ObjectClass.SECRET_KEY, wanted.LABEL: self.holder.key}
        found = list(self._session.get_objects(template))
        # Labels need not be unique in a token. Which of two keys is meant must not be left to the order of a list.
        if len(found) > 1:
            raise UnusableKeyHolder(
                f"the token `{self.holder.token}` has {len(found)} keys `{self.holder.key}`: name one that is alone"
            )
        return found[0] if found else None

    def _made(self) -> Any:
        wanted = self._pkcs11.Attribute
        # A process is logged in as a whole: this session, the only one that may write, needs no PIN of its own.
        with self._token.open(rw=True) as session:
            session.generate_key(
                self._pkcs11.KeyType.AES,
                _KEY_BITS,
                label=self.holder.key,
                store=True,
                capabilities=self._pkcs11.MechanismFlag.ENCRYPT | self._pkcs11.MechanismFlag.DECRYPT,
                template={wanted.SENSITIVE: True, wanted.EXTRACTABLE: False},
            )
        return self._found()

    def _by_gcm(self, nonce: bytes, bound_to: bytes) -> dict[str, Any]:
        return {"mechanism": self._pkcs11.Mechanism.AES_GCM, "mechanism_param": self._pkcs11.GCMParams(nonce, bound_to)}


def _driver() -> Any:
    try:
        import pkcs11
    except ModuleNotFoundError as error:
        raise UnusableKeyHolder(f"tokens need their driver: run `{sys.executable} -m pip install 'crownkeep[pkcs11]'`") from error
    return pkcs11
