"""`crownkeep approvals`: requests for acts that are sealed, and proofs that enough custodians signed them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

import click

from crownkeep.cli import approval_teams, house, output
from crownkeep.cli.account import account_argument

if TYPE_CHECKING:
    from crownkeep.credentials.approval_proofs import ApprovalProof, Counted


_ASSERTION = "What the key answered, as JSON (PublicKeyCredential.toJSON)."
_LONGEST_ASSERTION = 16_384


def _request_id(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{32}", value):
        raise click.BadParameter(f"`{output.printable(value)}` does not fit: a request's id has 32 hexadecimal digits")
    return value


request_argument = click.argument("request_id", metavar="ID", callback=_request_id)


@click.group("approvals", short_help="Ask for approval of sealed acts, and verify approvals.")
def command() -> None:
    """Ask for approval of acts that are sealed, and verify what was approved."""


command.add_command(approval_teams.teams)
command.add_command(approval_teams.rules)


@command.command("request", short_help="Ask custodians to approve an act.")
@account_argument
@click.option("--act", "action", default="signin:ConsoleLogin", help="The act; the sign-in as root unless given.")
@click.option("--parameters", default="{}", metavar="JSON", help="The act's parameters, as it will be called with them.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; custodians read it.")
@click.option("--ticket", metavar="ID", help="A ticket that custodians can look up.")
@click.option("--hours", type=click.IntRange(1, 72), help="How long the request stands; 24 unless given.")
@house.options
@output.json_flag()
def request(
    account_id: str,
    action: str,
    parameters: str,
    reason: str,
    ticket: str | None,
    hours: int | None,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Ask the custodians of a sealed account to approve the sign-in as root, or an act of yours such as operator:PurgeAccount.

    It prints the request's id. Every custodian is told by mail.
    """
    with house.opened(data, database) as held:
        found = held.ask(
            "RequestApproval",
            account_id=account_id,
            action=action,
            parameters=parameters,
            reason=reason,
            ticket=ticket,
            hours=hours,
        )
    if as_json:
        output.print_json(found)
    else:
        click.echo(found["request_id"])


@command.command("list", short_help="List the requests about an account.")
@account_argument
@house.options
@output.json_flag()
def list_(account_id: str, data: str | None, database: str | None, as_json: bool) -> None:
    """List the latest requests about acts on an account, the newest first."""
    with house.opened(data, database) as held:
        found = held.ask("ListApprovalRequests", account_id=account_id)["requests"]
    if as_json:
        output.print_json({"requests": found})
        return
    rows = [
        (each["request_id"], each["state"], each["action"], each["requester"], f"{each['expires_at']:%Y-%m-%d %H:%M}")
        for each in found
    ]
    output.print_table(("REQUEST", "STATE", "ACT", "ASKED BY", "UNTIL"), rows)


@command.command("show", short_help="Show a request, or write its proof.")
@request_argument
@click.option("--proof", metavar="FILE", type=click.File("wb"), help="Write the proof that `verify` verifies.")
@house.options
@output.json_flag()
def show(request_id: str, proof: IO[bytes] | None, data: str | None, database: str | None, as_json: bool) -> None:
    """Show a request with its votes, or write the proof of it to a file."""
    with house.opened(data, database) as held:
        found = dict(held.ask("GetApprovalRequest", request_id=request_id))
    written = found.pop("proof", None)
    if proof is not None:
        if written is None:
            raise click.ClickException("the request's team is gone, and with it what a proof is made of")
        proof.write(str(written).encode())
    if as_json:
        output.print_json(found)
        return
    votes = ", ".join(f"{each['approver']}: {each['decision']}" for each in found["votes"])
    names = ("request_id", "state", "account_id", "action", "parameters", "requester", "reason", "ticket", "source")
    output.print_pairs([(name.replace("_", " "), str(found[name]) or "none") for name in names] + [("votes", votes or "none")])


