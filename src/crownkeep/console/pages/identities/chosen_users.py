"""Several users at once: their keys deactivated, added to a group or tagged, each after a review of what would be done."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import USER
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.identities import tabs

ACTS = {
    "keys": "Deactivate access keys",
    "group": "Add to a group",
    "tag": "Tag",
}
_AT_ONCE = 4
_REVIEW = "/console/user-list/review"


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be called for the chosen users, and what takes it back."""

    calls: tuple[Equivalent, ...]
    back: tuple[Equivalent, ...]
    unchanged: tuple[str, ...] = ()
    """Users for whom there is nothing to do."""
    refused: Refused | None = None


async def review(request: Request) -> Response:
    """Show what would be done with the chosen users before anything is."""
    web.signed_in(request)
    form = web.form(request)
    names, act = form.all("user")[: parts.ROWS], form.one("act")
    if not names or act not in ACTS:
        return web.go(USER.folder)
    return await _shown(request, names, act)


async def apply(request: Request) -> Response:
    """Do with the chosen users what was reviewed; at a refusal the rest is left as it is."""
    form = web.form(request)
    names, act = form.all("user")[: parts.ROWS], form.one("act")
    if not names or act not in ACTS:
        return web.go(USER.folder)
    planned = await _planned(request, names, act)
    if planned.refused is not None or not planned.calls:
        return await _shown(request, names, act, refusal=planned.refused)
    return await parts.change(request, planned.calls, then=USER.folder, current=USER.folder, back=planned.back)


async def _shown(request: Request, names: Sequence[str], act: str, *, refusal: Refused | None = None) -> Response:
    planned = await _planned(request, names, act)
    groups = await parts.ask(request, "ListGroups", MaxItems=1000) if act == "group" else None
    return frame.page(
        request,
        "chosen_users.html",
        current=USER.folder,
        same=planned.calls,
        refusal=refusal,
        names=names,
        act=act,
        title=ACTS[act],
        planned=planned,
        groups=[group["GroupName"] for group in groups.rows("Groups")] if groups is not None else [],
        entered={name: web.form(request).one(name).strip() for name in ("group", "key", "value")},
        review=_REVIEW,
        folder=USER.folder,
    )


async def _planned(request: Request, names: Sequence[str], act: str) -> Planned:
    form = web.form(request)
    if act == "keys":
        return await _keys(request, names)
    if act == "group":
        group = form.one("group").strip()
        pairs = [tabs.membership(group, name) for name in names] if group else []
        return Planned(tuple(adds for adds, _ in pairs), tuple(removes for _, removes in pairs))
    key, value = form.one("key").strip(), form.one("value").strip()
    tag = [{"Key": key, "Value": value}]
    wanted = [Equivalent("iam", "TagUser", {"UserName": name, "Tags": tag}) for name in names] if key else []
    # A tag that replaces another can't be taken back by removing it, so no undo is offered.
    return Planned(tuple(wanted), ())


async def _keys(request: Request, names: Sequence[str]) -> Planned:
    """Deactivate the keys that are active now, whatever a form says of them."""
    asked: list[Part] = []
    for first in range(0, len(names), _AT_ONCE):
        some = names[first : first + _AT_ONCE]
        asked += await asyncio.gather(*(parts.ask(request, "ListAccessKeys", UserName=name) for name in some))
    refused = next((part.refusal for part in asked if part.refusal is not None), None)
    keys = [
        {"UserName": name, "AccessKeyId": key["AccessKeyId"]}
        for name, part in zip(names, asked, strict=True)
        for key in part.rows("AccessKeyMetadata")
        if key["Status"] == "Active"
    ]
    holders = {key["UserName"] for key in keys}
    wanted, back = (
        tuple(Equivalent("iam", "UpdateAccessKey", {**key, "Status": status}) for key in keys)
        for status in ("Inactive", "Active")
    )
    return Planned(wanted, back, tuple(name for name in names if name not in holders), refused)


ROUTES = [
    Route(_REVIEW, review, methods=["POST"]),
    Route("/console/user-list/apply", apply, methods=["POST"]),
]
