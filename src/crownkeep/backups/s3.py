"""Backups in an S3-compatible bucket: `s3://BUCKET/PREFIX`, a folder each; a backup is there once its manifest is.

Credentials, Region and endpoint come from where AWS's own tools have them (AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_ENDPOINT_URL_S3).
Whatever is read here is believed only as far as the manifest's signature and the parts' hashes go.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from crownkeep import bounded_clients
from crownkeep.audit.notes import VerifierKey
from crownkeep.backups import pieces, targets
from crownkeep.backups.faults import BackupFault
from crownkeep.backups.manifest import BackupPiece, Manifest, UnsoundManifest
from crownkeep.bounded_clients import UnreadableAnswer

_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9!_.*'()/-]*))?")
_AT_ONCE = 1 << 20
_SECONDS = 60.0
_MOST_PAGES = 100
"""Pages that a list may have, of a thousand objects each: one that never ends is nobody's."""


class BackupBucket:
    """The backups below one prefix of a bucket."""

    def __init__(self, url: str, endpoint: str) -> None:
        """Read an `s3://` URL; raises BackupFault where it is none."""
        found = _URL.fullmatch(url)
        if found is None:
            raise BackupFault("the target is no bucket: write `s3://BUCKET/PREFIX`")
        self._bucket, prefix = found[1], (found[2] or "").strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._endpoint = endpoint
        self._client: Any = None

    def keep(self, folder: Path, found: Manifest) -> None:
        """Put a backup into the bucket, its manifest last: what was interrupted is never taken for a backup."""
        made = [(f"{pieces.FOLDER}/{piece.folder}", part.name) for piece in found.pieces for part in piece.parts]
        # Pieces that an earlier backup has put there are not here.
        new = [(name, file) for name, file in made if (folder.parent / name / file).exists()]
        for name, file in (*new, *((folder.name, each) for each in (*(part.name for part in found.parts), targets.MANIFEST))):
            with (folder.parent / name / file).open("rb") as body, self._asking() as client:
                client.put_object(Bucket=self._bucket, Key=f"{self._prefix}{name}/{file}", Body=body)

    def fetch_manifests(self, place: Path) -> None:
        """Write the manifest of each backup into a folder of its name below a directory."""
        for name in self._names():
            self._fetch(name, targets.MANIFEST, place, limit=targets.LARGEST_MANIFEST)

    def newest_pieces(self, place: Path, keys: Sequence[VerifierKey]) -> list[BackupPiece]:
        """Return the pieces that the next backup need not put there again, as `targets.newest_pieces` does for a directory."""
        for name in reversed(self._names()):
            self._fetch(name, targets.MANIFEST, place, limit=targets.LARGEST_MANIFEST)
            with suppress(UnsoundManifest):
                found, _ = targets.read_manifest(place / name, keys)
                sizes = self._sizes(f"{pieces.FOLDER}/")
                return [each for each in found.pieces if _parts_of(each).items() <= sizes.items()]
        return []

    def _names(self) -> list[str]:
        with self._asking() as client:
            pages = self._pages(client, "", Delimiter="/")
            listed = [str(each["Prefix"]) for page in pages for each in page.get("CommonPrefixes", ())]
        # One name once, whatever is listed: each becomes a folder.
        return sorted({name for each in listed if targets.is_name(name := each[len(self._prefix) : -1])})

    def _sizes(self, below: str) -> dict[str, int]:
        with self._asking() as client:
            listed = (each for page in self._pages(client, below) for each in page.get("Contents", ()))
            return {each["Key"][len(self._prefix) :]: each["Size"] for each in listed}

    def _pages(self, client: Any, below: str, **options: str) -> Iterator[Any]:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=f"{self._prefix}{below}", **options)
        for number, page in enumerate(pages):
            # Not cut in silence: names come in order, and what is newest comes last.
            if number >= _MOST_PAGES:
                raise BackupFault(f"the bucket `{self._bucket}` lists more than {_MOST_PAGES} pages: use another prefix")
            yield page

    def fetch_parts(self, folder: Path, found: Manifest) -> None:
        """Write the parts of a backup beside its manifest; none may be larger than the manifest says."""
        for part in found.parts:
            self._fetch(folder.name, part.name, folder.parent, limit=part.size)
        for piece in found.pieces:
            name = f"{pieces.FOLDER}/{piece.folder}"
            for part in piece.parts:
                # Backups share pieces: what another one has brought stays here.
                if not (folder.parent / name / part.name).exists():
                    self._fetch(name, part.name, folder.parent, limit=part.size)

    def _fetch(self, name: str, file: str, place: Path, *, limit: int) -> None:
        with self._asking() as client:
            try:
                body = client.get_object(Bucket=self._bucket, Key=f"{self._prefix}{name}/{file}")["Body"]
            except client.exceptions.NoSuchKey:
                return  # Nobody finished it, or somebody removes it; a part that is missing is told by `verify`.
        (place / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(place / name / file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as kept, closing(body):
            while limit >= 0 and (content := self._read(body)):
                limit -= len(content)
                kept.write(content)

    def _read(self, body: Any) -> bytes:
        with self._asking():
            return bytes(body.read(_AT_ONCE))

    @contextmanager
    def _asking(self) -> Iterator[Any]:
        """Lend the client for one question; raises BackupFault for what comes of it. What is ours stays outside."""
        try:
            with bounded_clients.reading():
                self._client = self._client or _client(self._endpoint)
                yield self._client
        except UnreadableAnswer as error:
            told = f"{error}: {error.said}" if error.said else str(error)
            raise BackupFault(f"the bucket `{self._bucket}` does not do what is asked: {told}") from error


def _parts_of(piece: BackupPiece) -> dict[str, int]:
    return {f"{pieces.FOLDER}/{piece.folder}/{part.name}": part.size for part in piece.parts}


def _client(endpoint: str) -> Any:
    from botocore.config import Config

    config = Config(
        retries={"total_max_attempts": 5, "mode": "standard"},
        connect_timeout=10,
        read_timeout=60,
        # S3-compatible servers do not all know the checksums that the SDK adds; parts are verified by their own hashes.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"},
    )
    return bounded_clients.create("s3", region="", endpoint=endpoint, config=config, seconds=_SECONDS)
