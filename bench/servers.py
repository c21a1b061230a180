"""The servers that are measured: Crownkeep, moto, and a bare answer on the same uvicorn; each a process on a free port."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

ROOT = Path(__file__).parents[1]
MOTO = ROOT / ".tools" / "moto" / "bin" / "moto_server"

_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    name: str
    port: int
    pid: int
    directory: Path

    def cpu_seconds(self) -> float:
        """Return the CPU time that the server's processes have used so far, in all their threads."""
        return sum(_cpu_seconds(pid) for pid in self._processes())

    def seconds_without_a_core(self) -> float:
        """Return how long the server's first thread, its event loop, could have run so far and was kept from it by others."""
        return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[1]) / 1e9

    def shared_memory_mib(self) -> float:
        """Return the memory that the server's processes hold, each page that several share divided among them."""
        held = 0
        for pid in self._processes():
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            held += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return held / 1024

    def _processes(self) -> list[int]:
        """Return the ids of the server's process and its workers'."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def memory_mib(self) -> float:
        """Return the memory that the process holds."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def make_account(self, name: str, **options: Any) -> dict[str, Any]:
        """Make an account with an administrator, through Crownkeep's operator API; options are its own."""
        return self.operator(
            "POST", "/accounts", {"email": f"root@{name}.example", "name": name, "admin_user": "admin", **options}
        )

    def operator(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send one request to the operator's API."""
        token = (self.directory / "data" / "operator.token").read_text().strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/operator/v1{path}",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:
            read: dict[str, Any] = json.load(answer)
        return read


def _cpu_seconds(pid: int) -> float:
    # Linux's clock of another process (clock_getcpuclockid(3)): /proc counts in hundredths of a second.
    return time.clock_gettime((~pid << 3) | 2)


UNLIMITED = {"CROWNKEEP_REQUESTS_PER_SECOND_OF_ACCOUNT": "0", "CROWNKEEP_REQUESTS_PER_SECOND_OF_PRINCIPAL": "0"}


@contextmanager
def crownkeep(
    directory: Path, settings: Mapping[str, str] = MappingProxyType({}), *, program: Sequence[str] = ()
) -> Iterator[Server]:
    """Run Crownkeep as its users run it, on SQLite in this directory, with further settings as variables.

    A program of a bench's own may stand for the command `crownkeep`.
    """
    variables = {"CROWNKEEP_DATA": str(directory / "data"), "CROWNKEEP_LOG_LEVEL": "warning", **settings}
    command = [*(program or [str(Path(sys.executable).with_name("crownkeep"))]), "serve", "--port"]
    with _running("crownkeep", command, directory, variables, "/ready") as server:
        yield server


@contextmanager
def moto(directory: Path) -> Iterator[Server]:
    """Run moto's server, which verifies and records nothing and keeps all in memory."""
    with _running("moto", [str(MOTO), "-p"], directory, {}, "/moto-api/") as server:
        yield server


@contextmanager
def bare(directory: Path) -> Iterator[Server]:
    """Run an ASGI function that answers a fixed text, on the same uvicorn: the ceiling."""
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning", "--lifespan", "off"]
    command = [sys.executable, "-m", "uvicorn", "bench.bare:answer", *options, "--port"]
    with _running("bare", command, directory, {"PYTHONPATH": str(ROOT)}, "/") as server:
        yield server


@contextmanager
def _running(name: str, command: list[str], directory: Path, variables: dict[str, str], path: str) -> Iterator[Server]:
    port = free_port()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "CROWNKEEP_"))}
    log_path = directory / f"{name}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen([*command, str(port)], cwd=directory, env=kept | variables, stdout=log, stderr=log)
    try:
        _wait(process, f"http://127.0.0.1:{port}{path}", log_path)
        yield Server(name, port, process.pid, directory)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"no server answers at `{url}`: {log.read_text()}")


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
