"""Digest files: of a chain, its log files since the last one, and the key that signs it.

1. the end of the digest is settled in the database     so that a second attempt makes the very same file
2. the file is made, signed and delivered
3. the chain goes on from it                            its log files are forgotten
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from crownkeep.audit import digests, log_files
from crownkeep.audit.digests import Digest, ListedFile, PreviousDigest
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail import digests as digest_rows
from crownkeep.storage.trail.digests import ChainRow
from crownkeep.storage.trail.trails import TrailRow
from crownkeep.trail import log_batches
from crownkeep.trail.digest_keys import DigestSigner

MOST_FILES = 5_000
"""In one digest; what is left is in the next one."""


@dataclass(frozen=True, slots=True)
class DigestFile:
    """A digest that is ready to be delivered, and what becomes of its chain then."""

    chain: ChainRow
    """With its end settled."""
    object_key: str
    body: bytes
    sha256: str
    signature: str
    listed: tuple[str, ...]
    """The keys of the log files that it lists."""


def make(db: Transaction, trail: TrailRow, chain: ChainRow, key: DigestSigner) -> DigestFile:
    """Make the digest of a chain whose end is settled: the same one each time, as long as nothing is added to the chain."""
    if chain.planned_end is None:
        raise ValueError("the end of the digest is not settled")
    place = log_batches.place(trail, chain.account_id, chain.region)
    found = digest_rows.files_of(db, chain, limit=MOST_FILES)
    object_key = log_files.digest_key(place, chain.planned_end, trail=trail.name, home_region=trail.home_region)
    digest = Digest(
        account_id=chain.account_id,
        started_at=chain.ended_at,
        ended_at=chain.planned_end,
        bucket=trail.bucket_name,
        object_key=object_key,
        fingerprint=key.fingerprint,
        listed=[ListedFile(each.bucket_name, each.object_key, each.sha256, each.oldest_at, each.newest_at) for each in found],
        previous=_previous(chain),
    )
    text = digests.contents(digest)
    sha256 = hashlib.sha256(text).hexdigest()
    signature = digests.sign(key.private, digests.signed_text(digest, sha256))
    listed = tuple(each.object_key for each in found)
    return DigestFile(chain, object_key, log_files.compressed(text), sha256, signature, listed)


def follow(db: Transaction, trail: TrailRow, made: DigestFile) -> None:
    """Let a chain go on from a digest that is delivered."""
    digest_rows.remove_files(db, made.chain, made.listed)
    digest_rows.change_chain(
        db,
        made.chain,
        ended_at=made.chain.planned_end,
        planned_end=None,
        bucket_name=trail.bucket_name,
        object_key=made.object_key,
        sha256=made.sha256,
        signature=made.signature,
    )


def settle(db: Transaction, chain: ChainRow, *, now: datetime) -> None:
    """Settle when the next digest of a chain ends: now, to the second, and later than the one before."""
    if chain.planned_end is None:
        end = max(now.replace(microsecond=0), chain.ended_at + timedelta(seconds=1))
        digest_rows.change_chain(db, chain, planned_end=end)


def _previous(chain: ChainRow) -> PreviousDigest | None:
    if chain.bucket_name is None or chain.object_key is None or chain.sha256 is None or chain.signature is None:
        return None
    return PreviousDigest(chain.bucket_name, chain.object_key, chain.sha256, chain.signature)
