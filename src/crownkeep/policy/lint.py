"""Lint: what is wrong, dangerous, useless or untidy in a policy, in the spirit of Access Analyzer's ValidatePolicy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from crownkeep.policy.document import Document, MalformedPolicy, PolicyKind
from crownkeep.policy.lint_arns import arn_remarks
from crownkeep.policy.lint_conditions import condition_remarks
from crownkeep.policy.lint_elements import element_remarks
from crownkeep.policy.lint_grants import grant_remarks
from crownkeep.policy.lint_keys import key_remarks
from crownkeep.policy.lint_principals import principal_remarks
from crownkeep.policy.lint_security import security_remarks
from crownkeep.policy.lint_structure import structure_remarks
from crownkeep.policy.lint_tags import tag_remarks
from crownkeep.policy.lint_values import value_remarks
from crownkeep.policy.linted import Linted
from crownkeep.policy.parse import parse
from crownkeep.policy.remarks import ActionCatalogue, Remark, Severity

_CHECKS: tuple[Callable[[Linted], Iterator[Remark]], ...] = (
    element_remarks,
    principal_remarks,
    arn_remarks,
    condition_remarks,
    value_remarks,
    tag_remarks,
    key_remarks,
    security_remarks,
    grant_remarks,
)
_ORDER = {severity: number for number, severity in enumerate(Severity)}


def lint(
    policy: str | Document, kind: PolicyKind = PolicyKind.IDENTITY, *, catalogue: ActionCatalogue | None = None
) -> tuple[Remark, ...]:
    """Remarks on a policy, worst first, then in the order of the text.

    A text that does not parse is remarked on too. With a catalogue, actions, condition keys, their types and resources
    are checked against it; without, only what the language itself says.
    """
    try:
        document = parse(policy) if isinstance(policy, str) else policy
    except MalformedPolicy:
        return tuple(structure_remarks(str(policy)))
    linted = Linted(document, kind, catalogue)
    remarks = [remark for check in _CHECKS for remark in check(linted)]
    return tuple(sorted(remarks, key=lambda remark: (_ORDER[remark.severity], _offset(remark))))


def _offset(remark: Remark) -> int:
    return remark.locations[0].span.start.offset if remark.locations else 0
