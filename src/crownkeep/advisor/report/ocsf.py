"""The report as OCSF 1.5.0: an array of Compliance Findings (class 2003)."""

from __future__ import annotations

import json
from hashlib import sha256
from importlib.metadata import version
from typing import Any

from crownkeep.advisor.check import CheckSeverity, CheckState
from crownkeep.advisor.findings import CheckFinding, Report

VERSION = "1.5.0"
_SEVERITIES = {
    CheckSeverity.CRITICAL: (5, "Critical"),
    CheckSeverity.HIGH: (4, "High"),
    CheckSeverity.MEDIUM: (3, "Medium"),
    CheckSeverity.LOW: (2, "Low"),
}
_INFORMATIONAL = (1, "Informational")
_STATUSES = {CheckState.PASS: (1, "Pass"), CheckState.FAIL: (3, "Fail")}
_CLASS = 2003
_CREATE = 1


def write(report: Report) -> str:
    """Return one event for each finding; what does not apply is left out."""
    answer = [each for each in report.findings if each.state is not CheckState.NOT_APPLICABLE]
    return json.dumps([_event(each, report) for each in answer], indent=2)


def _event(finding: CheckFinding, report: Report) -> dict[str, Any]:
    check, at = finding.check, int(report.at.timestamp() * 1000)
    severity_id, severity = _SEVERITIES[check.severity] if finding.state is CheckState.FAIL else _INFORMATIONAL
    status_id, status = _STATUSES.get(finding.state, (2, "Warning"))
    standards = [f"{catalogue} {each}" for catalogue, ids in check.maps.items() for each in ids] or ["crownkeep"]
    return {
        "activity_id": _CREATE,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "type_uid": _CLASS * 100 + _CREATE,
        "type_name": "Compliance Finding: Create",
        "time": at,
        "severity_id": severity_id,
        "severity": severity,
        "message": finding.detail,
        "metadata": {
            "version": VERSION,
            "product": {"name": "crownkeep", "vendor_name": "Crownkeep", "version": version("crownkeep")},
            "profiles": ["cloud"],
            "event_code": check.name,
        },
        "cloud": {"provider": "AWS", "account": {"uid": report.account_id, "type": "AWS Account", "type_id": 10}},
        "compliance": {
            "control": check.name,
            "standards": standards,
            "status": status,
            "status_id": status_id,
            "status_detail": finding.state.value,
        },
        "finding_info": {
            "uid": sha256("\n".join((report.account_id, *finding.key)).encode()).hexdigest(),
            "title": check.title,
            "desc": check.why,
            "created_time": at,
        },
        **_of_resource(finding),
    }


def _of_resource(finding: CheckFinding) -> dict[str, Any]:
    return {
        "resources": [{"uid": finding.resource, "cloud_partition": "aws"}],
        "remediation": {"desc": finding.check.fix.console},
    }
