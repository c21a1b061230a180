"""The twin of an organization: units, policies and members are made anew where they were, and again changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crown

from crownkeep import clock
from crownkeep.advisor import calls, evidence, reader, twin_organization
from crownkeep.advisor.evidence import Evidence
from crownkeep.advisor.plans import PlannedCall
from crownkeep.advisor.twin_organization import CallRefused


@pytest.fixture(scope="module")
def crown(crowns) -> Crown:
    return crowns.shared("sqlite")


def organization(account: Account) -> dict[str, str]:
    """Make an organization with units in two depths, a member in the deeper one, and policies; return the ids."""
    client = account.client("organizations")
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    client.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    upper = client.create_organizational_unit(ParentId=root, Name="work")["OrganizationalUnit"]["Id"]
    lower = client.create_organizational_unit(ParentId=upper, Name="tests")["OrganizationalUnit"]["Id"]
    made = client.create_account(AccountName="builder", Email=f"builder@{account.id}.example")["CreateAccountStatus"]
    client.move_account(AccountId=made["AccountId"], SourceParentId=root, DestinationParentId=lower)
    denied = {"Effect": "Deny", "Action": "iam:DeleteRole", "Resource": f"arn:aws:iam::{made['AccountId']}:role/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    wanted = {"Name": "guard", "Description": "No roles deleted.", "Type": "SERVICE_CONTROL_POLICY"}
    policy = client.create_policy(**wanted, Content=document)["Policy"]["PolicySummary"]["Id"]
    client.attach_policy(PolicyId=policy, TargetId=upper)
    allow = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]})
    only = client.create_policy(Name="only-iam", Description="", Type="SERVICE_CONTROL_POLICY", Content=allow)
    client.attach_policy(PolicyId=only["Policy"]["PolicySummary"]["Id"], TargetId=lower)
    client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=lower)
    return {"member": made["AccountId"]}


def organized(crown: Crown) -> tuple[Evidence, Account]:
    """Return what is read of an organization, and an account that is to become its twin."""
    account, twin = crown.account(), crown.account()
    organization(account)
    return reader.gather(lambda service, region: account.client(service, region=region)), twin


def shape(account: Account) -> Any:
    """Return what an organization looks like by names: each unit's path with its accounts and policies."""
    client = account.client("organizations")

    def below(parent: str, path: str) -> dict[str, Any]:
        accounts = client.list_accounts_for_parent(ParentId=parent)["Accounts"]
        policies = client.list_policies_for_target(TargetId=parent, Filter="SERVICE_CONTROL_POLICY")["Policies"]
        here = {path: (sorted(a["Name"] for a in accounts if a["Name"] == "builder"), sorted(p["Name"] for p in policies))}
        for unit in client.list_organizational_units_for_parent(ParentId=parent)["OrganizationalUnits"]:
            here |= below(unit["Id"], f"{path}/{unit['Name']}")
        return here

    return below(client.list_roots()["Roots"][0]["Id"], "")


def caller_of(account: Account):
    def call(planned: PlannedCall, /):
        try:
            return reader.invoke(account.client(planned.service), planned.operation, planned.parameters)
        except ClientError as error:
            raise CallRefused(error.response["Error"]["Code"], str(error)) from error

    return call


def test_the_twin_of_an_organization_has_its_units_members_and_policies_where_they_were(crown: Crown):
    account, twin = crown.account(), crown.account()
    ids = organization(account)
    found = reader.gather(lambda service, region: account.client(service, region=region))

    first = twin_organization.make(caller_of(twin), found, twin.id)
    again = twin_organization.make(caller_of(twin), found, twin.id)

    assert [] == [(each.call, each.reason) for each in first if each.state == "left out"]
    assert shape(account) == shape(twin)
    assert {"/work/tests": (["builder"], ["only-iam"])}.items() <= shape(twin).items()
    assert {"there"} == {each.state for each in again}
    client = twin.client("organizations")
    member = next(each for each in client.list_accounts()["Accounts"] if each["Name"] == "builder")
    [guard] = [each for each in client.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"] if each["Name"] == "guard"]
    content = client.describe_policy(PolicyId=guard["Id"])["Policy"]["Content"]
    assert f"{ids['member']}@twin.invalid" == member["Email"]
    assert (f"::{member['Id']}:" in content, ids["member"] in content) == (True, False)


def test_an_account_that_leads_no_organization_has_no_twin_of_one(crown: Crown):
    account = crown.account()
    found = reader.gather(lambda service, region: account.client(service, region=region))

    assert [] == twin_organization.make(caller_of(account), found, account.id)


def test_so_many_units_and_no_more_are_asked_about(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(calls, "MOST_PARENTS", 3)
    now = clock.now()
    roots = evidence.ApiAnswer(calls.ORGANIZATION_ROOTS, now, {"Roots": [{"Id": "r-1"}]})
    units = evidence.ApiAnswer(calls.units_below("r-1"), now, {"OrganizationalUnits": [{"Id": f"ou-{n}"} for n in range(9)]})

    asked = calls.of_units(evidence.of("111122223333", now, [roots, units]))

    assert [make(unit) for unit in ("ou-0", "ou-1") for make in (calls.units_below, calls.accounts_below)] == asked


def test_a_server_that_refuses_to_list_ends_the_twin_with_a_line_of_the_report(crown: Crown):
    found, twin = organized(crown)
    real = caller_of(twin)

    def refusing(planned: PlannedCall, /):
        if planned.operation == "ListAccounts":
            raise CallRefused("AccessDeniedException", "you may not")
        return real(planned)

    made = twin_organization.make(refusing, found, twin.id)

    assert [("CreateOrganization", "made"), ("ListAccounts", "left out")] == [(each.call.operation, each.state) for each in made]


def test_what_is_there_is_looked_for_on_every_page(crown: Crown):
    found, twin = organized(crown)
    real = caller_of(twin)

    def one_at_a_time(planned: PlannedCall, /):
        is_list = planned.operation in {"ListAccounts", "ListPolicies", "ListOrganizationalUnitsForParent"}
        limit = {"MaxResults": 1} if is_list else {}
        return real(PlannedCall(planned.service, planned.operation, {**planned.parameters, **limit}))

    twin_organization.make(one_at_a_time, found, twin.id)
    again = twin_organization.make(one_at_a_time, found, twin.id)

    assert {"there"} == {each.state for each in again}


def test_an_account_that_was_not_made_is_left_out_with_the_reason(crown: Crown):
    found, twin = organized(crown)
    real = caller_of(twin)

    def failing(planned: PlannedCall, /):
        if planned.operation == "CreateAccount":
            return {"CreateAccountStatus": {"State": "FAILED", "FailureReason": "ACCOUNT_LIMIT_EXCEEDED"}}
        return real(planned)

    made = twin_organization.make(failing, found, twin.id)

    left_out = [(each.call.operation, each.reason) for each in made if each.state == "left out"]
    assert [("CreateAccount", "ACCOUNT_LIMIT_EXCEEDED")] == left_out
