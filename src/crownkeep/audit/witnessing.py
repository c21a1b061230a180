"""What a witness decides of a checkpoint that a log sends (C2SP tlog-witness), and how the two write to each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from crownkeep.audit import checkpoints, merkle, notes
from crownkeep.audit.checkpoints import Checkpoint
from crownkeep.audit.merkle import EMPTY_ROOT, WrongProof
from crownkeep.audit.notes import BadSignature, MalformedNote, Note, VerifierKey

MOST_HASHES = 63
SIZE_TYPE = "text/x.tlog.size"
_OLD = re.compile("old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class WitnessRefusal(Exception):
    """The witness does not cosign; the status is that of the specification, `size` the latest that it has cosigned."""

    status: int
    reason: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class WitnessSubmission:
    """A request to cosign: a checkpoint, and the proof that its tree begins with one of an older size."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint

    def encode(self) -> bytes:
        """Return the request's body."""
        lines = "".join(f"{notes.encode(each)}\n" for each in self.proof)
        return f"old {self.old}\n{lines}\n{self.note.encode()}".encode()


@dataclass(frozen=True, slots=True)
class WitnessedTree:
    """The latest checkpoint of a log that the witness has cosigned; of size zero before there is one."""

    size: int = 0
    root: bytes = EMPTY_ROOT


def read(body: bytes) -> WitnessSubmission:
    """Read a request; raises WitnessRefusal with 400."""
    try:
        head, blank, text = body.decode("utf-8").partition("\n\n")
        first, *lines = head.split("\n")
        found = _OLD.fullmatch(first)
        if found is None or not blank or len(lines) > MOST_HASHES:
            raise WitnessRefusal(400, "a request has a line `old N`, up to 63 hashes, an empty line and a checkpoint")
        proof = tuple(notes.decode(line) for line in lines)
        note = notes.read(text)
        head_of = checkpoints.read(note)
    except (UnicodeDecodeError, MalformedNote) as error:
        raise WitnessRefusal(400, f"the request can't be read: {error}") from error
    if any(len(each) != merkle.HASH_SIZE for each in proof):
        raise WitnessRefusal(400, "a hash has 32 bytes")
    return WitnessSubmission(int(found[1]), proof, note, head_of)


def decide(submission: WitnessSubmission, keys: Sequence[VerifierKey], seen: WitnessedTree) -> None:
    """Raise WitnessRefusal unless a checkpoint may be cosigned after what was seen, in the specification's order."""
    head = submission.checkpoint
    own = [key for key in keys if key.name == head.origin]
    try:
        if not checkpoints.signed_by(submission.note, own):
            raise WitnessRefusal(403, "no trusted key of the log has signed")
    except BadSignature as error:
        raise WitnessRefusal(403, str(error)) from error
    if submission.old > head.size:
        raise WitnessRefusal(400, "the old size is the larger one")
    # The log has to begin where this witness stands: the answer tells it where that is, and it asks again.
    if submission.old != seen.size:
        raise WitnessRefusal(409, "another checkpoint was cosigned last", seen.size)
    if head.size == 0 and head.root != EMPTY_ROOT:
        raise WitnessRefusal(422, "the root of an empty tree is another one")
    try:
        # Against what this witness saw, and not against what the log says it was.
        merkle.check_consistency(old=seen.size, old_root=seen.root, size=head.size, root=head.root, proof=submission.proof)
    except WrongProof as error:
        raise WitnessRefusal(422, str(error)) from error
