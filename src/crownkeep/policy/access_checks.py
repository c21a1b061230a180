"""Checks that a policy does not grant something, or grants nothing new; PASS is always proven, and so is FAIL.

What can be proven neither way, mostly because of conditions, is NOT_PROVEN. On the wire that is AWS's FAIL, which says
only that the policy "might" allow it (API_CheckNoNewAccess, API_CheckAccessNotGranted).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice, product
from typing import Any

from crownkeep.policy.compile import PolicySet, PolicySource, compile_policy, compile_set
from crownkeep.policy.context import Context, ContextValue, PolicyPrincipal, PolicyPrincipalKind, PolicyRequest
from crownkeep.policy.document import Condition, Document, PolicyKind, Principals, Statement
from crownkeep.policy.globs import Words, arn_holds, example, holds
from crownkeep.policy.operators import read_operator
from crownkeep.policy.work import TooMuchWork

_FILLINGS = ("x", "", "x/x")
# Patterns multiply, and a document may hold thousands: past these bounds an answer is NOT_PROVEN rather than late.
_MAX_COMPARISONS = 60_000
_MAX_STEPS = 10**9
_MAX_PAIRS = 400
_MAX_TRIED = 20
_MAX_EXAMPLES = 150
_MAX_WORK = 1_000_000


class CheckResult(Enum):
    """The answer of a check; only PASS says that no request at all gets what is asked about."""

    PASS = "PASS"
    FAIL = "FAIL"
    NOT_PROVEN = "NOT_PROVEN"


@dataclass(frozen=True, slots=True)
class Access:
    """What should not be granted: any of the actions on any of the resources; an empty side stands for all."""

    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckReason:
    """Why a check did not pass: a statement and what about it."""

    description: str
    statement_index: int
    statement_id: str | None


@dataclass(frozen=True, slots=True)
class AccessCheck:
    """A check's answer with its reasons."""

    result: CheckResult
    message: str
    reasons: tuple[CheckReason, ...]

    def as_member(self) -> dict[str, Any]:
        """The response structure of AWS's model."""
        reasons = [
            {
                "description": reason.description,
                "statementIndex": reason.statement_index,
                **({"statementId": reason.statement_id} if reason.statement_id is not None else {}),
            }
            for reason in self.reasons
        ]
        result = CheckResult.PASS if self.result is CheckResult.PASS else CheckResult.FAIL
        return {"result": result.value, "message": self.message, **({"reasons": reasons} if reasons else {})}


def check_access_not_granted(
    document: Document, access: Sequence[Access], *, kind: PolicyKind = PolicyKind.IDENTITY
) -> AccessCheck:
    """Whether the policy grants none of the access: PASS only when no request at all can get it."""
    tried = _Tried(document, kind)
    asked = [pattern for unwanted in access for pattern in (*unwanted.actions, *unwanted.resources)]
    # Asked before anything is compared: the number of pairs is what grows, and it is known from the lengths.
    if _are_too_many(_patterns(document), asked):
        return _too_large("The policy document and the listed access are too large to be compared.")
    denies = [statement for statement in document.statements if not statement.allows]
    verdicts: list[tuple[CheckResult, CheckReason]] = []
    for statement in document.statements:
        if not statement.allows:
            continue
        for unwanted in access:
            result = _grants(statement, unwanted, denies, tried)
            # One reason for each statement is enough, as in AWS's answers.
            if result is not CheckResult.PASS:
                may = "allows" if result is CheckResult.FAIL else "may allow, depending on conditions,"
                verdicts.append((result, _reason(statement, f"The statement {may} access that should not be granted.")))
                break
    return _answer(
        verdicts,
        passed="The policy document does not grant access to perform the listed actions or resources.",
        failed="The policy document grants access to perform one or more of the listed actions or resources.",
        unproven="It cannot be proven that the policy document does not grant the listed access.",
    )


