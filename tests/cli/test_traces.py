"""`crownkeep serve` where traces are wanted, and what exports them isn't installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Terminal

import crownkeep.gateway


@pytest.fixture
def uninstalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process look as if the extra were not installed."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "crownkeep.gateway.traces", raising=False)
    monkeypatch.delattr(crownkeep.gateway, "traces", raising=False)


def test_traces_without_their_packages_are_refused_in_one_sentence(
    crownkeep: Terminal, data: Path, monkeypatch: pytest.MonkeyPatch, uninstalled: None
):
    monkeypatch.setenv("CROWNKEEP_TRACES_ENDPOINT", "http://127.0.0.1:4318")

    ended = crownkeep("serve", "--port", "0")

    said = "Error: setting `traces_endpoint` takes packages of its own: `pip install 'crownkeep[opentelemetry]'`\n"
    assert (2, "", said, False) == (ended.code, ended.out, ended.err, data.exists())
