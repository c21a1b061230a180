"""The house's source as the house tests see it: every module with its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """One module of ours."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """How many lines the file has."""
        return self.text.count("\n")


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or class with the dotted name it is found by."""

    name: str
    node: Function | ast.ClassDef

    @property
    def is_public(self) -> bool:
        """Whether no part of the name below the module begins with an underscore."""
        return not any(part.startswith("_") for part in self.name.split(":")[1].split("."))


@cache
def modules() -> tuple[Module, ...]:
    """Return every module of the package, in the order of their names."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        text = path.read_text(encoding="utf-8")
        found.append(Module(name, path, text, ast.parse(text)))
    return tuple(found)


def definitions(module: Module) -> Iterator[Definition]:
    """Return a module's functions and classes and their methods, but not what is defined inside a function."""
    yield from _definitions(module.tree.body, f"{module.name}:")


def _definitions(body: list[ast.stmt], prefix: str) -> Iterator[Definition]:
    for node in body:
        if isinstance(node, Function | ast.ClassDef):
            yield Definition(f"{prefix}{node.name}", node)
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node.body, f"{prefix}{node.name}.")
