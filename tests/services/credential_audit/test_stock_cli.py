"""The guide's commands, run by the stock AWS CLI, and the guide's recipe for checking evidence, run by jq."""

from __future__ import annotations

import hashlib
import json
import subprocess

from tests.fixtures.process import Process


def test_the_stock_aws_cli_leads_an_audit_and_jq_and_sha256_check_its_evidence(served: Process):
    answer = served.account(admin_user="admin")
    known = {"AWS_DATA_PATH": served.crownkeep("credential-audit", "model").stdout.strip(), "credentials": answer["admin"]}

    def audit(operation: str, *options: str, key: str = "admin"):
        return served.aws("credential-audit", operation, *options, **known | {"credentials": answer[key]})

    started = audit("start-credential-audit", "--name", "2026 Q4")["CredentialAudit"]
    named = ("--audit-id", started["AuditId"])
    for each in audit("list-audited-credentials", *named, "--state", "UNDECIDED")["AuditedCredentials"]:
        decided = ("--decision", "KEEP", "--reason", "in use", "--credential-ids", each["CredentialId"])
        audit("decide-credentials", *named, *decided, key="admin" if each["IsRoot"] else "root")
    signed = audit("sign-off-credential-audit", *named, "--statement", "Seen.")["CredentialAudit"]
    document = audit("get-credential-audit-evidence", *named)["Document"]

    snapshot = subprocess.run(
        ["jq", "-cS", "[.credentials[].snapshot]"], input=document, capture_output=True, text=True, check=True
    ).stdout.replace("\n", "")
    assert started["SnapshotSha256"] == hashlib.sha256(snapshot.encode()).hexdigest()
    assert signed["EvidenceSha256"] == hashlib.sha256(document.encode()).hexdigest()
    assert signed["ClosingEventId"] == json.loads(document)["sign_off"]["event_id"]
