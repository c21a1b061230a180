"""`crownkeep credential-audit`: evidence is held against the trail of a data directory, or against records in a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Terminal
from tests.fixtures.crown import CHEAP, Account, Crown

from crownkeep.settings import Settings


@dataclass(frozen=True, slots=True)
class Evidence:
    """An account whose audit was signed off, and the evidence of it in a file."""

    account: Account
    path: Path


@pytest.fixture
def evidence(data: Path, tmp_path: Path) -> Iterator[Evidence]:
    crown = Crown(Settings(data=str(data), **CHEAP))
    account = crown.account()
    admin, root = account.client("credential-audit"), account.root("credential-audit")
    audit = admin.start_credential_audit(Name="2026 Q4")["CredentialAudit"]["AuditId"]
    for each in admin.list_audited_credentials(AuditId=audit)["AuditedCredentials"]:
        (admin if each["IsRoot"] else root).decide_credentials(
            AuditId=audit, CredentialIds=[each["CredentialId"]], Decision="KEEP", Reason="in use"
        )
    admin.sign_off_credential_audit(AuditId=audit, Statement="Seen.")
    path = tmp_path / "evidence.json"
    path.write_text(admin.get_credential_audit_evidence(AuditId=audit)["Document"])
    yield Evidence(account, path)
    crown.close()


def events(account: Account, path: Path, change: Callable[[dict[str, Any]], object] = lambda record: None) -> str:
    """Write the trail's records as LookupEvents answers them, changed by somebody."""
    records = account.client("cloudtrail").lookup_events(MaxResults=50)["Events"]
    answer = [json.loads(each["CloudTrailEvent"]) for each in records]
    for record in answer:
        change(record)
    path.write_text(json.dumps({"Events": [{"CloudTrailEvent": json.dumps(record)} for record in answer]}))
    return str(path)


def test_evidence_is_held_against_the_trail_while_the_server_runs(crownkeep: Terminal, evidence: Evidence):
    ended = crownkeep("credential-audit", "verify", str(evidence.path), "--json")

    assert 0 == ended.code, ended.err
    assert (evidence.account.id, 2) == (ended.json()["account_id"], ended.json()["credentials"])


def test_evidence_can_not_be_altered_unseen(crownkeep: Terminal, evidence: Evidence):
    evidence.path.write_text(evidence.path.read_text().replace("in use", "unused"))

    ended = crownkeep("credential-audit", "verify", str(evidence.path))

    assert (1, "Error: the document is not the one that was signed off: its digest differs from that of the record\n") == (
        ended.code,
        ended.err,
    )


def test_an_auditor_without_the_data_directory_brings_the_records(crownkeep: Terminal, evidence: Evidence, tmp_path: Path):
    written = events(evidence.account, tmp_path / "events.json")

    ended = crownkeep("credential-audit", "verify", str(evidence.path), "--events", written, "--data", str(tmp_path / "none"))

    assert 0 == ended.code, ended.err
    assert not (tmp_path / "none").exists()


def test_records_of_another_account_prove_nothing(crownkeep: Terminal, evidence: Evidence, tmp_path: Path):
    written = events(evidence.account, tmp_path / "events.json", lambda record: record.update(recipientAccountId="123456789012"))

    ended = crownkeep("credential-audit", "verify", str(evidence.path), "--events", written)

    assert 1 == ended.code
    assert "is not the record of a `SignOffCredentialAudit` in account" in ended.err


@pytest.mark.parametrize("content", ["", "[1]", '{"Events": [{}]}', "\x00"])
def test_a_file_without_records_is_a_wrong_call(crownkeep: Terminal, evidence: Evidence, tmp_path: Path, content: str):
    written = tmp_path / "events.json"
    written.write_text(content)

    ended = crownkeep("credential-audit", "verify", str(evidence.path), "--events", str(written))

    assert (2, True) == (ended.code, "holds no records of the trail" in ended.err)


def test_the_model_is_where_botocore_finds_it(crownkeep: Terminal):
    folder = Path(crownkeep("credential-audit", "model").out.strip())

    assert list(folder.glob("credential-audit/*/service-2.json"))
