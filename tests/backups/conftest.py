"""Backups as commands make them: a data directory of the test's own, and what it takes to look inside one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Terminal, crownkeep, data, made

from crownkeep import data_directory
from crownkeep.backups import frames, targets

__all__ = ["crownkeep", "data", "made"]


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Where backups are kept."""
    return tmp_path / "shelf"


def backed_up(crownkeep: Terminal, shelf: Path, *words: str) -> Path:
    """Make a backup and return its folder."""
    ended = crownkeep("backup", "create", "--to", str(shelf), "--json", *words)
    assert (0, "") == (ended.code, ended.err)
    return Path(ended.json()["path"])


def restored(crownkeep: Terminal, shelf: Path, data: Path, new: Path, *words: str) -> dict[str, Any]:
    """Restore the newest backup and return what was said."""
    key = str(data / "sealing.key")
    ended = crownkeep("backup", "restore", str(shelf), "--data", str(new), "--sealing-key", key, "--json", *words)
    assert (0, "") == (ended.code, ended.err)
    answer: dict[str, Any] = ended.json()
    return answer


def messages(folder: Path, data: Path) -> list[list[Any]]:
    """Return everything that a backup holds, opened."""
    found, _ = targets.read_manifest(folder)
    return list(frames.messages(data_directory.load_keyring(data), found.backup_id, folder, found.parts))
