"""Policy documents on pages: checked while they are typed or by a button, told by line and column, and summed up for people."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from starlette.requests import Request

from crownkeep.console.kit import parts, policy_summary, web
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part
from crownkeep.console.kit.policy_summary import Summary

EXAMPLE = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "iam:GetUser",
      "Resource": "*"
    }
  ]
}"""


class Sort(Enum):
    """What a document is meant to be."""

    IDENTITY = "identity"
    TRUST = "trust"
    SERVICE_CONTROL = "service-control"
    RESOURCE_CONTROL = "resource-control"


_ASKED: Mapping[Sort, Mapping[str, object]] = {
    Sort.IDENTITY: {"policyType": "IDENTITY_POLICY"},
    Sort.TRUST: {"policyType": "RESOURCE_POLICY", "validatePolicyResourceType": "AWS::IAM::AssumeRolePolicyDocument"},
    Sort.SERVICE_CONTROL: {"policyType": "SERVICE_CONTROL_POLICY"},
    Sort.RESOURCE_CONTROL: {"policyType": "RESOURCE_CONTROL_POLICY"},
}


@dataclass(frozen=True, slots=True)
class DocumentFinding:
    """What the validation has to say, and where; lines and columns count from 1, as editors do."""

    type: str
    code: str
    details: str
    line: int
    column: int
    excerpt: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A document and what the validation says of it."""

    document: str
    sort: Sort
    part: Part

    @property
    def is_clean(self) -> bool:
        """Whether it was checked and nothing was found."""
        return self.part.refusal is None and not self.part.rows("findings")

    @property
    def has_errors(self) -> bool:
        """Whether an error was found: what IAM would not understand is not saved all the same."""
        return any(each["findingType"] == "ERROR" for each in self.part.rows("findings"))

    @property
    def mark(self) -> str:
        """By what a form says that the findings about this very document were shown."""
        return mark(self.document)

    @property
    def findings(self) -> list[DocumentFinding]:
        """What was found."""
        return _findings(self.part, self.document)

    @property
    def summary(self) -> Summary | None:
        """What the document grants; None for a trust policy, and for what is no policy."""
        return policy_summary.summarize(self.document) if self.sort is not Sort.TRUST else None


async def check(request: Request, document: str, sort: Sort = Sort.IDENTITY) -> Checked:
    """Ask what is wrong with a document."""
    asked = validation(document, sort)
    return Checked(document, sort, await parts.ask(request, asked.operation, service=asked.service, **asked.parameters))


def validation(document: str, sort: Sort = Sort.IDENTITY) -> Equivalent:
    """Return the call that checks a document."""
    return Equivalent("accessanalyzer", "ValidatePolicy", {"policyDocument": document, **_ASKED[sort]})


def typed(request: Request) -> str:
    """Return the document that came in a form, with the line ends that findings count by."""
    # Browsers send a text area's lines with CR and LF, whatever was typed (HTML, "constructing the entry list").
    return web.form(request).one("document").replace("\r\n", "\n")


def has_to_be_read(request: Request, checked: Checked) -> bool:
    """Tell whether to show the findings instead of saving.

    They were asked for, are errors, or were not shown for this very document.
    """
    form = web.form(request)
    return "check" in form or checked.has_errors or (not checked.is_clean and form.one("read") != checked.mark)


def mark(document: str) -> str:
    """Return a hash of a document."""
    return hashlib.sha256(document.encode()).hexdigest()


def _findings(part: Part, document: str) -> list[DocumentFinding]:
    lines = document.split("\n")
    found = []
    for each in part.rows("findings"):
        places = each.get("locations") or [{"span": {"start": {"line": 1, "column": 0}}}]
        start = places[0]["span"]["start"]
        # AWS counts lines from 1 and columns from 0 (API_Position).
        line = int(start["line"])
        excerpt = lines[line - 1].strip() if 0 < line <= len(lines) else ""
        found.append(
            DocumentFinding(
                each["findingType"], each["issueCode"], each["findingDetails"], line, int(start["column"]) + 1, excerpt
            )
        )
    return found
