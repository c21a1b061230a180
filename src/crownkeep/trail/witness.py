"""Being a witness of others' logs: their checkpoints are cosigned where their trees only grow.

    POST /tlog-witness/add-checkpoint                       a log sends its checkpoint
    GET  /tlog-witness/SHA-256 OF THE ORIGIN/checkpoint     anybody reads the latest that was cosigned

What was seen is compared and replaced by one statement, and is on the disk before a cosignature leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256

from crownkeep import clock, errors
from crownkeep.audit import notes, witnessing
from crownkeep.audit.checkpoints import Checkpoint
from crownkeep.audit.notes import Note, SignatureLine
from crownkeep.audit.witnessing import WitnessedTree, WitnessRefusal, WitnessSubmission
from crownkeep.credentials.sealing import Unsealable
from crownkeep.domain import trail_keys
from crownkeep.operations.call import Wiring
from crownkeep.operations.fair_pool import FairPool, PoolLimits
from crownkeep.storage.database import Database, DatabaseFault, Transaction
from crownkeep.storage.trail import log_keys, witnessed_logs
from crownkeep.storage.trail.log_keys import WITNESS
from crownkeep.storage.trail.witnessed_logs import WitnessedLogRow
from crownkeep.storage.writer import Commit, WriteFailed, Writer, WriterBusy

PREFIX = "/tlog-witness/"
_UNAVAILABLE = "the witness can't answer now; come again"


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """What the witness answers."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


class Witness:
    """The witness of one process."""

    def __init__(self, database: Database, writer: Writer, wiring: Wiring) -> None:
        self._database = database
        self._writer = writer
        self._wiring = wiring
        self._checking = FairPool("witness", PoolLimits(threads=1, at_once=1, waiting_of_one=16, waiting=128))

    async def answer(self, method: str, path: str, body: bytes) -> WitnessAnswer:
        """Return the answer to a request at a path beneath the prefix."""
        try:
            if path == "add-checkpoint":
                return await self._add(body) if method == "POST" else WitnessAnswer(405, b"POST a checkpoint\n")
            return self._latest(path) if method in ("GET", "HEAD") else WitnessAnswer(405, b"GET a checkpoint\n")
        except WitnessRefusal as refusal:
            return _refused(refusal)
        except (DatabaseFault, WriteFailed, WriterBusy, Unsealable, errors.Throttling):
            return WitnessAnswer(503, f"{_UNAVAILABLE}\n".encode())

    def close(self) -> None:
        """Let go of the thread that checks."""
        self._checking.close()

    async def _add(self, body: bytes) -> WitnessAnswer:
        submission = witnessing.read(body)
        head = submission.checkpoint
        with self._database.snapshot() as db:
            row = witnessed_logs.with_origin(db, head.origin)
            rows = log_keys.every(db, WITNESS)
        if row is None:
            raise WitnessRefusal(404, "this log is not witnessed here")
        # Anybody may ask: logs take turns, and only so many requests wait.
        await self._checking.run(head.origin, partial(_decide, submission, row))
        now = clock.now()
        signers = trail_keys.signers(self._wiring.keyring, rows, now=now)
        at = int(now.timestamp())
        lines = await self._checking.run(head.origin, lambda: [signer.sign(head, at=at) for signer in signers])
        seen = _cosigned(row, submission, lines, now)
        if not await self._writer.submit(lambda db: _advance(db, row, seen)):
            with self._database.snapshot() as db:
                latest = witnessed_logs.with_origin(db, head.origin)
            raise WitnessRefusal(409, "another checkpoint was cosigned meanwhile", latest.size if latest else 0)
        return WitnessAnswer(200, "".join(line.text for line in lines).encode())

    def _latest(self, path: str) -> WitnessAnswer:
        """Return the latest checkpoint that was cosigned of the log whose origin has a digest."""
        with self._database.snapshot() as db:
            for row in witnessed_logs.every(db):
                if path == f"{sha256(row.origin.encode()).hexdigest()}/checkpoint" and row.note:
                    return WitnessAnswer(200, row.note.encode())
        raise WitnessRefusal(404, "nothing was cosigned of such a log")


def _decide(submission: WitnessSubmission, row: WitnessedLogRow) -> None:
    keys = [notes.read_key(vkey) for vkey in row.vkeys.split("\n")]
    witnessing.decide(submission, keys, WitnessedTree(row.size, row.root))


def _cosigned(row: WitnessedLogRow, submission: WitnessSubmission, lines: list[SignatureLine], now: datetime) -> WitnessedLogRow:
    """Return what is kept: the checkpoint with the log's own signatures and ours, and none of others'."""
    head: Checkpoint = submission.checkpoint
    known = [notes.read_key(vkey) for vkey in row.vkeys.split("\n")]
    own = [line for line in submission.note.signatures if notes.key_of(line, known) is not None]
    return WitnessedLogRow(
        origin=row.origin,
        vkeys=row.vkeys,
        size=head.size,
        root=head.root,
        note=Note(head.text, (*own, *lines)).encode(),
        added_at=row.added_at,
        seen_at=now,
    )


def _advance(db: Transaction, old: WitnessedLogRow, new: WitnessedLogRow) -> Commit[bool]:
    return Commit(witnessed_logs.advance(db, old.origin, since=old.size, since_root=old.root, row=new), [])


def _refused(refusal: WitnessRefusal) -> WitnessAnswer:
    if refusal.size is not None:
        return WitnessAnswer(refusal.status, f"{refusal.size}\n".encode(), witnessing.SIZE_TYPE)
    return WitnessAnswer(refusal.status, f"{refusal.reason}\n".encode())
