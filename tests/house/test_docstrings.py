"""Every module and every public function says what it is for."""

from __future__ import annotations

import ast

from tests.house.source import definitions, modules


def test_every_module_says_what_it_is_for():
    silent = [module.name for module in modules() if not ast.get_docstring(module.tree)]

    assert [] == silent


def test_every_public_function_has_a_docstring():
    functions = [each for module in modules() for each in definitions(module) if not isinstance(each.node, ast.ClassDef)]

    silent = [each.name for each in functions if each.is_public and not ast.get_docstring(each.node)]

    assert [] == silent


def test_every_public_class_has_a_docstring_unless_it_is_an_error_named_by_aws():
    classes = [each for module in modules() for each in definitions(module) if isinstance(each.node, ast.ClassDef)]

    silent = [each.name for each in classes if each.is_public and not ast.get_docstring(each.node)]

    assert [] == [name for name in silent if not name.startswith("crownkeep.errors:")]


def test_a_function_returns_and_tells_as_pep_257_has_it():
    functions = [each for module in modules() for each in definitions(module) if not isinstance(each.node, ast.ClassDef)]

    assert [] == [each.name for each in functions if (ast.get_docstring(each.node) or "").startswith("Answer ")]
