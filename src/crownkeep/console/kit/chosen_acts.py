"""Acts on several rows that more than one list has: tagging, and turning access keys off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.requests import Request

from crownkeep.console.kit.chosen_rows import AskedField, ChosenAct, Planned
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.translation import gettext, gettext_noop, ngettext


def tagging(operation: str, key: str) -> ChosenAct:
    """Return the act that tags what an operation of IAM's tags, such as TagUser, which names it by `key`."""

    async def plan(_: Request, names: Sequence[str], entered: Mapping[str, str]) -> Planned:
        tag = [{"Key": entered["key"], "Value": entered["value"]}]
        # A tag that replaces another can't be taken back by removing it, so no undo is offered.
        return Planned(tuple(Equivalent("iam", operation, {key: name, "Tags": tag}) for name in names if entered["key"]))

    return ChosenAct(
        gettext_noop("Tag"),
        gettext_noop("Tag them"),
        gettext_noop("Tag"),
        _tagged,
        plan,
        (AskedField("key", gettext_noop("Key"), 128), AskedField("value", gettext_noop("Value"), 256, is_required=False)),
        gettext_noop("Which tag?"),
    )


def _tagged(_: Planned, rows: str, entered: Mapping[str, str]) -> str:
    if entered["value"]:
        return gettext(
            "%(chosen)s would get the tag %(tag)s with the value %(tag_value)s, which replaces any value that the tag has now. "
            "Policies that compare tags apply it at once.",
            chosen=rows,
            tag=entered["key"],
            tag_value=entered["value"],
        )
    return gettext(
        "%(chosen)s would get the tag %(tag)s, which replaces any value that the tag has now. "
        "Policies that compare tags apply it at once.",
        chosen=rows,
        tag=entered["key"],
    )


def key_changes(keys: Sequence[Mapping[str, str]]) -> tuple[tuple[Equivalent, ...], tuple[Equivalent, ...]]:
    """Return the calls that turn these access keys off, and those that turn them on again."""
    off, on = (
        tuple(Equivalent("iam", "UpdateAccessKey", {**key, "Status": status}) for key in keys)
        for status in ("Inactive", "Active")
    )
    return off, on


def keys_turned_off(planned: Planned, _: str, __: Mapping[str, str]) -> str:
    """Say which keys would be turned off, and what comes of it."""
    return ngettext(
        "%(num)s access key would be deactivated. Programs that sign with it are refused at once. You can activate it again.",
        "%(num)s access keys would be deactivated. Programs that sign with them are refused at once. "
        "You can activate them again.",
        len(planned.calls),
    )
