"""People and groups as files of other directories tell of them: what is common to CSV and LDIF, and what no row may hold."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crownkeep.cli.failures import WrongCall
from crownkeep.credentials import imported_hashes
from crownkeep.credentials.imported_hashes import UnsoundHash

LARGEST = 64 * 2**20
MOST_ROWS = 100_000
MOST_GROUPS = 200
"""Groups of one person."""

_LONGEST = 1024
# What a spreadsheet takes for a formula, should the name ever be exported to one.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]*")
_BOOLEANS = {"true": True, "yes": True, "1": True, "active": True, "": True}
_BOOLEANS |= {"false": False, "no": False, "0": False, "inactive": False, "disabled": False}


class Unusable(ValueError):
    """A row can't be imported; its text says why."""


@dataclass(frozen=True, slots=True)
class FilePerson:
    """Somebody in a file, by the members of the import's operation."""

    row: int
    name: str
    members: Mapping[str, object]
    reason: str = ""
    """Why their password hash is left out, where it is."""


@dataclass(frozen=True, slots=True)
class FileGroup:
    """A group in a file; who is in it, its people say."""

    row: int
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a file holds that is not imported, and why."""

    row: int
    kind: str
    name: str
    reason: str


@dataclass(slots=True)
class FileContents:
    """All that is in a file."""

    people: list[FilePerson] = field(default_factory=list)
    groups: list[FileGroup] = field(default_factory=list)
    refused: list[LeftOut] = field(default_factory=list)


def read_text(path: Path) -> str:
    """Return a file's text, which is UTF-8 or, by its first two bytes, UTF-16; raises WrongCall."""
    try:
        with path.open("rb") as file:
            # One byte more than is taken, so that a larger file is known by it, whatever its size is said to be.
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise WrongCall(f"`{path}` can't be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise WrongCall(f"`{path}` is larger than {LARGEST // 2**20} MiB: import it in parts")
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise WrongCall(f"`{path}` is not UTF-8 in line {line}: save it as UTF-8") from error
    if "\0" in text:
        raise WrongCall(f"`{path}` holds a NUL character in line {text.count(chr(10), 0, text.index(chr(0))) + 1}")
    return text


def person(row: int, given: Mapping[str, str], groups: Iterable[str], *, hashes: Iterable[str] = ()) -> FilePerson:
    """Return somebody by what a row says; raises Unusable."""
    members: dict[str, object] = {name: value.strip() for name, value in given.items() if value.strip() and name != "Active"}
    name = str(members.get("UserName", ""))
    if not name:
        raise Unusable("there is no user name")
    for member, value in members.items():
        require_plain(member, str(value))
    active = given.get("Active", "").strip().lower()
    if active not in _BOOLEANS:
        raise Unusable("`active` is neither true nor false")
    listed = list(dict.fromkeys(each.strip() for each in groups if each.strip()))
    if len(listed) > MOST_GROUPS:
        raise Unusable(f"more than {MOST_GROUPS} groups")
    for each in listed:
        require_plain("group", each)
    kept, reason = _hash(hashes)
    members |= {"Active": _BOOLEANS[active], **({"Groups": listed} if listed else {}), **({"PasswordHash": kept} if kept else {})}
    return FilePerson(row, name, members, reason)


def require_plain(member: str, value: str) -> None:
    """Raise Unusable for a value that is too long, or that a spreadsheet would take for a formula."""
    if len(value) > _LONGEST:
        raise Unusable(f"{member} has more than {_LONGEST} characters")
    if value.startswith(_FORMULA) and not (member == "PhoneNumber" and _PHONE.fullmatch(value)):
        raise Unusable(f"{member} begins with `{value[0].strip() or 'a blank'}`, as a spreadsheet's formula does")


def without_doubles(contents: FileContents) -> FileContents:
    """Return the contents with each user name and e-mail address once, whatever its letters' case: the first one stays."""
    names: dict[str, int] = {}
    emails: dict[str, int] = {}
    kept = []
    for each in contents.people:
        email = str(each.members.get("Email", "")).lower()
        before = names.get(each.name.lower()) or (emails.get(email) if email else None)
        if before is not None:
            reason = f"row {before} has the same user name or e-mail address"
            contents.refused.append(LeftOut(each.row, "person", each.name, reason))
            continue
        names[each.name.lower()] = each.row
        if email:
            emails[email] = each.row
        kept.append(each)
    contents.people = kept
    return contents


def _hash(given: Iterable[str]) -> tuple[str, str]:
    """Return the first hash that is sound, or why none is. A password that is no hash at all never leaves this machine."""
    reason = ""
    for each in given:
        if not each.strip():
            continue
        try:
            imported_hashes.read(each)
        except UnsoundHash as error:
            reason = reason or str(error)
        else:
            return each.strip(), ""
    return "", reason
