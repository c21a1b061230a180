"""Which services an identity used last, as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from crownkeep.console.kit import parts
from crownkeep.console.kit.calls import Found
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part

MAKE = "/console/last-access"
_MOST_SERVICES = 1000
_JOB = {"JobId": "JOB_ID"}


@dataclass(frozen=True, slots=True)
class LastAccessReport:
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


async def report(request: Request) -> LastAccessReport:
    """Read the report that the address names."""
    job = request.query_params.get("job", "")
    if not job:
        return LastAccessReport(None)
    return LastAccessReport(await parts.ask(request, "GetServiceLastAccessedDetails", JobId=job, MaxItems=_MOST_SERVICES))
