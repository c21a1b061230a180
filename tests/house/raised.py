"""Which wire codes the house's functions may end in: raised on the spot, returned by a helper, or raised by what they call."""

from __future__ import annotations

import ast
import builtins
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.house.source import Function, Module, modules

from crownkeep import errors
from crownkeep.errors import AwsError

Place = tuple[str, str]
"""A function: its module's name, and its own, with its class's before a dot."""


@dataclass(frozen=True, slots=True)
class Body:
    """What a function does by itself: the codes of the errors it makes, those it catches, and whom it refers to."""

    made: frozenset[str]
    caught: frozenset[str]
    refers: frozenset[Place]


def codes(place: Place) -> frozenset[str]:
    """Return the codes that a function may end in, whoever raises them on its behalf; but not those that it catches itself."""
    return _reached()[place]


def places(prefix: str) -> list[Place]:
    """Return the functions and methods of the modules below this one."""
    return [place for place in _bodies() if place[0] == prefix or place[0].startswith(f"{prefix}.")]


def is_followed(module: Module, call: ast.Call) -> bool:
    """Tell whether it is known what `raise` makes by this call: an error of AWS's, or an exception that no caller is answered."""
    if any(_code(call.func, _imports(module))):
        return True
    place = _named(module, _imports(module), call.func)
    if place in _bodies():
        return bool(codes(place))
    scope = vars(builtins) | vars(importlib.import_module(module.name))
    match call.func:
        case ast.Name(id=name):
            kind = scope.get(name)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            kind = getattr(scope.get(name), attribute, None)
        case _:
            return False
    return isinstance(kind, type) and not issubclass(kind, AwsError)


@cache
def _reached() -> dict[Place, frozenset[str]]:
    bodies = _bodies()
    reached = {place: body.made - body.caught for place, body in bodies.items()}
    callers: dict[Place, list[Place]] = {place: [] for place in bodies}
    for place, body in bodies.items():
        for each in body.refers & bodies.keys():
            callers[each].append(place)
    waiting = list(bodies)
    while waiting:
        place = waiting.pop()
        for caller in callers[place]:
            more = reached[caller] | (reached[place] - bodies[caller].caught)
            if more != reached[caller]:
                reached[caller] = more
                waiting.append(caller)
    return reached


@cache
def _bodies() -> dict[Place, Body]:
    return {(module.name, name): _body(module, node) for module in modules() for name, node in _definitions(module)}


def _definitions(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """Yield functions and methods, and the tables at a module's top that they may take errors from."""
    for node in module.tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.name, node
            case ast.ClassDef():
                yield from ((f"{node.name}.{each.name}", each) for each in node.body if isinstance(each, Function))
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _body(module: Module, function: ast.AST) -> Body:
    imported = _imports(module)
    nodes = list(ast.walk(function))
    caught, asked = set(), set()
    for handler in nodes:
        if isinstance(handler, ast.ExceptHandler) and handler.type is not None:
            named = list(ast.walk(handler.type))
            asked |= {id(node) for node in named}
            caught |= set() if _raises_again(handler) else {code for node in named for code in _code(node, imported)}
    made = {code for node in nodes if id(node) not in asked for code in _code(node, imported)}
    refers = {place for node in nodes if (place := _named(module, imported, node)) is not None}
    return Body(frozenset(made), frozenset(caught - made), frozenset(refers))


def _named(module: Module, imported: dict[str, Place], node: ast.AST) -> Place | None:
    """Return which function an expression names, as far as its module's imports tell."""
    match node:
        case ast.Name(id=name):
            return imported.get(name, (module.name, name))
        case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in imported:
            return ".".join(imported[name]), attribute
    return None


@cache
def _imports(module: Module) -> dict[str, Place]:
    """Return what a module's imports bind, each as a module and a name in it."""
    bound = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            bound |= {each.asname or each.name: (node.module, each.name) for each in node.names}
    return bound


def _raises_again(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))


def _code(node: ast.AST, imported: dict[str, Place]) -> Iterator[str]:
    """Yield the code of an error that an expression names: whoever names one makes it, or has another make it."""
    match node:
        case ast.Attribute(value=ast.Name(id="errors"), attr=name):
            error = vars(errors).get(name)
        case ast.Name(id=bound) if imported.get(bound, ("", ""))[0] == "crownkeep.errors":
            error = vars(errors).get(imported[bound][1])
        case _:
            return
    if isinstance(error, type) and issubclass(error, AwsError) and error is not AwsError:
        yield error.code
