"""Equivalents: the AWS CLI command and the API request that do what a page does, for whoever wants to do it without the page."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from crownkeep import models
from crownkeep.models import OperationModel
from crownkeep.operations import registry


@dataclass(frozen=True, slots=True)
class Equivalent:
    """One call of an AWS operation; the templates show it with the macro `shown` of equivalents.html."""

    service: str
    operation: str
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def action(self) -> str:
        """The action as policies name it, such as `iam:ListUsers`."""
        served = registry.service(self.service)
        found = served.find(self.operation) if served else None
        return found.action if found else f"{served.action_prefix if served else self.service}:{self.operation}"

    @property
    def command(self) -> str:
        """The AWS CLI's command, quoted for a POSIX shell."""
        words = ["aws", self.service, _option(self.operation)]
        for name, value in self.parameters.items():
            words += _arguments(name, value)
        return shlex.join(words)

    @property
    def api_call(self) -> str:
        """The HTTP request without its signature."""
        model = _modelled(self.service, self.operation)
        if model.service.protocol == "query":
            pairs = {"Action": self.operation, "Version": model.service.api_version, **dict(_flat("", self.parameters))}
            return f"POST /\n\n{urlencode(pairs)}"
        target = f"X-Amz-Target: {model.service.target_prefix}.{self.operation}\n" if model.service.target_prefix else ""
        return f"{model.method} {model.request_uri}\n{target}\n{_json(self.parameters)}"


def _modelled(service: str, operation: str) -> OperationModel:
    found = models.service(service).operation(operation)
    if found is None:
        raise ValueError(f"the model of `{service}` has no operation `{operation}`")
    return found


def _option(name: str) -> str:
    # Words that Python keeps for itself have an underscore behind them, which no option of the CLI has.
    return models.snake_case(name).rstrip("_").replace("_", "-")


def _arguments(name: str, value: object) -> list[str]:
    option = _option(name)
    if isinstance(value, bool):
        # The CLI takes no value for a boolean: each has an option for true and another for false.
        return [f"--{option}" if value else f"--no-{option}"]
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return [f"--{option}", *value]
    return [f"--{option}", _json(value) if isinstance(value, Mapping | list | tuple) else _text(value)]


def _flat(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    """Spell a value as forms of the query protocol do: `Tags.member.1.Key`."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _flat(f"{prefix}.{name}" if prefix else str(name), part)
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value, start=1):
            yield from _flat(f"{prefix}.member.{number}", part)
    else:
        yield prefix, _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_text)
