"""Trusted identity propagation: what calls about identity providers say of it, checked, kept and shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from crownkeep import errors

Sent = Mapping[str, object]
"""The parameter `ContextProvider`."""

_KEY_CHARACTERS = r"[A-Za-z0-9_.:/=+\-@#]+"
_KEY = re.compile(rf"{_KEY_CHARACTERS}(?: {_KEY_CHARACTERS})*")
_REFUSED_KEY = (
    "Context provider keys can contain only ASCII letters, numbers, single spaces, and the following characters: "
    "_ . : / = + - @ #. They can't start or end with a space or contain two spaces in a row."
)


def checked(sent: Sent | None) -> str | None:
    """Hold a context provider to its rules and return it as it is kept; raises InvalidInput."""
    if sent is None:
        return None
    if sent.get("SubjectTypeValue") and sent.get("SubjectTypeSourceKey"):
        raise errors.InvalidInput("Specify either SubjectTypeValue or SubjectTypeSourceKey, but not both.")
    definitions = _definitions(sent)
    keys = [sent.get("SubjectSourceKey"), sent.get("SubjectTypeSourceKey")]
    keys += [value for each in definitions for value in each.values()]
    if any(key is not None and not _KEY.fullmatch(str(key)) for key in keys):
        raise errors.InvalidInput(_REFUSED_KEY)
    targets = [str(each.get("TargetKey") or each["SourceKey"]).lower() for each in definitions]
    if len(set(targets)) < len(targets):
        raise errors.InvalidInput("Each target key can be specified only once.")
    return msgspec.json.encode(sent).decode()


def change(
    context_provider: Sent | None,
    instance_arn: str | None,
    *,
    removes_context: bool,
    removes_instance: bool,
    has_metadata: bool = False,
) -> None:
    """Raise InvalidInput for what one request can't ask for together (API_UpdateOpenIDConnectProvider)."""
    refuse_instance(instance_arn)
    if context_provider is not None and removes_context:
        raise errors.InvalidInput("ContextProvider and RemoveContextProvider cannot be specified together.")
    if (context_provider is not None or removes_context) and (removes_instance or has_metadata):
        raise errors.InvalidInput(
            "A single request can change either the context provider or the rest of the provider, but not both."
        )


def refuse_instance(instance_arn: str | None) -> None:
    """Raise InvalidInput for an instance of IAM Identity Center: its applications, which would use it, are not served."""
    if instance_arn is not None:
        raise errors.InvalidInput("Identity providers can't be associated with an IAM Identity Center instance here.")


def members(kept: str | None) -> dict[str, object]:
    """Return the member that shows a context provider, which is absent where there is none."""
    return {} if kept is None else {"ContextProvider": msgspec.json.decode(kept)}


def condition_keys(
    *,
    context_provider: Sent | None = None,
    identity_center_instance_arn: str | None = None,
    requested_issuer: str | None = None,
    present_issuer: str | None = None,
) -> dict[str, str | tuple[str, ...]]:
    """Return the condition keys by which policies say who may set up trusted identity propagation."""
    keys: dict[str, str | tuple[str, ...]] = {
        "iam:EnableIdentityPropagation": "false" if context_provider is None else "true",
        "iam:EnableIdentityCenterAssociation": "false" if identity_center_instance_arn is None else "true",
    }
    if identity_center_instance_arn is not None:
        keys["iam:RequestIdentityCenterInstanceArn"] = identity_center_instance_arn
    if requested_issuer:
        keys["iam:RequestIdentityProviderIssuers"] = (requested_issuer,)
    if present_issuer:
        keys["iam:ResourceIdentityProviderIssuers"] = (present_issuer,)
    return keys


def _definitions(sent: Sent) -> Sequence[Mapping[str, object]]:
    listed = sent.get("KeyDefinitionList")
    return [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, Sequence) else ()
