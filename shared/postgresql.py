"""A throwaway PostgreSQL from Debian's binaries, gone with the process that started it."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg
from sqlalchemy import make_url

_OWNER = "crownkeep"
_LONGEST_FOLDER = 60
"""The path of a socket may have 107 bytes (unix(7))."""


class Cluster:
    """A running PostgreSQL that listens on a socket in its own directory, and nowhere else."""

    def __init__(self, *options: str, copy_of: Cluster | None = None) -> None:
        """Start a server with these settings: an empty one, or a standby that follows another and can be promoted."""
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not binaries:
            raise RuntimeError("PostgreSQL's server is not installed; run `make test`, which installs it")
        self._bin = binaries[-1].parent
        # A path short enough for a socket's name, and open to the postgres user.
        short = tempfile.gettempdir() if len(tempfile.gettempdir()) < _LONGEST_FOLDER else "/tmp"
        self.directory = Path(tempfile.mkdtemp(prefix="ck-pg-", dir=short))
        self._databases = itertools.count(1)
        files = str(self.directory / "files")
        if os.getuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
        if copy_of is None:
            self._run("initdb", "--pgdata", files, "--username", _OWNER, "--auth", "trust", "--no-sync", "--encoding", "UTF8")
        else:
            source = ("--host", str(copy_of.directory), "--username", _OWNER)
            self._run("pg_basebackup", *source, "--pgdata", files, "--write-recovery-conf", "--checkpoint", "fast", "--no-sync")
        settings = [f"--{name}" for name in ("listen_addresses=", f"unix_socket_directories={self.directory}", *options)]
        # PostgreSQL ends by itself when this process dies: SIGINT is its "fast shutdown".
        self._command = self._as_postgres(["--pdeathsig", "INT"], str(self._bin / "postgres"), "-D", files, *settings)
        self.resume()

    def resume(self) -> None:
        """Start the server, and wait until it answers."""
        quiet = subprocess.DEVNULL
        self._server = subprocess.Popen(self._command, cwd=self.directory, stdout=quiet, stderr=quiet)
        self._run("pg_isready", "--host", str(self.directory), "--timeout", "20", attempts=200)

    def pause(self) -> None:
        """Stop the server, whoever is connected; what it wrote stays."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait(timeout=20)

    def kill(self) -> None:
        """End the server and all that works for it at once (SIGKILL), as a machine without power does; `stop` tidies up later."""
        self._server.send_signal(signal.SIGSTOP)
        working = Path(f"/proc/{self._server.pid}/task/{self._server.pid}/children").read_text().split()
        self._server.kill()
        for each in working:
            with suppress(ProcessLookupError):
                os.kill(int(each), signal.SIGKILL)
        self._server.wait(timeout=20)

    def cpu_seconds(self) -> float:
        """Return the CPU time that the server's processes, those that run now, have used so far."""
        working = Path(f"/proc/{self._server.pid}/task/{self._server.pid}/children").read_text().split()
        # Linux's clock of another process (clock_getcpuclockid(3)); one that ends meanwhile counts no more.
        used = 0.0
        for pid in [self._server.pid, *map(int, working)]:
            with suppress(OSError):
                used += time.clock_gettime((~pid << 3) | 2)
        return used

    def run_sql(self, *statements: str) -> None:
        """Run statements as the database's owner, each by itself."""
        with psycopg.connect(host=str(self.directory), user=_OWNER, dbname="postgres", autocommit=True) as connection:
            for each in statements:
                connection.execute(each.encode())

    def wait_for(self, question: str) -> None:
        """Wait until a statement answers true."""
        for _ in range(1_000):
            with psycopg.connect(host=str(self.directory), user=_OWNER, dbname="postgres", autocommit=True) as connection:
                answer = connection.execute(question.encode()).fetchone()
            if answer == (True,):
                return
            time.sleep(0.02)
        raise RuntimeError(f"this does not become true: {question}")

    def database(self, like: str | None = None) -> str:
        """Make a database, empty or `like` another one of ours to which nobody is connected, and return its URL."""
        name = f"test_{next(self._databases)}"
        template = "template0" if like is None else make_url(like).database
        with psycopg.connect(host=str(self.directory), user=_OWNER, dbname="postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return f"postgresql://{_OWNER}@/{name}?host={self.directory}"

    def stop(self) -> None:
        """Stop the server and remove all it wrote."""
        if self._server.poll() is None:
            self.pause()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _as_postgres(self, options: list[str], *command: str) -> list[str]:
        user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        return ["setpriv", *user, *options, *command]

    def _run(self, program: str, *arguments: str, attempts: int = 1) -> None:
        command = self._as_postgres(["--no-new-privs"], str(self._bin / program), *arguments)
        for attempt in range(attempts):
            done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return
            if attempt + 1 < attempts:
                time.sleep(0.02)
        raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")
