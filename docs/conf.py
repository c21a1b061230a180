"""How the documents become a site (`make docs`): what is in docs/ as it stands, with the README and what else it links to."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pygments.lexers.special import TextLexer

ROOT = Path(__file__).parents[1]

project = "Crownkeep"
author = "the Crownkeep authors"
project_copyright = author
release = version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

# The source directory is the checkout, so that links from docs/ to what lies beside it are links here, too.
root_doc = "docs/index"
include_patterns = ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md", "docs/**"]
exclude_patterns = ["docs/_build", ".venv", ".tools", ".git", "src", "tests", "bench", "dist", "shared", "scripts", "deploy"]

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
# Links name headings as GitHub makes anchors of them.
myst_heading_anchors = 4
nitpicky = True

html_theme = "furo"
html_title = f"Crownkeep {release}"
html_copy_source = False
html_show_sphinx = False
# Fonts and scripts are the theme's own: a reader's browser asks nobody else.
html_theme_options = {"top_of_page_buttons": []}

_SECTION = re.compile(r"^## (?P<title>.+)$", re.MULTILINE)
_LINK = re.compile(r"^- \[[^\]]+\]\((?P<target>[^)#]+\.md)\)", re.MULTILINE)


def _add_contents(_app: Any, name: str, source: list[str]) -> None:
    """Give the first page the tables of contents that its own lists of links are, so that the sidebar has them."""
    if name != root_doc:
        return
    tables = []
    for section in re.split(r"(?m)^(?=## )", source[0])[1:]:
        title = _SECTION.match(section)
        targets = dict.fromkeys(_LINK.findall(section))
        if title is not None and targets:
            lines = "\n".join(targets)
            tables.append(f"```{{toctree}}\n:hidden:\n:caption: {title['title']}\n\n{lines}\n```\n")
    source[0] += "\n" + "\n".join(tables)


def setup(app: Any) -> dict[str, bool]:
    """Register what is done here."""
    # Diagrams are shown as they are written.
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", _add_contents)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
