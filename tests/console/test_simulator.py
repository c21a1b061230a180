"""The simulator's page: decisions with the statements that made them, and the context that they hang on."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from tests.console.forms import ADMINISTRATOR, MARKUP, TRUST, reader, send
from tests.fixtures.asgi import Response
from tests.fixtures.crown import Account
from tests.signin.browser import Browser

from crownkeep.console.kit import simulations
from crownkeep.console.kit.simulations import Entry, SimulationQuestion

HERE = "/console/simulator"
OWN = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "WithMfa",
            "Effect": "Allow",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        },
        {"Sid": "NeverDelete", "Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"},
    ],
}

EDGE = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "WithinTheEdge", "Effect": "Allow", "Action": "iam:*", "Resource": "*"}],
}


@pytest.fixture
def bob(iam: Any) -> None:
    """A user with an inline policy."""
    iam.create_user(UserName="bob", Path="/people/")
    iam.put_user_policy(UserName="bob", PolicyName="own", PolicyDocument=json.dumps(OWN, indent=2))


def simulate(browser: Browser, **fields: str | list[str]) -> Response:
    """Fill the form in."""
    empty = dict.fromkeys(("principal", "policies", "boundary", "actions", "resources"), "")
    return send(browser, HERE, HERE, **{**empty, **fields})


def told(page: Response) -> list[str]:
    """Return the decisions in words."""
    found = re.findall(r"<summary><b>(.*?)</b> <code>(.*?)</code>", page.text)
    return [f"{action}: {words}" for words, action in found]


@pytest.mark.usefixtures("bob")
def test_the_statements_that_decide_are_shown_with_their_text_and_place(browser: Browser):
    page = simulate(
        browser,
        principal="user/bob",
        actions="s3:GetObject, s3:DeleteObject iam:GetUser",
        key=["aws:MultiFactorAuthPresent"],
        type=["boolean"],
        value=["true"],
    )

    assert ["s3:GetObject: Allowed", "s3:DeleteObject: Denied by a statement", "iam:GetUser: Not allowed"] == told(page)
    assert "own, inline policy of bob" in page.text
    assert '"Sid": "NeverDelete"' in html.unescape(page.text)
    assert "aws iam simulate-principal-policy" in page.text


@pytest.mark.usefixtures("bob")
def test_a_key_that_was_not_given_is_asked_for_in_its_type(browser: Browser):
    page = simulate(browser, principal="user/bob", actions="s3:GetObject")

    assert ["s3:GetObject: Not allowed"] == told(page)
    assert "conditions ask for keys that were not given" in page.text
    assert 'name="key" value="aws:MultiFactorAuthPresent"' in page.text
    assert "<option selected>boolean</option>" in page.text


@pytest.mark.usefixtures("bob")
def test_decisions_can_be_linked_to(browser: Browser):
    page = browser.get(f"{HERE}?principal=user/bob&actions=s3:DeleteObject+iam:GetUser&resources=arn:aws:s3:::logs/a")

    assert ["s3:DeleteObject: Denied by a statement", "iam:GetUser: Not allowed"] == told(page)


@pytest.mark.usefixtures("bob")
def test_what_a_boundary_hides_is_asked_for_once_more_without_it(iam: Any, browser: Browser):
    iam.attach_user_policy(UserName="bob", PolicyArn=ADMINISTRATOR)
    iam.put_user_permissions_boundary(UserName="bob", PermissionsBoundary="arn:aws:iam::aws:policy/IAMReadOnlyAccess")

    page = simulate(browser, principal="user/bob", actions="ec2:RunInstances")

    assert "The permissions boundary doesn&#39;t allow it" in page.text
    assert "Without the boundary it would be allowed by these statements" in page.text
    assert "AdministratorAccess" in page.text


@pytest.mark.usefixtures("bob")
def test_a_boundary_that_allows_is_shown_with_its_statement_and_led_to(iam: Any, browser: Browser):
    iam.attach_user_policy(UserName="bob", PolicyArn=ADMINISTRATOR)
    boundary = iam.create_policy(PolicyName="edge", PolicyDocument=json.dumps(EDGE))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName="bob", PermissionsBoundary=boundary)

    page = simulate(browser, principal="user/bob", actions="iam:GetUser")

    assert ["iam:GetUser: Allowed"] == told(page)
    assert quote(boundary, safe="") in page.text
    assert "WithinTheEdge" in page.text


def test_policies_are_tried_out_that_nobody_holds(browser: Browser):
    several = (
        f"{json.dumps(OWN)}\n\n{json.dumps({**OWN, 'Statement': [{'Effect': 'Allow', 'Action': 's3:Put*', 'Resource': '*'}]})}"
    )

    page = simulate(browser, policies=several, actions="s3:PutObject", resources="arn:aws:s3:::logs/a")

    assert ["s3:PutObject: Allowed"] == told(page)
    assert "Typed policy 2" in page.text
    assert "simulate-custom-policy" in page.text


def test_groups_and_roles_are_simulated_by_name_or_arn(account: Account, iam: Any, browser: Browser):
    iam.create_group(GroupName="staff")
    iam.attach_group_policy(GroupName="staff", PolicyArn=ADMINISTRATOR)
    iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps(TRUST))

    group = simulate(browser, principal="group/staff", actions="iam:GetUser")
    role = simulate(browser, principal=f"arn:aws:iam::{account.id}:role/auditor", actions="iam:GetUser")

    assert (["iam:GetUser: Allowed"], ["iam:GetUser: Not allowed"]) == (told(group), told(role))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"principal": "bob", "actions": "iam:GetUser"}, "Name a user, a group or a role"),
        ({"actions": "iam:GetUser"}, "Name somebody, or type a policy"),
        ({"principal": "user/nobody", "actions": "iam:GetUser"}, "NoSuchEntity"),
        ({"principal": "arn:nonsense", "actions": "iam:GetUser"}, "request ID"),
        ({"policies": "{", "actions": "iam:GetUser"}, "InvalidInput"),
        ({"policies": json.dumps(OWN), "actions": "iam:*"}, "without wildcards"),
        ({"policies": json.dumps(OWN), "actions": "s3:GetObject", "resources": "bucket"}, "InvalidInput"),
    ],
)
def test_a_question_that_can_not_be_answered_is_told_with_the_reason(browser: Browser, fields: dict[str, str], says: str):
    page = simulate(browser, **fields)

    assert page.status < 500
    assert says in page.text
    assert [] == told(page)


@pytest.mark.usefixtures("bob")
def test_a_reader_without_the_permission_is_told_which(account: Account):
    page = simulate(reader(account, "iam:GetUser"), principal="user/bob", actions="iam:GetUser")

    assert "This needs the permission iam:GetContextKeysForPrincipalPolicy" in page.text
    assert "This needs the permission iam:SimulatePrincipalPolicy" in page.text


def test_markup_in_every_field_is_shown_again_as_text(browser: Browser):
    hostile = {"policies": json.dumps({**OWN, "Id": MARKUP}), "boundary": MARKUP, "resources": MARKUP, "actions": MARKUP}
    keys: dict[str, str | list[str]] = {"key": [MARKUP], "type": [MARKUP], "value": [MARKUP]}

    for principal in ("", f"user/{MARKUP}", f"arn:{MARKUP}"):
        page = simulate(browser, **hostile, **keys, principal=principal)
        assert page.status < 500
        assert "<script>" not in page.text
        assert "<img src=x" not in page.text


def test_documents_that_stand_one_after_the_other_are_taken_apart():
    question = SimulationQuestion("", f'{json.dumps(OWN)}  {{"a": 1}}\n[2]', "", "", "", ())

    assert [json.dumps(OWN), '{"a": 1}', "[2]"] == question.documents
    assert ["{broken"] == SimulationQuestion("", "{broken", "", "", "", ()).documents


def test_values_of_lists_stand_between_commas_and_empty_ones_are_left_out():
    context = (
        Entry("aws:TagKeys", "stringList", "a, b"),
        Entry("aws:SourceIp", "ip", "10.0.0.1"),
        Entry("aws:username", "string", ""),
    )

    call = simulations.simulation(SimulationQuestion("", "{}", "", "s3:GetObject", "", context), "")

    assert [["a", "b"], ["10.0.0.1"]] == [each["ContextKeyValues"] for each in call.parameters["ContextEntries"]]  # type: ignore[attr-defined] # a list, as the test makes it


@pytest.mark.parametrize(
    ("key", "of_type"),
    [
        ("aws:SourceIp", "ip"),
        ("aws:MULTIFACTORAUTHPRESENT", "boolean"),
        ("s3:max-keys", "numeric"),
        ("aws:TagKeys", "stringList"),
        ("sts:ExternalId", "string"),
        ("nobody:knows", "string"),
    ],
)
def test_a_key_is_asked_for_in_its_own_type(key: str, of_type: str):
    assert of_type == simulations.type_of(key)
