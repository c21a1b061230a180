"""Names say what a thing is: none of the words that say nothing."""

from __future__ import annotations

import ast
import re

from tests.house.source import Definition, definitions, modules

EMPTY_WORDS = {"base", "data", "handler", "helper", "helpers", "impl", "info", "manager", "obj", "processor", "util", "utils"}

# The data directory is what the operator knows it as; asyncio calls a protocol's `data_received`.
SPOKEN = {"crownkeep.data_directory", "data_directory", "DataDirectory", "UnusableDataDirectory", "data_received"}


def test_no_module_is_named_by_an_empty_word():
    names = [module.name for module in modules() if module.name not in SPOKEN]

    assert [] == [name for name in names if EMPTY_WORDS & _words(name.rpartition(".")[2])]


def test_no_function_or_class_is_named_by_an_empty_word():
    named = {each.name: each.node.name for module in modules() for each in definitions(module) if not _is_named_by_aws(each)}

    empty = [name for name, own in named.items() if own not in SPOKEN and EMPTY_WORDS & _words(own)]

    assert [] == empty


def _is_named_by_aws(definition: Definition) -> bool:
    """Whether this is an operation's handler: `@iam.operation("GetAccessKeyInfo")`."""
    calls = [each.func for each in definition.node.decorator_list if isinstance(each, ast.Call)]
    return any(isinstance(call, ast.Attribute) and call.attr == "operation" for call in calls)


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)}
