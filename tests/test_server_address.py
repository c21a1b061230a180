"""Where a server is reached: written down while it serves, and told apart from where one served once."""

from __future__ import annotations

from pathlib import Path

from crownkeep import server_address
from crownkeep.server_address import ServerAddress


def test_nothing_is_known_before_a_server_has_served(tmp_path: Path):
    assert server_address.read(tmp_path) is None


def test_an_address_is_remembered_after_the_server_has_ended(tmp_path: Path):
    with server_address.announced(tmp_path, "https://accounts.acme.example:8443"):
        pass
    with server_address.announced(tmp_path, "http://localhost:5000"):
        during = server_address.read(tmp_path)

    assert ServerAddress("http://localhost:5000", is_running=True) == during
    assert ServerAddress("http://localhost:5000", is_running=False) == server_address.read(tmp_path)


def test_nobody_else_reads_or_writes_the_address(tmp_path: Path):
    with server_address.announced(tmp_path, "http://localhost:5000"):
        assert 0o600 == (tmp_path / server_address.FILE_NAME).stat().st_mode & 0o777
