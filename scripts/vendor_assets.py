"""Remake the pages' vendored assets: Cloudscape's design tokens (Apache-2.0) as custom properties, light and dark.

    python scripts/vendor_assets.py [--tokens VERSION]

Fetches `@cloudscape-design/design-tokens` by `npm pack` into .tools/ and writes src/crownkeep/console/static/tokens.css; npm is
needed neither to install nor to run. Prints what to write into NOTICE.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools" / "assets"
TARGET = ROOT / "src" / "crownkeep" / "console" / "static" / "tokens.css"
PACKAGE = "@cloudscape-design/design-tokens"
VERSION = "3.0.110"

# Motion is ours to decide, and of the charts' many colours we draw with the status palette alone.
LEFT_OUT = ("motion-", "color-charts-palette", "color-charts-red", "color-charts-orange", "color-charts-yellow")
# What the top bar needs, which is dark on light pages too.
BAR = ("color-text-", "color-border-divider-", "color-border-item-focused", "color-background-container-content")


def main() -> None:
    """Fetch, read, write, and say what came of it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tokens", metavar="VERSION", default=VERSION, help=f"a version of the tokens instead of {VERSION}")
    version = options.parse_args().tokens
    document = json.loads(fetch(version))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(stylesheet(document, version), encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(document['tokens'])} tokens of {PACKAGE} {version}, Apache License 2.0")


def fetch(version: str) -> str:
    """Pack the package and answer its tokens in JSON."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", "--silent", f"{PACKAGE}@{version}"]
    packed = subprocess.run(command, cwd=TOOLS, check=True, capture_output=True, text=True).stdout.split()[-1]
    with tarfile.open(TOOLS / packed) as archive:
        member = archive.extractfile("package/index-visual-refresh.json")
        if member is None:
            raise SystemExit(f"{PACKAGE} {version} has no file of tokens")
        return member.read().decode()


def stylesheet(document: Mapping[str, Any], version: str) -> str:
    """Write the tokens as custom properties, those that differ in the dark once more, and those of the top bar."""
    tokens = document["tokens"]
    light, dark = dict(values(tokens, "light")), dict(values(tokens, "dark"))
    changed = {name: value for name, value in dark.items() if light[name] != value}
    bar = {name: value for name, value in changed.items() if name.startswith(BAR)}
    return "\n".join(
        [
            f"/* {PACKAGE} {version}, Copyright Amazon.com, Inc. or its affiliates, Apache License 2.0;",
            "   written by scripts/vendor_assets.py. */",
            block(":root", light),
            "@media (prefers-color-scheme: dark) {",
            block(":root", changed),
            "}",
            block(".top-bar", bar),
            "",
        ]
    )


def values(tokens: Mapping[str, Any], mode: str) -> Iterator[tuple[str, str]]:
    """Answer each token's name and its value in a mode."""
    for name in sorted(tokens):
        value = tokens[name]["$value"]
        if isinstance(value, Mapping):
            value = value.get(mode, value.get("comfortable"))
        if not name.startswith(LEFT_OUT):
            yield name, str(value)


def block(selector: str, properties: Mapping[str, str]) -> str:
    """Write one rule."""
    return f"{selector} {{\n" + "".join(f"  --{name}: {value};\n" for name, value in properties.items()) + "}"


if __name__ == "__main__":
    main()