@command.command("report", short_help="Report what was done by a request.")
@request_argument
@house.options
@output.json_flag()
def report(request_id: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Report everything that was done by a request, from the trail: asked, decided, used, done in root's session, reviewed."""
    with house.opened(data, database) as held:
        found = held.ask("GetApprovalReport", request_id=request_id)
    if as_json:
        output.print_json(found)
        return
    rows = [
        (
            f"{each['event_time']:%Y-%m-%d %H:%M:%S}",
            each["part"],
            each["event_name"],
            each.get("error_code", "done"),
            each["who"],
            each["source_ip"],
        )
        for each in found["events"]
    ]
    output.print_table(("TIME", "PART", "EVENT", "OUTCOME", "WHO", "FROM"), rows)
    if not found["is_complete"]:
        click.echo("\nThere are older events, too: `crownkeep trail list` shows all of them.")
    if not rows:
        click.echo("Nothing of it is in the trail.")
    elif "used_at" not in found:
        click.echo("\nIt was not used.")
    elif "reviewed_at" in found:
        click.echo(f"\nIts review was signed off at {found['reviewed_at']:%Y-%m-%d %H:%M} UTC.")


@command.command("approve", short_help="Hand in a custodian's approval.")
@request_argument
@click.option("--assertion", metavar="FILE", type=click.File("r"), required=True, help=_ASSERTION)
@house.options
@output.json_flag()
def approve(request_id: str, assertion: IO[str], data: str | None, database: str | None, as_json: bool) -> None:
    """Hand in a custodian's approval that their security key has signed; custodians themselves use the page /approvals."""
    with house.opened(data, database) as held:
        _relay(held, request_id, "approve", assertion, as_json=as_json)


@command.command("refuse", short_help="Hand in a custodian's refusal.")
@request_argument
@click.option("--assertion", metavar="FILE", type=click.File("r"), required=True, help=_ASSERTION)
@house.options
@output.json_flag()
def refuse(request_id: str, assertion: IO[str], data: str | None, database: str | None, as_json: bool) -> None:
    """Hand in a custodian's refusal that their security key has signed; custodians themselves use the page /approvals."""
    with house.opened(data, database) as held:
        _relay(held, request_id, "refuse", assertion, as_json=as_json)


@command.command("cancel", short_help="Cancel a request of your own.")
@request_argument
@house.options
@output.json_flag()
def cancel(request_id: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Cancel a request that you have made as the operator. Nobody cancels another's."""
    with house.opened(data, database) as held:
        held.ask("CancelApprovalRequest", request_id=request_id)
    if as_json:
        output.print_json({"request_id": request_id, "state": "cancelled"})
    else:
        click.echo(f"Request {request_id} is cancelled.")


@command.command("verify", short_help="Verify offline that custodians signed a request.")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--key", "keys", metavar="SHA256", multiple=True, help="Count only this key, by its fingerprint; can be given several times."
)
@output.json_flag()
def verify(file: IO[bytes], keys: Sequence[str], as_json: bool) -> None:
    """Verify that enough custodians signed exactly this request. Needs no server; exits with 1 if they did not.

    The file can't say who holds a key. Compare the fingerprints with those that your custodians gave you, or name those with
    `--key`.
    """
    from crownkeep.credentials import approval_proofs
    from crownkeep.credentials.approval_proofs import UnprovenApproval

    # One byte beyond the limit is enough to tell that it is too large, whatever the file's size.
    content = file.read(approval_proofs.LARGEST + 1)
    # Fingerprints are written with and without colons, in either case.
    known = frozenset(key.replace(":", "").lower() for key in keys)
    try:
        proof = approval_proofs.read(content)
        counted = approval_proofs.verify(proof, known=known)
    except UnprovenApproval as error:
        raise click.ClickException(output.printable(str(error))) from error
    if as_json:
        output.print_json(_as_json(proof, counted))
    else:
        _print(proof, counted)


def _relay(held: house.House, request_id: str, decision: str, assertion: IO[str], *, as_json: bool) -> None:
    found = held.ask("RelayVote", request_id=request_id, decision=decision, assertion=assertion.read(_LONGEST_ASSERTION))
    _tell_state(found, as_json=as_json)


def _tell_state(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(found)
    else:
        click.echo(f"Request {found['request_id']} is {found['state']}.")


def _as_json(proof: ApprovalProof, counted: Sequence[Counted]) -> dict[str, object]:
    return {
        "request": proof.request.document(),
        "quorum": proof.quorum.document(),
        "votes": [
            {
                "approver": each.approver_id,
                "name": each.name,
                "decision": each.decision.value,
                "cast_at": each.cast_at,
                "key": each.fingerprint,
            }
            for each in counted
        ],
    }


def _print(proof: ApprovalProof, counted: Sequence[Counted]) -> None:
    from crownkeep.credentials import approval_requests

    request = proof.request
    output.print_pairs(
        [
            ("request", request.request_id),
            ("account", request.account_id),
            ("act", request.action),
            ("may be done by", request.principal),
            ("asked by", request.requester),
            ("reason", request.reason),
            ("ticket", request.ticket or "none"),
            ("asked at", approval_requests.moment(request.asked_at)),
            ("until", approval_requests.moment(request.expires_at)),
        ]
    )
    click.echo()
    rows = [(each.name or each.approver_id, each.decision.value, each.cast_at, each.fingerprint) for each in counted]
    output.print_table(("CUSTODIAN", "DECISION", "AT", "KEY"), rows)
    click.echo("\nEnough custodians signed exactly this. Compare the keys with those that you know.")
