"""Pages of the lists that people look at: in the order that is asked for, with what the caller may know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from crownkeep.domain import page_tokens
from crownkeep.operations import authorize, registry
from crownkeep.operations.call import Call
from crownkeep.storage.reports.ordered_names import ListPlace, ListSearch, OrderedNames


@dataclass(frozen=True, slots=True)
class AskedList:
    """What a list is asked for."""

    name: str
    """The operation, for whose markers no other takes."""
    search: ListSearch
    marker: str | None
    max_items: int | None
    limits: tuple[str, ...] = field(default=())
    """What else the list is limited to, which a marker is bound to as well."""

    @property
    def filters(self) -> tuple[str, ...]:
        """What a marker is good for."""
        wanted = self.search
        return (wanted.text, wanted.path_prefix, wanted.order, str(wanted.is_descending), *self.limits)


def page(call: Call, listed: OrderedNames, asked: AskedList, *, owner: str = "") -> tuple[list[str], dict[str, object]]:
    """Return the ids of one page in their order, and what says whether there is more; `owner` is another account's list."""
    found, more = page_tokens.page(
        call,
        list_name=asked.name,
        filters=asked.filters,
        marker=asked.marker,
        max_items=asked.max_items,
        fetch=lambda after, limit: listed.page(
            call.db, owner or call.account_id, asked.search, after=read(after) if after else None, limit=limit
        ),
        key=key,
    )
    return [each.id for each in found], more


def key(place: ListPlace) -> str:
    """Write where a list goes on, for a marker."""
    return f"{place.place}/{place.name_key}"


def read(key: str) -> ListPlace:
    """Read where a list goes on from a marker's key."""
    # The number comes first and has no slash, so a name may have any. The id is not needed: names are unique in their list.
    place, _, name = key.partition("/")
    return ListPlace("", name, int(place))


def refused(call: Call, actions: Sequence[str]) -> set[str]:
    """Return those of IAM's actions on everything that the caller may not do: what they would tell is left out."""
    return {each for each in actions if not authorize.allows(call, each, registry.EVERYTHING)}


def require(call: Call, action: str) -> None:
    """Raise AccessDenied unless the caller may do this to everything: an order tells of what it is made of."""
    authorize.require_action(call, action, registry.EVERYTHING)


def described_tags(tags: dict[str, str]) -> list[dict[str, str]]:
    """Return tags as answers have them."""
    return [{"Key": name, "Value": value} for name, value in tags.items()]
