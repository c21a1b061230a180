"""Acts that wait for approval: asked for, told by the request's id and exit code 3, and gone on with by `--request ID`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from crownkeep.cli.house import House

Function = TypeVar("Function", bound=Callable[..., Any])

EXIT_CODE = 3
"""How a command ends whose act waits for approval."""


class WaitsForApproval(click.ClickException):
    """The act is sealed, and its approval was asked for or is not there yet."""

    exit_code = EXIT_CODE

    def __init__(self, request_id: str, state: str) -> None:
        super().__init__(
            f"request {request_id} is {state}: run the command again with `--request {request_id}` once it is approved"
        )


@dataclass(frozen=True, slots=True)
class Asking:
    """What is said to custodians where the act turns out to be sealed."""

    request_id: str | None
    reason: str
    ticket: str


def options(command: Function) -> Function:
    """Give a command `--request`, `--reason` and `--ticket`; they come together as `asked`."""

    @wraps(command)
    def gather(request_id: str | None, reason: str, ticket: str, **rest: Any) -> Any:
        return command(asked=Asking(request_id, reason, ticket), **rest)

    request = click.option("--request", "request_id", metavar="ID", help="Go on with an act that waited for this request.")
    reason = click.option("--reason", default="", metavar="TEXT", help="Why; told to custodians if the act is sealed.")
    ticket = click.option("--ticket", default="", metavar="ID", help="A ticket that custodians can look up.")
    return request(reason(ticket(gather)))  # type: ignore[return-value]


def done(asked: Asking, step: Callable[[], Mapping[str, Any]], *, held: House, account_id: str) -> Mapping[str, Any]:
    """Do an act; where it is sealed, ask for its approval and raise WaitsForApproval with the request's id."""
    from crownkeep.errors import ApprovalRequired

    if asked.request_id is not None:
        found = held.ask("GetApprovalRequest", request_id=asked.request_id)
        if found["state"] != "approved":
            raise WaitsForApproval(asked.request_id, str(found["state"]))
    try:
        return step()
    except ApprovalRequired as refusal:
        if asked.request_id is not None:
            raise
        action, given = str(refusal.members["action"]), refusal.members["parameters"]
    request = held.ask(
        "RequestApproval",
        account_id=account_id,
        action=action,
        parameters=json.dumps(given),
        reason=asked.reason or f"crownkeep: {action} on account {account_id}",
        ticket=asked.ticket or None,
    )
    click.echo(request["request_id"])
    raise WaitsForApproval(str(request["request_id"]), "waiting")
