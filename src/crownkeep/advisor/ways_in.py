"""Ways in: which administrators could still get in once a step is done. A plan never takes the last one away."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from crownkeep.advisor import credential_report, permissions
from crownkeep.advisor.evidence import Evidence
from crownkeep.advisor.plans import PlanStep
from crownkeep.advisor.view import CannotTell, View


def reason_against(step: PlanStep, evidence: Evidence, signing_key: str, *, taken: Sequence[PlanStep] = ()) -> str | None:
    """Say why a step must not be taken, or None where a way in remains.

    `taken` are the steps before it. The evidence is as old as the credential report, which AWS makes anew every four hours, so it
    may still show the keys that they took away.
    """
    if not _takes_a_credential(step):
        return None
    key_id, owner = str(step.call.parameters["AccessKeyId"]), str(step.call.parameters["UserName"])
    if key_id == signing_key:
        return "it would switch off the key that this command signs with"
    try:
        # With what the steps before it took: each may be harmless, and both together take the last way in.
        without_keys = {str(each.call.parameters["UserName"]) for each in taken if _takes_a_credential(each)}
        left = [each for each in _ways(View(evidence), without_keys) if each != owner]
    except CannotTell as error:
        return f"whether a way in remains can't be told: {error}"
    return None if left else f"{owner} is the last administrator who can get in"


def _takes_a_credential(step: PlanStep) -> bool:
    return step.call.operation == "UpdateAccessKey"  # nothing else that a plan does takes one away


def _ways(view: View, without_keys: Collection[str]) -> Iterator[str]:
    """Yield administrators with a credential that works; of those who lost a key already, only a password counts."""
    lines = {line.arn: line for line in credential_report.users(view)}
    for actor in permissions.actors(view).users:
        line = lines.get(actor.arn)
        if line is None or not (line.has_password if actor.name in without_keys else line.can_sign_in):
            continue
        if permissions.is_administrator(actor):
            yield actor.name
    root = credential_report.root(view)
    if root is not None and root.has_password:
        yield "root"
