"""Logs: what strangers bring about is bounded, and says nothing that they have sent."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account

from crownkeep import clock, logs
from crownkeep.credentials import web_identities
from crownkeep.settings import Settings

SECRET = "a secret that nobody should read"


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that a test sets."""
    now = [1000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    return now


def test_log_lines_about_strangers_come_at_a_rate_and_the_next_says_how_many_did_not(seconds: list[float]):
    rate = logs.Rate(at_once=2, per_second=0.5)

    flood = [passes(rate) for _ in range(5)]
    seconds[0] += 2
    later = [passes(rate) for _ in range(2)]

    assert ["line", "line", "", "", ""] == flood
    assert ["line (3 lines before it were left out)", ""] == later


def test_the_loggers_that_strangers_tenants_or_an_outage_can_fill_are_bounded_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)

    for _ in range(2):
        logs.configure(Settings())

    of_requests = ("crownkeep.operations", "crownkeep.signin", "crownkeep.alerts", "crownkeep.trail")
    found = [logging.getLogger(name).filters for name in (logs.STRANGERS, "uvicorn.error", logs.STORAGE, *of_requests)]
    assert [[logs.Rate]] * 7 == [[type(each) for each in filters if isinstance(each, logs.Rate)] for filters in found]


def test_a_fault_that_a_stranger_brings_about_is_one_line_without_a_traceback(
    account: Account, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fault(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr(web_identities, "claimed", fault)
    sts = account.crown.session(None, "sts")

    with caplog.at_level(logging.DEBUG), pytest.raises(ClientError, match="InternalFailure"):
        sts.assume_role_with_web_identity(
            RoleArn=f"arn:aws:iam::{account.id}:role/any", RoleSessionName="stranger", WebIdentityToken="e30.e30.e30"
        )

    lines = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert [(logs.STRANGERS, None)] == [(each.name, each.exc_info) for each in lines]
    assert "ZeroDivisionError in test_logs.py, line " in lines[0].getMessage()
    assert SECRET not in caplog.text


def passes(rate: logs.Rate) -> str:
    """Return a line as it passes a rate; nothing where it does not."""
    record = logging.LogRecord("x", logging.ERROR, "", 0, "%s", ("line",), None)
    return record.getMessage() if rate.filter(record) else ""
