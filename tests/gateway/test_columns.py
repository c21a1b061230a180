"""Lists by their columns: the same bytes as of one row after the other, whatever is in them and whatever is absent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from crownkeep import models
from crownkeep.columns import Columns, Moments
from crownkeep.gateway.encode import encode

LIST_USERS = models.service("iam").operations["ListUsers"]
MICROSECONDS = st.integers(-(2**50), 2**52)
TEXTS = st.text(max_size=12) | st.sampled_from(["", "a&b", "<tag>", "caf\xe9", "tab\there", "\r\n", "\x7f", "\ud800"])
ROWS = st.lists(st.tuples(TEXTS, st.none() | TEXTS, MICROSECONDS, st.none() | MICROSECONDS), max_size=6)


def moment(kept: int | None) -> datetime | None:
    return None if kept is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=kept)


def one_by_one(rows: list[dict[str, object]], **options: str) -> list[bytes]:
    """Write each row as the only one of a list: the slow way, which no shortcut is taken on."""
    return [encode(LIST_USERS, {"Users": [row]}, request_id="r", **options).body for row in rows]


def between_tags(body: bytes) -> bytes:
    return body.partition(b"<Users>")[2].rpartition(b"</Users>")[0]


@given(ROWS)
@example([("bob", "/", 0, None), ("eve", None, -1, 1)])
@settings(max_examples=60)
def test_columns_are_written_as_their_rows_are(drawn):
    names, paths, created, used = ([row[place] for row in drawn] for place in range(4))
    columns = Columns({"UserName": names, "Path": paths, "CreateDate": Moments(created), "PasswordLastUsed": Moments(used)})
    rows = [
        {"UserName": name, "Path": path, "CreateDate": moment(made), "PasswordLastUsed": moment(at)}
        for name, path, made, at in drawn
    ]
    plain = [{name: value for name, value in row.items() if value is not None} for row in rows]

    written = encode(LIST_USERS, {"Users": columns}, request_id="r").body
    by_rows = encode(LIST_USERS, {"Users": plain}, request_id="r").body

    assert plain == list(columns)
    assert b"".join(map(between_tags, one_by_one(plain))) == between_tags(written) == between_tags(by_rows)


def test_rows_that_may_be_empty_are_written_as_empty_elements():
    written = encode(LIST_USERS, {"Users": Columns({"UserName": ["bob", None]})}, request_id="r").body

    assert b"<member><UserName>bob</UserName></member><member/>" == between_tags(written)


def test_a_client_that_asks_for_json_gets_rows():
    columns = Columns({"UserName": ["bob", "eve"], "CreateDate": Moments([0, 1_500_000]), "PasswordLastUsed": Moments([None, 0])})

    written = encode(LIST_USERS, {"Users": columns}, request_id="r", accept="application/json").body

    assert written == encode(LIST_USERS, {"Users": [*columns]}, request_id="r", accept="application/json").body


def test_a_part_of_a_list_is_a_list():
    columns = Columns({"UserName": ["a", "b", "c"], "CreateDate": Moments([0, None, 2])})

    assert [{"UserName": "b"}, {"UserName": "c", "CreateDate": moment(2)}] == list(columns[1:])
    assert (2, {"UserName": "c", "CreateDate": moment(2)}) == (len(columns[:2]), columns[-1])
