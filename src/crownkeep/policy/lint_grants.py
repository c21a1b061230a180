"""Lint of two actions that hand power on: passing a role to a service, and making a service-linked role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crownkeep.policy.document import PolicyKind, Statement
from crownkeep.policy.linted import Linted
from crownkeep.policy.patterns import read_pattern
from crownkeep.policy.positions import Path
from crownkeep.policy.remarks import Remark, Severity

GRANTING = frozenset({PolicyKind.IDENTITY, PolicyKind.SESSION, PolicyKind.RESOURCE})
"""The kinds of policies whose Allow gives something; that of a boundary or a control policy only leaves it."""


@dataclass(frozen=True, slots=True)
class _Handover:
    """An action of the kind: its issue codes' first word, its severity, and the key that confines it to a service."""

    action: str
    code: str
    severity: Severity
    confining_key: str
    harm: str


_HANDOVERS = (
    _Handover(
        "iam:PassRole",
        "PASS_ROLE",
        Severity.SECURITY_WARNING,
        "iam:passedtoservice",
        "any role may be handed to a service, and what it may do with it",
    ),
    _Handover(
        "iam:CreateServiceLinkedRole",
        "CREATE_SLR",
        Severity.WARNING,
        "iam:awsservicename",
        "service-linked roles may be made for services that nobody meant",
    ),
)


def grant_remarks(linted: Linted) -> Iterator[Remark]:
    """Every remark on grants of these actions that name no role."""
    if linted.kind not in GRANTING:
        return
    for statement in linted.document.statements:
        if statement.allows:
            for handover in _HANDOVERS:
                yield from _wide_handover(linted, statement, handover)


def _wide_handover(linted: Linted, statement: Statement, handover: _Handover) -> Iterator[Remark]:
    if any(condition.key.lower() == handover.confining_key for condition in statement.conditions):
        return
    resource, resource_paths = _wide_resource(linted, statement)
    if not resource:
        return
    for action, paths in _allowing(linted, statement, handover.action.lower()):
        if paths:
            parts = {
                ("", "NOT_RESOURCE"): "NOT_RESOURCE",
                ("", "STAR_IN_RESOURCE"): "STAR_IN_RESOURCE",
                ("STAR_IN_ACTION", "NOT_RESOURCE"): "STAR_IN_ACTION_AND_NOT_RESOURCE",
                ("STAR_IN_ACTION", "STAR_IN_RESOURCE"): "STAR_IN_ACTION_AND_RESOURCE",
                ("NOT_ACTION", "NOT_RESOURCE"): "NOT_ACTION_AND_NOT_RESOURCE",
                ("NOT_ACTION", "STAR_IN_RESOURCE"): "STAR_IN_RESOURCE_AND_NOT_ACTION",
            }[action, resource]
            details = (
                f"The statement allows {handover.action} on more than the roles that are meant: {handover.harm}. "
                f"Name roles by their ARNs, or add the condition key {handover.confining_key}."
            )
            yield linted.remark(handover.severity, f"{handover.code}_WITH_{parts}", details, *paths, *resource_paths)


def _wide_resource(linted: Linted, statement: Statement) -> tuple[str, list[Path]]:
    """How the statement names more roles than one by one, if it does, and where."""
    stars = [path for resource, path in linted.entries(statement, "Resource") if _covers_every_role(resource)]
    if stars:
        return "STAR_IN_RESOURCE", stars
    excepted = statement.not_resources
    if excepted and not any(map(_covers_every_role, excepted)):
        return "NOT_RESOURCE", [linted.path(statement, "NotResource")]
    return "", []


def _allowing(linted: Linted, statement: Statement, action: str) -> Iterator[tuple[str, list[Path]]]:
    """Each way in which the statement's actions hold this one: by its name, by a wildcard, or by not excepting it."""
    holding = [(entry, path) for entry, path in linted.entries(statement, "Action") if read_pattern(entry.lower())(action)]
    yield "", [path for entry, path in holding if "*" not in entry]
    yield "STAR_IN_ACTION", [path for entry, path in holding if "*" in entry]
    excepted = statement.not_actions
    if excepted and not any(read_pattern(entry.lower())(action) for entry in excepted):
        yield "NOT_ACTION", [linted.path(statement, "NotAction")]


def _covers_every_role(resource: str) -> bool:
    return resource == "*" or (resource.startswith("arn:") and read_pattern(resource)("arn:aws:iam::*:role/*"))
