"""Principals bound to unique ids on save: a user made anew under an old name has nothing of the old one's."""

import json

import pytest
from tests.policy import building
from tests.policy.building import ACCOUNT, OTHER_ACCOUNT, ROLE_ARN, ROLE_ID, SESSION_ARN, USER_ARN, USER_ID

from crownkeep import policy
from crownkeep.policy import MalformedPolicy, Naming, PolicyKind

IDS = {USER_ARN: USER_ID, ROLE_ARN: ROLE_ID}
ARNS = {unique_id: arn for arn, unique_id in IDS.items()}

TRUST = """{
  "Version": "2012-10-17",
  "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"AWS": ["%s",   "%s", "111122223333"], "Service": "ec2.amazonaws.com"}}]
}"""


def test_arns_are_replaced_by_ids_and_every_other_byte_is_kept():
    bound = policy.bind_principals(policy.parse(TRUST % (USER_ARN, ROLE_ARN)), IDS.get)

    assert TRUST % (USER_ID, ROLE_ID) == bound


def test_showing_gives_back_what_was_saved():
    saved = TRUST % (USER_ARN, ROLE_ARN)

    shown = policy.show_principals(policy.bind_principals(policy.parse(saved), IDS.get), ARNS.get)

    assert saved == shown


def test_a_deleted_user_is_shown_by_its_id():
    shown = policy.show_principals(TRUST % (USER_ID, ROLE_ID), {ROLE_ID: ROLE_ARN}.get)

    assert TRUST % (USER_ID, ROLE_ARN) == shown


def test_a_renamed_user_is_shown_by_its_new_arn():
    renamed = f"arn:aws:iam::{ACCOUNT}:user/new"

    shown = policy.show_principals(TRUST % (USER_ID, ROLE_ID), {USER_ID: renamed, ROLE_ID: ROLE_ARN}.get)

    assert TRUST % (renamed, ROLE_ARN) == shown


def test_a_principal_that_does_not_exist_is_refused_in_aws_s_words():
    with pytest.raises(MalformedPolicy) as refusal:
        policy.bind_principals(policy.parse(TRUST % (USER_ARN, ROLE_ARN)), {USER_ARN: USER_ID}.get)

    assert f'Invalid principal in policy: "AWS":"{ROLE_ARN}"' == refusal.value.message


@pytest.mark.parametrize(
    "name",
    ["*", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", SESSION_ARN, f"arn:aws:sts::{ACCOUNT}:federated-user/bob", USER_ID],
)
def test_other_principals_are_kept_as_they_are(name):
    tree = json.dumps(building.document({"Effect": "Allow", "Principal": {"AWS": name}, "Action": "sts:AssumeRole"}))

    assert tree == policy.bind_principals(policy.parse(tree), IDS.get)


def test_a_single_principal_and_a_not_principal_are_bound():
    tree = building.document(
        building.statement("Deny", NotPrincipal={"AWS": [ACCOUNT, USER_ARN]}),
        building.statement(Principal={"AWS": USER_ARN}),
        building.statement(Principal="*"),
    )

    bound = json.loads(policy.bind_principals(policy.parse(json.dumps(tree)), IDS.get))

    assert {"AWS": [ACCOUNT, USER_ID]} == bound["Statement"][0]["NotPrincipal"]
    assert {"AWS": USER_ID} == bound["Statement"][1]["Principal"]
    assert "*" == bound["Statement"][2]["Principal"]


def test_a_single_statement_is_bound():
    tree = {"Version": "2012-10-17", "Statement": building.statement(Principal={"AWS": USER_ARN})}

    bound = json.loads(policy.bind_principals(policy.parse(json.dumps(tree)), IDS.get))

    assert {"AWS": USER_ID} == bound["Statement"]["Principal"]


def test_a_user_of_another_account_is_the_resolver_s_to_know():
    stranger = f"arn:aws:iam::{OTHER_ACCOUNT}:user/eve"
    tree = building.document(building.statement(Principal={"AWS": stranger}))

    bound = policy.bind_principals(policy.parse(json.dumps(tree)), lambda arn: arn)

    assert stranger in bound


def test_a_recreated_user_does_not_inherit_what_the_deleted_one_was_granted():
    tree = building.document(building.statement(Principal={"AWS": USER_ARN}))
    bound = policy.bind_principals(policy.parse(json.dumps(tree)), IDS.get)
    (statement,) = building.compiled(bound, kind=PolicyKind.RESOURCE).statements
    recreated = policy.PolicyPrincipal(policy.PolicyPrincipalKind.USER, USER_ARN, ACCOUNT, "AIDABBBBBBBBBBBBBBBBB")

    assert Naming.DIRECT is statement.naming(building.request("user"))
    assert Naming.NONE is statement.naming(building.request(recreated))
