"""A decision explained to people: a tree of what each kind of policy said and why each near statement did not apply."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crownkeep.policy.authorize import Applicable, authorize
from crownkeep.policy.compile import CompiledStatement, PolicySet
from crownkeep.policy.context import Request
from crownkeep.policy.decision import Decision, Effect, Finding, Kind
from crownkeep.policy.document import Condition


@dataclass(frozen=True, slots=True)
class Line:
    """One remark of an explanation, with the remarks under it."""

    text: str
    under: tuple[Line, ...] = ()

    def as_mapping(self) -> dict[str, Any]:
        """The remark as plain data."""
        return {"text": self.text, **({"under": [line.as_mapping() for line in self.under]} if self.under else {})}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and the tree that tells why."""

    decision: Decision
    lines: tuple[Line, ...]

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


def explain(request: Request, applicable: Applicable) -> Explanation:
    """Decide, and tell why: which policies were asked, which statement settled it, what kept the others from applying."""
    decision = authorize(request, applicable)
    verdict = "ALLOWED" if decision.allowed else "DENIED"
    head = Line(f"{verdict}: {decision.reason.value}")
    lines = [head, *(_finding_line(finding, request, applicable) for finding in decision.findings)]
    if not decision.allowed:
        lines.append(Line(decision.denial_text()))
    return Explanation(decision, tuple(lines))


def _render(lines: tuple[Line, ...], indent: str) -> Iterator[str]:
    for number, line in enumerate(lines):
        is_last = number == len(lines) - 1
        yield f"{indent}{'└─ ' if is_last else '├─ '}{line.text}"
        yield from _render(line.under, indent + ("   " if is_last else "│  "))


_VERDICTS = {
    Effect.ALLOW: "allows",
    Effect.EXPLICIT_DENY: "denies explicitly",
    Effect.IMPLICIT_DENY: "does not allow",
}


def _finding_line(finding: Finding, request: Request, applicable: Applicable) -> Line:
    level = "" if finding.level is None else f" at level {finding.level}"
    text = f"{finding.kind.value}{level}: {_VERDICTS[finding.effect]}"
    if finding.statement is not None:
        return Line(text, (Line(name_of(finding.statement)),))
    policies = _set_of(finding, applicable)
    if policies is None:
        return Line(text)
    near = [
        Line(name_of(statement), tuple(_obstacles(statement, request)))
        for statement in policies.for_action(request.action).statements
        if statement.allows
    ]
    return Line(text, tuple(near) or (Line(f"no Allow statement names {request.action}"),))


def _set_of(finding: Finding, applicable: Applicable) -> PolicySet | None:
    match finding.kind:
        case Kind.RESOURCE_CONTROL:
            return applicable.resource_control[finding.level or 0]
        case Kind.SERVICE_CONTROL:
            return applicable.service_control[finding.level or 0]
        case Kind.RESOURCE:
            return applicable.resource
        case Kind.ENDPOINT:
            return applicable.endpoint
        case Kind.IDENTITY:
            return applicable.identity
        case Kind.BOUNDARY:
            return applicable.boundary
        case Kind.SESSION:
            return applicable.session
        case Kind.SCOPE:
            return applicable.scopes[finding.level or 0]


def name_of(compiled: CompiledStatement) -> str:
    """A statement as people look it up: its policy, its Sid or number, its line."""
    statement, source = compiled.statement, compiled.source
    which = f"statement {statement.sid}" if statement.sid else f"statement {statement.index + 1}"
    line = compiled.document.statement_span(statement).start.line
    effect = "Allow" if compiled.allows else "Deny"
    return f"{effect} in {source.arn or source.name or source.id}, {which}, line {line}"


def _obstacles(compiled: CompiledStatement, request: Request) -> Iterator[Line]:
    """Why a statement that names the action does not apply."""
    if not compiled.matches_resource(request):
        yield Line(f"its resources do not match {request.resource}")
    if compiled.named_by is not None and not compiled.named_by(request.principal):
        yield Line(f"it does not name {request.principal.arn or 'the caller'}")
    for condition, test in zip(compiled.statement.conditions, compiled.conditions, strict=True):
        if not test(request.context.get):
            yield Line(_condition_text(condition, request))


def _condition_text(condition: Condition, request: Request) -> str:
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
