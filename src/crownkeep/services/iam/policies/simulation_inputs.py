"""What a simulation is asked with: documents, actions, resources, context and caller, read before anything is decided.

Texts of refusals are AWS's as far as they are known (API_SimulatePrincipalPolicy); IAM's InvalidInput is for all of them.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from ipaddress import ip_network

from crownkeep import arn, errors, ids, policy
from crownkeep.catalogue import actions
from crownkeep.operations.call import Call
from crownkeep.operations.giving_way import GivingWay
from crownkeep.policy import (
    CompiledPolicy,
    ContextValue,
    Document,
    PolicyKind,
    PolicyPrincipal,
    PolicyPrincipalKind,
    PolicySource,
)
from crownkeep.services.iam.identities import entities
from crownkeep.storage.identities.owners import OwnerKind

CURRENT_VERSION = "2012-10-17"
_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")
_LIST = "List"

ContextEntries = Sequence[Mapping[str, object]]


def read(text: str, kind: PolicyKind) -> Document:
    """Read and check a policy document; raises InvalidInput with the fault. Documents of the old version are simulated too."""
    try:
        document = policy.parse(text)
        policy.validate(replace(document, version=CURRENT_VERSION), kind)
    except policy.MalformedPolicy as error:
        raise errors.InvalidInput(error.message) from error
    return document


def compiled(texts: Sequence[str], kind: PolicyKind, *, member: str) -> list[CompiledPolicy]:
    """Compile the documents of a list that came with the call; answers cite them as `PolicyInputList.1`."""
    pace = GivingWay()
    return [
        policy.compile_policy(read(text, kind), source=PolicySource(kind, f"{member}.{number}"), between=pace.pause)
        for number, text in enumerate(texts, start=1)
    ]


def require_actions(names: Sequence[str]) -> None:
    """Raise InvalidInput for what is no action's name; wildcards are none (API_SimulatePrincipalPolicy)."""
    for name in names:
        if _ACTION.fullmatch(name) is None:
            raise errors.InvalidInput(f"Invalid action name: {name}. Use the form service:Action without wildcards.")


def action_resource(name: str, resources: Sequence[str]) -> str:
    """Return what an action's result is named by: the resource asked for or, of several, the ARN template of what it is done to.

    The template is the one that the first resource is written by, or else the action's first.
    `*` for an action that is unknown or done to nothing in particular.
    """
    if len(resources) == 1:
        return resources[0]
    found = actions.action(name)
    types = actions.resource_types(found) if found is not None else ()
    written = (each.arn_format for each in types if fnmatchcase(resources[0], each.arn_pattern))
    return next(written, types[0].arn_format if types else "*")


def require_resources(resources: Sequence[str], *, with_policy: bool) -> None:
    """Raise InvalidInput for what is neither an ARN nor `*`; beside a resource's policy only ARNs will do."""
    for resource in resources or ("*",):
        if resource == "*" and not with_policy:
            continue
        if arn.parse(resource) is None:
            raise entities.not_an_entity(resource)


# EC2's RunInstances needs these in each scenario (API_SimulatePrincipalPolicy, ResourceHandlingOption).
_ALWAYS = ("instance", "image", "security-group")
_SCENARIOS = {
    "EC2-Classic-InstanceStore": _ALWAYS,
    "EC2-Classic-EBS": (*_ALWAYS, "volume"),
    "EC2-VPC-InstanceStore": (*_ALWAYS, "network-interface"),
    "EC2-VPC-InstanceStore-Subnet": (*_ALWAYS, "network-interface", "subnet"),
    "EC2-VPC-EBS": (*_ALWAYS, "network-interface", "volume"),
    "EC2-VPC-EBS-Subnet": (*_ALWAYS, "network-interface", "subnet", "volume"),
}


def require_scenario(option: str | None, resources: Sequence[str]) -> None:
    """Raise InvalidInput where the resources that an EC2 scenario needs are not all there."""
    if option is None:
        return
    needed = _SCENARIOS.get(option)
    if needed is None:
        raise errors.InvalidInput(f"Invalid resource handling option: {option}.")
    given = {parts.resource.partition("/")[0] for each in resources if (parts := arn.parse(each)) and parts.service == "ec2"}
    missing = [each for each in needed if each not in given]
    if missing:
        raise errors.InvalidInput(f"The resource handling option {option} needs these resources: {', '.join(missing)}.")


