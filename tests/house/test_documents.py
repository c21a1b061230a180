"""The documents are held to the code: settings, commands, decisions, and the paths they name."""

from __future__ import annotations

import re
import tomllib

import click
import pytest
from tests.house.source import ROOT

from crownkeep.alerts import messages
from crownkeep.settings import Settings

FRAGMENT = re.compile(r"(\+|[0-9]+)[a-z0-9-]*\.(security|added|changed|fixed)\.md|\.gitkeep|README\.md")


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


def test_every_command_and_option_is_documented():
    from crownkeep.cli.main import main

    text = (ROOT / "docs/reference/commands.md").read_text()

    assert [] == [name for name in _names(main, "crownkeep") if name not in text]


def test_the_page_of_commands_is_what_the_commands_say_of_themselves():
    from scripts.make_command_reference import REFERENCE, page

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

    named = set(re.findall(r"\b((?:src|tests|docs|scripts|bench|changelog\.d)/[\w./-]*\w/?)", text))
    linked = {link for link in re.findall(r"\]\(([^)#:]+)\)", text) if not link.startswith("http")}

    missing = [path for path in named if not (ROOT / path).exists()]
    broken = [link for link in linked if not (ROOT / document).parent.joinpath(link).exists()]
    assert ([], []) == (missing, broken)


def test_every_decision_is_listed_in_the_index():
    index = (ROOT / "docs/index.md").read_text()

    missing = [path.name for path in (ROOT / "docs/decisions").glob("*.md") if f"decisions/{path.name}" not in index]

    assert [] == missing


def test_every_changelog_fragment_is_named_so_that_it_will_be_gathered():
    names = [path.name for path in (ROOT / "changelog.d").iterdir()]

    assert [] == [name for name in names if not FRAGMENT.fullmatch(name)]


def test_the_changelog_speaks_of_every_service_and_every_command():
    from crownkeep.cli.main import main

    fragments = [path.read_text() for path in (ROOT / "changelog.d").glob("*.md")]
    text = "\n".join([(ROOT / "CHANGELOG.md").read_text(), *fragments])
    wanted = ["IAM", "STS", "Account", "CloudTrail", *(f"crownkeep {name}" for name in main.commands)]

    assert [] == [name for name in wanted if name not in text]


def _names(command: click.Command, path: str) -> list[str]:
    options = [option for each in command.params if isinstance(each, click.Option) for option in each.opts]
    names = [path, *(option for option in options if option.startswith("--"))]
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            names += _names(inner, f"{path} {name}")
    return names
