"""What is changed is in force at once: on the node that changed it, on every other node, and in every worker."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crown
from tests.fixtures.process import Process

ALLOW = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"}}


@pytest.fixture
def nodes(fresh_crown: Callable[..., Crown]) -> tuple[Crown, Crown]:
    """Two servers on one database."""
    first = fresh_crown()
    return first, fresh_crown(data=first.settings.data, database=first.settings.database)


def test_a_key_that_is_deleted_on_one_node_fails_on_the_next_request_to_another(nodes: tuple[Crown, Crown]):
    here, there = nodes
    bob = here.account().user("bob", policy=ALLOW)
    elsewhere = there.session(bob.credentials, "iam")
    assert "bob" == elsewhere.get_user()["User"]["UserName"]

    bob.account.client("iam").delete_access_key(UserName="bob", AccessKeyId=bob.credentials.access_key_id)

    assert "InvalidClientTokenId" == _refusal(elsewhere.get_user)


def test_a_key_that_is_made_inactive_on_one_node_is_refused_on_another(nodes: tuple[Crown, Crown]):
    here, there = nodes
    bob = here.account().user("bob", policy=ALLOW)
    elsewhere = there.session(bob.credentials, "iam")
    assert "bob" == elsewhere.get_user()["User"]["UserName"]

    key = {"UserName": "bob", "AccessKeyId": bob.credentials.access_key_id}
    bob.account.client("iam").update_access_key(**key, Status="Inactive")

    assert "InvalidClientTokenId" == _refusal(elsewhere.get_user)


def test_a_permission_that_is_taken_away_on_one_node_is_gone_on_another(nodes: tuple[Crown, Crown]):
    here, there = nodes
    bob = here.account().user("bob", policy=ALLOW)
    elsewhere = there.session(bob.credentials, "iam")
    assert "bob" == elsewhere.get_user()["User"]["UserName"]

    bob.account.client("iam").delete_user_policy(UserName="bob", PolicyName="inline")

    assert "AccessDenied" == _refusal(elsewhere.get_user)


def test_a_permission_that_is_given_on_one_node_is_there_on_another(nodes: tuple[Crown, Crown]):
    here, there = nodes
    bob = here.account().user("bob")
    elsewhere = there.session(bob.credentials, "iam")
    assert "AccessDenied" == _refusal(elsewhere.get_user)

    read_only = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
    bob.account.client("iam").attach_user_policy(UserName="bob", PolicyArn=read_only)

    assert "bob" == elsewhere.get_user()["User"]["UserName"]


def test_a_session_dies_with_the_key_that_asked_for_it(account: Account):
    bob = account.user("bob", policy=ALLOW)
    session = account.crown.session(bob.client("sts").get_session_token()["Credentials"], "sts")
    assert bob.arn == session.get_caller_identity()["Arn"]

    account.client("iam").delete_access_key(UserName="bob", AccessKeyId=bob.credentials.access_key_id)

    assert "InvalidClientTokenId" == _refusal(session.get_caller_identity)


def test_a_deleted_key_fails_at_once_in_every_worker_process(serve: Callable[..., Process]):
    server = serve(workers=2)
    answer = server.account(admin_user="admin")
    # A connection stays with the worker that took it, so many clients reach both.
    clients = [server.client("sts", answer["root"]) for _ in range(16)]
    assert {answer["root_arn"]} == {client.get_caller_identity()["Arn"] for client in clients}

    server.client("iam", answer["root"]).delete_access_key(AccessKeyId=answer["root"]["access_key_id"])

    assert {"InvalidClientTokenId"} == {_refusal(client.get_caller_identity) for client in clients}


def _refusal(ask: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as refused:
        ask()
    code: str = refused.value.response["Error"]["Code"]
    return code