def context(entries: ContextEntries) -> dict[str, ContextValue]:
    """Return context entries by key; raises InvalidInput for values that are not of the entry's type."""
    values: dict[str, ContextValue] = {}
    for entry in entries:
        key, sent, of_type = entry.get("ContextKeyName"), entry.get("ContextKeyValues", ()), entry.get("ContextKeyType")
        if not isinstance(key, str) or not isinstance(of_type, str) or not isinstance(sent, Sequence):
            raise errors.InvalidInput("Each context entry needs ContextKeyName, ContextKeyValues and ContextKeyType.")
        texts = tuple(str(each) for each in sent)
        is_list = of_type.endswith(_LIST)
        is_valid = _TYPES[of_type.removesuffix(_LIST)]
        if not texts or (len(texts) > 1 and not is_list) or not all(map(is_valid, texts)):
            raise errors.InvalidInput(f"Invalid values for the context key {key} of the type {of_type}.")
        values[key] = texts if is_list else texts[0]
    return values


def caller(call: Call, caller_arn: str | None, entity: entities.Entity | None) -> PolicyPrincipal:
    """Return who is simulated to call: the ARN that was given or else the entity whose policies are simulated.

    Without either it is somebody of the account whom no policy names. Raises InvalidInput for a caller who is no user.
    """
    named = caller_arn if caller_arn is not None else entity.arn if entity is not None else None
    if named is None:
        return PolicyPrincipal(PolicyPrincipalKind.USER, "", call.account_id)
    kind, parts = entities.kind_of(named), arn.parse(named)
    is_entity = entity is not None and entity.arn == named
    if parts is None or not ids.is_account_id(parts.account_id) or not (is_entity or kind is OwnerKind.USER):
        raise errors.InvalidInput("Invalid caller - Caller must be an IAM user, role or group in this context.")
    unique_id = entity.entity_id if entity is not None and is_entity else None
    if kind is OwnerKind.ROLE:
        return PolicyPrincipal(
            PolicyPrincipalKind.ROLE_SESSION, named, parts.account_id, issuer_arn=named, issuer_unique_id=unique_id
        )
    return PolicyPrincipal(PolicyPrincipalKind.USER, named, parts.account_id, unique_id)


def supplied(call: Call, principal: PolicyPrincipal) -> Callable[[str], ContextValue | None]:
    """Return the context keys that a simulation knows by itself; entries that came with the call go before them."""
    parts = arn.parse(principal.arn)
    known: dict[str, ContextValue] = {
        "aws:currenttime": call.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:epochtime": str(int(call.now.timestamp())),
        "aws:principalaccount": principal.account_id or "",
    }
    membership = call.standing.membership(call.db)
    if membership is not None and principal.account_id == call.account_id:
        known |= {"aws:principalorgid": membership.organization_id, "aws:principalorgpaths": (membership.path,)}
    if parts is not None:
        known |= {"aws:principalarn": principal.arn, "aws:userid": principal.arn}
        if entities.kind_of(principal.arn) is OwnerKind.USER:
            known["aws:username"] = arn.name_and_path(parts.resource)[0]
    return known.get


def owner(text: str | None) -> str | None:
    """Return the account id of a resource's owner, given as an id or as the account's ARN; raises InvalidInput."""
    if text is None:
        return None
    parts = arn.parse(text)
    account_id = parts.account_id if parts is not None and (parts.service, parts.resource) == ("iam", "root") else text
    if not ids.is_account_id(account_id):
        raise errors.InvalidInput("Invalid Resource Owner.")
    return account_id


def account_of(resource: str, *, otherwise: str | None) -> str | None:
    """Return whose a resource is: its ARN's account or, where the ARN names none, `otherwise`."""
    parts = arn.parse(resource)
    return parts.account_id if parts is not None and ids.is_account_id(parts.account_id) else otherwise


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d{1,64}(\.\d{1,64})?", text, re.ASCII) is not None


def _is_date(text: str) -> bool:
    if _is_number(text):
        return True
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_binary(text: str) -> bool:
    try:
        b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


# At the end of the module, since it names the functions above.
_TYPES: Mapping[str, Callable[[str], bool]] = {
    "string": lambda text: True,
    "numeric": _is_number,
    "boolean": lambda text: text.lower() in ("true", "false"),
    "date": _is_date,
    "ip": _is_address,
    "binary": _is_binary,
}
