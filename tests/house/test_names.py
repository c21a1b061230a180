"""Names say what a thing is: none of the words that say nothing, and no word that says two things."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from itertools import combinations

from tests.house.source import Definition, Module, definitions, modules

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


def test_a_public_class_has_a_name_of_its_own():
    places: dict[str, list[str]] = defaultdict(list)
    for module in modules():
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module.name)

    assert {} == {name: where for name, where in places.items() if len(where) > 1}


def test_a_modules_name_repeats_only_where_the_same_topic_stands_in_another_room():
    named: dict[str, list[Module]] = defaultdict(list)
    for module in modules():
        if not module.path.name.startswith("__"):
            named[module.path.stem].append(module)

    pairs = [pair for found in named.values() for pair in combinations(found, 2)]

    assert len(pairs) > 50
    assert [] == [(one.name, other.name) for one, other in pairs if not _are_of_one_topic(one, other)]


def _are_of_one_topic(one: Module, other: Module) -> bool:
    """Whether both stand in rooms of their own, and in folders of one name where both rooms are cut by topics."""
    (room, topic), (other_room, other_topic) = _place(one), _place(other)
    return room != other_room and (topic == other_topic or not topic or not other_topic)


def test_a_storage_module_has_one_spelling_wherever_it_is_imported():
    """Its own name; where that stands for the same topic of another room, what it is made of: `user_rows` for `users`."""
    others = [
        f"{module.name}: {each.name} as {each.asname}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("crownkeep.storage")
        for each in node.names
        if each.asname not in (None, f"{each.name.removesuffix('s')}_rows")
    ]

    assert [] == others


def _place(module: Module) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return in which room a module stands, each service being one, and in which topic's folder there."""
    _, *folders, _ = module.name.split(".")
    rooms = 2 if folders[:1] in (["services"], ["console"]) else 1
    # `storage/accounts` and `pages/account` hold the same topic.
    return tuple(folders[:rooms]), tuple(folder.removesuffix("s") for folder in folders[rooms:])


def _is_named_by_aws(definition: Definition) -> bool:
    """Whether this is an operation's handler: `@iam.operation("GetAccessKeyInfo")`."""
    calls = [each.func for each in definition.node.decorator_list if isinstance(each, ast.Call)]
    return any(isinstance(call, ast.Attribute) and call.attr == "operation" for call in calls)


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)}


def test_nothing_private_of_a_module_is_used_by_another():
    used = [
        f"{module.name}: {name}.{private}"
        for module in modules()
        for name, private in re.findall(r"(?<![\w.])([a-z]\w*)\.(_[a-z]\w*)", module.text)
        if name in _imported(module)
    ]

    assert [] == used


def _imported(module: Module) -> set[str]:
    """Return by which names a module knows others of ours."""
    imports = [
        node for node in module.tree.body if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("crownkeep")
    ]
    return {each.asname or each.name for node in imports for each in node.names}
