"""The triggers that keep the trail append-only on both databases: they refuse every change of what was written.

They stop faults, careless statements and whoever may only write. Somebody who owns the database can drop them: that is what
checkpoints in other hands are for.
"""

from __future__ import annotations

from collections.abc import Iterator

UNCHANGING = ("trail_leaves", "trail_nodes", "trail_checkpoints", "trail_withholdings")
"""Tables whose rows are neither changed nor removed."""
LET_GO = ("events", "event_resources")
"""Tables whose rows go where a withholding covers them, and in no other way."""
_PENDING = "trail_pending"

# What SQLite's INSERT OR REPLACE would be told apart by; PostgreSQL has no such statement.
# Every unique one, as a row that has any of them in common with a new one goes; and SQLite's own number of a row, where that is
# none of our columns (rowid tables, sqlite.org/rowidtable.html): a statement may name it, and NEW has it then, and else -1.
_ROWID = ("rowid",)
_KEYS = {
    "events": (("account_id", "event_id"), _ROWID),
    "trail_leaves": (("idx",), ("event_id",)),
    "trail_nodes": (("level", "number"), _ROWID),
    "trail_pending": (("pending_id",),),
    "trail_checkpoints": (("size",),),
    "trail_withholdings": (("act_event_id", "account_id"), _ROWID),
}
# Asked by the trigger of every single row: the index of `trail_withholdings` is made for it.
_WITHHELD = (
    "EXISTS (SELECT 1 FROM trail_withholdings w WHERE w.account_id = OLD.account_id"
    " AND OLD.event_id >= w.first_event_id AND OLD.event_id <= w.last_event_id)"
)
_SEQUENCED = "EXISTS (SELECT 1 FROM trail_leaves l WHERE l.event_id = OLD.event_id AND l.leaf = OLD.leaf)"


def statements(dialect: str) -> list[str]:
    """Return what makes the triggers on `sqlite` or `postgresql`."""
    return [*(_sqlite() if dialect == "sqlite" else _postgresql())]


def of_table(dialect: str, table: str, key: str) -> list[str]:
    """Return what keeps a table append-only that came later; `key` is its primary key."""
    # SQLite has no TRUNCATE, and PostgreSQL no INSERT OR REPLACE: each gets what it needs.
    if dialect == "sqlite":
        return [
            _sqlite_trigger(table, "UPDATE", "changes", ""),
            _sqlite_trigger(table, "DELETE", "goes", ""),
            _against_replacement(table, ((key,),)),
        ]
    return [
        _postgresql_trigger(table, "changes", "UPDATE", "ROW", ""),
        _postgresql_trigger(table, "is_emptied", "TRUNCATE", "STATEMENT", ""),
        _postgresql_trigger(table, "goes", "DELETE", "ROW", ""),
    ]


def against_replacement() -> Iterator[str]:
    """Return what makes SQLite's triggers against INSERT OR REPLACE anew, as they are made today."""
    for table, keys in {**_KEYS, "trail_sealed_months": (("month",), _ROWID)}.items():
        yield f"DROP TRIGGER IF EXISTS {table}_never_is_replaced"
        yield _against_replacement(table, keys)


def _sqlite() -> Iterator[str]:
    for table in (*UNCHANGING, *LET_GO, _PENDING):
        yield _sqlite_trigger(table, "UPDATE", "changes", "")
    for table in UNCHANGING:
        yield _sqlite_trigger(table, "DELETE", "goes", "")
    for table in LET_GO:
        yield _sqlite_trigger(table, "DELETE", "goes", f"WHEN NOT {_WITHHELD} ")
    yield _sqlite_trigger(_PENDING, "DELETE", "goes", f"WHEN NOT {_SEQUENCED} ")
    for table, keys in _KEYS.items():
        yield _against_replacement(table, keys)


def _against_replacement(table: str, keys: tuple[tuple[str, ...], ...]) -> str:
    # INSERT OR REPLACE removes a row without asking the triggers for DELETE.
    same = (" AND ".join(f"{column} = NEW.{column}" for column in key) for key in keys)
    there = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {each})" for each in same)  # noqa: S608 - our own names
    return _sqlite_trigger(table, "INSERT", "is_replaced", f"WHEN {there} ")


def _sqlite_trigger(table: str, event: str, what: str, condition: str) -> str:
    # ABORT undoes what the statement has done so far, for which SQLite copies each page before it is changed. Nothing must be
    # undone of an INSERT that fails before it replaces its first row, and every request makes two.
    how = "FAIL" if event == "INSERT" else "ABORT"
    refusal = f"SELECT RAISE({how}, 'the trail is append-only: nothing in {table} {what.replace('_', ' ')}');"
    return f"CREATE TRIGGER {table}_never_{what} BEFORE {event} ON {table} {condition}BEGIN {refusal} END"


def _postgresql() -> Iterator[str]:
    refusal = "RAISE EXCEPTION 'the trail is append-only: % of %', TG_OP, TG_TABLE_NAME;"
    for name, condition in (("", ""), ("_unless_withheld", _WITHHELD), ("_unless_sequenced", _SEQUENCED)):
        passing = f"IF {condition} THEN RETURN OLD; END IF; " if condition else ""
        body = f"BEGIN {passing}{refusal} END"
        yield f"CREATE FUNCTION crownkeep_trail_refuses{name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"
    for table in (*UNCHANGING, *LET_GO, _PENDING):
        yield _postgresql_trigger(table, "changes", "UPDATE", "ROW", "")
        yield _postgresql_trigger(table, "is_emptied", "TRUNCATE", "STATEMENT", "")
    for table in UNCHANGING:
        yield _postgresql_trigger(table, "goes", "DELETE", "ROW", "")
    for table in LET_GO:
        yield _postgresql_trigger(table, "goes", "DELETE", "ROW", "_unless_withheld")
    yield _postgresql_trigger(_PENDING, "goes", "DELETE", "ROW", "_unless_sequenced")


def _postgresql_trigger(table: str, what: str, event: str, each: str, function: str) -> str:
    run = f"EXECUTE FUNCTION crownkeep_trail_refuses{function}()"
    return f"CREATE TRIGGER {table}_never_{what} BEFORE {event} ON {table} FOR EACH {each} {run}"
