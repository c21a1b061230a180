"""What a database's tables look like to code that was written for them, and what of it later steps have broken.

Code of an older version names every column that it knows, in what it reads and in what it writes. It goes on beside a newer
schema where all of that is still there, and where nothing that was added asks for more than it gives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, inspect

Schema = Mapping[str, Mapping[str, Any]]
_VARCHAR = re.compile(r"VARCHAR\((?P<length>\d+)\)")
_OURS = "alembic_version"


def describe(engine: Engine) -> dict[str, dict[str, Any]]:
    """Return the tables of a database, with what a row of each must and may have.

    A column is its type, whether it may be null, and whether who adds a row may leave it out.
    """
    found = inspect(engine)
    return {name: _table(found, name) for name in sorted(found.get_table_names()) if name != _OURS}


def _table(found: Any, name: str) -> dict[str, Any]:
    columns = {
        each["name"]: [str(each["type"]), bool(each["nullable"]), bool(each["nullable"] or each["default"] is not None)]
        for each in found.get_columns(name)
    }
    unique = [each["column_names"] for each in found.get_unique_constraints(name)]
    unique += [each["column_names"] for each in found.get_indexes(name) if each["unique"]]
    return {
        "columns": columns,
        "key": found.get_pk_constraint(name)["constrained_columns"],
        "unique": sorted(map(sorted, unique)),
        "foreign": sorted(each["constrained_columns"] for each in found.get_foreign_keys(name)),
        "checks": len(found.get_check_constraints(name)),
    }


def broken(old: Schema, new: Schema) -> list[str]:
    """Return what code for the old tables can no longer do with the new ones; nothing where it goes on."""
    found = [f"{name} is gone" for name in old if name not in new]
    for name in old.keys() & new.keys():
        found += [f"{name}: {each}" for each in _broken_table(old[name], new[name])]
    return sorted(found)


def _broken_table(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    columns = new["columns"]
    found = [f"{name} is gone" for name in old["columns"] if name not in columns]
    for name, (kind, is_nullable, may_be_left_out) in columns.items():
        if name not in old["columns"]:
            found += [] if may_be_left_out else [f"{name} must be given, and has no default"]
            continue
        old_kind, was_nullable, _ = old["columns"][name]
        found += [] if _holds(old_kind, kind) else [f"{name} was {old_kind} and is {kind}"]
        found += [f"{name} may no longer be null"] if was_nullable and not is_nullable else []
    found += ["its key is another"] if old["key"] != new["key"] else []
    found += [f"{', '.join(each)} must be unique" for each in new["unique"] if each not in old["unique"]]
    found += [f"{', '.join(each)} must be known elsewhere" for each in new["foreign"] if each not in old["foreign"]]
    found += ["it has more checks"] if new["checks"] > old["checks"] else []
    return found


def _holds(before: str, now: str) -> bool:
    """Tell whether a column takes and returns what it did: a text may be longer."""
    old, new = _VARCHAR.fullmatch(before), _VARCHAR.fullmatch(now)
    return before == now or bool(old and new and int(old["length"]) <= int(new["length"]))
