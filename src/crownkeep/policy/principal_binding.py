"""Principals bound to unique ids when a policy is saved, so that a recreated user does not inherit what the old one had.

Source: IAM user guide, "AWS JSON policy elements: Principal" (the ARN is transformed to the unique principal id on save).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from crownkeep import ids
from crownkeep.policy.document import Document, MalformedPolicy
from crownkeep.policy.parse import parse
from crownkeep.policy.positions import Path, Span
from crownkeep.policy.validate import invalid_principal

Resolve = Callable[[str], "str | None"]

_BOUND = re.compile(r"[0-9]{12}|arn:[^:]+:iam::[0-9]{12}:(?:user|role)/.+", re.ASCII)
_UNIQUE_ID = re.compile(r"(?:AIDA|AROA)[A-Z0-9]{8,32}", re.ASCII)


def bind_principals(document: Document, unique_id_of: Resolve, arn_of_account: Callable[[str], str] | None = None) -> str:
    """The text to store: each user and role ARN replaced by its unique id, every other byte as it was.

    `unique_id_of` answers the AIDA or AROA id of an existing user's or role's ARN, and None for one that does not exist,
    for which MalformedPolicy is raised as AWS does ("Invalid principal in policy"). An ARN of another partition's or
    directory's principal that cannot be checked is the resolver's to answer with itself. With `arn_of_account` an account
    that is named by its bare id is kept as that ARN, which AWS does as well.
    """

    def bound(arn: str) -> str:
        if ids.is_account_id(arn):
            return arn_of_account(arn) if arn_of_account is not None else arn
        unique_id = unique_id_of(arn)
        if unique_id is None:
            raise MalformedPolicy(invalid_principal("AWS", arn))
        return unique_id

    return _replace_principals(document, _BOUND, bound)


def show_principals(text: str, arn_of: Resolve) -> str:
    """The text to show: each unique id replaced by the ARN it has today; the id stays where its owner was deleted."""
    return _replace_principals(parse(text), _UNIQUE_ID, lambda unique_id: arn_of(unique_id) or unique_id)


def _replace_principals(document: Document, what: re.Pattern[str], replacement: Callable[[str], str]) -> str:
    changes: list[tuple[Span, str]] = []
    for path, name in _aws_principals(document):
        if what.fullmatch(name):
            changed = replacement(name)
            if changed != name:
                changes.append((document.spans[path], changed))
    # From the end to the beginning, so that the places of those that are still to come stay right.
    text = document.text
    for span, changed in sorted(changes, key=lambda change: change[0].start.offset, reverse=True):
        text = text[: span.start.offset] + json.dumps(changed) + text[span.end.offset :]
    return text


def _aws_principals(document: Document) -> Iterator[tuple[Path, str]]:
    """Each AWS principal of the document with its place in the text."""
    for statement in document.statements:
        for element, principals in (("Principal", statement.principal), ("NotPrincipal", statement.not_principal)):
            if principals is None:
                continue
            names = [name for kind, name in principals.named if kind == "AWS"]
            path: Path = (*document.statement_path(statement), element, "AWS")
            # One name may stand there as a text or as a list of one: only the places tell which.
            if (*path, 0) in document.spans:
                yield from (((*path, index), name) for index, name in enumerate(names))
            else:
                yield from ((path, name) for name in names)
