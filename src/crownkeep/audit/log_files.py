"""CloudTrail's log files: what they are called, and what is in them.

Names and contents are those of the CloudTrail user guide, "CloudTrail log file examples".
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_DISTINCT = 16
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class LogFolder:
    """Where the files of one account and Region go within a bucket."""

    prefix: str
    """The trail's own (`S3KeyPrefix`), empty for none."""
    organization_id: str
    """Of an organization's trail, empty for another."""
    account_id: str
    region: str

    def folder(self, kind: str, moment: datetime) -> str:
        """Return the folder of a day; `kind` is `CloudTrail` or `CloudTrail-Digest`."""
        parts = (self.prefix, "AWSLogs", self.organization_id, self.account_id, kind, self.region, f"{moment:%Y/%m/%d}")
        return "/".join(part for part in parts if part)


def log_key(place: LogFolder, moment: datetime, distinct: str) -> str:
    """Return the key of a log file that is delivered at this moment."""
    name = f"{place.account_id}_CloudTrail_{place.region}_{moment:%Y%m%dT%H%MZ}_{distinct}.json.gz"
    return f"{place.folder('CloudTrail', moment)}/{name}"


def digest_key(place: LogFolder, moment: datetime, *, trail: str, home_region: str) -> str:
    """Return the key of the digest whose time ends at this moment."""
    name = f"{place.account_id}_CloudTrail-Digest_{place.region}_{trail}_{home_region}_{moment:%Y%m%dT%H%M%SZ}.json.gz"
    return f"{place.folder('CloudTrail-Digest', moment)}/{name}"


def distinct(parts: Iterable[bytes]) -> str:
    """Return the sixteen letters and digits that tell a file from its neighbours, the same for the same contents.

    A second attempt at what was delivered, and not heard of, then takes the place of the first.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(4, "big") + part)
    number = int.from_bytes(digest.digest(), "big")
    chosen = []
    for _ in range(_DISTINCT):
        number, index = divmod(number, len(_LETTERS))
        chosen.append(_LETTERS[index])
    return "".join(chosen)


def contents(records: Sequence[bytes]) -> bytes:
    """Return a log file's contents: the records as they were kept, byte for byte."""
    return b'{"Records":[' + b",".join(records) + b"]}"


def compressed(text: bytes) -> bytes:
    """Return a file as it is delivered; the same text gives the same bytes."""
    return gzip.compress(text, _LEVEL, mtime=0)
