"""Verification of a trail's copies: of what `/tlog/` publishes, in a directory, and of an export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from crownkeep import untrusted_json
from crownkeep.audit import checkpoints, leaf, merkle, notes, tiles, verification
from crownkeep.audit.checkpoints import Checkpoint
from crownkeep.audit.leaf import UnreadableLeaf
from crownkeep.audit.notes import BadSignature, MalformedNote, Note
from crownkeep.audit.tiles import Tile
from crownkeep.audit.tlog_policy import Policy
from crownkeep.audit.verification import Kept, TrailFault, TreeCheck
from crownkeep.storage.trail.sealed_files import EXPORT
from crownkeep.trail.verifying import Progress, TrailReport, old_heads


class UnreadableCopy(ValueError):
    """The files are no copy of a trail; the text says what is wrong with which."""


def verify_tiles(directory: Path, *, policy: Policy, olds: Sequence[Note], progress: Progress) -> TrailReport:
    """Verify a copy of a log: entries against tiles, tiles against one another, the whole against its checkpoint.

    Raises UnreadableCopy where there is no checkpoint.
    """
    report = TrailReport()
    head = _head(report, policy, _read(directory / "checkpoint"))
    tree = TreeCheck(report.findings, [head, *old_heads(report, policy, olds)])
    above: dict[int, list[bytes]] = {}
    for number in range(-(-head.size // tiles.WIDTH)):
        width = min(tiles.WIDTH, head.size - number * tiles.WIDTH)
        entries = _entries(report, directory, Tile(None, number, width))
        _hold_tile(report, directory, Tile(0, number, width), [merkle.leaf_hash(entry) for entry in entries])
        for place, entry in enumerate(entries):
            for level, _, found in tree.add(number * tiles.WIDTH + place, entry):
                above.setdefault(level, []).append(found)
        progress(number * tiles.WIDTH)
    for level, hashes in sorted(above.items()):
        for first in range(0, len(hashes), tiles.WIDTH):
            row = hashes[first : first + tiles.WIDTH]
            _hold_tile(report, directory, Tile(level, first // tiles.WIDTH, len(row)), row)
    return _finished(report, tree)


def verify_export(file: Path, *, policy: Policy, olds: Sequence[Note], progress: Progress) -> TrailReport:
    """Verify an export: every record against its leaf and, where it is a whole one, all leaves against its checkpoint.

    Raises UnreadableCopy where it is no export.
    """
    report = TrailReport()
    with file.open(encoding="utf-8", errors="replace") as lines:
        first = _json(next(lines, ""))
        if EXPORT not in first:
            raise UnreadableCopy(f"`{file}` is no export of a trail: make one with `crownkeep trail export --out FILE`")
        head = _head(report, policy, str(first.get("checkpoint", "")))
        is_selection = bool(first.get("selected"))
        tree = TreeCheck(report.findings, [] if is_selection else [head, *old_heads(report, policy, olds)])
        for index, content in _exported(report, lines):
            if not is_selection and index < head.size:
                tree.add(index, content)
            progress(index)
    if is_selection:
        report.not_seen.append("what is not in the export: it is a selection, whose records were held against their leaves alone")
        report.size = report.records
        return report
    return _finished(report, tree)


def _exported(report: TrailReport, lines: Iterable[str]) -> Iterator[tuple[int, bytes]]:
    """Yield the index and the leaf of each line, held against its record."""
    for number, line in enumerate(lines):
        each = _json(line)
        try:
            index, content = int(each["index"]), notes.decode(each["leaf"])
            entry = leaf.read(content)
        except (KeyError, TypeError, ValueError, MalformedNote, UnreadableLeaf):
            report.findings.add(TrailFault.LEAF_CHANGED, f"line {number + 2} holds no leaf that can be read", index=number)
            continue
        if each.get("record") is None:
            report.withheld += 1
        else:
            report.records += 1
            hold_copy(report, entry, str(each["record"]), each.get("columns"), index=index)
        yield index, content


def hold_copy(report: TrailReport, entry: leaf.Leaf, record: str, columns: Any, *, index: int) -> None:
    """Hold a record that lies in a file, with what it is found by, against its leaf."""
    try:
        source, name, read_only, username, key, resources = columns
        named = [(str(kind), str(text)) for kind, text in resources]
    except (TypeError, ValueError):
        source = name = read_only = username = key = ""
        named = []
    kept = Kept(
        microseconds=entry.microseconds,
        source=str(source),
        name=str(name),
        read_only=str(read_only),
        username=str(username),
        access_key_id=str(key),
        record=record.encode("utf-8", "replace"),
        resources=named,
    )
    verification.hold_record(report.findings, entry, kept, index=index)


def _head(report: TrailReport, policy: Policy, text: str) -> Checkpoint:
    try:
        note = notes.read(text)
        head = checkpoints.read(note)
    except MalformedNote as error:
        raise UnreadableCopy(f"its checkpoint can't be read: {error}") from error
    report.origin = head.origin
    try:
        report.signed_by = sorted({each.key.name for each in policy.check(note)})
    except BadSignature as error:
        report.findings.add(TrailFault.SIGNATURE_WRONG, f"the checkpoint of {head.size}: {error}")
    return head


def _entries(report: TrailReport, directory: Path, tile: Tile) -> list[bytes]:
    try:
        entries = tiles.read_bundle((directory / tile.path).read_bytes())
    except (OSError, tiles.Malformed):
        entries = []
    if len(entries) != tile.width:
        report.findings.add(TrailFault.LEAF_MISSING, f"`{tile.path}` does not hold its {tile.width} leaves", index=tile.first)
        return []
    return entries


def _hold_tile(report: TrailReport, directory: Path, tile: Tile, hashes: Sequence[bytes]) -> None:
    try:
        found = (directory / tile.path).read_bytes()
    except OSError:
        found = b""
    if hashes and found != b"".join(hashes):
        report.findings.add(TrailFault.NODE_CHANGED, f"`{tile.path}` is not what lies below it", index=tile.first)


def _finished(report: TrailReport, tree: TreeCheck) -> TrailReport:
    tree.finish()
    report.size, report.signed = tree.size, tree.signed
    if tree.could_not_see:
        report.not_seen.append(f"{tree.could_not_see} leaves behind a gap, which no checkpoint could be held against")
    return report


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableCopy(f"`{file}` can't be read") from error


def _json(line: str) -> dict[str, Any]:
    try:
        found = untrusted_json.read(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
