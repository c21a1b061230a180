"""`crownkeep serve` and `doctor` where traces are wanted: without what exports them, and with nobody who takes them."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Terminal

import crownkeep.gateway
from crownkeep import clock
from crownkeep.cli import doctor_machine
from crownkeep.cli.doctor_diagnosis import Health, Installation
from crownkeep.settings import Settings


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


def traced(endpoint: str) -> Installation:
    return Installation(Settings(traces_endpoint=endpoint), clock.now())


def test_the_doctor_says_that_traces_are_off_and_what_they_lack(uninstalled: None):
    off, lacking = doctor_machine.traces(traced("")), doctor_machine.traces(traced("http://127.0.0.1:4318"))

    assert (Health.UNSEEN, Health.AMISS) == (off.health, lacking.health)
    assert "crownkeep[opentelemetry]" in lacking.remedy


def test_the_doctor_says_whether_the_collector_listens_and_who_reads_on_the_way(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as collector:
        url = f"http://127.0.0.1:{collector.getsockname()[1]}"
        heard = doctor_machine.traces(traced(url))
    silent = doctor_machine.traces(traced(url))
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: socket.socket())
    in_the_clear = doctor_machine.traces(traced("http://collector.example"))
    sealed = doctor_machine.traces(traced("https://collector.example"))

    assert (Health.WELL, f"traces of 100% of all requests leave for `{url}`") == (heard.health, heard.text)
    assert (Health.ADVICE, True) == (silent.health, "nobody listens" in silent.text)
    assert (Health.ADVICE, True, Health.WELL) == (in_the_clear.health, "in the clear" in in_the_clear.text, sealed.health)