def check_no_new_access(existing: Document, new: Document, *, kind: PolicyKind = PolicyKind.IDENTITY) -> AccessCheck:
    """Whether everything the new policy allows was allowed by the existing one: PASS only when that is proven."""
    if _are_too_many(_patterns(existing), _patterns(new)):
        return _too_large("The two policy documents are too large to be compared.")
    before, after = _Tried(existing, kind), _Tried(new, kind)
    verdicts: list[tuple[CheckResult, CheckReason]] = []
    for statement in new.statements:
        if not statement.allows or _was_allowed(statement, existing, new):
            continue
        if _is_newly_allowed(statement, before, after, existing, new):
            verdicts.append((CheckResult.FAIL, _reason(statement, "New access in the statement.")))
        else:
            text = "It cannot be proven that the statement allows nothing new."
            verdicts.append((CheckResult.NOT_PROVEN, _reason(statement, text)))
    return _answer(
        verdicts,
        passed="The modified permissions do not grant new access compared to your existing policy.",
        failed="The modified permissions grant new access compared to your existing policy.",
        unproven="It cannot be proven that the modified permissions grant no new access compared to your existing policy.",
    )


def _patterns(document: Document) -> list[str]:
    """The patterns of a document's Action and Resource elements."""
    elements = (
        element
        for statement in document.statements
        for element in (statement.actions, statement.not_actions, statement.resources, statement.not_resources)
    )
    return [pattern for element in elements for pattern in element or ()]


def _are_too_many(some: list[str], others: list[str]) -> bool:
    """Whether comparing each of some patterns with each of others would take more than a moment."""
    steps = sum(map(len, some)) * sum(map(len, others))
    return len(some) * len(others) > _MAX_COMPARISONS or steps > _MAX_STEPS


def _too_large(message: str) -> AccessCheck:
    return AccessCheck(CheckResult.NOT_PROVEN, message, ())


class _Tried:
    """A document's policy that examples are tried on, as far as the work for all of them goes."""

    def __init__(self, document: Document, kind: PolicyKind) -> None:
        self._policies: PolicySet = compile_set([compile_policy(document, source=PolicySource(kind, "policy"))])
        self._left = _MAX_WORK

    def allows(self, request: PolicyRequest) -> bool:
        """Whether the policy allows a request; raises TooMuchWork."""
        self._left -= self._policies.for_action(request.action).work.steps(request.context.get)
        if self._left < 0:
            raise TooMuchWork
        said = self._policies.decide(request)
        return said is not None and said.allows


def _reason(statement: Statement, description: str) -> CheckReason:
    name = f"with Sid {statement.sid}" if statement.sid else f"with index {statement.index}"
    return CheckReason(f"{description.rstrip('.')} {name}.", statement.index, statement.sid)


def _answer(verdicts: list[tuple[CheckResult, CheckReason]], *, passed: str, failed: str, unproven: str) -> AccessCheck:
    results = {result for result, _ in verdicts}
    reasons = tuple(reason for _, reason in verdicts)
    if CheckResult.FAIL in results:
        return AccessCheck(CheckResult.FAIL, failed, reasons)
    if results:
        return AccessCheck(CheckResult.NOT_PROVEN, unproven, reasons)
    return AccessCheck(CheckResult.PASS, passed, ())


def _actions(statement: Statement) -> Words:
    negated = statement.not_actions is not None
    patterns = (statement.not_actions if negated else statement.actions) or ()
    return Words(tuple(pattern.lower() for pattern in patterns), negated, are_arns=False)


def _resources(statement: Statement) -> Words:
    if statement.not_resources is not None:
        return Words(statement.not_resources, True, are_arns=True)
    return Words(statement.resources if statement.resources is not None else ("*",), False, are_arns=True)


