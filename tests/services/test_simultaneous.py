"""Rules that cross accounts, each tried by calls that reach two nodes on one database at the same moment."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account
from tests.fixtures.nodes import AT_ONCE, Nodes, at_once, of_each
from tests.fixtures.organization import SCP, Organization, allow, deny

from crownkeep.storage.credentials import hardware_tokens

Calls = list[Callable[[], Any]]
_numbers = itertools.count(1)


def operated(nodes: Nodes, *asked: tuple[str, str, dict[str, Any]]) -> Calls:
    """Return calls of the operator's API, one at each node in turn, which raise where they are refused."""

    def ask(number: int, method: str, path: str, body: dict[str, Any]) -> None:
        answer = nodes.crowns[number % 2].operator(method, path, body)
        if answer.status >= 400:
            raise ClientError({"Error": {"Code": str(answer.status), "Message": answer.text}}, method)

    return [partial(ask, number, *each) for number, each in enumerate(asked)]


def client(nodes: Nodes, number: int, account: Account, service: str = "organizations") -> Any:
    """Return a client of an account's administrator at one of the nodes."""
    return nodes.crowns[number % 2].session(account.created["admin"], service)


def organization(nodes: Nodes) -> Organization:
    return Organization(nodes.crowns[0])


def token_for_several_accounts(nodes: Nodes) -> Calls:
    tokens = {"tokens": [{"serial_number": f"GAHT{next(_numbers):08}", "seed": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}]}
    accounts = [nodes.crowns[0].account() for _ in range(4)]
    return operated(nodes, *(("POST", f"/accounts/{each.id}/mfa-tokens", tokens) for each in accounts))


def address_for_several_accounts(nodes: Nodes) -> Calls:
    email = f"same-{nodes.account.id}@test.example"
    spellings = (email, email.upper(), email.title(), email)
    return operated(nodes, *(("POST", "/accounts", {"email": each, "name": "same"}) for each in spellings))


def organizations_of_one_account(nodes: Nodes) -> Calls:
    return of_each(nodes.clients(4, service="organizations"), "create_organization", {})


def invitations_of_one_account(nodes: Nodes) -> Calls:
    invited = [organization(nodes).invite(nodes.account) for _ in range(3)]
    accepting = [
        partial(client(nodes, number, nodes.account).accept_handshake, HandshakeId=each) for number, each in enumerate(invited)
    ]
    return [*accepting, partial(client(nodes, 1, nodes.account).create_organization)]


def answers_to_an_invitation(nodes: Nodes) -> Calls:
    inviting = organization(nodes)
    named = {"HandshakeId": inviting.invite(nodes.account)}
    return [
        partial(client(nodes, 0, nodes.account).accept_handshake, **named),
        partial(client(nodes, 1, nodes.account).decline_handshake, **named),
        partial(client(nodes, 1, inviting.management).cancel_handshake, **named),
    ]


def invitations_to_one_account(nodes: Nodes) -> Calls:
    inviting = organization(nodes)
    wanted = {"Target": {"Id": nodes.account.id, "Type": "ACCOUNT"}}
    return [partial(client(nodes, number, inviting.management).invite_account_to_organization, **wanted) for number in range(4)]


def departures_of_a_member(nodes: Nodes) -> Calls:
    left = organization(nodes)
    member = left.invited()
    return [
        partial(client(nodes, 0, member).leave_organization),
        partial(client(nodes, 1, left.management).remove_account_from_organization, AccountId=member.id),
    ]


def units_of_one_name(nodes: Nodes) -> Calls:
    parent = organization(nodes)
    wanted = {"ParentId": parent.root_id, "Name": "unit"}
    return [partial(client(nodes, number, parent.management).create_organizational_unit, **wanted) for number in range(4)]


def policies_of_one_name(nodes: Nodes) -> Calls:
    owner = organization(nodes)
    wanted = {"Content": json.dumps(deny("s3:*")), "Name": "policy", "Description": "", "Type": SCP}
    return [partial(client(nodes, number, owner.management).create_policy, **wanted) for number in range(4)]


