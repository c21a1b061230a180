"""The rooms import downwards only, and the policy engine stands alone."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from tests.house.source import ROOT, SOURCE, Module, modules

ALONE = """
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
import pkgutil, importlib
import crownkeep.policy
for module in pkgutil.iter_modules(crownkeep.policy.__path__, "crownkeep.policy."):
    importlib.import_module(module.name)
roots = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(roots - set(sys.stdlib_module_names) - {"crownkeep"}))
"""


def test_the_import_contracts_are_kept():
    checked = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == checked.returncode, checked.stdout


def test_the_policy_engine_can_be_imported_where_nothing_else_is_installed():
    # -S leaves site-packages out of the path, so that a third-party import would fail.
    imported = subprocess.run([sys.executable, "-S", "-c", ALONE, SOURCE], capture_output=True, text=True, check=False)

    assert ("[]\n", 0) == (imported.stdout, imported.returncode), imported.stderr


@pytest.mark.parametrize("folder", ["bench", "scripts", "shared", "src"])
def test_nothing_but_tests_imports_tests(folder: str):
    texts = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / folder).rglob("*.py"))}
    # Most files don't say the word at all.
    named = {path: imported(ast.parse(text)) for path, text in texts.items() if "tests" in text}

    assert texts
    assert [] == [str(path) for path, names in named.items() if any(name.split(".")[0] == "tests" for name in names)]


def imported(tree: ast.Module) -> set[str]:
    """Return the modules, and the names of modules, that a module imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found.update(each.name for each in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                found.update(f"{module}.{each.name}" for each in names)
    return found


PAGES = "crownkeep.console.pages"


def test_a_page_never_imports_a_page():
    """A page is a module with ROUTES, which the application alone imports; what pages share is in `console/kit`."""
    pages = {module.name for module in modules() if module.name.startswith(f"{PAGES}.") and _has_routes(module)}
    importing = {
        f"{module.name} -> {name}"
        for module in modules()
        if PAGES in module.text
        for name in imported(module.tree)
        if _is_of(name, pages)
    }

    assert len(pages) > 30
    assert [] == sorted(each for each in importing if not each.startswith("crownkeep.console.app "))


def test_the_pages_of_a_topic_import_nothing_of_another_topic():
    """A topic's pages may share a part of their own (ARCHITECTURE.md); what several topics share is in `console/kit`."""
    found = {
        f"{module.name} -> {name}"
        for module in modules()
        if module.name.startswith(f"{PAGES}.")
        for name in imported(module.tree)
        if name.startswith(f"{PAGES}.") and name.split(".")[3] != module.name.split(".")[3]
    }

    assert set() == found


def _has_routes(module: Module) -> bool:
    return any(isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ROUTES" for node in module.tree.body)


def _is_of(name: str, pages: set[str]) -> bool:
    return name in pages or name.rpartition(".")[0] in pages
