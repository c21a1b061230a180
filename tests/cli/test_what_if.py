"""`crownkeep what-if` as people and scripts call it: over files, an account, and a database as it lies there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.advisor.accounts import Account
from tests.cli.conftest import Terminal
from tests.fixtures.process import Process

from crownkeep import clock
from crownkeep.advisor import evidence, recorded
from crownkeep.cli import recorded_events


def record(**members: Any) -> dict[str, Any]:
    identity = {"type": "IAMUser", "arn": "arn:aws:iam::111111111111:user/ann", "accountId": "111111111111", "userName": "ann"}
    return {
        "eventTime": evidence.stamp(clock.now()),
        "eventSource": "iam.amazonaws.com",
        "eventName": "ListUsers",
        "userIdentity": {**identity, "accessKeyId": "AKIAANN"},
    } | members


@pytest.fixture
def log(tmp_path: Path) -> str:
    file = tmp_path / "log.json"
    old = record(eventTime="2020-01-01T00:00:00Z")
    root = {"type": "Root", "arn": "arn:aws:iam::111111111111:root", "accountId": "111111111111"}
    file.write_text(json.dumps({"Records": [record(), record(), old, record(userIdentity=root)]}))
    return str(file)


def test_only_the_last_days_count_and_json_names_who_and_what(crownkeep: Terminal, log: str):
    answer = crownkeep("what-if", "require-mfa", "--events", log, "--days", "30", "--json").json()

    assert (3, 30, []) == (answer["events"], answer["days"], answer["unknown"])
    (denied,) = answer["denied"]
    assert ("arn:aws:iam::111111111111:user/ann", "iam:ListUsers", 2) == (
        denied["principal"],
        denied["action"],
        denied["count"],
    )


@pytest.mark.parametrize(
    ("words", "who"),
    [
        (("root-off",), ":root"),
        (("delete-key", "AKIAANN"), ":user/ann"),
        (("set-boundary", "arn:aws:iam::111111111111:user/ann", "{deny}"), ":user/ann"),
        (("attach-scp", "{deny}"), ":user/ann"),
        (("remove-policy", "AdministratorAccess", "--from", "{evidence}"), None),
    ],
)
def test_each_change_is_asked_about(crownkeep: Terminal, log: str, tmp_path: Path, words: tuple[str, ...], who: str | None):
    (tmp_path / "deny").write_text('{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}')
    (tmp_path / "evidence").write_text(evidence.save(Account().evidence()))
    given = [each.format(deny=tmp_path / "deny", evidence=tmp_path / "evidence") for each in words]

    ended = crownkeep("what-if", *given, "--events", log)

    if who is None:
        assert (2, True) == (ended.code, "is not had by anybody" in ended.err)
    else:
        assert (0, True) == (ended.code, who in ended.out), ended.err


def test_what_is_no_policy_and_what_is_no_record_is_said_so(crownkeep: Terminal, log: str, tmp_path: Path):
    (tmp_path / "x.json").write_text("no policy")
    no_policy = crownkeep("what-if", "attach-scp", str(tmp_path / "x.json"), "--events", log)
    no_record = crownkeep("what-if", "root-off", "--events", str(tmp_path / "x.json"))
    no_holders = crownkeep("what-if", "remove-policy", "x", "--events", log)

    assert [2, 2, 2] == [no_policy.code, no_record.code, no_holders.code]
    assert ("is no policy" in no_policy.err, "no record of CloudTrail" in no_record.err) == (True, True)
    assert "--from" in no_holders.err


def test_an_account_and_a_database_are_asked_as_well(crownkeep: Terminal, served: Process, monkeypatch: pytest.MonkeyPatch):
    answer = served.account(email="what-if@example.com", name="what-if", admin_user="admin")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", answer["admin"]["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", answer["admin"]["secret_access_key"])
    served.client("iam", answer["admin"]).list_users()
    key = answer["admin"]["access_key_id"]

    by_api = crownkeep("what-if", "delete-key", key, "--endpoint-url", served.url, "--json").json()
    stored = crownkeep(
        "what-if", "delete-key", key, "--data", str(served.data), "--account", answer["account_id"], "--json"
    ).json()

    assert "iam:ListUsers" in {each["action"] for each in by_api["denied"]}
    assert "iam:ListUsers" in {each["action"] for each in stored["denied"]}


def test_progress_is_shown_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    events = [recorded.read(json.dumps(record())) for _ in range(3)]

    with recorded_events.counted(events) as plain:
        assert plain is events
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with recorded_events.counted(events) as shown:
        assert events == list(shown)

    assert "" == capsys.readouterr().out
