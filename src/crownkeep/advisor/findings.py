"""Findings: what all checks say of one account's evidence, and what of it somebody has accepted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from crownkeep import arn, untrusted_json
from crownkeep.advisor import catalogue
from crownkeep.advisor.check import AccountCheck, CheckSeverity, CheckState, Verdict
from crownkeep.advisor.evidence import Evidence, moment, stamp
from crownkeep.advisor.view import CannotTell, DoesNotApply, View


class UnreadableBaseline(ValueError):
    """A file does not say what was accepted."""


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """What one check says of one resource, and the calls that it is known from, each with its time."""

    check: AccountCheck
    state: CheckState
    resource: str
    detail: str
    evidence: tuple[tuple[str, datetime], ...]

    @property
    def key(self) -> tuple[str, str]:
        """What stays the same from one audit to the next."""
        return (self.check.name, self.resource)


@dataclass(frozen=True, slots=True)
class Report:
    """All findings about one account."""

    account_id: str
    at: datetime
    findings: tuple[CheckFinding, ...]

    def count(self, state: CheckState) -> int:
        """Return how many findings are in this state."""
        return sum(each.state is state for each in self.findings)

    def failing(self) -> list[CheckFinding]:
        """Return what fails, the worst first."""
        found = (each for each in self.findings if each.state is CheckState.FAIL)
        return sorted(found, key=lambda each: each.check.severity.rank)

    def fails(self, least: CheckSeverity) -> bool:
        """Tell whether something at least this severe fails."""
        return any(each.state is CheckState.FAIL and each.check.severity.rank <= least.rank for each in self.findings)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A finding that somebody lives with: which, until when, why, and who says so. An empty resource is every one."""

    check: str
    resource: str
    until: datetime
    reason: str
    who: str


def audit(evidence: Evidence, accepted: Sequence[Acceptance] = (), checks: Iterable[AccountCheck] | None = None) -> Report:
    """Hold all checks against evidence. What was accepted is a failure again once its date has passed."""
    found = [each for one in (checks or catalogue.load()) for each in judge(one, evidence)]
    return Report(evidence.account_id, evidence.at, tuple(_accept(each, evidence.at, accepted) for each in found))


def judge(check: AccountCheck, evidence: Evidence) -> Iterator[CheckFinding]:
    """Hold one check against evidence."""
    view = View(evidence)
    try:
        verdicts = list(check.judge(view))
    except CannotTell as error:
        verdicts = [Verdict(CheckState.UNKNOWN, str(error))]
    except DoesNotApply as error:
        verdicts = [Verdict(CheckState.NOT_APPLICABLE, str(error))]
    except (KeyError, ValueError) as error:
        # Endpoints leave members out that AWS has: of one check nothing can be told then, and the others go on.
        verdicts = [Verdict(CheckState.UNKNOWN, f"an answer is not as AWS gives it: {type(error).__name__} {error}")]
    calls = tuple((text, answer.at) for text, answer in view.looked_at.items())
    for each in verdicts:
        yield CheckFinding(check, each.state, each.resource or arn.root(evidence.account_id), each.detail, calls)


def _accept(finding: CheckFinding, at: datetime, accepted: Sequence[Acceptance]) -> CheckFinding:
    for each in accepted:
        is_meant = each.check == finding.check.name and each.resource in ("", finding.resource)
        if finding.state is CheckState.FAIL and is_meant and each.until > at:
            said = f"{finding.detail} Accepted by {each.who} until {each.until:%Y-%m-%d}: {each.reason}"
            return replace(finding, state=CheckState.ACCEPTED, detail=said)
    return finding


def read_baseline(text: str) -> list[Acceptance]:
    """Read what was accepted: `{"accepted": [{"check", "resource", "until", "reason", "who"}]}`; raises UnreadableBaseline."""
    try:
        return [_acceptance(each) for each in untrusted_json.read(text)["accepted"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        shape = '{"accepted": [{"check", "resource", "until", "reason", "who"}]}'
        raise UnreadableBaseline(f"a baseline is written {shape}, with no reason and nobody left out") from error


def _acceptance(given: Mapping[str, Any]) -> Acceptance:
    until, reason, who = moment(given["until"]), given["reason"].strip(), given["who"].strip()
    if not (reason and who) or catalogue.named(given["check"]) is None:
        raise ValueError("an acceptance names a check, a reason and a person")
    return Acceptance(given["check"], given.get("resource", ""), until, reason, who)


def as_object(report: Report) -> dict[str, Any]:
    """Return the report as the JSON object that `crownkeep audit --json` prints."""
    return {
        "account_id": report.account_id,
        "at": stamp(report.at),
        "findings": [_finding_as_object(each) for each in report.findings],
    }


def _finding_as_object(finding: CheckFinding) -> dict[str, Any]:
    check = finding.check
    return {
        "check": check.name,
        "title": check.title,
        "state": finding.state.value,
        "severity": check.severity.value,
        "resource": finding.resource,
        "detail": finding.detail,
        "evidence": [{"call": call, "at": stamp(at)} for call, at in finding.evidence],
        "fix": {"console": check.fix.console, "cli": check.fix.cli, "terraform": check.fix.terraform},
        "maps": {catalogue: list(ids) for catalogue, ids in check.maps.items()},
    }


@dataclass(frozen=True, slots=True)
class Change:
    """A finding that came out otherwise than in an earlier report; None where it was not there."""

    check: str
    resource: str
    before: str | None
    after: str | None


def changes(earlier: Mapping[str, Any], report: Report) -> list[Change]:
    """Compare with an earlier report, as `as_object` wrote it; raises UnreadableBaseline."""
    try:
        before = {(each["check"], each["resource"]): str(each["state"]) for each in earlier["findings"]}
    except (KeyError, TypeError) as error:
        raise UnreadableBaseline("this is no report that `crownkeep audit --json` has printed") from error
    after = {each.key: each.state.value for each in report.findings}
    return [
        Change(name, resource, before.get((name, resource)), after.get((name, resource)))
        for name, resource in sorted(before.keys() | after.keys())
        if before.get((name, resource)) != after.get((name, resource))
    ]
