"""What was accepted, until when; what changed since; and every format that others read."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.advisor.accounts import ID, Account
from tests.advisor.spoilt import FAILING

from crownkeep.advisor import findings
from crownkeep.advisor.check import CheckSeverity, CheckState
from crownkeep.advisor.findings import Change, Report, UnreadableBaseline
from crownkeep.advisor.report import pdf, table
from crownkeep.advisor.report.formats import FORMATS


def spoilt(*names: str) -> Account:
    account = Account()
    for name in names:
        FAILING[name][0](account)
    return account


def baseline(**members: Any) -> str:
    usual = {"check": "account-alias", "until": "2027-01-01", "reason": "there is a portal", "who": "sue"}
    return json.dumps({"accepted": [usual | members]})


def state_of(name: str, report: Report) -> CheckState:
    return next(each.state for each in report.findings if each.check.name == name)


def test_what_somebody_accepted_is_a_failure_again_after_its_date():
    evidence = spoilt("account-alias").evidence()

    accepted = findings.audit(evidence, findings.read_baseline(baseline()))
    expired = findings.audit(evidence, findings.read_baseline(baseline(until="2026-10-31")))
    another = findings.audit(evidence, findings.read_baseline(baseline(resource="arn:aws:iam::1:user/x")))

    assert CheckState.ACCEPTED == state_of("account-alias", accepted)
    assert "Accepted by sue until 2027-01-01: there is a portal" in str([each.detail for each in accepted.findings])
    assert {CheckState.FAIL} == {state_of("account-alias", expired), state_of("account-alias", another)}
    assert (False, True) == (accepted.fails(CheckSeverity.LOW), expired.fails(CheckSeverity.LOW))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", baseline(reason=" "), baseline(who=""), baseline(check="no-such-check"), baseline(until="soon")]
)
def test_an_acceptance_needs_a_check_a_date_a_reason_and_a_person(text: str):
    with pytest.raises(UnreadableBaseline):
        findings.read_baseline(text)


def test_only_what_is_at_least_as_severe_counts():
    report = findings.audit(spoilt("unused-keys").evidence())

    assert (False, True, True) == tuple(
        report.fails(each) for each in (CheckSeverity.HIGH, CheckSeverity.MEDIUM, CheckSeverity.LOW)
    )


def test_what_changed_since_an_earlier_report_is_named():
    earlier = findings.as_object(findings.audit(spoilt("root-mfa").evidence()))
    now = findings.audit(spoilt("account-alias").evidence())

    found = findings.changes(json.loads(json.dumps(earlier)), now)

    assert Change("root-mfa", f"arn:aws:iam::{ID}:root", "FAIL", "PASS") in found
    assert Change("account-alias", f"arn:aws:iam::{ID}:root", "PASS", "FAIL") in found
    assert {"root-mfa", "root-hardware-mfa", "account-alias", "account-name"} == {each.check for each in found}


def test_the_json_has_what_scripts_rely_on():
    report = findings.audit(spoilt("root-mfa").evidence())

    answer = json.loads(FORMATS["json"](report))

    (failing, *_) = [each for each in answer["findings"] if each["check"] == "root-mfa"]
    assert {"account_id", "at", "findings"} == answer.keys()
    assert {"check", "state", "severity", "resource", "detail", "evidence", "fix", "maps"} <= failing.keys()
    assert [{"call": "iam:GetAccountSummary", "at": "2026-11-01T12:00:00Z"}] == failing["evidence"][:1]
    assert ["1.5"] == failing["maps"]["cis-1.4"]


def test_sarif_has_failures_alone_and_the_same_fingerprint_next_time():
    clean = json.loads(FORMATS["sarif"](findings.audit(Account().evidence())))["runs"][0]
    first, again = (json.loads(FORMATS["sarif"](findings.audit(spoilt("root-mfa").evidence())))["runs"][0] for _ in range(2))

    assert ([], []) == (clean["results"], clean["tool"]["driver"]["rules"])
    assert {"root-mfa", "root-hardware-mfa"} == {each["ruleId"] for each in first["results"]}
    assert first["results"] == again["results"]
    for each in first["results"]:
        assert each["ruleId"] == first["tool"]["driver"]["rules"][each["ruleIndex"]]["id"]
        assert each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def test_junit_counts_what_it_has():
    suite = ET.fromstring(FORMATS["junit"](findings.audit(spoilt("root-mfa").evidence())))

    assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure")) == 2
    assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))


def test_ocsf_and_oscal_have_one_entry_for_each_finding_with_ids_of_their_own():
    report = findings.audit(spoilt("root-mfa").evidence())
    answer = [each for each in report.findings if each.state is not CheckState.NOT_APPLICABLE]

    events = json.loads(FORMATS["ocsf"](report))
    (result,) = json.loads(FORMATS["oscal"](report))["assessment-results"]["results"]

    assert len(answer) == len(events) == len(result["observations"])
    assert {(2003, 200301)} == {(each["class_uid"], each["type_uid"]) for each in events}
    assert len(result["observations"]) == len({each["uuid"] for each in result["observations"]})
    observed = {each["uuid"] for each in result["observations"]}
    assert {each["related-observations"][0]["observation-uuid"] for each in result["findings"]} <= observed


def hostile() -> Report:
    account = Account()
    account.add_user("=cmd|' /C calc'!A0", groups=(), report={"mfa_active": "false"})
    account.add_user("<script>alert(1)</script>\x1b[31m\x00", groups=(), report={"mfa_active": "false"})
    return findings.audit(account.evidence())


def test_hostile_names_reach_no_formula_no_script_and_no_parser():
    report = hostile()

    cells = [cell for row in csv.reader(io.StringIO(FORMATS["csv"](report))) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+", "-"))]
    assert "<script>alert" not in FORMATS["html"](report)
    ET.fromstring(FORMATS["junit"](report))
    assert pdf.write(report).startswith(b"%PDF-")
    for name in ("json", "sarif", "ocsf", "oscal"):
        json.loads(FORMATS[name](report))


def test_the_page_needs_nothing_beside_it():
    page = FORMATS["html"](findings.audit(spoilt("root-mfa").evidence()))

    assert not [each for each in ("src=", "<link", "@import", "url(", "<script") if each in page]
    assert "Root has no MFA device." in page


def test_the_table_shows_the_worst_first_and_few_of_many():
    account = spoilt("root-mfa")
    for number in range(7):
        account.add_user(f"bare{number}", report={"mfa_active": "false"})
    report = findings.audit(account.evidence())

    rows = table.rows(report)

    assert ("FAIL", "critical", "root-mfa") == rows[0][:3]
    assert ["... and 2 more"] == [row[3] for row in rows if row[2] == "users-mfa"][5:]
    assert table.summary(report).startswith(f"Account {ID}: 9 failed (1 critical, 8 high)")
