"""Tamper with trails, kill servers and try orders of ceremonies for as long as there is time, in shards whose totals add up.

    .venv/bin/python scripts/nightly_shards.py --minutes 30 --tally trail.jsonl tamperings kills

Each shard runs the same tests as `make test`, many more times, and adds a line to the tally once it has passed. Machines can
share one tally, or have their tallies put together: the totals are sums. It ends with 1 where a shard failed; what failed is in
its output.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

AIMS: Mapping[str, int] = {"tamperings": 10_000, "kills": 1_000, "ceremony steps": 1_000_000}
SHARDS: Mapping[str, tuple[str, int, tuple[str, ...]]] = {
    "tamperings": ("CROWNKEEP_TAMPERINGS", 500, ("tests/trail/test_verifying.py", "-k", "any_kind")),
    "kills": ("CROWNKEEP_KILLS", 20, ("tests/crash/test_kill.py", "-k", "however_often")),
    "ceremony steps": ("CROWNKEEP_CEREMONIES", 50, ("tests/services/approvals/test_every_order.py",)),
}
"""What a shard counts: the variable that says how many, how many there are, and which tests they are."""

COUNTED = "CROWNKEEP_COUNTED"
"""Names a file for tests that do not know beforehand how many they will have: they write the number there."""

DATABASES: Mapping[str, int] = {"kills": 2}
"""On how many databases each is done, where that is more than one."""


def totals(lines: Iterable[str]) -> dict[str, int]:
    """Return the sums of a tally."""
    found: Counter[str] = Counter(dict.fromkeys(AIMS, 0))
    for line in lines:
        found.update(json.loads(line))
    return dict(found)


def run(kind: str) -> int | None:
    """Run one shard and return how many it had; None where it failed."""
    variable, count, words = SHARDS[kind]
    command = [sys.executable, "-m", "pytest", "-n", "1", *words]
    with tempfile.TemporaryDirectory(prefix="crownkeep-") as directory:
        counted = Path(directory) / "counted"
        environment = os.environ | {variable: str(count), COUNTED: str(counted)}
        if subprocess.run(command, env=environment, check=False).returncode != 0:
            return None
        return int(counted.read_text()) if counted.exists() else count * DATABASES.get(kind, 1)


def main() -> int:
    """Run shards in turn until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--tally", type=Path, default=Path("trail.jsonl"))
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"what to do in turns: {', '.join(SHARDS)}; all unless given")
    chosen = parser.parse_args()
    unknown = sorted(set(chosen.kinds) - set(SHARDS))
    if unknown:
        parser.error(f"there is no kind `{unknown[0]}`")
    ends, number, kinds = time.monotonic() + chosen.minutes * 60, 0, chosen.kinds or list(SHARDS)
    while time.monotonic() < ends:
        kind = kinds[number % len(kinds)]
        number += 1
        count = run(kind)
        if count is None:
            return 1
        with chosen.tally.open("a", encoding="utf-8") as tally:
            tally.write(json.dumps({kind: count}) + "\n")
    if chosen.tally.exists():
        for kind, count in totals(chosen.tally.read_text(encoding="utf-8").splitlines()).items():
            print(f"{kind}: {count:,} of {AIMS[kind]:,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
