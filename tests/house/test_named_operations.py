"""Every operation of IAM and STS is asked for by name in their tests: a new one cannot come without any."""

from __future__ import annotations

import re
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
def words() -> frozenset[str]:
    """Return every word of these tests and of their corpora."""
    files = [file for room in ROOMS for kind in ("*.py", "*.json") for file in sorted((TESTS / room).rglob(kind))]
    return frozenset(re.findall(r"\w+", "\n".join(file.read_text() for file in files)))


@pytest.mark.parametrize("operation", NAMED, ids=lambda operation: f"{operation.service.name}:{operation.name}")
def test_an_operation_is_asked_for_by_its_name(operation: Operation) -> None:
    assert {snake_case(operation.name), operation.name} & words()
