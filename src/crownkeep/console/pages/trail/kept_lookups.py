"""Lookups of the trail that somebody keeps under a name: offered above the table, kept and forgotten by forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from crownkeep.console.kit import parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.trail import lookups
from crownkeep.console.pages.trail.lookups import EventFilter
from crownkeep.principals import PrincipalKind

TRAIL: Final = "/console/trail"
LIST: Final = Equivalent("account-security", "ListTrailFilters")


@dataclass(frozen=True, slots=True)
class KeptLookup:
    """One lookup that was kept, and where it leads."""

    name: str
    path: str
    is_shown: bool
    """Whether it is what the page shows now."""


async def ask(request: Request, shown: EventFilter) -> Sequence[KeptLookup] | Refused | None:
    """Return what the person who signed in has kept; None for a session that is nobody's own, such as a federated one."""
    person = web.signed_in(request).person
    if person.kind not in (PrincipalKind.ROOT, PrincipalKind.USER, PrincipalKind.PERSON):
        return None
    found, outcome = await parts.obtain(request, LIST, actor=web.person_acting(request))
    if outcome.refused is not None:
        return outcome.refused
    return [_kept(each, shown) for each in found["Filters"]]


def _kept(found: Mapping[str, Any], shown: EventFilter) -> KeptLookup:
    here = {
        "by": str(found.get("AttributeKey", "")),
        "value": str(found.get("AttributeValue", "")),
        "reads": "1" if found["WithReads"] else "",
        "failed": "1" if found["FailuresOnly"] else "",
    }
    now = shown.query
    compared = ("by", "value", "reads", "failed") if here["value"] else ("value", "reads", "failed")
    is_shown = all(here[name] == now[name] for name in compared)
    return KeptLookup(str(found["Name"]), parts.address(TRAIL, **here), is_shown)


async def keep(request: Request) -> Response:
    """Keep the lookup that the page shows under a name, without its days: a range of days is soon past."""
    web.signed_in(request)
    form = web.form(request)
    wanted = lookups.read({name: form.one(name) for name in ("by", "value", "reads", "failed")})
    sought = {"AttributeKey": wanted.by, "AttributeValue": wanted.value} if wanted.value else {}
    flags = {"WithReads": wanted.has_reads, "FailuresOnly": wanted.has_failures_alone}
    call = Equivalent("account-security", "PutTrailFilter", {"Name": form.one("name").strip(), **sought, **flags})
    return await _done(request, call, parts.address(TRAIL, **wanted.query))


async def forget(request: Request) -> Response:
    """Forget a lookup that was kept."""
    web.signed_in(request)
    call = Equivalent("account-security", "DeleteTrailFilter", {"Name": web.form(request).one("name")})
    return await _done(request, call, TRAIL)


async def _done(request: Request, wanted: Equivalent, then: str) -> Response:
    _, outcome = await parts.obtain(request, wanted, actor=web.person_acting(request))
    return parts.after(request, outcome, then=then, current=TRAIL)
