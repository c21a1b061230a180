"""Sending checkpoints to those who witness this log, as the policy file in `trail_policy` names them, and elsewhere.

A witness cosigns where the tree has only grown since it last did, so nobody can be shown another past than the witness was. Its
answer is kept with the checkpoint and shown with it.
"""

from __future__ import annotations

import asyncio
import http.client
import logging
import os
import tempfile
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from crownkeep import clock
from crownkeep.audit import checkpoints, merkle, notes, tlog_policy
from crownkeep.audit.notes import BadSignature, MalformedNote, Note
from crownkeep.audit.tlog_policy import MalformedTlogPolicy, Party
from crownkeep.audit.witnessing import WitnessSubmission
from crownkeep.domain.hanging_up import http_connection
from crownkeep.settings import Settings
from crownkeep.storage.database import Database, DatabaseFault, Transaction
from crownkeep.storage.recurring import rest
from crownkeep.storage.trail import checkpoints as checkpoint_rows
from crownkeep.storage.trail import tree
from crownkeep.storage.trail.checkpoints import CheckpointRow, CosignatureRow
from crownkeep.storage.trail.tree import IncompleteTree
from crownkeep.storage.writer import Commit, WriteFailed, Writer, WriterBusy
from crownkeep.trail import own_records, publishing
from crownkeep.trail.sequencer import Sequencer

Mailing = Callable[[str, int], None]
"""Mails a checkpoint of a size; raises OSError where it does not leave."""
MAILED_EVERY = timedelta(days=1)
"""How often, at most, a checkpoint is mailed: people keep what arrives there."""
SILENT_AFTER = timedelta(hours=1)
"""How long a witness may be silent before somebody hears of it."""

_SECONDS_TO_ANSWER = 10.0
"""Within which an answer must be there, all of it: others wait for their turn behind a witness that sends byte after byte."""
_LARGEST_ANSWER = 1 << 20
_DIGITS = 20
_NO_ADDRESS = "that is no address: write `https://HOST/PREFIX`"
_POSTED = (200, 300)
_log = logging.getLogger("crownkeep.trail")


class Unwitnessed(Exception):
    """A witness did not cosign; the text says why."""


class Witnesses:
    """The rounds of one process, made while it is the one that sequences."""

    def __init__(
        self, database: Database, writer: Writer, settings: Settings, sequencer: Sequencer, mail: Mailing | None = None
    ) -> None:
        self._database = database
        self._writer = writer
        self._policy = Path(settings.trail_policy) if settings.trail_policy else None
        self._file = Path(settings.trail_checkpoint_file) if settings.trail_checkpoint_file else None
        self._url = settings.trail_checkpoint_url
        self._seconds = settings.trail_witness_seconds
        self._sequencer = sequencer
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._faults: dict[str, str] = {}
        self._silent_since: dict[str, datetime] = {}
        self._mail = mail
        self._mail_due_at: datetime | None = None
        self._written = 0
        self._posted = 0
        self._mailed = 0

    def start(self) -> None:
        """Begin, where there is anybody to send to."""
        if self._policy is not None or self._file is not None or self._url or self._mail is not None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End; a witness that is being asked is not waited for."""
        self._stopping.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def send(self) -> None:
        """Send the newest checkpoint to everybody who has not seen it; raises what the database raises."""
        # The snapshot ends before anything is sent: a slow witness must hold nothing open here.
        with self._database.snapshot() as db:
            newest = checkpoint_rows.newest(db)
            note = publishing.note(db, newest) if newest is not None else ""
        if newest is None:
            return
        # Only trees that have grown are sent; the same checkpoint once more would say nothing new.
        if self._file is not None and newest.size > self._written:
            await self._tell(str(self._file), self._put(self._file, note, newest.size))
        if self._url and newest.size > self._posted:
            # Whoever knows the path of a webhook can often write there: no line of the log tells it.
            await self._tell(urlsplit(self._url).hostname or "trail_checkpoint_url", self._hand_over(note, newest.size))
        is_due = self._mail_due_at is None or clock.now() >= self._mail_due_at
        if self._mail is not None and newest.size > self._mailed and is_due:
            await self._tell("trail_checkpoint_mail", self._send(self._mail, note, newest.size))
        for name, party in self._parties().items():
            if party.url:
                await self._tell(name, self._ask(party, newest))

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                # One process alone sends, so that witnesses are not asked by every node.
                if self._sequencer.leads:
                    await self.send()
            except (DatabaseFault, WriteFailed, WriterBusy, IncompleteTree) as error:
                _log.warning("the witnesses can't be asked (%s); trying again", type(error).__name__)
            await rest(self._stopping, self._seconds)

    async def _tell(self, name: str, doing: Coroutine[Any, Any, None]) -> None:
        """Do it, and say once what is wrong, for as long as it is."""
        fault = ""
        try:
            await doing
        except (Unwitnessed, OSError) as error:
            fault = str(error) or type(error).__name__
            # The same fault is logged once and not with every round.
            if fault != self._faults.get(name):
                _log.warning("the checkpoint does not reach `%s`: %s", name, fault)
        self._faults[name] = fault
        if not fault:
            self._silent_since.pop(name, None)
            return
        since = self._silent_since.setdefault(name, clock.now())
        if clock.now() - since >= SILENT_AFTER:
            # Told again for as long as it lasts: what is told is summed up.
            self._silent_since.pop(name)
            await self._writer.record(own_records.witness_silent(name, fault, now=clock.now()))

    async def _put(self, file: Path, note: str, size: int) -> None:
        """Write a checkpoint to a file; where that can't be done, it is tried again with the next round."""
        await asyncio.to_thread(_write, file, note)
        # Set only once it was written, so that a failure is tried again.
        self._written = size

    async def _send(self, mail: Mailing, note: str, size: int) -> None:
        """Mail a checkpoint; one that does not leave goes out again, as the newest then."""
        await asyncio.to_thread(mail, note, size)
        self._mailed, self._mail_due_at = size, clock.now() + MAILED_EVERY

    async def _hand_over(self, note: str, size: int) -> None:
        """Post a checkpoint to where the operator collects them; one that is refused goes out again, as the newest then."""
        status, _ = await asyncio.to_thread(_post, self._url, note.encode())
        if not _POSTED[0] <= status < _POSTED[1]:
            raise Unwitnessed(f"it answers {status}")
        self._posted = size

    def _parties(self) -> dict[str, Party]:
        if self._policy is None:
            return {}
        # Read anew with each round, so a changed policy needs no restart.
        try:
            return tlog_policy.read(self._policy.read_bytes()).witnesses
        except (OSError, MalformedTlogPolicy) as error:
            _log.warning("`trail_policy` can't be read: %s", error)
            return {}

    async def _ask(self, party: Party, newest: CheckpointRow) -> None:
        """Ask one witness; where it has seen another tree than we know of, once more from there."""
        with self._database.snapshot() as db:
            old = checkpoint_rows.largest_cosigned(db, party.key.name, party.key.id.hex())
        # It has signed this tree already.
        if old >= newest.size:
            return
        status, body = await self._submit(party, newest, old)
        # The witness says which size it has seen, and a proof from there is what it needs. A size beyond ours is not believed.
        seen = body.strip()[:_DIGITS]
        if status == http.client.CONFLICT and seen.isdigit() and int(seen) <= newest.size:
            status, body = await self._submit(party, newest, int(seen))
        if status != http.client.OK:
            raise Unwitnessed(f"it answers {status}: {body[:200].decode('utf-8', 'replace').strip()}")
        # Verified before it is kept: nobody else's line is ever shown as this witness's.
        line = _cosignature(party, newest, body)
        row = CosignatureRow(size=newest.size, name=line.name, key_id=line.key_id.hex(), line=line.text, signed_at=clock.now())
        await self._writer.submit(partial(_keep, row=row))

    async def _submit(self, party: Party, newest: CheckpointRow, old: int) -> tuple[int, bytes]:
        with self._database.snapshot() as db:
            body = _submission(db, newest, old)
        return await asyncio.to_thread(_post, f"{party.url.rstrip('/')}/add-checkpoint", body)


