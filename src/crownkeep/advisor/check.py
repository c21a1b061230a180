"""What a check is: what it asks of an account, why, how it is set right, which catalogues know it, and its pure function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from crownkeep.advisor.view import View


class CheckSeverity(Enum):
    """How bad it is that a check fails, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(CheckSeverity).index(self)


class CheckState(Enum):
    """How a check came out."""

    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    ACCEPTED = "ACCEPTED"
    """It fails, and somebody has taken that on until a date, for a reason."""
    PASS = "PASS"
    NOT_APPLICABLE = "NOT_APPLICABLE"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check says of one thing; an empty resource is the account."""

    state: CheckState
    detail: str
    resource: str = ""


Judge = Callable[[View], Iterable[Verdict]]


@dataclass(frozen=True, slots=True)
class Fix:
    """How it is set right; an empty way does not exist."""

    console: str
    cli: str = ""
    terraform: str = ""


@dataclass(frozen=True, slots=True)
class AccountCheck:
    """One check of an account: what it is called, how bad its failing is and why, how it is set right, and who else has it."""

    name: str
    title: str
    topic: str
    severity: CheckSeverity
    why: str
    fix: Fix
    maps: Mapping[str, tuple[str, ...]]
    """Ids by catalogue: `cis-3.0`, `security-hub`, `config`, `trusted-advisor`."""
    judge: Judge


_CHECKS: dict[str, AccountCheck] = {}


def check(
    name: str,
    *,
    title: str,
    topic: str,
    severity: CheckSeverity,
    why: str,
    fix: Fix,
    maps: Mapping[str, tuple[str, ...]] | None = None,
) -> Callable[[Judge], Judge]:
    """Enter a function as a check."""

    def enter(judge: Judge) -> Judge:
        if name in _CHECKS:
            raise ValueError(f"there are two checks named `{name}`")
        _CHECKS[name] = AccountCheck(name, title, topic, severity, why, fix, maps or {}, judge)
        return judge

    return enter


def entered() -> Mapping[str, AccountCheck]:
    """Return the checks whose modules have been imported, by name."""
    return _CHECKS


def passed(detail: str, resource: str = "") -> Verdict:
    """Say that it is as it should be."""
    return Verdict(CheckState.PASS, detail, resource)


def failed(detail: str, resource: str = "") -> Verdict:
    """Say that it is not as it should be."""
    return Verdict(CheckState.FAIL, detail, resource)


def unknown(detail: str, resource: str = "") -> Verdict:
    """Say that it cannot be told, and what it would take."""
    return Verdict(CheckState.UNKNOWN, detail, resource)


def cis(*, v1: str = "", v3: str = "", v5: str = "", v6: str = "", v7: str = "") -> dict[str, tuple[str, ...]]:
    """Return the ids in the versions of the CIS AWS Foundations Benchmark; `v1` is 1.4, and 3.0 unless `v3` says otherwise."""
    ids = {"cis-1.4": v1, "cis-3.0": v3 or v1, "cis-5.0": v5, "cis-6.0": v6, "cis-7.0": v7}
    return {catalogue: (each,) for catalogue, each in ids.items() if each}
