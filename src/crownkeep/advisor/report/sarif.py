"""The report as SARIF 2.1.0, for code scanning: failures alone, so that a clean account has no result."""

from __future__ import annotations

import json
from hashlib import sha256
from importlib.metadata import version
from typing import Any

from crownkeep.advisor.check import AccountCheck, CheckSeverity, CheckState
from crownkeep.advisor.findings import CheckFinding, Report

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    CheckSeverity.CRITICAL: "error",
    CheckSeverity.HIGH: "error",
    CheckSeverity.MEDIUM: "warning",
    CheckSeverity.LOW: "note",
}
_SCORES = {CheckSeverity.CRITICAL: "9.5", CheckSeverity.HIGH: "8.0", CheckSeverity.MEDIUM: "5.5", CheckSeverity.LOW: "2.0"}
# What scans code wants a place in a file; an account has none, so each finding is at the first line of a file named for it.
_PLACE = "aws-account-{account_id}"


def write(report: Report) -> str:
    """Return one run."""
    failing = [each for each in report.findings if each.state is CheckState.FAIL]
    rules = list({each.check.name: each.check for each in failing}.values())
    run = {
        "tool": {
            "driver": {
                "name": "crownkeep",
                "version": version("crownkeep"),
                "rules": [_rule(each) for each in rules],
            }
        },
        "results": [_result(each, report, [rule.name for rule in rules].index(each.check.name)) for each in failing],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(check: AccountCheck) -> dict[str, Any]:
    return {
        "id": check.name,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why},
        "help": {"text": "\n".join(each for each in (check.fix.console, check.fix.cli, check.fix.terraform) if each)},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "properties": {
            "security-severity": _SCORES[check.severity],
            "tags": ["security", *(f"{catalogue}/{each}" for catalogue, ids in check.maps.items() for each in ids)],
        },
    }


def _result(finding: CheckFinding, report: Report, index: int) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": _PLACE.format(account_id=report.account_id)}, "region": {"startLine": 1}}
    fingerprint = sha256("\n".join((report.account_id, *finding.key)).encode()).hexdigest()
    return {
        "ruleId": finding.check.name,
        "ruleIndex": index,
        "level": _LEVELS[finding.check.severity],
        "message": {"text": f"{finding.check.title}: {finding.detail} ({finding.resource})"},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"crownkeepFinding/v1": fingerprint},
    }
