"""The bill of materials of a release: what the Debian package carries, as CycloneDX 1.6, with versions, hashes and licences."""

from __future__ import annotations

import email
import json
import tomllib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from scripts import building
from scripts.building import ROOT, NotBuilt
from scripts.make_package import licence

_NAMES = uuid.UUID("5d1f6c1e-1a57-4c5f-9f0e-5f6d0f6a4747")
"""The namespace of serial numbers: the same release has the same one."""


def bill(libraries: Path) -> str:
    """Return the bill of an installation in a directory of its own; every wheel's hashes are those of the lock file."""
    locked = _locked()
    ours = version("crownkeep")
    when = datetime.fromtimestamp(building.moment(), UTC)
    components = list(_components(libraries, locked))
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMES, f'crownkeep {ours} {building.moment()}')}",
        "version": 1,
        "metadata": {
            "timestamp": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": f"pkg:pypi/crownkeep@{ours}",
                "name": "crownkeep",
                "version": ours,
                "purl": f"pkg:pypi/crownkeep@{ours}",
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": components,
        "dependencies": [{"ref": f"pkg:pypi/crownkeep@{ours}", "dependsOn": [each["bom-ref"] for each in components]}],
    }
    return json.dumps(document, indent=2) + "\n"


def _components(libraries: Path, locked: dict[tuple[str, str], list[str]]) -> Iterator[dict[str, Any]]:
    for place in sorted(libraries.glob("*.dist-info"), key=lambda each: each.name.lower()):
        metadata = email.message_from_string((place / "METADATA").read_text(encoding="utf-8"))
        name, number = str(metadata["Name"]), str(metadata["Version"])
        spelt = name.lower().replace("_", "-").replace(".", "-")
        if spelt == "crownkeep":
            continue
        if (spelt, number) not in locked:
            raise NotBuilt(f"{name} {number} is installed, and not locked: run `make release` from a clean checkout")
        found = f"pkg:pypi/{spelt}@{number}"
        expression = metadata["License-Expression"]
        answer = {"expression": str(expression)} if expression else {"license": {"name": licence(metadata)}}
        yield {
            "type": "library",
            "bom-ref": found,
            "name": name,
            "version": number,
            "purl": found,
            "licenses": [answer],
            "externalReferences": [
                {"type": "distribution", "url": url, "hashes": [{"alg": "SHA-256", "content": digest}]}
                for url, digest in (each.split(" ") for each in locked[spelt, number])
            ],
        }


def _locked() -> dict[tuple[str, str], list[str]]:
    """Return the addresses and SHA-256 hashes of the wheels of each locked version."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    return {
        (each["name"], each["version"]): [f"{one['url']} {one['hash'].removeprefix('sha256:')}" for one in each.get("wheels", [])]
        for each in lock["package"]
        if "registry" in each["source"]
    }
