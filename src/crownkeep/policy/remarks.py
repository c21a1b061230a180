"""What lint says: remarks with AWS's issue codes, places in the text, and the catalogue of actions it may ask."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from crownkeep.policy.positions import Path, Position, Span

_LEARN_MORE = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"
    "#access-analyzer-reference-policy-checks"
)
_NOT_ELEMENT = re.compile("NOT_(PRINCIPAL|ACTION|RESOURCE|IP_ADDRESS)")


class Severity(Enum):
    """The impact of a remark, in the words of ValidatePolicy's findingType, worst first."""

    ERROR = "ERROR"
    SECURITY_WARNING = "SECURITY_WARNING"
    WARNING = "WARNING"
    SUGGESTION = "SUGGESTION"


@dataclass(frozen=True, slots=True)
class Location:
    """Where a remark belongs: a path into the document and its span."""

    path: Path
    span: Span

    def as_member(self) -> dict[str, Any]:
        """The Location structure of AWS's model."""
        elements = [{"index": step} if isinstance(step, int) else {"value": step} for step in self.path]
        return {"path": elements, "span": {"start": _position(self.span.start), "end": _position(self.span.end)}}


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing lint has to say, with the issue code that Access Analyzer uses for it."""

    severity: Severity
    code: str
    details: str
    locations: tuple[Location, ...]

    def as_member(self) -> dict[str, Any]:
        """The ValidatePolicyFinding structure of AWS's model."""
        return {
            "findingType": self.severity.value,
            "issueCode": self.code,
            "findingDetails": self.details,
            "learnMoreLink": f"{_LEARN_MORE}-{self._anchor()}",
            "locations": [location.as_member() for location in self.locations],
        }

    def _anchor(self) -> str:
        """Where the check stands on AWS's page: its headings write elements in one word, as `allow-with-notprincipal`."""
        kind = "GENERAL_WARNING" if self.severity is Severity.WARNING else self.severity.value
        check = _NOT_ELEMENT.sub(lambda found: f"NOT{found[1].replace('_', '')}", self.code)
        return f"{kind}_{check}".lower().replace("_", "-")


def _position(position: Position) -> dict[str, int]:
    return {"line": position.line, "column": position.column, "offset": position.offset}


class ActionCatalogue(Protocol):
    """What lint may ask about AWS's actions; the caller brings the data, so that this room needs none.

    Actions and keys come as the policy spells them; the case of their names does not matter.
    """

    def has_service(self, prefix: str) -> bool:
        """Whether a service prefix, in lower case, exists."""
        ...

    def action_names(self, prefix: str) -> Collection[str]:
        """The names of a service's actions, in AWS's case."""
        ...

    def condition_keys(self, action: str) -> Collection[str] | None:
        """The service condition keys an action supports, or None when that is not known."""
        ...

    def key_type(self, key: str) -> str | None:
        """The type of a condition key, such as `String`, `Bool` or `ArrayOfString`, or None when it is not known."""
        ...

    def has_region(self, name: str) -> bool:
        """Whether a Region of this name exists."""
        ...

    def has_service_principal(self, name: str) -> bool:
        """Whether a service is named so in policies, such as `ec2.amazonaws.com`."""
        ...

    def arn_patterns(self, service: str) -> Collection[str]:
        """The ARN formats, with `*` for what varies, of the resources of a service as ARNs name it."""
        ...

    def service_keys(self, prefix: str) -> Collection[str] | None:
        """The condition keys, in lower case, that any of a service's actions fills in, or None when that is not known."""
        ...

    def resource_patterns(self, action: str) -> Collection[str] | None:
        """The ARN formats, with `*` for what varies, of the resources an action takes, or None when that is not known."""
        ...
