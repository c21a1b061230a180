"""Evidence is kept and read back, and what can't be told is never a pass."""

from __future__ import annotations

import pytest
from tests.advisor.accounts import NOW, Account

from crownkeep.advisor import calls, evidence, findings
from crownkeep.advisor.check import CheckState
from crownkeep.advisor.evidence import Missing, UnreadableEvidence, question


def test_what_is_saved_is_read_back_and_judged_alike():
    account = Account()
    account.denied = {calls.TRAILS: "AccessDenied", calls.ALARMS: "InternalFailure"}
    before = account.evidence()

    after = evidence.load(evidence.save(before))

    assert before == after
    assert findings.as_object(findings.audit(before)) == findings.as_object(findings.audit(after))


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"format": "other/1"}', '{"format": "crownkeep-evidence/1", "answers": 1}']
)
def test_what_is_no_evidence_is_said_so(text: str):
    with pytest.raises(UnreadableEvidence):
        evidence.load(text)


def test_a_missing_permission_is_named_as_policies_name_it():
    asked = question("accessanalyzer", "ListAnalyzers", region="us-east-1")
    block = calls.of_bucket("GetPublicAccessBlock", "b")

    assert "needs access-analyzer:ListAnalyzers" == Missing(asked, NOW, "AccessDenied", "", is_denied=True).reason
    assert "needs s3:GetBucketPublicAccessBlock" == Missing(block, NOW, "AccessDenied", "", is_denied=True).reason


def test_a_call_that_failed_is_no_missing_permission():
    account = Account()
    account.denied = {calls.SUMMARY: "ServiceFailure"}

    found = [each for each in findings.audit(account.evidence()).findings if each.check.name == "root-mfa"]

    assert [(CheckState.UNKNOWN, "iam:GetAccountSummary was answered with ServiceFailure")] == [
        (each.state, each.detail) for each in found
    ]


def test_an_answer_without_a_member_leaves_the_other_checks_alone():
    account = Account()
    del account.summary["AccountMFAEnabled"]

    report = findings.audit(account.evidence())

    states = {each.check.name: each.state for each in report.findings}
    assert (CheckState.UNKNOWN, CheckState.PASS) == (states["root-mfa"], states["root-access-keys"])
