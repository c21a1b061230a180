"""The rooms import downwards only, and the policy engine stands alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from tests.house.source import ROOT, SOURCE

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
    files = sorted((ROOT / folder).rglob("*.py"))
    found = {f"{path.relative_to(ROOT)}: {name}" for path in files for name in imported(path) if name.split(".")[0] == "tests"}

    assert files
    assert set() == found


def imported(path: Path) -> set[str]:
    """Return the modules, and the names of modules, that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found.update(each.name for each in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                found.update(f"{module}.{each.name}" for each in names)
    return found
