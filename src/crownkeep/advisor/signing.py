"""Signed files: a JSON object with a signature of this machine's own key beside it, so that what was read is what is applied."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crownkeep import clock, untrusted_json
from crownkeep.advisor.plans import UnreadablePlan, canonical

_SIZE = 32


class UnusableKey(Exception):
    """The key that signs can't be kept or read; the text says what to do."""


def own_key(directory: Path) -> Ed25519PrivateKey:
    """Return this machine's key, made at its first use and readable for its owner alone."""
    path = directory / "lockdown.key"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            seed = path.read_bytes()
        else:
            seed = clock.token_bytes(_SIZE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(seed)
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise UnusableKey(f"`{path}` can't be used: {error.strerror}") from error
    if len(seed) != _SIZE:
        raise UnusableKey(f"`{path}` is no key: move it away, and plan again")
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public half as text."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def sign(content: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    """Return a plan's file: its content as JSON, with the signature over the content's canonical form and the public key."""
    whole = {**content, "signature": _written(key.public_key().public_bytes_raw(), key.sign(canonical(content)))}
    return json.dumps(whole, indent=2, ensure_ascii=True) + "\n"


def read(text: str, trusted: str) -> dict[str, Any]:
    """Return what was signed with the trusted key; raises UnreadablePlan."""
    try:
        content = untrusted_json.read(text)
        signature = content.pop("signature")
        public, value = base64.b64decode(signature["key"], validate=True), base64.b64decode(signature["value"], validate=True)
        key = Ed25519PublicKey.from_public_bytes(public)
        if signature != _written(public, value):
            # One spelling alone: what nobody has signed, such as the algorithm's name, must say what is meant all the same.
            raise ValueError("the signature is written otherwise")
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise UnreadablePlan("this is no signed file of `crownkeep lockdown`") from error
    try:
        key.verify(value, canonical(content))
    except InvalidSignature as error:
        raise UnreadablePlan("the file was changed since it was signed: plan again, and read the new plan") from error
    # After the signature: a file that was changed is told apart from one that another machine has signed.
    if signature["key"] != trusted:
        raise UnreadablePlan(f"the file was signed on another machine, with the key {signature['key']}: name it with `--key`")
    return dict(content)


def _written(public: bytes, value: bytes) -> dict[str, str]:
    return {"algorithm": "Ed25519", "key": base64.b64encode(public).decode(), "value": base64.b64encode(value).decode()}
