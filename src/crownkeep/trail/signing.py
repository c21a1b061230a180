"""Signing a tree as it stands: the checkpoint to keep, with the log's own signatures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from crownkeep.audit.checkpoints import Checkpoint, Signer
from crownkeep.audit.merkle import Frontier
from crownkeep.audit.notes import SignatureType
from crownkeep.storage.trail.checkpoints import CheckpointRow, CosignatureRow


def sign(frontier: Frontier, signers: Sequence[Signer], *, now: datetime) -> tuple[CheckpointRow, list[CosignatureRow]]:
    """Return the checkpoint of a tree with its Ed25519 signatures, and the larger ones that are kept beside it."""
    head = Checkpoint(signers[0].name, frontier.size, frontier.root())
    lines = [(signer.type, signer.sign(head, at=int(now.timestamp()))) for signer in signers]
    plain = "".join(line.text for kind, line in lines if kind is SignatureType.ED25519)
    others = [
        CosignatureRow(size=head.size, name=line.name, key_id=line.key_id.hex(), line=line.text, signed_at=now)
        for kind, line in lines
        if kind is not SignatureType.ED25519
    ]
    row = CheckpointRow(size=head.size, origin=head.origin, root=head.root, signed_at=now, signatures=plain)
    return row, others
