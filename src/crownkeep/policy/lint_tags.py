"""Lint of conditions on tags: a service whose actions fill in no such key never meets the condition."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.policy.condition_keys import TAGGED_KEYS
from crownkeep.policy.document import Condition, Statement
from crownkeep.policy.linted import Linted
from crownkeep.policy.operators import read_operator
from crownkeep.policy.remarks import ActionCatalogue, Remark, Severity

_OF_CALLERS = "aws:principaltag/"
"""What every request of a tagged caller has, whatever service it goes to."""
_TAG_KEYS = "aws:tagkeys"


def tag_remarks(linted: Linted) -> Iterator[Remark]:
    """Every remark on conditions on tags that a service of the statement doesn't know."""
    catalogue = linted.catalogue
    if catalogue is None:
        return
    for statement in linted.document.statements:
        for condition in statement.conditions:
            if _needs_a_tag(condition):
                yield from _unsupported(linted, catalogue, statement, condition)


def _needs_a_tag(condition: Condition) -> bool:
    """Whether a request without the key doesn't meet the condition; negated operators and IfExists hold without it."""
    key, operator = condition.key.lower(), read_operator(condition.operator)
    if operator is None or operator.negated or operator.if_exists or operator.base == "Null":
        return False
    return key == _TAG_KEYS or (key.startswith(TAGGED_KEYS) and not key.startswith(_OF_CALLERS))


def _unsupported(linted: Linted, catalogue: ActionCatalogue, statement: Statement, condition: Condition) -> Iterator[Remark]:
    effect, severity = ("ALLOW", Severity.SUGGESTION) if statement.allows else ("DENY", Severity.SECURITY_WARNING)
    path = linted.path(statement, "Condition", condition.operator, condition.key)
    if statement.not_actions is not None:
        outcome = "allowed" if statement.allows else "denied"
        details = f"Actions that do not know the key {condition.key} are not {outcome} by this statement. Use Action instead."
        code = f"{effect}_NOT_ACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE"
        yield linted.remark(severity, code, details, path)
        return
    form = condition.key.lower().partition("/")[0]
    prefixes = sorted({action.partition(":")[0].lower() for action, _ in linted.entries(statement, "Action")})
    without = [prefix for prefix in prefixes if _knows_no_tags(catalogue, prefix, form)]
    if without:
        details = (
            f"The services {', '.join(without)} do not support the condition key {condition.key}: this statement never "
            "matches their actions. Move them to a statement without it."
        )
        code = f"{effect}_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE"
        yield linted.remark(severity, code, details, path)


def _knows_no_tags(catalogue: ActionCatalogue, prefix: str, form: str) -> bool:
    keys = catalogue.service_keys(prefix)
    return bool(keys) and not any(key.partition("/")[0] == form for key in keys or ())
