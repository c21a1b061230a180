"""Policies that a simulation leaves out, to see what would be without them: by type, by ARN, or by name and holder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from crownkeep import arn, errors
from crownkeep.policy import SourceType
from crownkeep.services.iam.policies.held_policies import HeldPolicy

Exclusions = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Excluded:
    """What is left out of a simulation."""

    tests: tuple[Callable[[HeldPolicy], bool], ...]
    boundary: bool
    """Whether the boundary is left out, whatever it is."""

    def keeps(self, held: HeldPolicy) -> bool:
        """Tell whether a policy stays in the simulation: no exclusion names it."""
        return not any(test(held) for test in self.tests)


def read(sent: Exclusions) -> Excluded:
    """Read a list of exclusions; raises InvalidInput for an entry that names not exactly one thing, or names it wrongly.

    What matches nothing is ignored, as on AWS; so are service and resource control policies, of which an account without an
    organization has none.
    """
    tests: list[Callable[[HeldPolicy], bool]] = []
    boundary = False
    for entry in sent:
        match {key: value for key, value in entry.items() if value is not None}:
            case {"PolicyType": "permission-boundary", **rest} if not rest:
                boundary = True
            # `rest` is what else the entry names: nothing may be left.
            case {"PolicyType": str(name), **rest} if not rest:
                tests.append(_of_type(name))
            case {"PolicyArn": str(pattern), **rest} if not rest:
                tests.append(_with_arn(pattern))
            case {"InlinePolicyIdentifier": dict(named), **rest} if not rest:
                tests.append(_inline(named))
            case _:
                raise errors.InvalidInput(
                    "Each excluded policy must be named by exactly one of its type, its ARN or its identifier."
                )
    return Excluded(tuple(tests), boundary)


def _of_type(name: str) -> Callable[[HeldPolicy], bool]:
    if name == "inline":
        return lambda held: held.arn is None
    types = {"aws-managed": SourceType.AWS_MANAGED, "user-managed": SourceType.USER_MANAGED}
    wanted = types.get(name)
    return lambda held: held.source_type is wanted


def _with_arn(text: str) -> Callable[[HeldPolicy], bool]:
    parts = arn.parse(text)
    if parts is None or parts.service != "iam" or not parts.resource.startswith("policy/"):
        raise errors.InvalidInput(f"ARN {text} is not valid.")
    if any(sign in part for sign in "*?" for part in (parts.partition, parts.region, parts.account_id)):
        raise errors.InvalidInput(f"ARN {text} is not valid: wildcards are allowed in the name of the policy only.")
    matches = _pattern(text)
    return lambda held: held.arn is not None and matches(held.arn)


def _inline(named: Mapping[str, object]) -> Callable[[HeldPolicy], bool]:
    name, kind, holder = (str(named.get(key, "")) for key in ("PolicyName", "AttachmentType", "AttachmentName"))
    # The guide speaks of wildcards in the holder's name, but the model's pattern lets none through.
    return lambda held: (
        held.holder_kind is not None
        and held.holder_kind.value == kind
        and held.name.lower() == name.lower()
        and held.holder_name.lower() == holder.lower()
    )


def _pattern(text: str) -> Callable[[str], bool]:
    if text.count("*") > 1:
        raise errors.InvalidInput(f"{text} is not valid: at most one * is allowed.")
    # One star needs no backtracking: the text before it, the text after it, and enough between them.
    before, star, after = text.partition("*")
    start, end = _questions(before), _questions(after)

    def matches(candidate: str) -> bool:
        if not star:
            return len(candidate) == len(before) and start(candidate)
        middle = len(candidate) - len(before) - len(after)
        return middle >= 0 and start(candidate[: len(before)]) and end(candidate[len(candidate) - len(after) :])

    return matches


def _questions(text: str) -> Callable[[str], bool]:
    return lambda candidate: (
        len(candidate) == len(text) and all(one in (other, "?") for one, other in zip(text, candidate, strict=True))
    )