def last_policies_of_a_unit(nodes: Nodes) -> Calls:
    owner = organization(nodes)
    owner.client.enable_policy_type(RootId=owner.root_id, PolicyType=SCP) if not _enabled(owner) else None
    unit = owner.unit("unit")
    other = owner.bind(deny("s3:*"), unit)
    return [
        partial(client(nodes, number, owner.management).detach_policy, PolicyId=policy, TargetId=unit)
        for number, policy in enumerate((other, "p-FullAWSAccess"))
    ]


def _enabled(owner: Organization) -> bool:
    return bool(owner.client.list_roots()["Roots"][0]["PolicyTypes"])


def registrations_of_a_delegate(nodes: Nodes) -> Calls:
    owner = organization(nodes)
    member = owner.invited()
    owner.client.enable_aws_service_access(ServicePrincipal="config.amazonaws.com")
    wanted = {"AccountId": member.id, "ServicePrincipal": "config.amazonaws.com"}
    return [partial(client(nodes, number, owner.management).register_delegated_administrator, **wanted) for number in range(4)]


def owners_of_a_delegation_request(nodes: Nodes) -> Calls:
    request_id = asked(nodes)
    customers = [nodes.crowns[0].account() for _ in range(4)]
    wanted = {"DelegationRequestId": request_id}
    return [
        partial(client(nodes, number, each, "iam").associate_delegation_request, **wanted)
        for number, each in enumerate(customers)
    ]


def asked(nodes: Nodes) -> str:
    """Let the account ask for permissions of whoever opens the request first, and return the request's id."""
    path = f"/accounts/{nodes.account.id}/delegation-templates/setup"
    answer = nodes.crowns[0].operator("PUT", path, {"policy": json.dumps(allow("iam:ListUsers"))})
    made = nodes.iam.create_delegation_request(
        Description="Set it up",
        Permissions={"PolicyTemplateArn": answer.json()["template_arn"], "Parameters": []},
        RequestorWorkflowId=f"workflow-{next(_numbers)}",
        NotificationChannel="arn:aws:sns:us-east-1:123456789012:topic",
        SessionDuration=3600,
    )
    return str(made["DelegationRequestId"])


ONE_OF_THEM = (
    token_for_several_accounts,
    address_for_several_accounts,
    organizations_of_one_account,
    invitations_of_one_account,
    answers_to_an_invitation,
    invitations_to_one_account,
    departures_of_a_member,
    units_of_one_name,
    policies_of_one_name,
    last_policies_of_a_unit,
    registrations_of_a_delegate,
    owners_of_a_delegation_request,
)


@pytest.mark.parametrize("rule", ONE_OF_THEM, ids=lambda rule: rule.__name__)
def test_of_several_that_exclude_each_other_one_is_done(nodes: Nodes, rule: Callable[[Nodes], Calls]) -> None:
    calls = rule(nodes)

    came_to = Counter(at_once(*calls))

    assert 1 == came_to[""], came_to
    assert not {"InternalFailure", "ServiceUnavailable", "500", "503"} & came_to.keys(), came_to


def test_an_organization_takes_no_account_more_than_its_quota(nodes: Nodes) -> None:
    inviting = organization(nodes)
    quota = nodes.crowns[0].settings.accounts_per_organization
    waiting = [nodes.crowns[0].account() for _ in range(4)]
    invited = [inviting.invite(each) for each in waiting]
    for _ in range(quota - 2):
        inviting.created()
    clients = [client(nodes, number, each) for number, each in enumerate(waiting)]

    came_to = at_once(*(partial(each.accept_handshake, HandshakeId=invited[number]) for number, each in enumerate(clients)))

    assert 1 == came_to.count(""), came_to
    assert quota == len(list(inviting.client.get_paginator("list_accounts").paginate().search("Accounts")))


