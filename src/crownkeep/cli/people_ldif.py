"""People and groups from an LDIF file (RFC 2849): entries of people, as OpenLDAP and Active Directory export them, and groups."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence

from crownkeep.cli import people_files
from crownkeep.cli.failures import WrongCall
from crownkeep.cli.people_files import FileContents, FileGroup, LeftOut, Unusable

Entry = Mapping[str, Sequence[str]]
_PEOPLE = {"person", "organizationalperson", "inetorgperson", "posixaccount", "account", "user"}
_GROUPS = {"groupofnames", "groupofuniquenames", "groupofmembers", "posixgroup", "group"}
_NO_PEOPLE = {"computer", "device"}
_ATTRIBUTES = {
    "UserName": ("uid", "samaccountname", "userprincipalname", "cn"),
    "GivenName": ("givenname",),
    "FamilyName": ("sn", "surname"),
    "DisplayName": ("displayname", "cn"),
    "Email": ("mail", "emailaddress"),
    "Title": ("title",),
    "PhoneNumber": ("telephonenumber",),
    "ExternalId": ("entryuuid",),
}
_SEPARATORS = (",", "=", "+")
_DISABLED_BIT = 2  # of Active Directory's userAccountControl
_LONGEST_NAME = 64


def read(text: str) -> FileContents:
    """Return who is in a file; raises WrongCall where it is no LDIF of entries."""
    contents = FileContents()
    entries = list(_entries(text))
    groups = [(row, entry) for row, entry in entries if _kinds(entry) & _GROUPS]
    people = [(row, entry) for row, entry in entries if _is_person(entry)]
    # Groups name their members by DN, and people their groups, wherever each stands in the file: so both are known first.
    names = {_normal(entry["dn"][0]): _first(entry, _ATTRIBUTES["UserName"]) for _, entry in people}
    named_groups = {_normal(entry["dn"][0]): _first(entry, ("cn",)) for _, entry in groups}
    joined: dict[str, list[str]] = {}
    for row, entry in groups:
        _take_group(contents, row, entry, names, joined)
    for row, entry in people:
        name = _first(entry, _ATTRIBUTES["UserName"])
        further = [named_groups.get(_normal(dn)) or _leaf(dn) for dn in entry.get("memberof", ())]
        try:
            contents.people.append(_person(row, entry, [*joined.get(name.lower(), ()), *further]))
        except Unusable as error:
            contents.refused.append(LeftOut(row, "person", name, str(error)))
    return people_files.without_doubles(contents)


def _person(row: int, entry: Entry, groups: Sequence[str]) -> people_files.FilePerson:
    given = {member: _first(entry, attributes) for member, attributes in _ATTRIBUTES.items()}
    control = _first(entry, ("useraccountcontrol",))
    is_locked = _first(entry, ("nsaccountlock",)).lower() == "true"
    is_off = is_locked or (control.isdecimal() and bool(int(control[:10]) & _DISABLED_BIT))
    given["Active"] = "false" if is_off else "true"
    return people_files.person(row, given, groups, hashes=entry.get("userpassword", ()))


def _take_group(contents: FileContents, row: int, entry: Entry, names: Mapping[str, str], joined: dict[str, list[str]]) -> None:
    name = _first(entry, ("cn",)).strip()
    try:
        if not name:
            raise Unusable("there is no cn")
        people_files.require_plain("cn", name)
    except Unusable as error:
        contents.refused.append(LeftOut(row, "group", name, str(error)))
        return
    description = _first(entry, ("description",))[:1024]
    contents.groups.append(FileGroup(row, name, description))
    for member in (*entry.get("member", ()), *entry.get("uniquemember", ())):
        who = names.get(_normal(member))
        if who is None:
            reason = f"its member {member[:_LONGEST_NAME]} is nobody in the file; groups in groups are not taken"
            contents.refused.append(LeftOut(row, "membership", name, reason))
        else:
            joined.setdefault(who.lower(), []).append(name)
    for who in entry.get("memberuid", ()):
        joined.setdefault(who.lower(), []).append(name)


def _entries(text: str) -> Iterator[tuple[int, Entry]]:
    """Read the entries, each with its first line's number; raises WrongCall."""
    count = 0
    entry: dict[str, list[str]] = {}
    began = 0
    for row, line in (*_lines(text), (0, "")):
        if not line:
            if entry:
                count += 1
                if count > people_files.MOST_ROWS:
                    raise WrongCall(f"more than {people_files.MOST_ROWS:,} entries: import them in parts")
                _require_entry(began, entry)
                yield began, entry
            entry = {}
            continue
        name, value = _attribute(row, line)
        if name == "version" and not entry:
            continue
        began = began if entry else row
        entry.setdefault(name, []).append(value)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines unfolded, with the number of their first one; comments are left out, with what they fold into."""
    held: list[str] = []
    began = 0
    for row, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if line.startswith(" ") and held:
            held.append(line[1:])
            continue
        if held and not held[0].startswith("#"):
            yield began, "".join(held)
        held, began = [line], row
    if held and not held[0].startswith("#"):
        yield began, "".join(held)


def _attribute(row: int, line: str) -> tuple[str, str]:
    match = re.match(r"([A-Za-z][A-Za-z0-9.-]*)((?:;[A-Za-z0-9-]+)*):(:|<)? *", line)
    if match is None:
        raise WrongCall(f"line {row} is no LDIF: an attribute's name and a colon are missing")
    name, options, kind = match[1].lower(), match[2], match[3]
    value = line[match.end() :]
    if kind == "<":
        # It would have this machine read a file or an address that whoever wrote the LDIF chose.
        raise WrongCall(f"line {row} names a file or an address for a value, which is not read")
    if kind == ":":
        try:
            value = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            # A photo, a certificate: nothing that is taken. What should have been text is told of by the row that lacks it.
            value = ""
    return (f"{name}{options}" if options else name), value


def _require_entry(row: int, entry: Mapping[str, Sequence[str]]) -> None:
    if "dn" not in entry:
        raise WrongCall(f"line {row} begins no entry: its dn is missing")
    if "changetype" in entry:
        raise WrongCall(f"line {row} is a change and no entry: export entries")


def _kinds(entry: Entry) -> set[str]:
    return {each.lower() for each in entry.get("objectclass", ())}


def _is_person(entry: Entry) -> bool:
    kinds = _kinds(entry)
    return bool(kinds & _PEOPLE) and not kinds & _NO_PEOPLE


def _first(entry: Entry, names: Sequence[str]) -> str:
    return next((value for name in names for value in entry.get(name, ()) if value), "")


def _normal(dn: str) -> str:
    """Return a DN as it compares: without blanks around its commas and equals signs, in lower case."""
    # Cut and trimmed: an expression that looks for blanks before a comma tries each run of blanks from each of its places.
    parts = (part.strip() if part not in _SEPARATORS else part for part in re.split("([,=+])", dn))
    return "".join(parts).lower()


def _leaf(dn: str) -> str:
    """Return the value of a DN's first part, such as `ops` of `CN=ops,OU=groups,DC=example`."""
    first = re.split(r"(?<!\\),", dn, maxsplit=1)[0]
    return first.partition("=")[2].replace("\\,", ",").strip()
