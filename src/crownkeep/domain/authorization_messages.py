"""Encoded authorization messages: why a request was refused, sealed, for those who may ask sts:DecodeAuthorizationMessage.

Services that answer a refusal with more than `AccessDenied` may hand out such a message (AWS STS API reference,
"DecodeAuthorizationMessage"); only the account whose caller was refused can have it opened.
"""

from __future__ import annotations

import base64
import binascii
import zlib

import msgspec

from crownkeep import clock
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring, Purpose
from crownkeep.policy import Decision, Reason
from crownkeep.policy.compile import CompiledStatement

LONGEST = 10_240
"""Characters of the longest message that DecodeAuthorizationMessage takes."""
_DEEPEST = 256 * 1024
_MOST_CONDITIONS = 50


class NotAMessage(ValueError):
    """This is no authorization message of ours for this account; nothing more is said."""


def encode(keyring: Keyring, decision: Decision, *, account_id: str, name: str) -> str:
    """Seal why a request was refused, for the account of the caller; `name` is the caller's own, without its path."""
    text = msgspec.json.encode(_describe(decision, name))
    context = sealing.context_of(account_id)
    nonce = clock.token_bytes(sealing.NONCE_SIZE)
    sealed = sealing.seal(keyring, zlib.compress(text, 9), purpose=Purpose.AUTHORIZATION_MESSAGE, context=context, nonce=nonce)
    return base64.urlsafe_b64encode(sealed).decode()


def decode(keyring: Keyring, message: str, *, account_id: str) -> str:
    """Return the JSON in a message that was sealed for this account; raises NotAMessage."""
    try:
        blob = base64.b64decode(message.encode("ascii"), altchars=b"-_", validate=True)
        context = sealing.context_of(account_id)
        packed = sealing.unseal(keyring, blob, purpose=Purpose.AUTHORIZATION_MESSAGE, context=context)
        return zlib.decompressobj().decompress(packed, _DEEPEST).decode()
    except (UnicodeError, binascii.Error, sealing.Unsealable, zlib.error) as error:
        raise NotAMessage from error


def _describe(decision: Decision, name: str) -> dict[str, object]:
    request = decision.request
    statement = decision.deciding.statement if decision.deciding is not None else None
    matched = [_describe_statement(statement)] if statement is not None and not decision.allowed else []
    principal: dict[str, object] = {
        "id": request.principal.unique_id or request.principal.issuer_unique_id or request.principal.account_id or "",
        "name": name,
        "arn": request.principal.arn,
    }
    return {
        "allowed": decision.allowed,
        "explicitDeny": decision.reason is Reason.EXPLICIT_DENY,
        "matchedStatements": {"items": matched},
        "failures": {"items": []},
        "context": {
            "principal": principal,
            "action": request.action,
            "resource": request.resource,
            "conditions": {"items": _conditions(decision)},
        },
    }


def _describe_statement(compiled: CompiledStatement) -> dict[str, object]:
    statement = compiled.statement
    described: dict[str, object] = {
        "statementId": statement.sid or "",
        "effect": statement.effect.upper(),
        "principals": {"items": [{"value": value} for _, value in statement.principal.named] if statement.principal else []},
        "principalGroups": {"items": []},
        "actions": {"items": [{"value": action} for action in statement.actions or ()]},
        "resources": {"items": [{"value": resource} for resource in statement.resources or ()]},
        "conditions": {"items": [_condition(each.key, each.values) for each in statement.conditions]},
    }
    return described


def _conditions(decision: Decision) -> list[dict[str, object]]:
    """Return the keys that policies asked the request's context for, as far as it had them."""
    found = sorted(decision.request.context.known().items())
    return [_condition(key, (value,) if isinstance(value, str) else value) for key, value in found[:_MOST_CONDITIONS]]


def _condition(key: str, values: tuple[str, ...]) -> dict[str, object]:
    return {"key": key, "values": {"items": [{"value": value} for value in values]}}