def _grants(statement: Statement, unwanted: Access, denies: list[Statement], tried: _Tried) -> CheckResult:
    """Whether one Allow statement grants some of the unwanted access."""
    actions, resources = _actions(statement), _resources(statement)
    meeting_actions = [action for action in unwanted.actions or ("*",) if actions.meet(action.lower())]
    meeting_resources = [resource for resource in unwanted.resources or ("*",) if resources.meet(resource)]
    granted = [
        (action, resource)
        # Cut off, and remembered as cut off below: what was not looked at is never a PASS.
        for action, resource in islice(product(meeting_actions, meeting_resources), _MAX_PAIRS)
        if not any(_denies_all(deny, statement, action.lower(), resource) for deny in denies)
    ]
    try:
        for action, resource in granted[:_MAX_TRIED]:
            examples = _examples(statement, Access((action,), (resource,)))
            # A FAIL is only said of a request that the engine itself allows.
            if any(_is_within(request, action, resource) and tried.allows(request) for request in examples):
                return CheckResult.FAIL
    except TooMuchWork:
        return CheckResult.NOT_PROVEN
    is_cut_short = len(meeting_actions) * len(meeting_resources) > _MAX_PAIRS
    return CheckResult.NOT_PROVEN if granted or is_cut_short else CheckResult.PASS


def _denies_all(deny: Statement, allow: Statement, action: str, resource: str) -> bool:
    """Whether a Deny covers, for every caller and context, all of what an Allow gives of an action and resource."""
    if deny.conditions or not _covers_principals(deny, allow):
        return False
    denied_actions, denied_resources = _actions(deny), _resources(deny)
    return (denied_actions.hold(action) or denied_actions.hold_all(_actions(allow))) and (
        denied_resources.hold(resource) or denied_resources.hold_all(_resources(allow))
    )


def _is_within(request: PolicyRequest, action: str, resource: str) -> bool:
    return holds(action.lower(), request.action.lower()) and arn_holds(resource, request.resource)


def _is_everyone(principals: Principals) -> bool:
    return principals.everyone or ("AWS", "*") in principals.named


def _was_allowed(statement: Statement, existing: Document, new: Document) -> bool:
    """Proof that one existing Allow covers the statement, and that no existing Deny that cut it has been loosened."""
    actions, resources = _actions(statement), _resources(statement)
    if not any(
        old.allows
        and _actions(old).hold_all(actions)
        and _resources(old).hold_all(resources)
        and _covers_principals(old, statement)
        and _is_at_least_as_strict(statement, old)
        and existing.expands_variables == new.expands_variables
        for old in existing.statements
    ):
        return False
    # An Allow that was there may have been cut by a Deny; taking that away is new access, too.
    cutting = [
        old
        for old in existing.statements
        if not old.allows and _actions(old).meet_any(actions) and _resources(old).meet_any(resources)
    ]
    return all(any(_denies_as_much(deny, old) for deny in new.statements if not deny.allows) for old in cutting)


def _covers_principals(outer: Statement, inner: Statement) -> bool:
    """Whether a statement names everybody another one names."""
    if (outer.principal, outer.not_principal) == (inner.principal, inner.not_principal):
        return True
    if outer.principal is None or inner.principal is None:
        return outer.principal is None and outer.not_principal is None
    left = set(inner.principal.named) - set(outer.principal.named)
    if _is_everyone(outer.principal):  # which callers with a token of an identity provider are not part of
        # `"AWS": "*"` is everybody with an AWS identity, and nobody who comes with an outside token.
        return not any(kind == "Federated" for kind, _ in left)
    return not left and not inner.principal.everyone


def _is_at_least_as_strict(strict: Statement, loose: Statement) -> bool:
    """Whether every condition of the loose statement is a condition of the strict one too."""
    return all(any(_implies(one, other) for one in strict.conditions) for other in loose.conditions)


