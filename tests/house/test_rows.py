"""Rows of tables are read and written by their columns' names: `storage.rows` matches them, and nothing else does."""

from __future__ import annotations

import ast

from tests.house.source import Module, modules

MATCHED_IN = "crownkeep.storage.rows"


def test_no_row_is_made_of_cells_by_their_places():
    assert [] == [found for module in _topics() for found in _by_place(module)]


def test_no_row_is_written_by_attributes_that_are_looked_up_by_name():
    looked_up = [
        f"{module.name}:{node.lineno}"
        for module in _topics()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.DictComp) and any(isinstance(part, ast.Name) and part.id == "getattr" for part in ast.walk(node))
    ]

    assert [] == looked_up


def test_nothing_private_of_sqlalchemy_is_used():
    used = [
        f"{module.name}:{node.lineno} {node.attr}"
        for module in _topics()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not (node.attr.startswith("__") and node.attr.endswith("__"))
        and not (isinstance(node.value, ast.Name) and node.value.id == "self")
    ]

    assert [] == used


def _topics() -> list[Module]:
    found = [
        module
        for module in modules()
        if module.name.startswith("crownkeep.storage.") and ".migrations" not in module.name and module.name != MATCHED_IN
    ]
    assert len(found) > 80
    return found


def _by_place(module: Module) -> list[str]:
    """Return where a row is made of cells: `UserRow(*cells)`, `UserRow(row[0], ...)`."""
    return [
        f"{module.name}:{node.lineno}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id.strip("_")[:1].isupper()
        and node.func.id.endswith("Row")
        and any(isinstance(part, ast.Starred) or _is_numbered(part) for part in node.args)
    ]


def _is_numbered(node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int)
