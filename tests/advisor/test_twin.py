"""A twin of an account: the same users, groups, roles, policies and settings, in another account, with no secrets."""

from __future__ import annotations

import json
from typing import Any

from tests.advisor.accounts import Account as Evidenced
from tests.advisor.conftest import clients_of
from tests.fixtures.crown import Account, Crowns
from tests.services.sts.saml_provider import SamlProvider

from crownkeep.advisor import calls, evidence, reader, twin
from crownkeep.advisor.evidence import ApiAnswer, Evidence
from crownkeep.cli import imports


def _peopled(account: Account) -> None:
    iam = account.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    bound = iam.create_policy(PolicyName="bound", Path="/p/", PolicyDocument=document)["Policy"]["Arn"]
    iam.create_group(GroupName="team", Path="/g/")
    iam.put_group_policy(GroupName="team", PolicyName="inline", PolicyDocument=document)
    iam.create_user(UserName="ann", Path="/u/", PermissionsBoundary=bound, Tags=[{"Key": "a", "Value": "b"}])
    iam.create_login_profile(UserName="ann", Password="correct Horse battery 9")
    iam.add_user_to_group(UserName="ann", GroupName="team")
    iam.attach_user_policy(UserName="ann", PolicyArn=bound)

    def trusting(principal: str) -> str:
        statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trusting(f"arn:aws:iam::{account.id}:user/u/ann"))
    iam.create_role(RoleName="another", AssumeRolePolicyDocument=trusting(f"arn:aws:iam::{account.id}:role/worker"))
    iam.update_account_password_policy(MinimumPasswordLength=17, MaxPasswordAge=50)
    contact = {"Name": "sue", "Title": "-", "EmailAddress": "sue@acme.example", "PhoneNumber": "+49 1"}
    account.client("account").put_alternate_contact(AlternateContactType="SECURITY", **contact)


def _gathered(account: Account) -> Evidence:
    asked = (calls.AUTHORIZATION, calls.PASSWORD_POLICY, calls.ALTERNATE_CONTACTS["SECURITY"])
    answers = [reader.ask(clients_of(account), each) for each in asked]
    return evidence.of(account.id, answers[0].at, answers)


def _details(account: Account) -> Any:
    answer = reader.ask(clients_of(account), calls.AUTHORIZATION)
    assert isinstance(answer, ApiAnswer)
    return answer.value


def test_a_twin_has_what_its_original_has_under_its_own_id(crowns: Crowns):
    original, copy = crowns.shared("sqlite").account(), crowns.shared("sqlite").account()
    _peopled(original)

    outcomes = imports.made(clients_of(copy), twin.of(_gathered(original), copy.id))
    again = imports.made(clients_of(copy), twin.of(_gathered(original), copy.id))

    # The administrator who makes it is there already, in both.
    assert {"CreateUser"} == {each.call.operation for each in outcomes if each.state == "there"}
    assert [] == [each for each in (*outcomes, *again) if each.state == "left out"]
    before, after = _comparable(_details(original), original.id), _comparable(_details(copy), copy.id)
    assert before == after
    assert 17 == copy.client("iam").get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"]
    contact = copy.client("account").get_alternate_contact(AlternateContactType="SECURITY")["AlternateContact"]
    assert "sue@acme.example" == contact["EmailAddress"]


def _comparable(details: Any, account_id: str) -> Any:
    """Leave out what is made anew each time: ids and dates, AWS's policies, and in which order things come."""
    made_anew = {"CreateDate", "UpdateDate", "UserId", "RoleId", "GroupId", "PolicyId", "RoleLastUsed", "VersionId"}

    def plain(value: Any) -> Any:
        match value:
            case dict():
                return {name: plain(each) for name, each in value.items() if name not in made_anew}
            case list():
                return sorted((plain(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
            case str():
                return value.replace(account_id, "ID")
            case _:
                return value

    own = [each for each in details["Policies"] if ":aws:policy/" not in each["Arn"]]
    return plain({**details, "Policies": own})


def test_no_call_of_a_twin_makes_a_credential():
    account = Evidenced()
    account.lines["ann"]["password_enabled"] = "true"

    made = twin.of(account.evidence(), "222222222222")

    assert not {"CreateAccessKey", "CreateLoginProfile", "CreateVirtualMFADevice"} & {each.operation for each in made}
    assert "111111111111" not in json.dumps([dict(each.parameters) for each in made])
    assert twin.subjects(made)["User"] >= 2


def test_a_saml_provider_and_a_role_that_trusts_it_are_in_the_twin(crowns: Crowns):
    original, copy = crowns.shared("sqlite").account(), crowns.shared("sqlite").account()
    iam = original.client("iam")
    provider = iam.create_saml_provider(Name="corp", SAMLMetadataDocument=SamlProvider().metadata())["SAMLProviderArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithSAML",
        "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName="federated", AssumeRolePolicyDocument=document)
    gathered = reader.gather(clients_of(original), workers=2)

    outcomes = imports.made(clients_of(copy), twin.of(gathered, copy.id))

    assert [] == [each for each in outcomes if each.state == "left out"]
    (made,) = copy.client("iam").list_saml_providers()["SAMLProviderList"]
    assert f"arn:aws:iam::{copy.id}:saml-provider/corp" == made["Arn"]
    found = copy.client("iam").get_role(RoleName="federated")["Role"]["AssumeRolePolicyDocument"]
    assert made["Arn"] == found["Statement"][0]["Principal"]["Federated"]
