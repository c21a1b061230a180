"""A database of each kind, with this version's tables and nothing in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crownkeep.storage import migrate
from crownkeep.storage.database import Database


@pytest.fixture
def database(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/test.db" if database_kind == "sqlite" else request.getfixturevalue("postgres").database()
    opened = Database(url)
    migrate.upgrade(opened)
    yield opened
    opened.close()
