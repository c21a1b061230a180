"""Session tags: passed with a session, inherited along a chain of roles where they are transitive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crownkeep import errors
from crownkeep.principals import Session

_MOST = 50
_RESERVED = "aws:"

Tags = Sequence[Mapping[str, str]]
"""The parameter `Tags`."""


@dataclass(frozen=True, slots=True)
class SessionTags:
    """The tags of a session and which of them pass on to the next."""

    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_keys: tuple[str, ...] = ()


def read(sent: Tags, transitive_keys: Sequence[str] = (), *, of: Session | None = None) -> SessionTags:
    """Hold session tags to AWS's rules and add those inherited from `of`, the session of the caller.

    Raises InvalidParameterValue in AWS's words (IAM user guide, "Pass session tags in AWS STS").
    """
    keys = {tag["Key"].lower() for tag in sent}
    if len(keys) != len(sent):
        raise errors.InvalidParameterValue("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.startswith(_RESERVED) for key in keys):
        raise errors.InvalidParameterValue("Tag keys beginning with aws: are reserved for system use.")
    if not {key.lower() for key in transitive_keys} <= keys:
        raise errors.InvalidParameterValue("The specified transitive tag key must be included in the requested tags.")
    passed = inherited(of)
    if keys & {key.lower() for key in passed}:
        raise errors.InvalidParameterValue(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the "
            "calling session."
        )
    tags = {**passed, **{tag["Key"]: tag["Value"] for tag in sent}}
    if len(tags) > _MOST:
        raise errors.InvalidParameterValue(f"The number of session tags must not exceed {_MOST}.")
    passed_on = dict.fromkeys(transitive_keys)
    # A key's spelling is the tag's, whatever the list of transitive keys made of it.
    spelled = tuple(key for key in tags if key.lower() in {each.lower() for each in passed_on} or key in passed)
    return SessionTags(tags, spelled)


def inherited(session: Session | None) -> dict[str, str]:
    """Return the tags that a session passes on to the next."""
    if session is None:
        return {}
    transitive = {key.lower() for key in session.transitive_tag_keys}
    return {key: value for key, value in session.tags.items() if key.lower() in transitive}
