"""Time and chance enter at one place: nothing but clock.py asks the system for either."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.source import Module, modules

ENTRANCE = "crownkeep.clock"

SOURCES = {"random", "secrets", "time"}
CALLS = {
    ("date", "today"),
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("os", "getrandom"),
    ("os", "urandom"),
    ("uuid", "uuid1"),
    ("uuid", "uuid4"),
    ("AESGCM", "generate_key"),
}
IMPORTED = {"urandom", "uuid1", "uuid4", "getrandom"}


def test_only_the_clock_asks_for_the_time_or_for_chance():
    asking = {f"{module.name}:{line}" for module in modules() if module.name != ENTRANCE for line in _asks(module)}

    assert set() == asking


def _asks(module: Module) -> Iterator[int]:
    for node in ast.walk(module.tree):
        match node:
            case ast.Import(names=names) if SOURCES & {alias.name.partition(".")[0] for alias in names}:
                yield node.lineno
            case ast.ImportFrom(module=str(name), level=0) if name.partition(".")[0] in SOURCES:
                yield node.lineno
            case ast.ImportFrom(names=names) if IMPORTED & {alias.name for alias in names}:
                yield node.lineno
            case ast.Attribute(value=ast.Name(id=owner), attr=attribute) if (owner, attribute) in CALLS:
                yield node.lineno
            case ast.Attribute(value=ast.Attribute(attr=owner), attr=attribute) if (owner, attribute) in CALLS:
                yield node.lineno
