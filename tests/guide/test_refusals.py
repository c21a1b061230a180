"""Denials are real: what the stock AWS CLI and boto3 are told, over a socket, by whoever may not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError
from tests.fixtures.clients import Credentials
from tests.fixtures.process import Process, RefusedByAws


@dataclass(frozen=True, slots=True)
class Scene:
    """An account with an administrator and a user without policies."""

    server: Process
    created: dict[str, Any]
    bob: Credentials

    @property
    def id(self) -> str:
        """The account's id."""
        return str(self.created["account_id"])


@pytest.fixture(scope="module")
def scene(served: Process) -> Scene:
    """The scene, on a server of this module."""
    answer = served.account(admin_user="admin")
    iam = served.client("iam", answer["admin"])
    iam.create_user(UserName="bob")
    return Scene(served, answer, Credentials.of(iam.create_access_key(UserName="bob")["AccessKey"]))


def test_a_user_without_policies_is_denied_in_aws_s_words(scene: Scene):
    refusal = _refusal_of_the_cli(scene, "iam", "list-users", credentials=scene.bob)

    arn = f"arn:aws:iam::{scene.id}"
    assert (
        "An error occurred (AccessDenied) when calling the ListUsers operation: "
        f"User: {arn}:user/bob is not authorized to perform: iam:ListUsers on resource: {arn}:user/ "
        "because no identity-based policy allows the iam:ListUsers action"
    ) == refusal


def test_a_bad_signature_is_refused(scene: Scene):
    forged = Credentials(scene.bob.access_key_id, "A" * 40)

    refusal = _refusal_of_the_cli(scene, "sts", "get-caller-identity", credentials=forged)

    assert refusal.startswith(
        "An error occurred (SignatureDoesNotMatch) when calling the GetCallerIdentity operation: "
        "The request signature we calculated does not match the signature you provided."
    )


def test_a_key_that_is_unknown_is_refused(scene: Scene):
    unknown = Credentials("AKIAQ2222222222222222"[:20], scene.bob.secret_access_key)

    refusal = _refusal_of_the_cli(scene, "sts", "get-caller-identity", credentials=unknown)

    assert (
        "An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity operation: "
        "The security token included in the request is invalid."
    ) == refusal


def test_an_inactive_key_is_refused(scene: Scene):
    iam = scene.server.client("iam", scene.created["admin"])
    iam.create_user(UserName="idle")
    idle = Credentials.of(iam.create_access_key(UserName="idle")["AccessKey"])
    iam.update_access_key(UserName="idle", AccessKeyId=idle.access_key_id, Status="Inactive")

    assert "InvalidClientTokenId" == _code(scene.server.client("sts", idle).get_caller_identity)


def test_a_stale_request_is_refused(scene: Scene):
    ask = scene.server.client("iam", scene.created["admin"]).list_users

    # The server is another process: only the client's clock is wrong.
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=20)):
        code = _code(ask)

    assert "SignatureDoesNotMatch" == code


def test_a_replayed_presigned_url_is_refused_past_its_expiry(scene: Scene):
    import urllib.error
    import urllib.request

    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=16)):
        url = scene.server.client("sts", scene.bob).generate_presigned_url("get_caller_identity", ExpiresIn=60)

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url, timeout=10)
    assert b"<Code>SignatureDoesNotMatch</Code><Message>Signature expired: " in refused.value.read()


def test_another_account_s_entities_are_invisible(scene: Scene):
    other = scene.server.account(email="root@other.example", name="other", admin_user="admin")
    iam = scene.server.client("iam", other["admin"])

    code = _code(lambda: iam.get_user(UserName="bob"))

    assert "NoSuchEntity" == code
    assert ["admin"] == [user["UserName"] for user in iam.list_users()["Users"]]


def test_every_refusal_is_in_the_trail(scene: Scene):
    _refusal_of_the_cli(scene, "iam", "delete-user", "--user-name", "admin", credentials=scene.bob)

    asked = {"AttributeKey": "Username", "AttributeValue": "bob"}
    found = scene.server.client("cloudtrail", scene.created["admin"]).lookup_events(LookupAttributes=[asked])["Events"]

    assert "DeleteUser" == found[0]["EventName"]
    assert '"errorCode":"AccessDenied"' in found[0]["CloudTrailEvent"].replace(" ", "")


def _refusal_of_the_cli(scene: Scene, *arguments: str, credentials: Credentials) -> str:
    with pytest.raises(RefusedByAws) as refused:
        scene.server.aws(*arguments, credentials=credentials)
    return str(refused.value)


def _code(ask: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as refused:
        ask()
    code: str = refused.value.response["Error"]["Code"]
    return code
