"""How an audit came out, in few numbers, and what became worse or better since the one before."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from crownkeep.advisor.check import CheckSeverity, CheckState
from crownkeep.advisor.credential_counts import CredentialCounts
from crownkeep.advisor.findings import Report
from crownkeep.storage.audits.account_audits import AccountAuditRow

_NAMED = 10
"""Checks that an alert names; of more it says how many there are."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The checks that fail and did not, or for more than before; those that fail no more, or for less; each in one order."""

    worse: tuple[str, ...]
    better: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What an alert says."""
        if not self.worse and not self.better:
            return "nothing came out otherwise than in the last audit"
        parts = [f"worse: {_listed(self.worse)}"] if self.worse else []
        return "; ".join([*parts, *([f"better: {_listed(self.better)}"] if self.better else [])])


def row_of(report: Report, counts: CredentialCounts | None) -> AccountAuditRow:
    """Return what is kept of a report, and of the credentials that were counted for it."""
    failed = [each for each in report.findings if each.state is CheckState.FAIL]
    severities = Counter(each.check.severity for each in failed)
    failing = Counter(each.check.name for each in failed)
    return AccountAuditRow(
        account_id=report.account_id,
        audited_at=report.at,
        passed=report.count(CheckState.PASS),
        unknown=report.count(CheckState.UNKNOWN),
        not_applicable=report.count(CheckState.NOT_APPLICABLE),
        critical=severities[CheckSeverity.CRITICAL],
        high=severities[CheckSeverity.HIGH],
        medium=severities[CheckSeverity.MEDIUM],
        low=severities[CheckSeverity.LOW],
        failing=json.dumps(failing, sort_keys=True, separators=(",", ":")),
        **({} if counts is None else asdict(counts)),
    )


def difference(before: AccountAuditRow, after: AccountAuditRow) -> Difference:
    """Compare two audits of an account."""
    then, now = _failing(before), _failing(after)
    names = sorted(then.keys() | now.keys())
    worse = tuple(name for name in names if now.get(name, 0) > then.get(name, 0))
    return Difference(worse, tuple(name for name in names if now.get(name, 0) < then.get(name, 0)))


def _failing(row: AccountAuditRow) -> Mapping[str, int]:
    found: Mapping[str, int] = json.loads(row.failing)
    return found


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
