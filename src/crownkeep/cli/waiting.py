"""Acts that wait for approval: asked for, told by the request's id and exit code 3, and gone on with by `--request ID`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crownkeep.cli import output

if TYPE_CHECKING:
    from crownkeep.cli.house import House

Function = TypeVar("Function", bound=Callable[..., Any])

EXIT_CODE = 3
"""How a command ends whose act waits for approval."""

_request = click.option("--request", "request_id", metavar="ID", help="Go on with an act that waited for this request.")
_reason = click.option("--reason", default="", metavar="TEXT", help="Why; told to custodians if the act is sealed.")
_ticket = click.option("--ticket", default="", metavar="ID", help="A ticket that custodians can look up.")


class WaitsForApproval(click.ClickException):
    """The act is sealed, and custodians have not decided yet."""

    exit_code = EXIT_CODE

    def __init__(self, request_id: str) -> None:
        super().__init__(f"request {request_id} waits: run the command again with `--request {request_id}` once it is approved")


@dataclass(frozen=True, slots=True)
class Asking:
    """What is said to custodians where the act turns out to be sealed."""

    request_id: str | None
    reason: str
    ticket: str
    as_json: bool


def options(command: Function) -> Function:
    """Give a command `--request`, `--reason` and `--ticket`; they come together as `asked`."""

    @wraps(command)
    def gather(request_id: str | None, reason: str, ticket: str, as_json: bool, **rest: Any) -> Any:
        return command(asked=Asking(request_id, reason, ticket, as_json), as_json=as_json, **rest)

    return _request(_reason(_ticket(gather)))  # type: ignore[return-value]


def with_own_reason(command: Function) -> Function:
    """Give `--request` and `--ticket` to a command that has a `--reason` of its own; custodians are told that one."""

    @wraps(command)
    def gather(request_id: str | None, reason: str, ticket: str, as_json: bool, **rest: Any) -> Any:
        return command(asked=Asking(request_id, reason, ticket, as_json), reason=reason, as_json=as_json, **rest)

    return _request(_ticket(gather))  # type: ignore[return-value]


def ask(held: House, asked: Asking, operation: str, **parameters: object) -> Mapping[str, Any]:
    """Ask for an operation; where it is sealed, ask for its approval and raise WaitsForApproval with the request's id.

    With a request, raise the same while that waits, and a ClickException where it will never be approved any more.
    """
    from crownkeep.errors import ApprovalRequired

    if asked.request_id is not None:
        require(held, asked, "approved")
    try:
        return held.ask(operation, **parameters)
    except ApprovalRequired as refusal:
        if asked.request_id is not None:
            raise
        sealed = refusal.members
    request = held.ask(
        "RequestApproval",
        account_id=sealed["account_id"],
        action=sealed["action"],
        parameters=json.dumps(sealed["parameters"]),
        reason=asked.reason or f"crownkeep: {sealed['action']} on account {sealed['account_id']}",
        ticket=asked.ticket or None,
    )
    raise waits(asked, str(request["request_id"]))


def require(held: House, asked: Asking, state: str) -> None:
    """Return where the request is in a state: `approved` before an act, `used` where a team has decided on itself.

    Raises WaitsForApproval while it waits, and a ClickException where it is anything else.
    """
    found = held.ask("GetApprovalRequest", request_id=asked.request_id)["state"]
    if found == "waiting":
        raise waits(asked, str(asked.request_id))
    if found != state:
        raise click.ClickException(f"request {asked.request_id} is {found}: leave `--request` out to ask anew")


def waits(asked: Asking, request_id: str) -> WaitsForApproval:
    """Tell that an act waits for this request, and return what ends the command."""
    if asked.as_json:
        output.print_json({"request_id": request_id, "state": "waiting"})
    else:
        click.echo(request_id)
    return WaitsForApproval(request_id)
