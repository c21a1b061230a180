"""Roles as pages: created for whom somebody trusts, changed, revoked and deleted with what hangs on them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from tests.console.forms import ADMINISTRATOR, ALLOW, TRUST, follow, reader, send
from tests.fixtures.asgi import Response
from tests.fixtures.crown import Account
from tests.signin.browser import Browser, hidden

CREATE = "/console/create-role"
FIELDS = "account external_id service web_provider audience subject saml_provider document description boundary other tags"
EMPTY = dict.fromkeys([*FIELDS.split(), "reviewed"], "") | {"path": "/", "duration": "3600"}


@pytest.fixture
def auditor(iam: Any) -> None:
    """A role with a policy of each kind, in an instance profile."""
    iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps(TRUST), Description="Looks")
    iam.put_role_policy(RoleName="auditor", PolicyName="own", PolicyDocument=json.dumps(ALLOW))
    iam.attach_role_policy(RoleName="auditor", PolicyArn=ADMINISTRATOR)
    iam.create_instance_profile(InstanceProfileName="machines")
    iam.add_role_to_instance_profile(InstanceProfileName="machines", RoleName="auditor")


def create(browser: Browser, **fields: str | list[str]) -> tuple[Response, Response]:
    """Fill the wizard in, and create what its review shows."""
    review = send(browser, CREATE, CREATE, **{**EMPTY, **fields}, review="1")
    return review, send(browser, CREATE, CREATE, **{**EMPTY, **fields, "reviewed": hidden(review)["reviewed"]})


@pytest.mark.usefixtures("auditor")
def test_a_role_shows_its_trust_policy_its_policies_and_its_instance_profiles(browser: Browser):
    page = browser.get("/console/roles/auditor").text

    assert "auditor" in browser.get("/console/roles").text
    assert "Anyone" in browser.get("/console/roles/auditor?tab=trust").text
    assert "own" in page
    assert "machines" in page
    assert "s3:GetObject" in browser.get("/console/roles/auditor/inline?policy=own").text
    assert "CreateRole" in browser.get("/console/roles/auditor?tab=trail").text


def test_a_role_is_reviewed_and_then_created_with_all_that_was_entered(account: Account, iam: Any, browser: Browser):
    entered = {"trust": "account", "account": account.id, "mfa": "on", "external_id": "agreed", "name": "ops", "path": "/team/"}
    more = {"description": "Operates", "duration": "7200", "boundary": ADMINISTRATOR, "tags": "team = red\nstage=prod"}

    review, made = create(browser, **entered, **more, policy=[ADMINISTRATOR])
    page = follow(browser, made)

    role = iam.get_role(RoleName="ops")["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert "sts:ExternalId" in review.text
    assert "iam:AttachRolePolicy" in review.text
    assert {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "StringEquals": {"sts:ExternalId": "agreed"}} == statement[
        "Condition"
    ]
    assert ("/team/", "Operates", 7200) == (role["Path"], role["Description"], role["MaxSessionDuration"])
    assert ADMINISTRATOR == role["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert {"team": "red", "stage": "prod"} == {tag["Key"]: tag["Value"] for tag in role["Tags"]}
    assert 1 == len(iam.list_attached_role_policies(RoleName="ops")["AttachedPolicies"])
    assert "iam:CreateRole" in page


def test_nothing_is_created_before_its_trust_policy_was_shown(account: Account, iam: Any, browser: Browser):
    fields = {**EMPTY, "trust": "account", "account": account.id, "name": "ops"}

    unseen = send(browser, CREATE, CREATE, **fields)
    changed = send(browser, CREATE, CREATE, **(fields | {"account": "111122223333", "reviewed": hidden(unseen)["reviewed"]}))

    assert (200, 200) == (unseen.status, changed.status)
    assert "arn:aws:iam::111122223333:root" in changed.text
    assert "ops" not in [each["RoleName"] for each in iam.list_roles()["Roles"]]


def test_a_role_for_ec2_gets_an_instance_profile_of_its_name(iam: Any, browser: Browser):
    _, made = create(browser, trust="service", service="ec2.amazonaws.com", name="machine")

    follow(browser, made)

    (profile,) = iam.list_instance_profiles_for_role(RoleName="machine")["InstanceProfiles"]
    assert "machine" == profile["InstanceProfileName"]


def test_a_role_trusts_a_provider_and_nobody_else_of_it(iam: Any, browser: Browser):
    arn = iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40]
    )["OpenIDConnectProviderArn"]
    offered = browser.get(CREATE).text

    _, made = create(
        browser, trust="web", web_provider=arn, audience="sts.amazonaws.com", subject="repo:acme/app:*", name="deployer"
    )

    follow(browser, made)
    (statement,) = iam.get_role(RoleName="deployer")["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert arn in offered
    assert {"Federated": arn} == statement["Principal"]
    assert "repo:acme/app:*" == statement["Condition"]["StringLike"]["token.actions.githubusercontent.com:sub"]


def test_the_review_of_a_new_role_says_what_its_policies_and_its_boundary_grant(browser: Browser):
    aws = "arn:aws:iam::aws:policy/"
    fields = {"trust": "service", "service": "lambda.amazonaws.com", "name": "worker", "boundary": f"{aws}PowerUserAccess"}

    review = send(
        browser, CREATE, CREATE, **{**EMPTY, **fields, "other": f"{aws}IAMReadOnlyAccess {aws}Missing"}, review="1"
    ).text

    assert "Boundary: PowerUserAccess" in review
    assert "IAMReadOnlyAccess</h2>" in review
    assert "What it grants can&#39;t be shown here" in review or "What it grants can't be shown here" in review
    assert "Allowed" in review


def test_a_custom_trust_policy_is_checked_and_used_as_it_is_written(iam: Any, browser: Browser):
    review, made = create(browser, trust="custom", document=json.dumps(TRUST, indent=2), name="open")

    follow(browser, made)

    assert "Security warning" in review.text
    assert "Create role all the same" in review.text
    assert TRUST == iam.get_role(RoleName="open")["Role"]["AssumeRolePolicyDocument"]


@pytest.mark.usefixtures("auditor")
def test_a_refused_creation_keeps_what_was_entered(account: Account, browser: Browser):
    _, refused = create(browser, trust="account", account=account.id, name="auditor", description="Second of that name")

    assert 403 == refused.status
    assert "EntityAlreadyExists" in refused.text
    assert "Second of that name" in refused.text


@pytest.mark.usefixtures("auditor")
def test_a_trust_policy_is_checked_read_and_saved(account: Account, iam: Any, browser: Browser):
    here = "/console/roles/auditor/trust"
    narrow = {**TRUST, "Statement": [{**TRUST["Statement"][0], "Principal": {"AWS": f"arn:aws:iam::{account.id}:root"}}]}

    checked = send(browser, here, here, document=json.dumps(narrow), read="", check="1")
    unread = send(browser, here, here, document=json.dumps(TRUST), read="")
    saved = send(browser, here, here, document=json.dumps(narrow), read=hidden(checked)["read"])

    assert "Nothing to find fault with" in checked.text
    assert "Security warning" in unread.text
    assert "iam:UpdateAssumeRolePolicy" in follow(browser, saved)
    assert narrow == iam.get_role(RoleName="auditor")["Role"]["AssumeRolePolicyDocument"]


@pytest.mark.usefixtures("auditor")
def test_a_description_and_the_longest_session_are_changed(iam: Any, browser: Browser):
    here = "/console/roles/auditor/edit"

    follow(browser, send(browser, here, here, description="Looks closely", duration="43200"))
    refused = send(browser, here, here, description="x", duration="60")

    role = iam.get_role(RoleName="auditor")["Role"]
    assert ("Looks closely", 43200) == (role["Description"], role["MaxSessionDuration"])
    assert 403 == refused.status
    assert "60 seconds" in refused.text


@pytest.mark.usefixtures("auditor")
def test_revoking_puts_aws_s_own_policy_and_cuts_off_who_is_at_work(account: Account, iam: Any, browser: Browser):
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "sts:AssumeRole"}],
    }
    iam.update_assume_role_policy(RoleName="auditor", PolicyDocument=json.dumps(trust))
    arn = f"arn:aws:iam::{account.id}:role/auditor"
    taken = account.client("sts").assume_role(RoleArn=arn, RoleSessionName="at-work")["Credentials"]
    working = account.crown.session(taken, "iam")
    working.list_users()
    here = "/console/roles/auditor?tab=sessions"

    unticked = send(browser, here, "/console/roles/auditor/revoke")
    page = follow(browser, send(browser, here, "/console/roles/auditor/revoke", understood="on"))

    assert 400 == unticked.status
    assert "are revoked" in page
    (statement,) = iam.get_role_policy(RoleName="auditor", PolicyName="AWSRevokeOlderSessions")["PolicyDocument"]["Statement"]
    assert ("Deny", ["*"], ["*"], ["DateLessThan"]) == (
        statement["Effect"],
        statement["Action"],
        statement["Resource"],
        list(statement["Condition"]),
    )
    with pytest.raises(working.exceptions.ClientError, match="explicit deny"):
        working.list_users()


@pytest.mark.usefixtures("auditor")
def test_a_role_is_deleted_with_all_that_hangs_on_it_once_its_name_is_typed(iam: Any, browser: Browser):
    here = "/console/roles/auditor/delete"

    opened, mistyped = browser.get(here), send(browser, here, here, typed="auditors")
    page = follow(browser, send(browser, here, here, typed="auditor"))

    assert 400 == mistyped.status
    assert "iam:RemoveRoleFromInstanceProfile" in opened.text
    assert "its place in an instance profile" in opened.text
    assert "iam:DeleteRole" in page
    assert "auditor" not in [each["RoleName"] for each in iam.list_roles()["Roles"]]
    assert [] == iam.get_instance_profile(InstanceProfileName="machines")["InstanceProfile"]["Roles"]


@pytest.mark.usefixtures("auditor")
def test_a_role_s_page_leads_to_switching_to_it(account: Account, browser: Browser):
    page = browser.get("/console/roles/auditor").text

    assert f"/switchrole?account={account.id}&amp;roleName=auditor" in page


@pytest.mark.usefixtures("auditor")
def test_a_reader_begins_nothing_and_ends_nothing(account: Account, iam: Any):
    browser = reader(account, "iam:Get*", "iam:List*", "access-analyzer:ValidatePolicy")
    here = "/console/roles/auditor/trust"
    document = json.dumps({**TRUST, "Statement": [{**TRUST["Statement"][0], "Principal": {"AWS": account.id}}]})
    fields = {**EMPTY, "trust": "account", "account": account.id, "name": "mine"}
    review = send(browser, CREATE, CREATE, **fields)

    answers = [
        send(browser, CREATE, CREATE, **(fields | {"reviewed": hidden(review)["reviewed"]})),
        send(browser, here, here, document=document, read=""),
        send(browser, here, "/console/roles/auditor/edit", description="x", duration="3600"),
        send(browser, here, "/console/roles/auditor/revoke", understood="on"),
        send(browser, here, "/console/roles/auditor/delete", typed="auditor"),
        send(browser, here, "/console/roles/auditor/boundary", arn=ADMINISTRATOR, before=""),
    ]

    assert [403] * 6 == [answer.status for answer in answers]
    assert "This needs the permission iam:CreateRole" in answers[0].text
    assert TRUST == iam.get_role(RoleName="auditor")["Role"]["AssumeRolePolicyDocument"]
    assert "mine" not in [each["RoleName"] for each in iam.list_roles()["Roles"]]


def test_a_role_that_does_not_exist_is_said_to_be_missing_everywhere(browser: Browser):
    for path in ("", "/trust", "/edit", "/delete", f"/inline?policy={quote('x')}"):
        assert 404 == browser.get(f"/console/roles/nobody{path}").status
