"""Faults of our own: whichever step of a request fails, the caller learns nothing, the trail has it, and the log has it once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account

from crownkeep.domain.federation import outside
from crownkeep.services.iam.credentials import passwords
from crownkeep.storage.credentials import access_keys

FAULT = ("InternalFailure", "The request processing has failed because of an unknown error.")


def fault(*_: Any, **__: Any) -> None:
    raise ZeroDivisionError("a secret that nobody should read")


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def prepare(account: Account, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    account.client("iam").create_user(UserName="bob")
    monkeypatch.setattr(passwords, "propose", fault)
    return refusal(account.client("iam").create_login_profile, UserName="bob", Password="A long enough passw0rd")


def outbound(account: Account, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.setattr(outside, "top_thumbprint", fault)
    return refusal(account.client("iam").create_open_id_connect_provider, Url="https://idp.example")


def perform(account: Account, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.setattr(access_keys, "of_owner", fault)
    return refusal(account.client("iam").list_access_keys)


@pytest.mark.parametrize(
    ("step", "name"),
    [(prepare, "CreateLoginProfile"), (outbound, "CreateOpenIDConnectProvider"), (perform, "ListAccessKeys")],
)
def test_a_fault_of_ours_tells_nothing_is_recorded_and_is_logged_once(
    step: Callable[..., tuple[str, str]],
    name: str,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    with caplog.at_level(logging.ERROR):
        said = step(account, monkeypatch)

    assert FAULT == said
    record = next(each for each in account.records() if each["eventName"] == name)
    assert FAULT == (record["errorCode"], record["errorMessage"])
    assert [f"operation `{name}` failed"] == [each.getMessage().partition(",")[0] for each in caplog.records]
