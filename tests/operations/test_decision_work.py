"""Decisions are bounded: no policy and no header of a tenant's keeps others waiting."""

import json

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.patience import bounded


def _get_user(user, agent):
    client = user.client("iam")

    def add_header(request, **_):
        request.headers["User-Agent"] = agent

    client.meta.events.register("before-sign.iam.GetUser", add_header)
    return client.get_user(UserName=user.name)


def _user(account, *conditions):
    allow = {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"}
    denies = [{"Effect": "Deny", "Action": "iam:GetUser", "Resource": "*", "Condition": each} for each in conditions]
    return account.user("worker", policy={"Version": "2012-10-17", "Statement": [allow, *denies]})


def test_question_marks_on_a_long_user_agent_stop_nobody(account):
    user = _user(account, {"StringLike": {"aws:UserAgent": "*a?" * 550 + "b*c"}})

    with bounded():
        found = [_get_user(user, "a" * 60_000 + "c")["User"]["UserName"] for _ in range(5)]

    assert ["worker"] * 5 == found


def test_policies_see_as_much_of_a_user_agent_as_cloudtrail_keeps(account):
    user = _user(account, {"StringLike": {"aws:UserAgent": "*END"}})

    _get_user(user, "x" * 1_022 + "END")
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        _get_user(user, "x" * 1_021 + "END")


def test_a_caller_whose_policies_ask_for_too_much_work_is_refused(account):
    iam = account.client("iam")
    many = {"StringLike": {"aws:UserAgent": [f"*{number:03}?x*" for number in range(450)]}}
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": many}}
    user = _user(account)
    for number in range(10):
        text = json.dumps(document, separators=(",", ":")).replace("?x", f"?{number}")
        made = iam.create_policy(PolicyName=f"many-{number}", PolicyDocument=text)["Policy"]
        iam.attach_user_policy(UserName=user.name, PolicyArn=made["Arn"])

    with bounded(), pytest.raises(ClientError, match="ask for more comparing than one decision may take") as refused:
        _get_user(user, "0" * 60_000)

    assert "AccessDenied" == refused.value.response["Error"]["Code"]
