"""README.md's fenced blocks: the commands that a reader would paste, and what they should see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"

_FENCE = re.compile(r"^```(?P<language>\w+)(?P<word> \w+)?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """Commands to run in bash, whether they end with a refusal, and the output shown below them, if any."""

    name: str
    commands: str
    is_refused: bool
    shown: str | None


def blocks() -> list[Block]:
    """Return the `bash` blocks in order; a `json` or `text` block right below one is its output."""
    text = README.read_text(encoding="utf-8")
    fences = list(_FENCE.finditer(text))
    found = []
    for fence, following in zip(fences, [*fences[1:], None], strict=True):
        if fence["language"] != "bash":
            continue
        shown = None
        if following is not None and following["language"] in {"json", "text"} and following.start() == fence.end() + 1:
            shown = following["text"]
        heading = [each[1] for each in _HEADING.finditer(text, 0, fence.start())][-1]
        found.append(Block(f"{heading} ({len(found) + 1})", fence["text"], fence["word"] == " refused", shown))
    return found


def is_shown(output: str, shown: str) -> bool:
    """Tell whether the output is what the document shows: `...` stands for anything, and outputs before it may be left out."""
    pattern = ".*".join(re.escape(part) for part in shown.strip().split("..."))
    return re.search(rf"(?:\A|\n){pattern}\s*\Z", output, re.DOTALL) is not None
