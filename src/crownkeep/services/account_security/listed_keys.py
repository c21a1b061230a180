"""The access keys of all users for a list that people look at: found by their owner or id, in one of several orders.

IAM lists the keys of one user at a time. Each key is told to whoever may list the keys of its user; when it was used last, to
whoever may ask for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from crownkeep import arn
from crownkeep.domain import page_tokens
from crownkeep.operations import authorize
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode, Target
from crownkeep.services.account_security import ordered_lists
from crownkeep.services.account_security.ordered_lists import AskedList
from crownkeep.services.account_security.service import account_security
from crownkeep.storage.identities import tags
from crownkeep.storage.reports import key_lists, ordered_names
from crownkeep.storage.reports.key_lists import OwnedKey
from crownkeep.storage.reports.ordered_names import MOST_ORDERED, ListPlace, ListSearch

_LISTS = "iam:ListAccessKeys"
_LAST_USED = "iam:GetAccessKeyLastUsed"
_AT_ONCE = 1000


def every_user(call: Call, *, path_prefix: str = "/", **_: object) -> Target:
    """All users below a path: who may list the keys of one of them alone asks ListAccessKeys."""
    return Target(arn.user(call.account_id, path_prefix, "*"))


@account_security.operation("DescribeAccessKeys", resource=every_user, action=_LISTS, mode=Mode.LONG_READ)
def describe_access_keys(
    call: Call,
    *,
    text: str = "",
    path_prefix: str = "/",
    sort_by: str = ordered_names.NAME,
    descending: bool = False,
    marker: str | None = None,
    max_items: int | None = None,
) -> Result:
    """Return a page of access keys with their owners and, to whoever may see it, their last use.

    Keys of users whose keys the caller is denied are left out, and are not counted. Raises AccessDenied for an order that would
    tell what the caller may not know.
    """
    needed = [_LISTS]
    if sort_by == key_lists.LAST_USED:
        authorize.require_action(call, _LAST_USED, every_user(call, path_prefix=path_prefix))
        needed.append(_LAST_USED)
    asked = AskedList("DescribeAccessKeys", ListSearch(text, path_prefix, sort_by, descending), marker, max_items)
    known = _KnownKeys(call)
    found, more = page_tokens.page(
        call,
        list_name=asked.name,
        filters=asked.filters,
        marker=marker,
        max_items=max_items,
        fetch=partial(known.page, asked.search, needed),
        key=ordered_lists.key,
    )
    keys = [known.keys[place.id] for place in found]
    described = [_described(key, is_use_told=known.allows(key, _LAST_USED)) for key in keys]
    refused = [] if all(known.allows(key, _LAST_USED) for key in keys) else [_LAST_USED]
    return {"AccessKeys": described, "NotPermitted": refused, **more}


class _KnownKeys:
    """The keys that were looked at for one page, and what the caller may know of them.

    A policy may speak of one user alone, or of a tag, so that each owner is decided on.
    """

    __slots__ = ("_call", "_decided", "_tags", "keys")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._tags: dict[str, dict[str, str]] = {}
        self._decided: dict[tuple[str, str], bool] = {}
        self.keys: dict[str, OwnedKey] = {}

    def page(self, wanted: ListSearch, needed: Sequence[str], after: str, limit: int) -> list[ListPlace]:
        """Return up to `limit` places of keys that the caller may know.

        A marker names the last key of its page, so that no page may end with a key that is kept from the caller.
        """
        call, size = self._call, limit
        place = ordered_lists.read(after) if after else None
        found: list[ListPlace] = []
        # Bounded: whoever may know of one key in a million must not have all of them decided on for each page.
        for _ in range(MOST_ORDERED // _AT_ONCE):
            listed = key_lists.LISTED.page(call.db, call.account_id, wanted, after=place, limit=size)
            self._read([each.id for each in listed])
            found += [each for each in listed if all(self.allows(self.keys[each.id], action) for action in needed)]
            if len(found) >= limit or len(listed) < size:
                break
            place, size = listed[-1], _AT_ONCE
        return found[:limit]

    def allows(self, key: OwnedKey, action: str) -> bool:
        """Tell whether the caller may do this to the key's owner."""
        asked = (key.user_id, action)
        if asked not in self._decided:
            owner = arn.user(self._call.account_id, key.user_path, key.user_name)
            target = Target(owner, tags=partial(self._tags.__getitem__, key.user_id))
            self._decided[asked] = authorize.allows(self._call, action, target)
        return self._decided[asked]

    def _read(self, access_key_ids: Sequence[str]) -> None:
        found = key_lists.with_ids(self._call.db, self._call.account_id, access_key_ids)
        unknown = {key.user_id for key in found.values()} - self._tags.keys()
        self._tags |= tags.of_resources(self._call.db, self._call.account_id, sorted(unknown))
        self.keys |= found


def _described(key: OwnedKey, *, is_use_told: bool) -> dict[str, object]:
    described: dict[str, object] = {
        "AccessKeyId": key.access_key_id,
        "UserName": key.user_name,
        "Path": key.user_path,
        "Status": key.status,
        "CreateDate": key.created_at,
    }
    if is_use_told and key.used_at is not None:
        described |= {"LastUsedDate": key.used_at, "ServiceName": key.used_service or "", "Region": key.used_region or ""}
    return described
