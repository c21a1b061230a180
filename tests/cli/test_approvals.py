"""`crownkeep approvals`: proofs are verified offline, and what is none is refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.cli.conftest import Terminal
from tests.credentials.test_approval_proofs import GOOD, MEMBERS
from tests.fixtures import custody

from crownkeep.settings import Settings


def test_a_proof_is_verified_without_a_server(crownkeep: Terminal, tmp_path: Path):
    path = tmp_path / "approval.json"
    path.write_bytes(GOOD)

    shown = crownkeep("approvals", "verify", str(path))
    answer = crownkeep("approvals", "verify", str(path), "--json")

    assert 0 == shown.code
    assert "account:CloseAccount" in shown.out
    votes = answer.json()["votes"]
    assert [("ann", MEMBERS[0].keys[0].fingerprint), ("bob", MEMBERS[1].keys[0].fingerprint)] == [
        (each["approver"], each["key"]) for each in votes
    ]


def test_what_proves_no_approval_is_refused_in_one_sentence(crownkeep: Terminal, tmp_path: Path):
    value = json.loads(GOOD)
    value["request"]["reason"] = "another reason \x1b[31m"
    for name, content in (
        ("reason", json.dumps(value).encode()),
        ("bytes", b"\xff\xfe"),
        ("list", b"[]"),
        ("deep", b"[" * 100_000),
    ):
        path = tmp_path / name
        path.write_bytes(content)

        refused = crownkeep("approvals", "verify", str(path))

        assert 1 == refused.code, name
        assert 1 == len(refused.err.strip().splitlines()), name
        assert "\x1b" not in refused.err

    unknown = crownkeep("approvals", "verify", str(tmp_path / "good"), "--key", "00" * 32)
    assert 2 == unknown.code  # there is no such file


def test_a_purge_of_a_sealed_account_waits_with_exit_code_3_and_goes_on_by_its_request(
    crownkeep: Terminal, made: Callable[..., dict[str, Any]], data: Path, tmp_path: Path
):
    account_id = made()["account_id"]
    crown: Any = SimpleNamespace(settings=Settings(data=str(data)))
    team = custody.seat(crown, account_id)
    sealed = crownkeep("seal", account_id, "--team", team.arn, "--what", "operator", "--json")
    asked = crownkeep("account", "purge", account_id, "--yes", "--reason", "the project ended")
    request_id = asked.out.strip()
    early = crownkeep("account", "purge", account_id, "--yes", "--request", request_id)
    states = []
    for person in team.people[:2]:
        (tmp_path / "answer").write_text(team.answer(person, request_id))
        voted = crownkeep("approvals", "approve", request_id, "--assertion", str(tmp_path / "answer"), "--json")
        states.append(voted.json()["state"])
    proof = str(tmp_path / "proof")
    crownkeep("approvals", "show", request_id, "--proof", proof)
    verified = crownkeep("approvals", "verify", proof)
    listed = crownkeep("approvals", "list", account_id, "--json").json()["requests"]
    done = crownkeep("account", "purge", account_id, "--yes", "--request", request_id)

    assert ["operator"] == sealed.json()["what"]
    assert (3, 3, 0, 0) == (asked.code, early.code, verified.code, done.code), (asked, early, verified, done)
    assert ["waiting", "approved"] == states
    assert [(request_id, "the project ended")] == [(each["request_id"], each["reason"]) for each in listed]
    assert account_id not in crownkeep("account", "list").out


SEALED = {
    "account guard {account} --off": "guardrails",
    "trail bucket remove {name}": "trail",
    "trail withhold --account {account} --before 2020-01-01 --yes --reason retention": "trail",
    "alerts rule add seen --account {account} --pattern {{$.eventName=CreateUser}}": "alerts",
    "alerts rule off seen --account {account} --reason rehearsal": "alerts",
    "alerts rule remove seen --account {account}": "alerts",
    "root custodian {account} --email carol@cli.example": "operator",
    "root custodian {account} --remove": "operator",
    "keys rotate --wait 0": "operator",
    "trail rotate-keys": "trail",
    "custodian reset-keys {custodian}": "",
    "custodian remove {custodian}": "operator",
    "seal account {account} --team {team}": "",
    "seal unseal {account}": "",
}
"""Commands whose act is sealed, with the act of the seal that covers it; the seal itself is covered by any."""


def test_an_operator_alone_does_nothing_that_is_sealed_and_each_command_goes_on_by_its_request(
    crownkeep: Terminal, made: Callable[..., dict[str, Any]], data: Path, tmp_path: Path
):
    account = made()["account_id"]
    crownkeep("trail", "bucket", "add", "acme-logs", "--account", account)
    crown: Any = SimpleNamespace(settings=Settings(data=str(data)))
    team = custody.seat(crown, account)
    crownkeep("seal", account, "--team", team.arn)
    given = {"account": account, "name": "acme-logs", "team": team.arn, "custodian": team.people[2].custodian_id}

    for words in SEALED:
        command = words.format(**given).split()
        alone = crownkeep(*command, "--json")
        request_id = alone.json()["request_id"]
        waits = crownkeep(*command, "--request", request_id, "--json")
        for person in team.people[:2]:
            (tmp_path / "answer").write_text(team.answer(person, request_id))
            crownkeep("approvals", "approve", request_id, "--assertion", str(tmp_path / "answer"))
        done = crownkeep(*command, "--request", request_id)
        again = crownkeep(*command, "--request", request_id)

        assert (3, 3, 0, 1) == (alone.code, waits.code, done.code, again.code), (words, alone, waits, done, again)
        assert {"request_id": request_id, "state": "waiting"} == waits.json()
        assert "is used: leave `--request` out" in again.err


def test_what_makes_an_account_safer_waits_for_nobody(crownkeep: Terminal, made: Callable[..., dict[str, Any]], data: Path):
    account = made()["account_id"]
    crown: Any = SimpleNamespace(settings=Settings(data=str(data)))
    crownkeep("seal", account, "--team", custody.seat(crown, account).arn)

    assert 0 == crownkeep("account", "guard", account, "--on").code
    assert 0 == crownkeep("keys", "reseal").code


def test_a_team_decides_on_its_own_rules_and_the_command_goes_on_by_its_request(
    crownkeep: Terminal, made: Callable[..., dict[str, Any]], data: Path, tmp_path: Path
):
    account = made()["account_id"]
    crown: Any = SimpleNamespace(settings=Settings(data=str(data)))
    team = custody.seat(crown, account)
    ann, bob, cid = (each.approver_id for each in team.people)
    command = (
        "approvals",
        "rules",
        team.arn,
        "--group",
        f"keys=1:{ann},{bob}",
        "--group",
        f"vaults=1:{cid}",
        "--alone-after",
        "24",
    )

    asked = crownkeep(*command, "--reason", "dual control", "--json")
    request_id = asked.json()["request_id"]
    early = crownkeep(*command, "--request", request_id)
    for person in (team.people[0], team.people[2]):
        (tmp_path / "answer").write_text(team.answer(person, request_id))
        crownkeep("approvals", "approve", request_id, "--assertion", str(tmp_path / "answer"))
    done = crownkeep(*command, "--request", request_id)
    shown = crownkeep("approvals", "teams", account)
    listed = crownkeep("approvals", "teams", account, "--json").json()["teams"]

    assert (3, 3, 0) == (asked.code, early.code, done.code), (asked, early, done)
    assert ("after 24 hours", True) == (
        "after 24 hours" if "after 24 hours" in shown.out else shown.out,
        "1 of ann, bob" in shown.out,
    )
    assert [(24, ["keys", "vaults"])] == [
        (each["alone_after_hours"], [group["name"] for group in each["groups"]]) for each in listed
    ]
    wrong = crownkeep("approvals", "rules", team.arn, "--group", "keys")
    assert (2, True) == (wrong.code, "say it as" in wrong.err)
