"""Hits: what a text names, each with the page that shows it, as far as whoever is signed in may see it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from crownkeep import ids
from crownkeep.console.kit import parts, policy_pages, site_map, web
from crownkeep.console.kit.identity_kinds import GROUP, ROLE, USER
from crownkeep.console.kit.parts import Part
from crownkeep.translation import gettext, gettext_noop

LONGEST = 128
"""Characters of a text that is looked for."""

SEARCH = "FindNames"
"""The operation that finds by a part of the name."""

_KEY = re.compile(r"(AKIA|ASIA)[A-Z0-9]{12,28}")
_ACCOUNT = re.compile(r"[0-9]{4}-?[0-9]{4}-?[0-9]{4}")
_ARN = re.compile(r"arn:aws:iam::[0-9a-z]*:(user|group|role|policy)/(?:.*/)?([^/]+)")


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found."""

    kind: str
    """A message: looked up where it is shown."""
    label: str
    detail: str
    path: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a text names: hits by kind in the order in which they are shown."""

    hits: tuple[Hit, ...]
    asked: tuple[Part, ...]
    unseen: tuple[str, ...] = ()
    """Permissions without which some kinds of things are not looked for."""
    is_exact: bool = False
    """Whether the text was the id of one thing, and that was found."""


_OWN = "/console/security"
_OF_AWS = gettext_noop("AWS managed")
_NAMED: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "Users": (gettext_noop("User"), lambda each: USER.page(each["Name"])),
    "Groups": (gettext_noop("Group"), lambda each: GROUP.page(each["Name"])),
    "Roles": (gettext_noop("Role"), lambda each: ROLE.page(each["Name"])),
    "Policies": (gettext_noop("Policy"), lambda each: policy_pages.page(each["Arn"])),
}


async def find(request: Request, text: str, *, most: int) -> SearchResult:
    """Return what a text names: one thing by its id, or all whose names hold the text."""
    text = text.strip()[:LONGEST]
    if not text:
        return SearchResult((), ())
    by_id = await _by_id(request, text)
    if by_id is not None and by_id.hits:
        return by_id
    named = await _by_name(request, _ARN.sub(r"\2", text), most)
    asked = (*(by_id.asked if by_id is not None else ()), *named.asked)
    return SearchResult(named.hits, asked, named.unseen)


def is_key(text: str) -> bool:
    """Tell whether a text is the id of an access key."""
    return _KEY.fullmatch(text) is not None


async def _by_id(request: Request, text: str) -> SearchResult | None:
    """Return the one thing that has this id; None where the text is no id."""
    if _KEY.fullmatch(text):
        return await _key(request, text)
    if ids.is_event_id(text.lower()):
        return await _event(request, text.lower())
    if _ACCOUNT.fullmatch(text):
        return await _account(request, text.replace("-", ""))
    return None


async def _key(request: Request, key_id: str) -> SearchResult:
    asked, used_by = await asyncio.gather(
        parts.ask(request, "GetAccessKeyLastUsed", AccessKeyId=key_id), _events_of_key(request, key_id)
    )
    hits: list[Hit] = []
    if asked.refusal is None:
        name = asked.text("UserName")
        path = USER.page(name, "security") if name else _OWN
        hits.append(
            Hit(
                gettext_noop("Access key"),
                key_id,
                gettext("of the user %(name)s", name=name) if name else gettext("of the root user"),
                path,
            )
        )
    else:
        # Keys of other accounts are refused as if a permission were missing, which the page must not say of whoever has it.
        web.of(request).denied.discard(asked.call.action)
    if used_by.rows("Events"):
        path = parts.address("/console/trail", by="AccessKeyId", value=key_id, reads="1")
        hits.append(Hit(gettext_noop("Events"), gettext("What %(key)s was used for", key=key_id), gettext("in the trail"), path))
    return SearchResult(tuple(hits), (asked, used_by), is_exact=len(hits) == 1)


async def _events_of_key(request: Request, key_id: str) -> Part:
    by_key = [{"AttributeKey": "AccessKeyId", "AttributeValue": key_id}]
    return await parts.ask(request, "LookupEvents", service="cloudtrail", LookupAttributes=by_key, MaxResults=1)


async def _event(request: Request, event_id: str) -> SearchResult:
    by_id = [{"AttributeKey": "EventId", "AttributeValue": event_id}]
    asked = await parts.ask(request, "LookupEvents", service="cloudtrail", LookupAttributes=by_id, MaxResults=1)
    path = parts.address("/console/trail/event", id=event_id)
    hits = tuple(Hit(gettext_noop("Event"), each["EventName"], event_id, path) for each in asked.rows("Events"))
    return SearchResult(hits, (asked,), is_exact=bool(hits))


async def _account(request: Request, account_id: str) -> SearchResult:
    asked = await parts.ask(request, "DescribeAccount", service="organizations", AccountId=account_id)
    account = asked.one("Account")
    hits = (_account_hit(account),) if account else ()
    return SearchResult(hits, (asked,), is_exact=bool(hits))


async def _by_name(request: Request, text: str, most: int) -> SearchResult:
    asked = await parts.ask(request, SEARCH, service="account-security", Text=text, MaxItems=most)
    hits = [Hit(gettext_noop("Page"), gettext(place.label), "", place.path) for place in site_map.matching(text)[:most]]
    for member, (kind, path_of) in _NAMED.items():
        hits += [Hit(kind, each["Name"], _place(each), path_of(each)) for each in asked.rows(member)]
    hits += [_account_hit(each) for each in asked.rows("Accounts")]
    return SearchResult(tuple(hits), (asked,), tuple(asked.rows("NotPermitted")))


def _place(each: Mapping[str, Any]) -> str:
    if str(each["Arn"]).startswith("arn:aws:iam::aws:"):
        return gettext(_OF_AWS)
    return "" if each["Path"] == "/" else str(each["Path"])


def _account_hit(account: Mapping[str, Any]) -> Hit:
    path = parts.address("/console/organization/account", id=account["Id"])
    return Hit(gettext_noop("Account"), str(account["Name"]), f"{account['Id']} · {account['Email']}", path)


def likeliest_first(hits: Sequence[Hit], text: str) -> list[Hit]:
    """Return hits for one short list: what begins with the text before what only holds it, and one's own before AWS's."""
    begins = text.strip().lower()
    return sorted(hits, key=lambda each: (not each.label.lower().startswith(begins), each.detail == gettext(_OF_AWS)))


def by_kind(hits: Sequence[Hit]) -> dict[str, list[Hit]]:
    """Return hits by their kind, in their order."""
    found: dict[str, list[Hit]] = {}
    for each in hits:
        found.setdefault(each.kind, []).append(each)
    return found
