"""Sets of policies for the engine, out of documents as the API gives them."""

from __future__ import annotations

from collections.abc import Iterable

from crownkeep.policy import MalformedPolicy, PolicySet, PolicySource, compile_policy, compile_set, parse


def of(documents: Iterable[tuple[PolicySource, str]]) -> PolicySet:
    """Return the set of these documents; raises MalformedPolicy."""
    return compile_set(compile_policy(parse(text), source=source) for source, text in documents)


def of_readable(documents: Iterable[tuple[PolicySource, str]]) -> PolicySet:
    """Return the set of those documents that can be read: one that can't be grants nothing."""
    return of((source, text) for source, text in documents if is_readable(text))


def is_readable(text: str) -> bool:
    """Tell whether a document can be read."""
    try:
        parse(text)
    except MalformedPolicy:
        return False
    return True
