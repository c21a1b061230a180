"""Every operation of IAM and STS is called by its tests: a new one cannot come without any, nor be named in a comment alone."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.house.test_operations import OPERATIONS

from crownkeep.models import snake_case
from crownkeep.operations.registry import Operation

TESTS = Path(__file__).parents[1]
ROOMS = ("services/iam", "services/sts", "tools")
NAMED = [operation for operation in OPERATIONS if operation.service.name in ("iam", "sts")]


@cache
def called() -> frozenset[str]:
    """Return what these tests call: methods of clients, and operations that a request or a case of a corpus asks for by name."""
    files = [file for room in ROOMS for file in sorted((TESTS / room).rglob("*.py"))]
    corpora = [file for room in ROOMS for file in sorted((TESTS / room).rglob("*.json"))]
    found = {name for file in files for name in _called(ast.parse(file.read_text()))}
    return frozenset(found.union(*(set(_texts(json.loads(file.read_text()))) for file in corpora)))


def _called(tree: ast.Module) -> Iterator[str]:
    """Yield attributes that are called or handed on (`refusal(iam.get_user, ...)`), and texts that stand in code by themselves.

    A comment is none of them, and neither are docstrings, names of functions and words within a longer text.
    """
    documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name, ctx=ast.Load()):
                yield name
            case ast.Constant(value=str(text)) if id(node) not in documents:
                yield text


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _texts(each)
        case dict():
            for name, each in value.items():
                yield name
                yield from _texts(each)


@pytest.mark.parametrize("operation", NAMED, ids=lambda operation: f"{operation.service.name}:{operation.name}")
def test_an_operation_is_called(operation: Operation) -> None:
    spelled = {snake_case(operation.name), operation.name, snake_case(operation.name).replace("_", "-")}

    assert spelled & called()


def test_a_name_in_a_comment_or_a_docstring_is_no_call() -> None:
    tree = ast.parse('def test_get_user():\n    """GetUser"""\n    # iam.get_user()\n    client.list_users()\n')

    assert ["list_users"] == list(_called(tree))
