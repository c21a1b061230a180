"""The report as CSV."""

from __future__ import annotations

import csv
import io

from crownkeep.advisor.evidence import stamp
from crownkeep.advisor.findings import Report

_COLUMNS = ("account_id", "at", "check", "title", "state", "severity", "resource", "detail", "fix", "maps")
# A cell that begins so is a formula in the programs that open CSV; names in an account are anybody's to choose.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(report: Report) -> str:
    """Return one line for each finding."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for each in report.findings:
        check = each.check
        maps = " ".join(f"{catalogue}:{one}" for catalogue, ids in check.maps.items() for one in ids)
        cells = [
            check.name,
            check.title,
            each.state.value,
            check.severity.value,
            each.resource,
            each.detail,
            check.fix.console,
            maps,
        ]
        writer.writerow([report.account_id, stamp(report.at), *(_inert(cell) for cell in cells)])
    return text.getvalue().rstrip("\n")


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
