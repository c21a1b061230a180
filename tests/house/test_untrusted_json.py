"""Rooms that read other people's files read their JSON by the one function that has one error."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "crownkeep"
ROOMS = ("advisor", "audit", "backups", "cli")


def test_what_reads_other_people_s_files_reads_json_by_one_function():
    """`json.loads` raises RecursionError too, and takes half characters that nothing can write again."""
    found = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for room in ROOMS
        for path in (SOURCE / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("load", "loads") and getattr(node.value, "id", "") == "json"
    ]

    assert [] == found