def _implies(condition: Condition, other: Condition) -> bool:
    """Whether a condition is met only when another one is: the same test, with the same or fewer accepted values."""
    if (condition.operator, condition.key.lower()) != (other.operator, other.key.lower()):
        return False
    if condition.values == other.values:
        return True
    operator = read_operator(condition.operator)
    if operator is None or not condition.values or not other.values or operator.base == "ArnLike":
        return False
    values, others = set(condition.values), set(other.values)
    # A negated operator is stricter with more values, a positive one with fewer.
    return values >= others if operator.negated else values <= others


def _denies_as_much(deny: Statement, old: Statement) -> bool:
    return (
        _actions(deny).hold_all(_actions(old))
        and _resources(deny).hold_all(_resources(old))
        and _covers_principals(deny, old)
        and _is_at_least_as_strict(old, deny)
    )


def _is_newly_allowed(statement: Statement, before: _Tried, after: _Tried, existing: Document, new: Document) -> bool:
    """Whether a request was found that is allowed now and was not: a counterexample, checked by the engine itself."""
    hints = Access(
        tuple(action for old in existing.statements for action in (*(old.actions or ()), *(old.not_actions or ()))),
        tuple(arn for old in existing.statements for arn in (*(old.resources or ()), *(old.not_resources or ()))),
    )
    try:
        return any(after.allows(request) and not before.allows(request) for request in _examples(statement, hints))
    except TooMuchWork:  # what can't be tried is not proven
        return False


def _examples(statement: Statement, hints: Access) -> Iterator[PolicyRequest]:
    """Requests that the statement may match: what its patterns and the hints say, filled in."""
    actions = _sample(statement.actions or ("*",), hints.actions, "iam:GetUser")
    resources = _sample(statement.resources or ("*",), hints.resources, "arn:aws:iam::000000000000:user/x")
    context = Context(_satisfying(statement.conditions))
    made = product(_callers(statement.principal), actions, resources)
    for number, (caller, action, resource) in enumerate(made):
        if number >= _MAX_EXAMPLES:
            return
        yield PolicyRequest(caller, action, resource, context)


def _sample(patterns: tuple[str, ...], hints: tuple[str, ...], default: str) -> list[str]:
    """Strings to try: each pattern and each hint, stars filled in several ways."""
    narrower = [text for text in (*patterns, *hints) if text != "*"] + [default]
    return list(dict.fromkeys(example(text, filling) for text in narrower for filling in _FILLINGS))


def _callers(principals: Principals | None) -> list[PolicyPrincipal]:
    if principals is None or _is_everyone(principals):
        return [PolicyPrincipal(PolicyPrincipalKind.USER, "arn:aws:iam::000000000000:user/x", "000000000000")]
    return [_caller(kind, name) for kind, name in principals.named]


def _caller(kind: str, name: str) -> PolicyPrincipal:
    if kind == "Service":
        return PolicyPrincipal(PolicyPrincipalKind.SERVICE, names=(name,))
    if kind == "Federated":
        return PolicyPrincipal(PolicyPrincipalKind.WEB_IDENTITY, names=(name,))
    account = name if name.isdigit() else name.split(":")[4] if name.count(":") >= 5 else "000000000000"
    if name.isdigit() or name.endswith(":root"):
        return PolicyPrincipal(PolicyPrincipalKind.ROOT, f"arn:aws:iam::{account}:root", account)
    return PolicyPrincipal(PolicyPrincipalKind.USER, name, account, unique_id=name)


def _satisfying(conditions: tuple[Condition, ...]) -> dict[str, ContextValue]:
    """Context values that may satisfy simple positive conditions; the engine judges whether they do."""
    values: dict[str, ContextValue] = {}
    for condition in conditions:
        operator = read_operator(condition.operator)
        if operator is None or not condition.values or operator.negated:
            continue
        text = example(condition.values[0], "x")
        if operator.base == "IpAddress":
            text = text.partition("/")[0]
        if operator.base == "Null":
            if condition.values[0] == "false":
                values[condition.key] = "x"
        else:
            values[condition.key] = text if operator.qualifier is None else (text,)
    return values
