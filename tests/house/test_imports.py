"""The rooms import downwards only, and the policy engine stands alone."""

from __future__ import annotations

import subprocess
import sys

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