def test_members_of_one_address_are_made_once(nodes: Nodes) -> None:
    owners = [organization(nodes) for _ in range(2)]
    states: list[str] = []

    def make(number: int, owner: Organization) -> None:
        wanted = {"Email": f"member-of-{nodes.account.id}@test.example", "AccountName": "member"}
        states.append(client(nodes, number, owner.management).create_account(**wanted)["CreateAccountStatus"]["State"])

    came_to = at_once(*(partial(make, number, owners[number % 2]) for number in range(4)))

    assert [""] * 4 == came_to
    assert {"SUCCEEDED": 1, "FAILED": 3} == Counter(states)


WITHIN_AN_ACCOUNT: dict[str, tuple[Callable[[int], dict[str, Any]], int]] = {
    # The operation, the parameters of each call, and how many of six AWS lets through.
    "add_user_to_group": (lambda number: {"UserName": "bob", "GroupName": f"g{number}"}, 2),
    "create_service_specific_credential": (lambda _: {"UserName": "bob", "ServiceName": "codecommit.amazonaws.com"}, 2),
    "add_role_to_instance_profile": (lambda number: {"InstanceProfileName": "machines", "RoleName": f"r{number}"}, 1),
    "tag_user": (lambda number: {"UserName": "tagged", "Tags": [{"Key": f"new-{number}", "Value": "v"}]}, 2),
    "create_account_alias": (lambda number: {"AccountAlias": f"alias-{number}-{next(_numbers)}"}, AT_ONCE),
}


@pytest.mark.parametrize("operation", WITHIN_AN_ACCOUNT)
def test_a_limit_of_an_account_holds_on_two_nodes(nodes: Nodes, operation: str) -> None:
    parameters, allowed = WITHIN_AN_ACCOUNT[operation]
    furnish(nodes, operation)

    came_to = at_once(*of_each(nodes.clients(), operation, *map(parameters, range(AT_ONCE))))

    assert allowed == came_to.count(""), came_to
    assert {"", "LimitExceeded"} >= set(came_to), came_to


def furnish(nodes: Nodes, operation: str) -> None:
    iam = nodes.iam
    match operation:
        case "add_user_to_group":
            iam.create_user(UserName="bob")
            for number in range(AT_ONCE):
                iam.create_group(GroupName=f"g{number}")
            nodes.settle("GroupsPerUserQuota", 2)
        case "create_service_specific_credential":
            iam.create_user(UserName="bob")
        case "add_role_to_instance_profile":
            trust = json.dumps(
                allow("sts:AssumeRole")
                | {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]}
            )
            iam.create_instance_profile(InstanceProfileName="machines")
            for number in range(AT_ONCE):
                iam.create_role(RoleName=f"r{number}", AssumeRolePolicyDocument=trust)
        case "tag_user":
            iam.create_user(UserName="tagged", Tags=[{"Key": f"k{number}", "Value": "v"} for number in range(48)])


def hesitate(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    """Let a write wait a moment, so that whoever has read what it changes is sure to be overtaken."""
    write = getattr(module, name)

    def late(*given: Any, **named: Any) -> Any:
        time.sleep(0.02)
        return write(*given, **named)

    monkeypatch.setattr(module, name, late)


def test_a_registered_token_is_checked_out_by_one_of_several_on_two_nodes(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    serial = f"yubikey-{next(_numbers)}"
    body = {"serial": serial, "model": "YubiKey 5", "vault": "safe", "envelope": "1", "holder": "Ann"}
    assert 201 == nodes.crowns[0].operator("POST", "/hardware-tokens", body).status
    hesitate(monkeypatch, hardware_tokens, "change")
    takers = [{"to": f"person {number}", "reason": "drill"} for number in range(AT_ONCE)]

    came_to = at_once(*operated(nodes, *(("POST", f"/hardware-tokens/{serial}/check-out", each) for each in takers)))

    assert Counter({"": 1, "409": AT_ONCE - 1}) == Counter(came_to)
