"""The documents are held to the code: settings, commands, decisions, and the paths they name."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from tests.house.source import ROOT

from crownkeep.alerts import messages
from crownkeep.settings import Settings

LINK = re.compile(r"\]\(([^)\s]+)\)")
SECTION = re.compile(r"^### (\w+)\n(.*?)(?=^### |\Z)", re.MULTILINE | re.DOTALL)
DOCUMENTS = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_setting_is_documented_with_its_variable():
    text = (ROOT / "docs/reference/settings.md").read_text()

    missing = [name for name in Settings.__struct_fields__ if f"`{name}`" not in text]

    assert [] == missing


def test_every_documented_setting_exists():
    text = (ROOT / "docs/reference/settings.md").read_text()

    documented = re.findall(r"^\| `([a-z_0-9]+)`", text, re.MULTILINE)

    assert list(Settings.__struct_fields__) == documented


def test_every_kind_of_notice_is_documented():
    text = (ROOT / "docs/mail.md").read_text()

    assert [] == [kind for kind in messages.KINDS if f"| `{kind}` |" not in text]


def test_the_table_of_built_in_alert_rules_is_what_the_rules_say_of_themselves():
    from scripts.make_alert_reference import DOCUMENT, document

    assert document(DOCUMENT.read_text()) == DOCUMENT.read_text()


def test_the_page_of_commands_is_what_the_commands_say_of_themselves():
    from scripts.make_command_reference import REFERENCE, page

    assert page() == REFERENCE.read_text()


def test_the_page_of_the_advisor_is_what_its_checks_say_of_themselves():
    from scripts.make_advisor_reference import REFERENCE, page

    assert page() == REFERENCE.read_text()


def test_every_dependency_has_a_decision_record():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [name for group in project["optional-dependencies"].values() for name in group]
    names = {re.split(r"[\[><=]", each)[0] for each in [*project["dependencies"], *extras]}

    recorded = {path.stem for path in (ROOT / "docs/decisions").glob("*.md")}

    assert set() == names - recorded


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "README.md", "NOTICE", "docs/index.md"])
def test_every_path_that_a_document_names_exists(document: str):
    text = (ROOT / document).read_text()

    named = set(re.findall(r"\b((?:src|tests|docs|scripts|bench|shared|changelog\.d)/[\w./-]*\w/?)", text))

    assert [] == [path for path in named if not (ROOT / path).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_to_a_page_and_a_heading(document: Path):
    links = [link.partition("#") for link in LINK.findall(_prose(document)) if not link.startswith(("http", "mailto:"))]

    broken = [
        f"{path}{mark}{anchor}"
        for path, mark, anchor in links
        if not (target := (document.parent / path if path else document)).exists()
        or (anchor and target.suffix == ".md" and anchor not in _anchors(target))
    ]
    assert [] == broken


def test_every_decision_is_listed_in_the_index():
    index = (ROOT / "docs/index.md").read_text()

    missing = [path.name for path in (ROOT / "docs/decisions").glob("*.md") if f"decisions/{path.name}" not in index]

    assert [] == missing


def test_every_changelog_fragment_is_gathered_once_below_the_heading_of_its_kind():
    files = [path for path in sorted((ROOT / "changelog.d").iterdir()) if path.name not in (".gitkeep", "README.md")]
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "0"]
    draft = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    sections = {name.lower(): " ".join(text.split()) for name, text in SECTION.findall(draft)}

    counts = {path.name: sections.get(_kind(path), "").count(" ".join(path.read_text().split())) for path in files}

    assert files
    assert {} == {name: count for name, count in counts.items() if count != 1}


def test_the_changelog_speaks_of_every_command_as_one():
    from crownkeep.cli.main import main

    texts = [path.read_text() for path in (ROOT / "changelog.d").glob("*.added.md")] + [(ROOT / "CHANGELOG.md").read_text()]
    # What stands in backticks is a command; the same words in a sentence are none.
    spans = {" ".join(span.split()) for text in texts for span in re.findall(r"`([^`]+)`", text)}

    assert [] == [name for name in main.commands if not any(span.split()[:2] == ["crownkeep", name] for span in spans)]


@pytest.mark.parametrize("path", sorted((ROOT / "changelog.d").glob("*.md")), ids=lambda path: path.name)
def test_a_changelog_fragment_is_written_for_users(path: Path):
    text = path.read_text()
    prose = re.sub(r"`[^`]*`", "", text)

    assert re.fullmatch(r"[A-Z0-9`\[/].*[.)]", text.strip(), re.DOTALL), "it is made of whole sentences"
    assert [] == re.findall(r"\b(?:src|tests)/\S+", text)
    assert [] == re.findall(r"\b(?:deed|heed|errand|tether)s?\b", prose)


def _kind(path: Path) -> str:
    return path.name.split(".")[-2]


def _prose(document: Path) -> str:
    """Return a document without its blocks and spans of code."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", document.read_text(), flags=re.DOTALL)


@cache
def _anchors(document: Path) -> frozenset[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL), re.MULTILINE)
    return frozenset(re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings)
