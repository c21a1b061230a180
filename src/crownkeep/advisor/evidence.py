"""Evidence: what the AWS API answered, each answer with its call and its time, kept so that checks can run without a network."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from crownkeep import untrusted_json

FORMAT = "crownkeep-evidence/1"

# Where IAM's action is not the service's client name and the operation's.
_ACTION_SERVICES = {"accessanalyzer": "access-analyzer"}
_ACTIONS = {"s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock"}

Made = TypeVar("Made")


class UnreadableEvidence(ValueError):
    """A file is no evidence that was saved here."""


@dataclass(frozen=True, slots=True)
class ApiQuestion:
    """One call of the AWS API: botocore's name of the service, the operation, and its parameters as canonical JSON."""

    service: str
    operation: str
    parameters: str = ""
    region: str = ""
    """Where a regional service is asked; empty for global ones and for the home Region."""

    @property
    def action(self) -> str:
        """The permission that the call needs, `iam:GetUser`."""
        name = f"{_ACTION_SERVICES.get(self.service, self.service)}:{self.operation}"
        return _ACTIONS.get(name, name)

    @property
    def text(self) -> str:
        """The call as a person reads it, and as answers are kept by."""
        where = f" in {self.region}" if self.region else ""
        return f"{self.service}:{self.operation}{f' {self.parameters}' if self.parameters else ''}{where}"

    def arguments(self) -> dict[str, Any]:
        """Return the call's parameters, by the names of the model."""
        return dict(untrusted_json.read(self.parameters)) if self.parameters else {}


def question(service: str, operation: str, *, region: str = "", **parameters: object) -> ApiQuestion:
    """Write down a call; parameters have the names of the model."""
    written = json.dumps(parameters, sort_keys=True, separators=(",", ":")) if parameters else ""
    return ApiQuestion(service, operation, written, region)


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """What a call answered, as JSON (times are ISO 8601 texts); None where AWS said that there is no such thing."""

    question: ApiQuestion
    at: datetime
    value: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Missing:
    """A call that was refused or failed: never a pass, and never a finding either."""

    question: ApiQuestion
    at: datetime
    code: str
    message: str
    is_denied: bool

    @property
    def reason(self) -> str:
        """What it takes to know more."""
        if self.is_denied:
            return f"needs {self.question.action}"
        return f"{self.question.action} was answered with {self.code}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was asked about one account."""

    account_id: str
    at: datetime
    answers: Mapping[str, ApiAnswer | Missing]
    """By the text of the question."""
    _made: dict[str, object] = field(default_factory=dict, compare=False, repr=False)

    def made(self, name: str, make: Callable[[], Made]) -> Made:
        """Return what is read out of answers, worked out once: many checks look at the same."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]  # type: ignore[return-value]  # what `make` made under this name before


def of(account_id: str, at: datetime, answers: list[ApiAnswer | Missing]) -> Evidence:
    """Put answers together."""
    return Evidence(account_id, at, {each.question.text: each for each in answers})


def save(evidence: Evidence) -> str:
    """Write evidence as JSON; `load` reads it back."""
    whole = {
        "format": FORMAT,
        "account_id": evidence.account_id,
        "at": stamp(evidence.at),
        "answers": [_written(each) for each in evidence.answers.values()],
    }
    return json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def load(text: str) -> Evidence:
    """Read evidence; raises UnreadableEvidence."""
    try:
        whole = untrusted_json.read(text)
        if whole["format"] != FORMAT:
            raise UnreadableEvidence(f"the evidence is not of the format `{FORMAT}`")
        return of(str(whole["account_id"]), moment(whole["at"]), [_read(each) for each in whole["answers"]])
    except UnreadableEvidence:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableEvidence("this is no evidence that `crownkeep audit --save` has written") from error


def stamp(at: datetime) -> str:
    """Write a moment: UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def moment(text: str) -> datetime:
    """Read a moment; one without a zone is UTC."""
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def plain(value: Any) -> Any:
    """Return an answer as JSON has it: times and bytes are texts."""
    match value:
        case dict():
            return {str(key): plain(each) for key, each in value.items() if key != "ResponseMetadata"}
        case list() | tuple():
            return [plain(each) for each in value]
        case datetime():
            return stamp(value)
        case bytes():
            return _text(value)
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return base64.b64encode(content).decode()


def _written(each: ApiAnswer | Missing) -> dict[str, object]:
    asked = each.question
    call: dict[str, object] = {"service": asked.service, "operation": asked.operation, "at": stamp(each.at)}
    if asked.parameters:
        call["parameters"] = asked.parameters
    if asked.region:
        call["region"] = asked.region
    if isinstance(each, ApiAnswer):
        return call | {"value": each.value}
    return call | {"code": each.code, "message": each.message, "is_denied": each.is_denied}


def _read(call: Mapping[str, Any]) -> ApiAnswer | Missing:
    asked = ApiQuestion(
        str(call["service"]), str(call["operation"]), str(call.get("parameters", "")), str(call.get("region", ""))
    )
    at = moment(call["at"])
    if "code" in call:
        return Missing(asked, at, str(call["code"]), str(call["message"]), bool(call["is_denied"]))
    value = call["value"]
    if value is not None and not isinstance(value, dict):
        raise UnreadableEvidence("an answer is an object or null")
    return ApiAnswer(asked, at, value)
