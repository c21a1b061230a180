"""A decision explained to people: a tree of what each kind of policy said and why each near statement did not apply."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crownkeep.policy.authorize import Applicable, authorize
from crownkeep.policy.compile import CompiledStatement, PolicySet
from crownkeep.policy.context import PolicyRequest
from crownkeep.policy.decision import DecidingKind, Decision, Finding, PolicyEffect
from crownkeep.policy.document import Condition


@dataclass(frozen=True, slots=True)
class ExplanationLine:
    """One remark of an explanation, with the remarks under it."""

    text: str
    under: tuple[ExplanationLine, ...] = ()

    def as_mapping(self) -> dict[str, Any]:
        """The remark as plain data."""
        return {"text": self.text, **({"under": [line.as_mapping() for line in self.under]} if self.under else {})}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and the tree that tells why."""

    decision: Decision
    lines: tuple[ExplanationLine, ...]

    def __str__(self) -> str:
        return "\n".join(_render(self.lines, ""))

    def as_mapping(self) -> dict[str, Any]:
        """The explanation as plain data, for JSON."""
        decision, request = self.decision, self.decision.request
        return {
            "allowed": decision.allowed,
            "decision": decision.effect.value,
            "reason": decision.reason.value,
            "principal": request.principal.arn,
            "action": request.action,
            "resource": request.resource,
            "message": None if decision.allowed else decision.denial_text(),
            "findings": [_finding_as_mapping(finding) for finding in decision.findings],
            "lines": [line.as_mapping() for line in self.lines],
        }


def explain(request: PolicyRequest, applicable: Applicable) -> Explanation:
    """Decide, and tell why: which policies were asked, which statement settled it, what kept the others from applying."""
    decision = authorize(request, applicable)
    verdict = "ALLOWED" if decision.allowed else "DENIED"
    head = ExplanationLine(f"{verdict}: {decision.reason.value}")
    lines = [head, *(_finding_line(finding, request, applicable) for finding in decision.findings)]
    if not decision.allowed:
        lines.append(ExplanationLine(decision.denial_text()))
    return Explanation(decision, tuple(lines))


def _render(lines: tuple[ExplanationLine, ...], indent: str) -> Iterator[str]:
    for number, line in enumerate(lines):
        is_last = number == len(lines) - 1
        yield f"{indent}{'└─ ' if is_last else '├─ '}{line.text}"
        yield from _render(line.under, indent + ("   " if is_last else "│  "))


_VERDICTS = {
    PolicyEffect.ALLOW: "allows",
    PolicyEffect.EXPLICIT_DENY: "denies explicitly",
    PolicyEffect.IMPLICIT_DENY: "does not allow",
}


def _finding_line(finding: Finding, request: PolicyRequest, applicable: Applicable) -> ExplanationLine:
    level = "" if finding.level is None else f" at level {finding.level}"
    text = f"{finding.kind.value}{level}: {_VERDICTS[finding.effect]}"
    if finding.statement is not None:
        return ExplanationLine(text, (ExplanationLine(name_of(finding.statement)),))
    # Nothing decided here, so the nearest thing to an answer is which Allows there are and what each of them lacks.
    policies = _set_of(finding, applicable)
    if policies is None:
        return ExplanationLine(text)
    near = [
        ExplanationLine(name_of(statement), tuple(_obstacles(statement, request)))
        for statement in policies.for_action(request.action).statements
        if statement.allows
    ]
    return ExplanationLine(text, tuple(near) or (ExplanationLine(f"no Allow statement names {request.action}"),))


def _set_of(finding: Finding, applicable: Applicable) -> PolicySet | None:
    match finding.kind:
        case DecidingKind.RESOURCE_CONTROL:
            return applicable.resource_control[finding.level or 0]
        case DecidingKind.SERVICE_CONTROL:
            return applicable.service_control[finding.level or 0]
        case DecidingKind.RESOURCE:
            return applicable.resource
        case DecidingKind.ENDPOINT:
            return applicable.endpoint
        case DecidingKind.IDENTITY:
            return applicable.identity
        case DecidingKind.BOUNDARY:
            return applicable.boundary
        case DecidingKind.SESSION:
            return applicable.session
        case DecidingKind.SCOPE:
            return applicable.scopes[finding.level or 0]


def name_of(compiled: CompiledStatement) -> str:
    """A statement as people look it up: its policy, its Sid or number, its line."""
    statement, source = compiled.statement, compiled.source
    which = f"statement {statement.sid}" if statement.sid else f"statement {statement.index + 1}"
    line = compiled.document.statement_span(statement).start.line
    effect = "Allow" if compiled.allows else "Deny"
    return f"{effect} in {source.arn or source.name or source.id}, {which}, line {line}"


def _obstacles(compiled: CompiledStatement, request: PolicyRequest) -> Iterator[ExplanationLine]:
    """Why a statement that names the action does not apply."""
    if not compiled.matches_resource(request):
        yield ExplanationLine(f"its resources do not match {request.resource}")
    if compiled.named_by is not None and not compiled.named_by(request.principal):
        yield ExplanationLine(f"it does not name {request.principal.arn or 'the caller'}")
    for condition, test in zip(compiled.statement.conditions, compiled.conditions, strict=True):
        if not test(request.context.get):
            yield ExplanationLine(_condition_text(condition, request))


def _condition_text(condition: Condition, request: PolicyRequest) -> str:
    value = request.context.get(condition.key.lower())
    shown = "absent" if value is None else repr(value) if isinstance(value, str) else repr(list(value))
    wanted = ", ".join(map(repr, condition.values))
    return f"{condition.operator} {condition.key} wants {wanted or 'nothing'}; the request has {shown}"


def _finding_as_mapping(finding: Finding) -> dict[str, Any]:
    member: dict[str, Any] = {"kind": finding.kind.value, "effect": finding.effect.value}
    if finding.level is not None:
        member["level"] = finding.level
    if finding.statement is not None:
        statement = finding.statement
        span = statement.document.statement_span(statement.statement)
        member["policy"] = statement.source.arn or statement.source.id
        member["statement"] = statement.statement.sid or statement.statement.index
        member["line"] = span.start.line
        member["column"] = span.start.column
    return member
