"""The report as PDF, typeset by typst, which the extra `pdf` has: a file for people, without scripts or remote content."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from crownkeep.advisor.catalogue import TOPICS
from crownkeep.advisor.check import CheckState
from crownkeep.advisor.findings import CheckFinding, Report

_SAID = {
    CheckState.FAIL: "failed",
    CheckState.UNKNOWN: "unknown",
    CheckState.ACCEPTED: "accepted",
    CheckState.PASS: "passed",
    CheckState.NOT_APPLICABLE: "not applicable",
}


class NoTypesetter(Exception):
    """The package that makes PDF is not installed."""


def write(report: Report) -> bytes:
    """Return the file; the same report gives the same bytes. Raises NoTypesetter."""
    try:
        import typst
    except ModuleNotFoundError as error:
        raise NoTypesetter("PDF takes a package of its own: `pip install 'crownkeep[pdf]'`") from error
    template = files("crownkeep.advisor.report").joinpath("templates/report.typ").read_bytes()
    made = typst.compile(template, format="pdf", sys_inputs={"report": json.dumps(_embedded(report))}, ignore_system_fonts=True)
    return bytes(made)


def _embedded(report: Report) -> dict[str, Any]:
    at = report.at
    moment = {"year": at.year, "month": at.month, "day": at.day, "hour": at.hour, "minute": at.minute, "second": at.second}
    return moment | {
        "account_id": report.account_id,
        "said_at": f"{at:%Y-%m-%d at %H:%M} UTC",
        "counts": [{"state": state.value, "count": report.count(state), "said": _SAID[state]} for state in CheckState],
        "failing": [_failure(each) for each in report.failing()],
        "topics": list(_topics(report)),
    }


def _topics(report: Report) -> Iterable[dict[str, Any]]:
    for topic in TOPICS:
        found = [each for each in report.findings if each.check.topic == topic]
        if found:
            rows = [{"state": each.state.value, "title": each.check.title, "detail": each.detail} for each in found]
            yield {"name": topic.capitalize(), "findings": rows}


def _failure(finding: CheckFinding) -> dict[str, Any]:
    check = finding.check
    known = "; ".join(f"{catalogue} {', '.join(ids)}" for catalogue, ids in check.maps.items())
    asked = "; ".join(f"{call} {at:%H:%M:%S}" for call, at in finding.evidence)
    rows = (
        ("Resource", finding.resource, True),
        ("Console", check.fix.console, False),
        ("CLI", check.fix.cli, True),
        ("Terraform", check.fix.terraform, True),
        ("Known as", known, False),
        ("Evidence", asked, True),
    )
    return {
        "title": check.title,
        "check": check.name,
        "severity": check.severity.value,
        "detail": finding.detail,
        "why": check.why,
        "rows": [row for row in rows if row[1]],
    }
