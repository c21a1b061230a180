"""`crownkeep approvals`: requests for acts that are sealed, and proofs that enough custodians signed them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

import click

from crownkeep.cli import output

if TYPE_CHECKING:
    from crownkeep.credentials.approval_proofs import ApprovalProof, Counted


@click.group("approvals", short_help="Ask for approval of sealed acts, and verify approvals.")
def command() -> None:
    """Ask for approval of acts that are sealed, and verify what was approved."""


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

    content = file.read(approval_proofs.LARGEST + 1)
    known = frozenset(key.replace(":", "").lower() for key in keys)
    try:
        proof = approval_proofs.read(content)
        counted = approval_proofs.verify(proof, known=known)
    except UnprovenApproval as error:
        raise click.ClickException(output.printable(str(error))) from error
    if as_json:
        output.print_json(_told(proof, counted))
    else:
        _print(proof, counted)


def _told(proof: ApprovalProof, counted: Sequence[Counted]) -> dict[str, object]:
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
