"""`crownkeep audit` as people and scripts call it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.advisor.accounts import Account
from tests.advisor.spoilt import FAILING
from tests.cli.conftest import Ended, Terminal
from tests.fixtures.process import Process

from crownkeep.advisor import evidence


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    account = Account()
    FAILING["trail-bucket-versions"][0](account)
    path = tmp_path / "evidence.json"
    path.write_text(evidence.save(account.evidence()))
    return path


def audit(crownkeep: Terminal, *words: str) -> Ended:
    return crownkeep("audit", *words)


def test_what_fails_ends_with_one_only_where_that_was_asked_for(crownkeep: Terminal, kept: Path):
    codes = [audit(crownkeep, "--from", str(kept), *words).code for words in ((), ("--fail-on", "high"), ("--fail-on", "medium"))]

    assert [0, 0, 1] == codes


def test_json_is_one_object(crownkeep: Terminal, kept: Path):
    ended = audit(crownkeep, "--from", str(kept), "--json")

    assert ["FAIL"] == [each["state"] for each in ended.json()["findings"] if each["check"] == "trail-bucket-versions"]


@pytest.mark.parametrize("form", ["table", "json", "csv", "sarif", "junit", "ocsf", "oscal", "html"])
def test_every_format_is_printed(crownkeep: Terminal, kept: Path, form: str):
    ended = audit(crownkeep, "--from", str(kept), "--format", form)

    assert (0, True, "") == (ended.code, "versions" in ended.out, ended.err)


def test_pdf_goes_into_a_file_the_same_each_time(crownkeep: Terminal, kept: Path):
    first, again = (crownkeep.raw("audit", "--from", str(kept), "--format", "pdf") for _ in range(2))

    assert first.startswith(b"%PDF-")
    assert first == again


def test_pdf_without_its_package_is_refused_in_one_sentence(crownkeep: Terminal, kept: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "typst", None)

    ended = audit(crownkeep, "--from", str(kept), "--format", "pdf")

    assert (1, True, "") == (ended.code, "pip install 'crownkeep[pdf]'" in ended.err, ended.out)


def test_a_check_is_explained_and_all_are_listed(crownkeep: Terminal):
    explained, listed = audit(crownkeep, "--explain", "root-mfa"), audit(crownkeep, "--list", "--json")
    unknown = audit(crownkeep, "--explain", "root-mfb")

    assert (0, True) == (explained.code, "CIS" in explained.out.upper())
    assert "root-mfa" in {each["check"] for each in listed.json()["checks"]}
    assert (2, True) == (unknown.code, "--list" in unknown.err)


def test_an_accepted_finding_does_not_fail(crownkeep: Terminal, kept: Path, tmp_path: Path):
    accepted = {"check": "trail-bucket-versions", "until": "2099-01-01", "reason": "a drill", "who": "sue"}
    (tmp_path / "baseline.json").write_text(json.dumps({"accepted": [accepted]}))

    ended = audit(crownkeep, "--from", str(kept), "--baseline", str(tmp_path / "baseline.json"), "--fail-on", "low")

    assert (0, True) == (ended.code, "ACCEPTED" in ended.out)


def test_kept_evidence_is_for_its_owner_alone_also_where_a_file_was_there_before(crownkeep: Terminal, kept: Path, tmp_path: Path):
    saved = tmp_path / "saved.json"
    saved.write_text("before")
    saved.chmod(0o644)

    audit(crownkeep, "--from", str(kept), "--save", str(saved))

    assert (0o600, kept.read_text()) == (saved.stat().st_mode & 0o777, saved.read_text())


def test_what_changed_since_is_shown(crownkeep: Terminal, kept: Path, tmp_path: Path):
    clean = tmp_path / "clean.json"
    clean.write_text(evidence.save(Account().evidence()))
    (tmp_path / "before.json").write_text(audit(crownkeep, "--from", str(clean), "--json").out)

    ended = audit(crownkeep, "--from", str(kept), "--since", str(tmp_path / "before.json"), "--json")

    assert "trail-bucket-versions" in {each["check"] for each in ended.json()["changes"]}


@pytest.mark.parametrize("option", ["--from", "--baseline", "--since"])
def test_a_file_of_another_kind_is_a_wrong_call(crownkeep: Terminal, kept: Path, tmp_path: Path, option: str):
    (tmp_path / "other").write_text("[1]")
    words = ("--from", str(kept)) if option != "--from" else ()

    ended = audit(crownkeep, *words, option, str(tmp_path / "other"))

    assert (2, 1) == (ended.code, ended.err.strip().count("\n") + 1)


def test_an_account_is_audited_over_the_wire_and_kept_evidence_says_the_same(served: Process, tmp_path: Path):
    answer = served.account(email="audited@acme.example", name="audited", admin_user="admin")
    variables = _variables(served, answer)
    path = tmp_path / "evidence.json"

    live = _run(served, variables, "audit", "--json", "--save", str(path))
    offline = _run(served, {}, "audit", "--json", "--from", str(path))
    refused = _run(served, variables | {"AWS_SECRET_ACCESS_KEY": "wrong"}, "audit")

    assert (0, answer["account_id"]) == (live[0], json.loads(live[1])["account_id"])
    assert live[1] == offline[1]
    assert 0o600 == path.stat().st_mode & 0o777
    assert (2, True) == (refused[0], "no AWS account can be asked" in refused[2])


def _variables(served: Process, told: dict[str, Any]) -> dict[str, str]:
    keys = told["admin"]
    return {"AWS_ACCESS_KEY_ID": keys["access_key_id"], "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"]}


def _run(served: Process, variables: dict[str, str], *words: str) -> tuple[int, str, str]:
    import subprocess

    from tests.fixtures.process import COMMAND

    environment = served.environment | variables
    done = subprocess.run([COMMAND, *words], cwd=served.directory, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_an_organization_is_audited_account_by_account(served: Process):
    answer = served.account(email="leader@acme.example", name="leader", admin_user="admin")
    organizations = served.client("organizations", answer["admin"])
    organizations.create_organization()
    made = organizations.create_account(Email="member@acme.example", AccountName="member")["CreateAccountStatus"]["AccountId"]
    variables = _variables(served, answer)

    code, told_of_all, _ = _run(served, variables, "audit", "--organization", "--json", "--fail-on", "critical")

    assert (1, []) == (code, json.loads(told_of_all)["unreachable"])
    assert {answer["account_id"], made} == {each["account_id"] for each in json.loads(told_of_all)["accounts"]}


def test_an_organization_goes_with_a_table_or_json_alone(crownkeep: Terminal):
    assert 2 == audit(crownkeep, "--organization", "--format", "csv").code


def test_the_history_of_scheduled_audits_is_asked_of_the_server(
    crownkeep: Terminal, served: Process, monkeypatch: pytest.MonkeyPatch
):
    answer = served.account(email="history@acme.example", name="history", admin_user="admin")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", answer["admin"]["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", answer["admin"]["secret_access_key"])

    asked, printed = (audit(crownkeep, "--history", "--endpoint-url", served.url, *words) for words in (("--json",), ()))

    assert (answer["account_id"], [], True) == (asked.json()["account_id"], asked.json()["audits"], bool(asked.json()["next_at"]))
    assert "no audit has been made yet; the next audit is due at " in printed.out
