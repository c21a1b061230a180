"""Remake the catalogue of AWS's managed policies from the table that moto publishes (Apache-2.0).

    python scripts/make_managed_policies.py [--moto VERSION]

Fetches moto (without what it depends on) into .tools/ and reads its table as text; nothing of moto is run or shipped. Prints
what to write into NOTICE.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools" / "moto"
TARGET = ROOT / "src" / "crownkeep" / "catalogue" / "managed_policies.json.gz"
TABLE = Path("moto") / "iam" / "aws_managed_policies.py"

# The order in which people write a policy, and in which AWS shows its own; moto's table is sorted by the alphabet.
DOCUMENT = ("Version", "Id", "Statement")
STATEMENT = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)


def main() -> None:
    """Fetch, read, write, and say what came of it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--moto", metavar="VERSION", help="a version of moto instead of the newest")
    packages = fetch(options.parse_args().moto)
    version = PathDistribution(next(packages.glob("moto-*.dist-info"))).version
    policies = sorted(rows(read_table(packages / TABLE)), key=lambda row: str(row[0]).lower())
    newest = max(str(row[4]) for row in policies)
    text = json.dumps({"source": f"moto {version}", "newest": newest, "policies": policies}, separators=(",", ":"))
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{TARGET.relative_to(ROOT)}: {len(policies)} policies from moto {version}, the newest changed at {newest}")


def fetch(version: str | None) -> Path:
    """Install moto alone into a virtual environment of its own and return the folder it is in."""
    if not TOOLS.exists():
        venv.create(TOOLS, with_pip=True)
    wanted = f"moto=={version}" if version else "moto"
    subprocess.run([TOOLS / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", wanted], check=True)
    return next((TOOLS / "lib").glob("python3*")) / "site-packages"


def read_table(module: Path) -> Mapping[str, Mapping[str, Any]]:
    """Read the one JSON text that the module holds, without running the module."""
    for node in ast.walk(ast.parse(module.read_text())):
        match node:
            case ast.Assign(value=ast.Constant(value=str(text))):
                table: Mapping[str, Mapping[str, Any]] = json.loads(text)
                return table
    sys.exit(f"`{module}` holds no table any more: read how moto keeps it now and change this script")


def rows(table: Mapping[str, Mapping[str, Any]]) -> Iterator[list[object]]:
    """Return what is kept of each policy: name, path, version, created, changed, document."""
    for name, policy in table.items():
        yield [
            name,
            policy["Path"],
            int(policy["DefaultVersionId"].removeprefix("v")),
            moment(policy["CreateDate"]),
            moment(policy["UpdateDate"]),
            in_order(policy["Document"]),
        ]


def moment(text: str) -> str:
    """Return a moment in one form, so that moments compare as texts."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_order(document: Mapping[str, Any]) -> dict[str, object]:
    """Return the document with its elements in the order in which people write them."""
    ordered = ordered_by(document, DOCUMENT)
    statements = document["Statement"]
    if isinstance(statements, list):
        ordered["Statement"] = [ordered_by(statement, STATEMENT) for statement in statements]
    else:
        ordered["Statement"] = ordered_by(statements, STATEMENT)
    return ordered


def ordered_by(element: Mapping[str, Any], order: tuple[str, ...]) -> dict[str, object]:
    """Return a mapping with its keys in this order; raises ValueError for a key that isn't in it."""
    return {key: element[key] for key in sorted(element, key=order.index)}


if __name__ == "__main__":
    main()
