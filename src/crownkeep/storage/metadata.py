"""What all tables share: the naming of constraints and the columns' own types."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Dialect, MetaData, String, bindparam, func
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Return a moment as it is kept: whole microseconds since 1970."""
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def moment_of(kept: int | None) -> datetime | None:
    """Return the moment that is kept as these microseconds since 1970."""
    return None if kept is None else _EPOCH + timedelta(0, 0, kept)


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime, kept as microseconds since 1970: the same on every database, and it sorts."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn a datetime into microseconds."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Turn microseconds into a datetime."""
        return moment_of(value)


AccountId = String(12)
UniqueId = String(32)
# Lists are paged by name and compared with Python's own order, so PostgreSQL must not sort by the words of some language.
Name = String(128).with_variant(String(128, collation="C"), "postgresql")
Path = String(512)
AnyArn = String(2048)
# Ids of an organization and of what is in it, such as `ou-ab12-c3d4e5f6`; lists are paged by them.
OrganizationId = String(80).with_variant(String(80, collation="C"), "postgresql")


def begins_with(column: Column[str], parameter: str) -> ColumnElement[bool]:
    """Return the condition that a text begins with the bound parameter, letter for letter.

    LIKE would not do: SQLite folds the case of ASCII letters in it.
    """
    prefix = bindparam(parameter, type_=String)
    return func.substr(column, 1, func.length(prefix)) == prefix


def containing(text: str) -> str:
    """Return the pattern of LIKE, with `\\` to escape, for lower-case text that holds a text whatever its letters' case."""
    plain = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"
