"""Fetch the protocol cases that botocore publishes in its source distribution, once per version, into .tools/."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

TOOLS = Path(__file__).parents[1] / ".tools"
INSIDE = "tests/unit/protocols/"


def folder() -> Path:
    """Return where the cases of the installed botocore are kept."""
    return TOOLS / f"botocore-sdist-{version('botocore')}"


def fetch() -> Path:
    """Return the folder of the cases, fetched when they aren't there; raises CalledProcessError where pip can't."""
    kept = folder()
    if kept.exists():
        return kept
    TOOLS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TOOLS) as scratch:
        wanted = f"botocore=={version('botocore')}"
        command = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", scratch, wanted]
        subprocess.run([sys.executable, "-m", "pip", *command], check=True)
        unpacked = Path(scratch) / "cases"
        with tarfile.open(next(Path(scratch).glob("botocore-*.tar.gz"))) as archive:
            _unpack(archive, unpacked)
        unpacked.rename(kept)
    return kept


def _unpack(archive: tarfile.TarFile, to: Path) -> None:
    for member in archive:
        _, found, name = member.name.partition(INSIDE)
        content = archive.extractfile(member) if found and name.endswith(".json") else None
        if content is not None:
            target = to / Path(name).relative_to(".")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())


if __name__ == "__main__":
    try:
        fetch()
    except subprocess.CalledProcessError:
        sys.exit("botocore's source distribution could not be downloaded: check the network and pip's index and run again")
