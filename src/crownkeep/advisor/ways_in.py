"""Ways in: which administrators could still get in once a step is done. A plan never takes the last one away."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import credential_report, permissions
from crownkeep.advisor.evidence import Evidence
from crownkeep.advisor.plans import PlanStep
from crownkeep.advisor.view import CannotTell, View


def reason_against(step: PlanStep, evidence: Evidence, signing_key: str) -> str | None:
    """Say why a step must not be taken, or None where a way in remains."""
    if step.call.operation != "UpdateAccessKey":
        return None  # nothing else that a plan does takes a credential away
    key_id, owner = str(step.call.parameters["AccessKeyId"]), str(step.call.parameters["UserName"])
    if key_id == signing_key:
        return "it would switch off the key that this command signs with"
    try:
        left = [each for each in _ways(View(evidence)) if each != owner]
    except CannotTell as error:
        return f"whether a way in remains can't be told: {error}"
    return None if left else f"{owner} is the last administrator who can get in"


def _ways(view: View) -> Iterator[str]:
    """Yield administrators with a credential that works; an owner of one that is taken away is not counted at all."""
    lines = {line.arn: line for line in credential_report.users(view)}
    for actor in permissions.actors(view).users:
        line = lines.get(actor.arn)
        if line is not None and line.can_sign_in and permissions.is_administrator(actor):
            yield actor.name
    root = credential_report.root(view)
    if root is not None and root.has_password:
        yield "root"
