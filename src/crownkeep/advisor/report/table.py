"""The report for a terminal: what fails, the worst first; then what can't be told, by what it takes; the rest is counted."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor.check import CheckSeverity, CheckState
from crownkeep.advisor.findings import CheckFinding, Report

HEADINGS = ("State", "Severity", "Check", "What was found")
_MOST_OF_ONE_CHECK = 5


def rows(report: Report) -> list[tuple[str, str, str, str]]:
    """Return what a person should look at; of one check at most five."""
    return list(_rows(report))


def summary(report: Report) -> str:
    """Return one line that counts."""
    failing = [each for each in report.findings if each.state is CheckState.FAIL]
    counts = [(severity, sum(each.check.severity is severity for each in failing)) for severity in CheckSeverity]
    by_severity = ", ".join(f"{count} {severity.value}" for severity, count in counts if count)
    failed = f"{len(failing)} failed ({by_severity})" if failing else "nothing failed"
    others = ", ".join(
        f"{report.count(state)} {word}"
        for state, word in (
            (CheckState.UNKNOWN, "unknown"),
            (CheckState.ACCEPTED, "accepted"),
            (CheckState.PASS, "passed"),
            (CheckState.NOT_APPLICABLE, "not applicable"),
        )
        if report.count(state)
    )
    return f"Account {report.account_id}: {failed}{', ' if others else ''}{others}."


def _rows(report: Report) -> Iterator[tuple[str, str, str, str]]:
    order = [CheckState.FAIL, CheckState.UNKNOWN, CheckState.ACCEPTED]
    shown = sorted(
        (each for each in report.findings if each.state in order),
        key=lambda each: (order.index(each.state), each.check.severity.rank),
    )
    counts: dict[tuple[str, CheckState], int] = {}
    for each in shown:
        key = (each.check.name, each.state)
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= _MOST_OF_ONE_CHECK:
            yield (each.state.value, each.check.severity.value, each.check.name, _said(each))
        elif counts[key] == _MOST_OF_ONE_CHECK + 1:
            total = sum((one.check.name, one.state) == key for one in shown)
            yield (each.state.value, each.check.severity.value, each.check.name, f"... and {total - _MOST_OF_ONE_CHECK} more")


def _said(finding: CheckFinding) -> str:
    return f"{finding.check.title}? {finding.detail}"
