"""The report as JUnit XML: one test case for each finding, so that any build server shows it."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from crownkeep.advisor.check import CheckState
from crownkeep.advisor.evidence import stamp
from crownkeep.advisor.findings import CheckFinding, Report

# What XML 1.0 can't hold, whatever somebody has named a user.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(report: Report) -> str:
    """Return one suite for the account."""
    suite = ET.Element(
        "testsuite",
        name=f"crownkeep audit {report.account_id}",
        timestamp=stamp(report.at),
        tests=str(len(report.findings)),
        failures=str(report.count(CheckState.FAIL)),
        skipped=str(len(report.findings) - report.count(CheckState.FAIL) - report.count(CheckState.PASS)),
        errors="0",
    )
    for each in report.findings:
        _add(suite, each)
    return ET.tostring(suite, encoding="unicode", xml_declaration=False)


def _add(suite: ET.Element, finding: CheckFinding) -> None:
    case = ET.SubElement(
        suite, "testcase", classname=finding.check.name, name=_clean(f"{finding.check.title} {finding.resource}")
    )
    match finding.state:
        case CheckState.FAIL:
            failure = ET.SubElement(case, "failure", message=_clean(finding.detail), type=finding.check.severity.value)
            failure.text = _clean(f"{finding.check.why}\n{finding.check.fix.console}\n{finding.check.fix.cli}")
        case CheckState.UNKNOWN | CheckState.NOT_APPLICABLE | CheckState.ACCEPTED:
            ET.SubElement(case, "skipped", message=_clean(f"{finding.state.value}: {finding.detail}"))
        case CheckState.PASS:
            pass


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("?", text)
