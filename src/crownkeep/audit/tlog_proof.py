"""A `.tlog-proof` file (C2SP tlog-proof): that one entry is in a log, to be checked anywhere without the log."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crownkeep.audit import checkpoints, merkle, notes
from crownkeep.audit.notes import MalformedNote, Note

_FIRST = "c2sp.org/tlog-proof@v1"
_MOST_HASHES = 63


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry's index, the way from its leaf to the root, the checkpoint with that root, and what the log adds to it."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: Note
    extra: bytes = b""

    def encode(self) -> str:
        """Return the file's text."""
        extra = f"extra {notes.encode(self.extra)}\n" if self.extra else ""
        hashes = "".join(f"{notes.encode(each)}\n" for each in self.hashes)
        return f"{_FIRST}\n{extra}index {self.index}\n{hashes}\n{self.checkpoint.encode()}"

    def check(self, entry: bytes) -> None:
        """Raise WrongProof unless this entry is in the tree of the checkpoint; whose that is says its signature alone."""
        head = checkpoints.read(self.checkpoint)
        leaf = merkle.leaf_hash(entry)
        merkle.check_inclusion(leaf, self.index, size=head.size, root=head.root, proof=self.hashes)


def read(content: str | bytes) -> Proof:
    """Read a file; raises MalformedNote."""
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedNote("a proof is UTF-8 text") from error
    head, blank, checkpoint = text.partition("\n\n")
    first, *lines = head.split("\n")
    if first != _FIRST or not blank:
        raise MalformedNote(f"a proof begins with `{_FIRST}`")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = notes.decode(lines.pop(0).removeprefix("extra "))
    found = re.fullmatch("index (0|[1-9][0-9]{0,18})", lines.pop(0)) if lines else None
    hashes = tuple(notes.decode(line) for line in lines)
    if found is None or len(hashes) > _MOST_HASHES or any(len(each) != merkle.HASH_SIZE for each in hashes):
        raise MalformedNote("a proof has an index and up to 63 hashes of 32 bytes")
    note = notes.read(checkpoint)
    checkpoints.read(note)
    return Proof(int(found[1]), hashes, note, extra)
