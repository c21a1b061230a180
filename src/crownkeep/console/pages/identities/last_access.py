"""Last access: which services somebody's policies open, and when each was last made use of; a report that IAM makes."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep import arn
from crownkeep.console.kit import calls, parts, web
from crownkeep.console.kit.calls import Found
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.identities import identities
from crownkeep.console.pages.identities.identities import Kind

MAKE = "/console/last-access"
_MOST_SERVICES = 1000
_JOB = {"JobId": "JOB_ID"}


@dataclass(frozen=True, slots=True)
class Report:
    """What the section shows: the report that the address names, or none."""

    asked: Part | None

    @property
    def is_in_progress(self) -> bool:
        """Whether IAM is still at it."""
        return self.asked is not None and self.asked.text("JobStatus") == "IN_PROGRESS"

    @property
    def has_failed(self) -> bool:
        """Whether IAM gave it up."""
        return self.asked is not None and self.asked.text("JobStatus") == "FAILED"

    @property
    def used(self) -> list[Found]:
        """The services that were used, the latest first."""
        rows = self.asked.rows("ServicesLastAccessed") if self.asked is not None else ()
        return sorted((row for row in rows if "LastAuthenticated" in row), key=lambda row: row["LastAuthenticated"], reverse=True)

    @property
    def unused(self) -> list[Found]:
        """The services that were not used for as long as is known."""
        rows = self.asked.rows("ServicesLastAccessed") if self.asked is not None else ()
        return [row for row in rows if "LastAuthenticated" not in row]

    def same(self, of_arn: str) -> list[Equivalent]:
        """Return the calls that make and read the report."""
        asking = Equivalent("iam", "GenerateServiceLastAccessedDetails", {"Arn": of_arn or "ARN", "Granularity": "ACTION_LEVEL"})
        read = self.asked.call if self.asked is not None else Equivalent("iam", "GetServiceLastAccessedDetails", _JOB)
        return [asking, read]


async def report(request: Request) -> Report:
    """Read the report that the address names."""
    job = request.query_params.get("job", "")
    if not job:
        return Report(None)
    return Report(await parts.ask(request, "GetServiceLastAccessedDetails", JobId=job, MaxItems=_MOST_SERVICES))


async def made(request: Request) -> Response:
    """Have a report made, and go to where it is shown."""
    about = web.form(request).one("arn")
    kind, name = _identity(about)
    wanted = Equivalent("iam", "GenerateServiceLastAccessedDetails", {"Arn": about, "Granularity": "ACTION_LEVEL"})
    result, outcome = await parts.obtain(request, wanted)
    here = kind.page(name, "access")
    if outcome.refused is not None:
        return parts.after(request, outcome, then=here, current=kind.folder)
    return calls.go(request, f"{here}&job={parts.segment(result['JobId'])}", *outcome.made)


def _identity(about: str) -> tuple[Kind, str]:
    """Return the kind and name of the user, group or role with this ARN; users for what is none, which IAM then refuses."""
    parsed = arn.parse(about)
    word, _, rest = (parsed.resource if parsed is not None else "").partition("/")
    return identities.KINDS.get(word, identities.USER), rest.rpartition("/")[2] or "unknown"


ROUTES = [Route(MAKE, made, methods=["POST"])]
