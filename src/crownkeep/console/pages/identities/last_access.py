"""Last access: which services somebody's policies open, and when each was last made use of; a report that IAM makes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep import arn
from crownkeep.console.kit import calls, identity_kinds, parts, web
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import IdentityKind
from crownkeep.console.pages.identities import access_report


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


def _identity(about: str) -> tuple[IdentityKind, str]:
    """Return the kind and name of the user, group or role with this ARN; users for what is none, which IAM then refuses."""
    parsed = arn.parse(about)
    word, _, rest = (parsed.resource if parsed is not None else "").partition("/")
    return identity_kinds.KINDS.get(word, identity_kinds.USER), rest.rpartition("/")[2] or "unknown"


ROUTES = [Route(access_report.MAKE, made, methods=["POST"])]
