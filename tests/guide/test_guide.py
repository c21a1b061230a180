"""README.md is true: its commands are run by the stock AWS CLI, in order, and nothing secret is left behind."""

from __future__ import annotations

import json
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select
from tests.fixtures.process import Process
from tests.guide.blocks import README, Block, blocks, is_shown
from tests.guide.shell import Shell

from crownkeep.storage.database import Database
from crownkeep.storage.trail import events


@dataclass(frozen=True, slots=True)
class Step:
    """A block of the README, and what came of it."""

    block: Block
    code: int
    output: str

    @property
    def is_as_shown(self) -> bool:
        """Whether the README is right about it."""
        return self.block.is_refused == (self.code != 0) and (self.block.shown is None or is_shown(self.output, self.block.shown))


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was when a step had just written it."""

    text: str
    mode: int


@dataclass(frozen=True, slots=True)
class Walk:
    """The whole guide, walked through once."""

    steps: list[Step]
    shell: Shell
    process: Process
    files: dict[str, File]
    """What the guide wrote into the reader's directory, deleted since or not."""

    @property
    def secrets(self) -> dict[str, str]:
        """All that was secret in it."""
        answer = json.loads(self.files["acme.json"].text)
        exported = self.shell.environment
        return {
            "root's secret key": exported["ROOT_SECRET"],
            "the administrator's secret key": exported["ADMIN_SECRET"],
            "the session's secret key": exported["AWS_SECRET_ACCESS_KEY"],
            "the session token": exported["AWS_SESSION_TOKEN"],
            "the administrator's password": "Correct-Horse-7-Battery",
            "the one-time link": answer["set_password_url"].rpartition("=")[2],
            "the seed": self.files["seed.txt"].text.strip(),
        }


@pytest.fixture(scope="module")
def walk(served: Process) -> Walk:
    """Walk through the guide beside a server."""
    shell = Shell(served.directory, served.environment)
    steps: list[Step] = []
    files: dict[str, File] = {}
    for block in blocks():
        steps.append(Step(block, *shell.run(block.commands.replace("http://localhost:4747", served.url))))
        files |= _written(shell.directory)
        if not steps[-1].is_as_shown:
            break
    return Walk(steps, shell, served, files)


def _written(directory: Path) -> dict[str, File]:
    found = [directory / name for name in _FILES if (directory / name).exists()]
    return {path.name: File(path.read_text(), stat.S_IMODE(path.stat().st_mode)) for path in found}


def test_every_command_of_the_readme_does_what_the_readme_shows(walk: Walk):
    last = walk.steps[-1]

    assert last.is_as_shown, f"{last.block.name}\n{last.block.commands}exit {last.code}\n{last.output}"
    assert len(blocks()) == len(walk.steps)


def test_files_with_secrets_are_their_owners_alone_and_gone_when_the_guide_ends(walk: Walk):
    modes = {name: file.mode for name, file in walk.files.items()}

    assert {"acme.json": 0o600, "seed.txt": 0o600} == {name: modes[name] for name in _SECRET}
    assert {} == _written(walk.shell.directory)


@pytest.mark.parametrize("name", ["acme.json", "seed.txt", "require-mfa.json"])
def test_git_ignores_what_the_guide_writes(name: str):
    ignored = subprocess.run(["git", "check-ignore", "--quiet", name], cwd=README.parent, check=False)

    assert 0 == ignored.returncode


def test_a_second_factor_that_failed_leads_into_no_endless_loop(walk: Walk):
    without = walk.shell.environment | {
        "AWS_ACCESS_KEY_ID": walk.shell.environment["ADMIN_KEY"],
        "AWS_SECRET_ACCESS_KEY": walk.shell.environment["ADMIN_SECRET"],
        "AWS_SESSION_TOKEN": "",
    }
    report = next(block for block in blocks() if "generate-credential-report" in block.commands)

    code, output = Shell(walk.shell.directory, without).run(report.commands)

    assert code != 0
    assert "(AccessDenied) when calling the GenerateCredentialReport operation" in output


def test_no_secret_of_the_guide_is_in_any_record(walk: Walk):
    database = Database(f"sqlite:///{walk.process.data / 'crownkeep.db'}")
    with database.snapshot() as db:
        accounts = db.execute(select(events.table.c.account_id).distinct()).scalars().all()
        records = [
            row.record for each in accounts for row in events.newest(db, each, first=UUID(int=0), before=_LAST, limit=10_000)
        ]
    database.close()

    answer = [name for name, secret in walk.secrets.items() for record in records if secret.encode() in record]

    assert len(records) > len(blocks())
    assert [] == answer


def test_no_secret_of_the_guide_is_in_a_log_or_at_rest_in_the_clear(walk: Walk):
    files = [walk.process.log, *(path for path in walk.process.data.rglob("*") if path.is_file())]

    answer = [
        f"{name} in {path.name}"
        for name, secret in walk.secrets.items()
        for path in files
        if secret.encode() in path.read_bytes()
    ]

    assert [] == answer


_LAST = UUID(int=(1 << 128) - 1)
_SECRET = ("acme.json", "seed.txt")
_FILES = (*_SECRET, "require-mfa.json")
