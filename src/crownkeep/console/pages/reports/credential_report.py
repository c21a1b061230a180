"""The credential report: who has which credentials, how old they are, and whether they are still used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.advisor.credential_report import OLD_DAYS, UNUSED_DAYS, Line
from crownkeep.console.kit import calls, frame, parts, report_lines, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.report_lines import LatestReport
from crownkeep.console.pages.reports import credential_pictures
from crownkeep.errors import AwsError
from crownkeep.translation import gettext, gettext_noop

DOWNLOAD = f"{report_lines.PATH}/download"

GENERATE = Equivalent("iam", "GenerateCredentialReport")


_ROWS = 100
_FORMULA = ("=", "+", "-", "@")
_NEVER = datetime.min.replace(tzinfo=UTC)


FILTERS: Mapping[str, tuple[str, Callable[[Line, datetime], bool]]] = {
    "all": (gettext_noop("Everybody"), lambda line, now: True),
    "root": (gettext_noop("The root user"), lambda line, now: line.is_root),
    "no-mfa": (gettext_noop("Password without MFA"), lambda line, now: line.lacks_mfa),
    "old-keys": (gettext_noop("Access keys of %(old_days)s days and more"), lambda line, now: bool(line.old_keys(now))),
    "old": (gettext_noop("Credentials of %(old_days)s days and more"), Line.has_old),
    "unused": (gettext_noop("Unused for %(unused_days)s days"), Line.has_unused),
    "unused-password": (gettext_noop("Password unused for %(unused_days)s days"), Line.has_unused_password),
    "never-used": (gettext_noop("Never used at all"), lambda line, now: line.was_never_used),
}

SORTS: Mapping[str, Callable[[Line], datetime | None]] = {
    "password-age": lambda line: line.password_changed_at,
    "password-used": lambda line: (line.password_used_at or _NEVER) if line.has_password else None,
    "key-age": lambda line: min((key.made_at for key in line.active_keys if key.made_at), default=None),
    "key-used": lambda line: min((key.used_at or _NEVER for key in line.active_keys), default=None),
}
"""What lines can be put in order by, the longest ago first; a line that has no such thing comes last."""


async def show(request: Request) -> Response:
    """Show the report, filtered and in the wanted order."""
    return await _page(request)


async def generate(request: Request) -> Response:
    """Make a report; it is there at once, and kept for four hours."""
    web.form(request)
    try:
        done = await calls.change(request, GENERATE.service, GENERATE.operation, {})
    except AwsError as error:
        return await _page(request, refusal=calls.refused(request, GENERATE, error))
    return calls.go(request, report_lines.PATH, done)


async def download(request: Request) -> Response:
    """Hand out the report as the API does, byte for byte."""
    report = await report_lines.latest(request)
    if isinstance(report, Refused):
        return await _page(request)
    name = f"credential-report-{web.signed_in(request).principal.account_id}-{report.generated_at:%Y-%m-%d}.csv"
    return Response(report.content, media_type="text/csv", headers={"content-disposition": f'attachment; filename="{name}"'})


async def _page(request: Request, *, refusal: Refused | None = None) -> Response:
    report, now = await report_lines.latest(request), web.of(request).now
    chosen = parts.chosen(request, "show", tuple(FILTERS))
    sort = parts.chosen(request, "sort", ("user", *SORTS))
    name = request.query_params.get("name", "")[:64]
    found: list[Line] = []
    if isinstance(report, LatestReport):
        test = FILTERS[chosen][1]
        found = [line for line in report.lines if test(line, now) and name.lower() in line.name.lower()]
        found = _sorted(found, sort)
    last = max(-(-len(found) // _ROWS), 1)
    number = _page_number(request.query_params.get("page", ""), last)
    return frame.page(
        request,
        "credential_report.html",
        current=report_lines.PATH,
        same=[GENERATE, report_lines.GET],
        refusal=refusal,
        report=report if isinstance(report, LatestReport) else None,
        missing=report if isinstance(report, Refused) and not report_lines.needs_one(report) else None,
        filters=[(key, gettext(label, old_days=OLD_DAYS, unused_days=UNUSED_DAYS)) for key, (label, _) in FILTERS.items()],
        chosen=chosen,
        sort=sort,
        name=name,
        count=len(found),
        lines=found[(number - 1) * _ROWS : number * _ROWS],
        number=number,
        last=last,
        pictures=credential_pictures.of(report, now=now) if isinstance(report, LatestReport) and report.lines else None,
        age_of=lambda moment: report_lines.age(moment, now=now),
        report_age=report_lines.spoken(now - report.generated_at) if isinstance(report, LatestReport) else "",
        begins_formulas=isinstance(report, LatestReport) and any(line.name.startswith(_FORMULA) for line in report.lines),
    )


def _sorted(lines: list[Line], sort: str) -> list[Line]:
    key = SORTS.get(sort)
    if key is None:
        return lines
    keyed = [(moment is None, moment or _NEVER, line) for line in lines for moment in (key(line),)]
    return [line for _, _, line in sorted(keyed, key=lambda each: each[:2])]


def _page_number(text: str, last: int) -> int:
    """Return which page is asked for, the first one where the address says nothing that makes sense."""
    return min(max(int(text), 1), last) if text.isascii() and text.isdigit() and len(text) <= len(str(last)) else 1


ROUTES = [
    Route(report_lines.PATH, show, methods=["GET"]),
    Route(report_lines.PATH, generate, methods=["POST"]),
    Route(DOWNLOAD, download, methods=["GET"]),
]
