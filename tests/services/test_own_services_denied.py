"""Every action of a service of our own is denied by an identity policy and by a service control policy, and recorded so."""

from __future__ import annotations

from typing import Any

from botocore import xform_name
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization, deny
from tests.house import valid
from tests.services.iam.asking import allow, refusal

from crownkeep import services
from crownkeep.operations import registry
from crownkeep.operations.registry import Operation

services.load()
OWN = [
    operation
    for name in ("account-security", "alerts", "credential-audit", "trail")
    if (service := registry.service(name))
    for served in sorted(service.served())
    if (operation := service.find(served))
]
ACTIONS = sorted({operation.action for operation in OWN})
ROOT_ONLY = {"AcceptRootEmailUpdate", "ChangeRootPassword", "StartRootEmailUpdate"}
"""What root does to itself: root has no identity policies, and nobody else gets as far as a policy."""


def ask(account: Account, caller: Any, operation: Operation) -> str:
    client = (account.root if operation.name in ROOT_ONLY else caller.client)(operation.service.name)
    return refusal(getattr(client, xform_name(operation.name)), **valid.parameters(operation.model))


def recorded_refusals(account: Account) -> set[str]:
    return {record["eventName"] for record in account.records() if "explicit deny" in record.get("errorMessage", "")}


def name_in_trail(operation: Operation) -> str:
    return (operation.recorded_as.name if operation.recorded_as else "") or operation.name


def test_each_action_is_denied_by_an_identity_policy(account: Account):
    account.client("iam").create_user(UserName="name")
    both = {**allow("*"), "Statement": [*allow("*")["Statement"], *deny(*ACTIONS)["Statement"]]}
    carol = account.user("carol", policy=both)

    asked = [operation for operation in OWN if operation.name not in ROOT_ONLY]
    answer = {operation.name: ask(account, carol, operation) for operation in asked}

    assert {} == {name: text for name, text in answer.items() if "explicit deny in an identity-based policy" not in text}
    assert {name_in_trail(operation) for operation in asked} <= recorded_refusals(account)


def test_each_action_is_denied_by_a_service_control_policy_even_to_root(crown: Crown):
    organization = Organization(crown)
    account = organization.invited()
    account.client("iam").create_user(UserName="name")
    organization.bind(deny(*ACTIONS), account.id)

    answer = {operation.name: ask(account, account, operation) for operation in OWN}

    assert {} == {name: text for name, text in answer.items() if "explicit deny in a service control policy" not in text}
    assert {name_in_trail(operation) for operation in OWN} <= recorded_refusals(account)
