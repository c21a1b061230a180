"""`crownkeep keys leaked`: looks for our access keys in files and in git's history, names their owners, and stops them.

A secret that is found is compared inside the house and is printed by nobody.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

import click

from crownkeep.cli import house, output

if TYPE_CHECKING:
    from crownkeep.cli.house import House
    from crownkeep.credentials.leaked_keys import Sighting

_LONGEST_PIECE = 1 << 20
_OVERLAP = 64
_BATCH = 100
_MOST_CANDIDATES = 50
_SHOWN_PLACES = 3
_LONGEST_REASON = 1000

# Nothing in the repository that is looked at may run a program or fetch from elsewhere.
_GIT = ("git", "--no-pager", "-c", "core.fsmonitor=false", "-c", "log.showSignature=false", "-c", "core.hooksPath=/dev/null")
_LOG = ("log", "--all", "--reflog", "-p", "-m", "--text", "--no-color", "--no-ext-diff", "--no-textconv", "--format=%x00%H")
_QUIETLY = {"GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}

Line = tuple[str, bytes]


@click.command("leaked", short_help="Look for our access keys in files and git.")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--deactivate", is_flag=True, help="Deactivate the keys that are found.")
@click.option("--quarantine", is_flag=True, help="Attach AWSCompromisedKeyQuarantineV3 to the keys' users.")
@click.option("--no-history", is_flag=True, help="Leave git's history out.")
@house.options
@output.json_flag()
def command(
    paths: tuple[Path, ...],
    deactivate: bool,
    quarantine: bool,
    no_history: bool,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Find this server's access keys in files, folders and git's history, and name their owners. Exits with 1 if it finds any.

    In a folder it reads every file and, in a git repository, everything that was ever committed. Secrets are never printed.
    """
    found = _gather(_lines(paths, with_history=not no_history))
    with house.opened_where_it_is(data, database) as held:
        leaked = [dict(each) for batch in _batches(found) for each in _ask(held, batch)]
        for key in leaked:
            key["places"] = found[key["access_key_id"]].places
            _stop(held, key, deactivate=deactivate, quarantine=quarantine)
    _show(leaked, as_json=as_json)
    if leaked:
        raise click.exceptions.Exit(1)


class _Found:
    """What was seen of one access key id."""

    def __init__(self) -> None:
        self.places: list[str] = []
        self.candidates: list[str] = []

    def add(self, sighting: Sighting) -> None:
        """Add where the id was seen, and what could be its secret."""
        if sighting.place not in self.places:
            self.places.append(sighting.place)
        for candidate in sighting.candidates:
            text = candidate.reveal()
            if text not in self.candidates and len(self.candidates) < _MOST_CANDIDATES:
                self.candidates.append(text)


def _gather(lines: Iterator[Line]) -> dict[str, _Found]:
    from crownkeep.credentials import leaked_keys

    found: dict[str, _Found] = {}
    for sighting in leaked_keys.sightings(lines):
        found.setdefault(sighting.access_key_id, _Found()).add(sighting)
    return found


def _batches(found: Mapping[str, _Found]) -> Iterator[Sequence[Mapping[str, object]]]:
    sightings = [{"access_key_id": key, "possible_secrets": seen.candidates} for key, seen in found.items()]
    for start in range(0, len(sightings), _BATCH):
        yield sightings[start : start + _BATCH]


def _ask(held: House, sightings: Sequence[Mapping[str, object]]) -> Sequence[Mapping[str, Any]]:
    answer: Sequence[Mapping[str, Any]] = held.ask("FindAccessKeys", sightings=sightings)["access_keys"]
    return answer


def _stop(held: House, key: dict[str, Any], *, deactivate: bool, quarantine: bool) -> None:
    key["deactivated"] = deactivate and key["status"] == "Active"
    if key["deactivated"]:
        held.ask("DeactivateAccessKey", access_key_id=key["access_key_id"])
        key["status"] = "Inactive"
    # Root has no policies: only its key can be stopped.
    key["quarantined"] = quarantine and "user_name" in key
    if key["quarantined"]:
        held.ask("QuarantineUser", account_id=key["account_id"], user_name=key["user_name"])


def _lines(paths: Sequence[Path], *, with_history: bool) -> Iterator[Line]:
    for path in paths:
        if path.is_dir():
            if with_history and (path / ".git").exists():
                yield from _history(path)
            yield from _folder(path)
        else:
            yield from _file(path)


def _folder(path: Path) -> Iterator[Line]:
    for folder, folders, names in os.walk(path, followlinks=False):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            yield from _file(Path(folder) / name)


def _file(path: Path) -> Iterator[Line]:
    # A pipe or a device would be waited for without end.
    if not path.is_file():
        return
    try:
        with path.open("rb") as opened:
            for number, line in _numbered(opened):
                yield f"{path}:{number}", line
    except OSError as error:
        raise click.ClickException(f"`{path}` can't be read: {error.strerror}; leave it out, or allow it to be read") from error


def _numbered(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Return lines with their numbers; a line of any length in pieces that overlap, so that no key is cut in two."""
    number, rest = 1, b""
    while piece := stream.readline(_LONGEST_PIECE):
        yield number, rest + piece
        ends = piece.endswith(b"\n")
        number, rest = (number + 1, b"") if ends else (number, piece[-_OVERLAP:])


def _history(path: Path) -> Iterator[Line]:
    if shutil.which("git") is None:
        raise click.UsageError(f"`{path}` is a git repository, and git is not installed: install it, or add `--no-history`")
    # Variables such as GIT_DIR would show another repository's history.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | _QUIETLY
    with TemporaryFile() as answer:
        log = subprocess.Popen(  # noqa: S603 - git itself, with nothing of the repository's run
            (*_GIT, "-C", str(path), *_LOG), stdout=subprocess.PIPE, stderr=answer, env=environment
        )
        with log:
            if log.stdout is not None:
                yield from _committed(path, log.stdout)
        answer.seek(0)
        reason = answer.read(_LONGEST_REASON).decode(errors="replace").strip().partition("\n")[0]
    if log.returncode:
        raise click.ClickException(f"git can't read the history of `{path}`: {reason}; or add `--no-history`")


def _committed(path: Path, stream: IO[bytes]) -> Iterator[Line]:
    """Return the lines that git's log shows, each with its commit and file."""
    commit, file = "", ""
    for _, line in _numbered(stream):
        if line.startswith(b"\0"):
            commit, file = line[1:13].decode(errors="replace"), ""
        elif line.startswith((b"+++ b/", b"--- a/")):
            file = line[6:].strip().decode(errors="replace")
        else:
            yield f"{path}@{commit}:{file}", line


def _show(leaked: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    if as_json:
        output.print_json({"leaked": leaked})
        return
    if not leaked:
        click.echo("No access key of ours is there.")
        return
    rows = [
        (key["access_key_id"], key["owner_arn"], key["status"], "yes" if key["secret_seen"] else "no", _done(key), _places(key))
        for key in leaked
    ]
    output.print_table(("ACCESS KEY", "OWNER", "STATUS", "WITH SECRET", "DONE", "FOUND AT"), rows)


def _done(key: Mapping[str, Any]) -> str:
    return ", ".join(word for word in ("deactivated", "quarantined") if key[word]) or "nothing"


def _places(key: Mapping[str, Any]) -> str:
    more = len(key["places"]) - _SHOWN_PLACES
    return " ".join(key["places"][:_SHOWN_PLACES]) + (f" and {more} more" if more > 0 else "")
