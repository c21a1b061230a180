"""Nothing is kept that nobody uses: each function, class and constant is named somewhere beside where it stands."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

from tests.house.source import SOURCE, Definition, Module, definitions, modules

# What others call by a name of theirs.
CALLED_BY_OTHERS = {
    "crownkeep.alerts.delivery:Delivery.send_due": "tests send once by it, instead of waiting for the loop",
    "crownkeep.cli.main:": "click",
    "crownkeep.cli.reloading:": "uvicorn",
    "crownkeep.cli.sign_in_client:": "http.server",
    "crownkeep.gateway.loop:": "uvicorn, by its module's name",
    "crownkeep.gateway.protocol:": "asyncio",
    "crownkeep.storage.metadata:": "SQLAlchemy",
    "crownkeep.storage.purge:OWNED_BY_NONE": "the test that every table is purged or named",
    "crownkeep.catalogue.actions:AccessLevel": "values that AWS's data has",
}
# A decorator of these kinds calls nothing: it changes what the function is.
PLAIN = re.compile(r"(property|staticmethod|classmethod|cached?|lru_cache|contextmanager|dataclass|value_type|override)\b")


def test_what_nobody_names_is_not_kept():
    named = _words()

    unused = [
        definition.name
        for module in modules()
        for definition in definitions(module)
        if named[definition.node.name] == 1 and not _is_called_by_others(definition)
    ]

    assert [] == unused


def test_what_is_private_is_named_in_its_own_module():
    unused = [
        definition.name
        for module in modules()
        for definition in definitions(module)
        if (name := definition.node.name).startswith("_")
        and not definition.node.decorator_list
        and len(re.findall(rf"\b{name}\b", module.text)) == 1
        and not _is_called_by_others(definition)
    ]

    assert [] == unused


def test_a_constant_that_nobody_names_is_not_kept():
    named = _words()

    unused = [
        f"{module.name}:{name}" for module in modules() for name in _constants(module) if named[name.rpartition(".")[2]] == 1
    ]

    assert [] == [name for name in unused if not any(name.startswith(each) for each in CALLED_BY_OTHERS)]


@cache
def _words() -> Counter[str]:
    """Return how often each word stands in the house's code and pages."""
    words: Counter[str] = Counter()
    for module in modules():
        words.update(re.findall(r"\w+", module.text))
    for kind in ("*.html", "*.js"):
        for path in SOURCE.rglob(kind):
            words.update(re.findall(r"\w+", path.read_text()))
    return words


def _is_called_by_others(definition: Definition) -> bool:
    name = definition.node.name
    is_registered = any(not PLAIN.match(ast.unparse(each)) for each in definition.node.decorator_list)
    is_special = name.startswith("__") and name.endswith("__")
    return is_registered or is_special or any(definition.name.startswith(each) for each in CALLED_BY_OTHERS)


def _constants(module: Module) -> Iterator[str]:
    """Yield the constants of a module, and the members of its enumerations."""
    for node in module.tree.body:
        body, prefix = (node.body, f"{node.name}.") if isinstance(node, ast.ClassDef) else ([node], "")
        for each in body:
            targets = each.targets if isinstance(each, ast.Assign) else [each.target] if isinstance(each, ast.AnnAssign) else []
            yield from (f"{prefix}{one.id}" for one in targets if isinstance(one, ast.Name) and one.id.isupper())