def _keep(db: Transaction, *, row: CosignatureRow) -> Commit[None]:
    checkpoint_rows.cosign_as_newest(db, row)
    return Commit(None, [])


def _submission(db: Transaction, newest: CheckpointRow, old: int) -> bytes:
    note = notes.read(publishing.note(db, newest))
    # Only our own signatures: witnesses judge the log, and not each other.
    own = Note(note.text, tuple(line for line in note.signatures if line.name == newest.origin))
    proof = merkle.consistency_proof(old, newest.size, tree.Nodes(db))
    return WitnessSubmission(old, tuple(proof), own, checkpoints.read(own)).encode()


def _cosignature(party: Party, newest: CheckpointRow, body: bytes) -> notes.SignatureLine:
    """Return the witness's own signature among what it answers, once it was verified."""
    head = checkpoints.Checkpoint(newest.origin, newest.size, newest.root)
    try:
        for text in body.decode("utf-8").splitlines():
            line = notes.read_line(text)
            if notes.key_of(line, [party.key]) is not None:
                checkpoints.verify(party.key, head, line)
                return line
    except (UnicodeDecodeError, MalformedNote, BadSignature) as error:
        raise Unwitnessed(f"what it answers is no cosignature: {error}") from error
    raise Unwitnessed("it has not signed with the key that the policy gives")


def _post(url: str, body: bytes) -> tuple[int, bytes]:
    """Send a request to an address that the operator has named, and return the status and the body."""
    parts = _parsed(url)
    try:
        with http_connection(parts, _SECONDS_TO_ANSWER) as client:
            target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            client.request("POST", target, body, {"Content-Type": "text/plain; charset=utf-8"})
            answer = client.getresponse()
            # No more than this is read, whatever the other side sends.
            return answer.status, answer.read(_LARGEST_ANSWER)
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise Unwitnessed(f"it does not answer: {type(error).__name__}") from error


def _parsed(url: str) -> SplitResult:
    """Return an address in parts; plain HTTP is fine as well, for what is said is public and its signature protects it."""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as error:
        raise Unwitnessed(_NO_ADDRESS) from error
    if not is_usable:
        raise Unwitnessed(_NO_ADDRESS)
    return parts


def _write(file: Path, note: str) -> None:
    """Put a checkpoint into the place of the one before, at once: a reader sees either whole."""
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(note)
        stream.flush()
        os.fsync(stream.fileno())
    Path(temporary).replace(file)
