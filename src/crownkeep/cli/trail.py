"""`crownkeep trail`: the operator reads the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from crownkeep.cli import house, output, trail_buckets, trail_export, trail_keeping, trail_proofs, trail_sealing, trail_verify
from crownkeep.cli.account import account_id

_MOST_AT_ONCE = 1000


@click.group("trail", short_help="Read, verify and prove the audit trail.")
def command() -> None:
    """Read, verify and prove the audit trail."""


for _each in (
    trail_verify.verify,
    trail_verify.checkpoint,
    trail_verify.keys,
    trail_proofs.prove,
    trail_proofs.check,
    trail_export.export,
    trail_export.search,
    trail_keeping.withhold,
    trail_sealing.seal_month,
    trail_sealing.sealed,
    trail_keeping.rotate_keys,
    trail_keeping.witness,
    trail_buckets.command,
):
    command.add_command(_each)


@command.command("list", short_help="List events, the newest first.")
@click.option("--account", metavar="ID", callback=account_id, help="The account; the operator's own trail unless given.")
@click.option(
    "--since", metavar="TIME", callback=trail_export.moment, help="Nothing older: a date or a time, UTC unless it says otherwise."
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many records at most.")
@house.options
@output.json_flag("Print JSON: whole CloudTrail records.")
def list_(account: str | None, since: datetime | None, limit: int, data: str | None, database: str | None, as_json: bool) -> None:
    """List what happened, the newest first: in an account, or what the operator and strangers did."""
    found: list[Mapping[str, Any]] = []
    with house.opened(data, database) as held:
        token: str | None = None
        while len(found) < limit:
            size = min(limit - len(found), _MOST_AT_ONCE)
            page = held.ask("ListEvents", account_id=account, since=since, max_results=size, next_token=token)
            found += page["events"]
            token = page.get("next_token")
            if token is None:
                break
    if as_json:
        output.print_json({"events": found})
        return
    output.print_table(("TIME", "EVENT", "WHO", "FROM", "ERROR"), [_row(each) for each in found])


def _row(record: Mapping[str, Any]) -> tuple[str, ...]:
    identity = record["userIdentity"]
    who = identity.get("arn") or identity.get("invokedBy") or identity["type"]
    return record["eventTime"], record["eventName"], who, record["sourceIPAddress"], record.get("errorCode", "")
