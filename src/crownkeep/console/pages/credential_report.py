"""The credential report: who has which credentials, how old they are, and whether they are still used."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import calls, frame, web
from crownkeep.console.calls import Refused
from crownkeep.console.equivalents import Equivalent
from crownkeep.errors import AwsError

PATH = "/console/credential-report"
DOWNLOAD = f"{PATH}/download"

GENERATE = Equivalent("iam", "GenerateCredentialReport")
GET = Equivalent("iam", "GetCredentialReport")
ROOT = "<root_account>"

OLD_DAYS = 90
"""From when on a credential should be changed (CIS AWS Foundations, "access keys are rotated every 90 days")."""

VERY_OLD_DAYS = 180
UNUSED_DAYS = 45
"""From when on a credential that nobody used should go (CIS AWS Foundations, "credentials unused for 45 days")."""

_ROWS = 100
_REPORTS_KEPT = 2
_ABSENT = frozenset({"N/A", "no_information", "not_supported", ""})
_NO_REPORT = frozenset({"ReportNotPresent", "ReportExpired"})


@dataclass(frozen=True, slots=True)
class Age:
    """How long ago something was, as the table shows it."""

    moment: datetime
    days: int

    @property
    def level(self) -> str:
        """`fresh`, `old` or `very-old`; the table says the days too, for colours alone say nothing to many."""
        if self.days >= VERY_OLD_DAYS:
            return "very-old"
        return "old" if self.days >= OLD_DAYS else "fresh"


@dataclass(frozen=True, slots=True)
class Key:
    """An active access key."""

    number: int
    made: Age | None
    used: Age | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report, read."""

    user: str
    arn: str
    created: Age | None
    has_password: bool
    password_used: Age | None
    password_changed: Age | None
    has_mfa: bool
    keys: tuple[Key, ...]

    @property
    def is_root(self) -> bool:
        """Whether it is the account itself, not a user."""
        return self.user == ROOT

    @property
    def lacks_mfa(self) -> bool:
        """Whether a password alone opens the console."""
        return self.has_password and not self.has_mfa

    @property
    def has_old(self) -> bool:
        """Whether a key or a password is older than it should be."""
        ages = [key.made for key in self.keys] + [self.password_changed]
        return any(age is not None and age.days >= OLD_DAYS for age in ages)

    @property
    def has_unused(self) -> bool:
        """Whether a key or a password was used too long ago, or not since it was made."""
        seen = [key.used or key.made for key in self.keys]
        seen += [self.password_used or self.password_changed or self.created] if self.has_password else []
        return any(age is not None and age.days >= UNUSED_DAYS for age in seen)


@dataclass(frozen=True, slots=True)
class Report:
    """The latest report."""

    generated_at: datetime
    lines: Sequence[Line]
    content: bytes


FILTERS: Mapping[str, tuple[str, Callable[[Line], bool]]] = {
    "all": ("Everybody", lambda _: True),
    "no-mfa": ("Password without MFA", lambda line: line.lacks_mfa),
    "old": (f"Credentials of {OLD_DAYS} days and more", lambda line: line.has_old),
    "unused": (f"Unused for {UNUSED_DAYS} days", lambda line: line.has_unused),
}


async def show(request: Request) -> Response:
    """Show the report, filtered."""
    return await _page(request)


async def generate(request: Request) -> Response:
    """Make a report; it is there at once, and kept for four hours."""
    web.form(request)
    try:
        done = await calls.change(request, GENERATE.service, GENERATE.operation, {})
    except AwsError as error:
        return await _page(request, refusal=calls.refused(request, GENERATE, error))
    return calls.go(request, PATH, done)


async def download(request: Request) -> Response:
    """Hand out the report as the API does, byte for byte."""
    report = await latest(request)
    if isinstance(report, Refused):
        return await _page(request)
    name = f"credential-report-{web.signed_in(request).principal.account_id}-{report.generated_at:%Y-%m-%d}.csv"
    return Response(report.content, media_type="text/csv", headers={"content-disposition": f'attachment; filename="{name}"'})


async def latest(request: Request) -> Report | Refused:
    """Answer the latest report; a refusal where none is young enough (`needs_one`) or a permission is missing."""
    found = await calls.ask(request, GET.service, GET.operation)
    if isinstance(found, Refused):
        return found
    content: bytes = found["Content"]
    generated_at: datetime = found["GeneratedTime"]
    return Report(generated_at, read(content, now=generated_at), content)


def needs_one(refused: Refused) -> bool:
    """Tell whether what is missing is a report rather than a permission."""
    return refused.code in _NO_REPORT


@lru_cache(maxsize=_REPORTS_KEPT)
def read(content: bytes, *, now: datetime) -> Sequence[Line]:
    """Read a report's CSV, with ages as of `now`; the latest few are remembered, for thousands of lines take a while."""
    header, *rows = csv.reader(io.StringIO(content.decode()))
    column = {name: index for index, name in enumerate(header)}
    return tuple(_line(row, column, now) for row in rows)


def _line(row: Sequence[str], column: Mapping[str, int], now: datetime) -> Line:
    def age(name: str) -> Age | None:
        return _age(row[column[name]], now)

    def has(name: str) -> bool:
        return row[column[name]] == "true"

    keys = [
        Key(number, age(f"access_key_{number}_last_rotated"), age(f"access_key_{number}_last_used_date"))
        for number in (1, 2)
        if has(f"access_key_{number}_active")
    ]
    return Line(
        user=row[column["user"]],
        arn=row[column["arn"]],
        created=age("user_creation_time"),
        has_password=has("password_enabled"),
        password_used=age("password_last_used"),
        password_changed=age("password_last_changed"),
        has_mfa=has("mfa_active"),
        keys=tuple(keys),
    )


def _age(text: str, now: datetime) -> Age | None:
    if text in _ABSENT:
        return None
    moment = datetime.fromisoformat(text)
    return Age(moment, max((now - moment).days, 0))


async def _page(request: Request, *, refusal: Refused | None = None) -> Response:
    report = await latest(request)
    query = request.query_params
    chosen = query.get("show", "all") if query.get("show") in FILTERS else "all"
    name = query.get("name", "")[:64]
    found: list[Line] = []
    if isinstance(report, Report):
        test = FILTERS[chosen][1]
        found = [line for line in report.lines if test(line) and name.lower() in line.user.lower()]
    last = max(-(-len(found) // _ROWS), 1)
    number = _page_number(query.get("page", ""), last)
    return frame.page(
        request,
        "credential_report.html",
        current=PATH,
        same=[GENERATE, GET],
        refusal=refusal,
        report=report if isinstance(report, Report) else None,
        missing=report if isinstance(report, Refused) and not needs_one(report) else None,
        filters=[(key, label) for key, (label, _) in FILTERS.items()],
        chosen=chosen,
        name=name,
        count=len(found),
        lines=found[(number - 1) * _ROWS : number * _ROWS],
        number=number,
        last=last,
    )


def _page_number(text: str, last: int) -> int:
    """Answer which page is asked for, the first one where the address says nothing that makes sense."""
    return min(max(int(text), 1), last) if text.isascii() and text.isdigit() and len(text) <= len(str(last)) else 1


ROUTES = [
    Route(PATH, show, methods=["GET"]),
    Route(PATH, generate, methods=["POST"]),
    Route(DOWNLOAD, download, methods=["GET"]),
]
