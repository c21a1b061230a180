"""Remake the pages' vendored assets: Cloudscape's design tokens (Apache-2.0), light and dark, and htmx (Zero-Clause BSD).

    python scripts/vendor_assets.py [--tokens VERSION] [--htmx VERSION]

Fetches `@cloudscape-design/design-tokens` and `htmx.org` by `npm pack` into .tools/ and writes tokens.css and htmx.js below
src/crownkeep/console/static/; npm is needed neither to install nor to run. Prints what to write into NOTICE.
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
STATIC = ROOT / "src" / "crownkeep" / "console" / "static"
TOKENS = STATIC / "tokens.css"
PACKAGE = "@cloudscape-design/design-tokens"
VERSION = "3.0.110"
HTMX = STATIC / "htmx.js"
HTMX_PACKAGE = "htmx.org"
# Of the second line, whose markup the pages are written in.
HTMX_VERSION = "2.0.11"

# Motion is ours to decide, and of the charts' many colours we draw with the status palette alone.
LEFT_OUT = ("motion-", "color-charts-palette", "color-charts-red", "color-charts-orange", "color-charts-yellow")
# What the top bar needs, which is dark on light pages too.
BAR = ("color-text-", "color-border-divider-", "color-border-item-focused", "color-background-container-content")


def main() -> None:
    """Fetch, read, write, and say what came of it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tokens", metavar="VERSION", default=VERSION, help=f"a version of the tokens instead of {VERSION}")
    options.add_argument("--htmx", metavar="VERSION", default=HTMX_VERSION, help=f"a version of htmx instead of {HTMX_VERSION}")
    wanted = options.parse_args()
    STATIC.mkdir(parents=True, exist_ok=True)
    document = json.loads(fetch(PACKAGE, wanted.tokens, "package/index-visual-refresh.json"))
    TOKENS.write_text(stylesheet(document, wanted.tokens), encoding="utf-8")
    print(f"{TOKENS.relative_to(ROOT)}: {len(document['tokens'])} tokens of {PACKAGE} {wanted.tokens}, Apache License 2.0")
    script = fetch(HTMX_PACKAGE, wanted.htmx, "package/dist/htmx.min.js")
    HTMX.write_text(f"/* {HTMX_PACKAGE} {wanted.htmx}, Zero-Clause BSD; fetched by scripts/vendor_assets.py. */\n{script}\n")
    print(f"{HTMX.relative_to(ROOT)}: {HTMX_PACKAGE} {wanted.htmx}, Zero-Clause BSD")


def fetch(package: str, version: str, path: str) -> str:
    """Pack a package and return the text of one of its files."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", "--silent", f"{package}@{version}"]
    packed = subprocess.run(command, cwd=TOOLS, check=True, capture_output=True, text=True).stdout.split()[-1]
    with tarfile.open(TOOLS / packed) as archive:
        member = archive.extractfile(path)
        if member is None:
            raise SystemExit(f"{package} {version} has no file `{path}`")
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
    """Return each token's name and its value in a mode."""
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
