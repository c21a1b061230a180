"""The report as OSCAL 1.1.2 assessment results: an observation and a finding for each, with its evidence."""

from __future__ import annotations

import json
import uuid
from hashlib import sha256
from importlib.metadata import version
from typing import Any

from crownkeep.advisor.check import CheckState
from crownkeep.advisor.evidence import stamp
from crownkeep.advisor.findings import CheckFinding, Report

VERSION = "1.1.2"
_SPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "crownkeep.audit")
_NOT_THERE = "#"


def write(report: Report) -> str:
    """Return one result; its ids are made of what it says, so that the same report is the same file."""
    answer = [each for each in report.findings if each.state is not CheckState.NOT_APPLICABLE]
    at = stamp(report.at)
    result = {
        "uuid": _id(report, "result"),
        "title": f"Audit of AWS account {report.account_id}",
        "description": "What the AWS API said of the account, held against the checks of crownkeep audit.",
        "start": at,
        "end": at,
        "reviewed-controls": {"control-selections": [{"include-all": {}}]},
        "observations": [_observation(each, report) for each in answer],
        "findings": [
            _finding(each, report) for each in answer if each.state in (CheckState.PASS, CheckState.FAIL, CheckState.ACCEPTED)
        ],
    }
    whole = {
        "assessment-results": {
            "uuid": _id(report, "assessment"),
            "metadata": {
                "title": f"Assessment of AWS account {report.account_id}",
                "last-modified": at,
                "version": version("crownkeep"),
                "oscal-version": VERSION,
            },
            "import-ap": {"href": _NOT_THERE},
            "results": [result],
        }
    }
    return json.dumps(whole, indent=2)


def _observation(finding: CheckFinding, report: Report) -> dict[str, Any]:
    calls = "\n".join(f"{call} {stamp(at)}" for call, at in finding.evidence)
    observed: dict[str, Any] = {
        "uuid": _id(report, "observation", *finding.key, finding.detail),
        "title": finding.check.title,
        "description": finding.detail,
        "methods": ["TEST"],
        "collected": stamp(report.at),
        "props": [
            {"name": "state", "ns": "https://crownkeep.dev/ns/oscal", "value": finding.state.value},
            {"name": "resource", "ns": "https://crownkeep.dev/ns/oscal", "value": finding.resource},
            {"name": "evidence-sha256", "ns": "https://crownkeep.dev/ns/oscal", "value": sha256(calls.encode()).hexdigest()},
        ],
    }
    if finding.evidence:
        observed["relevant-evidence"] = [{"description": f"{call} at {stamp(at)}"} for call, at in finding.evidence]
    return observed


def _finding(finding: CheckFinding, report: Report) -> dict[str, Any]:
    satisfied = finding.state is CheckState.PASS
    return {
        "uuid": _id(report, "finding", *finding.key, finding.detail),
        "title": finding.check.title,
        "description": finding.check.why,
        "target": {
            "type": "objective-id",
            "target-id": finding.check.name,
            "status": {"state": "satisfied" if satisfied else "not-satisfied"},
        },
        "related-observations": [{"observation-uuid": _id(report, "observation", *finding.key, finding.detail)}],
    }


def _id(report: Report, *parts: str) -> str:
    return str(uuid.uuid5(_SPACE, "\n".join((report.account_id, stamp(report.at), *parts))))
