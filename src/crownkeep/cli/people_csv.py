"""People from a CSV file: a heading, and somebody in each row, with their groups between semicolons."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence

from crownkeep.cli import people_files
from crownkeep.cli.failures import WrongCall
from crownkeep.cli.people_files import FileContents, LeftOut, Unusable

COLUMNS = {
    "username": "UserName",
    "user": "UserName",
    "login": "UserName",
    "givenname": "GivenName",
    "firstname": "GivenName",
    "familyname": "FamilyName",
    "lastname": "FamilyName",
    "surname": "FamilyName",
    "displayname": "DisplayName",
    "name": "DisplayName",
    "email": "Email",
    "emailaddress": "Email",
    "mail": "Email",
    "title": "Title",
    "phone": "PhoneNumber",
    "phonenumber": "PhoneNumber",
    "externalid": "ExternalId",
    "active": "Active",
    "groups": "Groups",
    "group": "Groups",
    "passwordhash": "PasswordHash",
}


def read(text: str) -> FileContents:
    """Return who is in a file; raises WrongCall where it is no table of people."""
    contents = FileContents()
    delimiter = _delimiter(text)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = _columns(next(rows, []))
        began = rows.line_num + 1
        for cells in rows:
            if len(contents.people) + len(contents.refused) >= people_files.MOST_ROWS:
                raise WrongCall(f"more than {people_files.MOST_ROWS:,} rows: import them in parts")
            if any(cell.strip() for cell in cells):
                _take(contents, began, columns, cells)
            began = rows.line_num + 1
    except csv.Error as error:
        raise WrongCall(f"line {rows.line_num} is no CSV: {error}") from error
    return people_files.without_doubles(contents)


def _take(contents: FileContents, row: int, columns: Sequence[str], cells: Sequence[str]) -> None:
    # Shorter rows are fine: spreadsheets leave empty cells at the end out. Longer ones have slipped, and are refused below.
    given = dict(zip(columns, cells, strict=False))
    try:
        if len(cells) > len(columns):
            raise Unusable(f"{len(cells)} cells under {len(columns)} headings")
        contents.people.append(_person(row, given))
    except Unusable as error:
        contents.refused.append(LeftOut(row, "person", given.get("UserName", ""), str(error)))


def _person(row: int, given: Mapping[str, str]) -> people_files.FilePerson:
    plain = {name: value for name, value in given.items() if name not in ("Groups", "PasswordHash")}
    groups = re.split(r"[;|]", given.get("Groups", ""))
    return people_files.person(row, plain, groups, hashes=[given.get("PasswordHash", "")])


def _delimiter(text: str) -> str:
    """Return what stands between headings: a comma or, as some spreadsheets write it, a semicolon or a tab."""
    heading = text.split("\n", 1)[0]
    return max(",;\t", key=heading.count)


def _columns(heading: Sequence[str]) -> list[str]:
    columns = [COLUMNS.get(re.sub(r"[\s_.-]", "", name.lower()), "") for name in heading]
    for name, column in zip(heading, columns, strict=True):
        if not column:
            raise WrongCall(f"the heading `{name[:64]}` is none of {', '.join(sorted(COLUMNS))}")
    if len(set(columns)) < len(columns):
        raise WrongCall("two headings say the same")
    if "UserName" not in columns:
        raise WrongCall("the first line has no heading `username`")
    return columns
