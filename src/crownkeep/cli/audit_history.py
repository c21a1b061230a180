"""`crownkeep audit --history`: how an account's scheduled audits came out, which its Crownkeep server keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from crownkeep.arn import GLOBAL_REGION
from crownkeep.cli import output
from crownkeep.cli.failures import WrongCall

_COUNTED = {
    "passwords": "Passwords",
    "passwords_with_mfa": "PasswordsWithMfa",
    "credentials": "Credentials",
    "old_credentials": "OldCredentials",
}
"""Counts of credentials by what the JSON calls them; null of audits that have none."""


def show(profile: str | None, endpoint_url: str | None, *, as_json: bool) -> None:
    """Ask the server for the history and print it, the newest audit first."""
    from botocore.exceptions import ClientError

    from crownkeep import models
    from crownkeep.advisor import calls, reader

    # Our own service's model comes along: botocore's data knows AWS's alone.
    clients = reader.clients_of(profile, endpoint_url, models=str(models.OWN_FOLDER))
    try:
        identity = reader.invoke(clients("sts", GLOBAL_REGION), calls.IDENTITY.operation, {})
        found = reader.invoke(clients("account-security", GLOBAL_REGION), "ListAccountAudits", {})
    except ClientError as error:
        raise WrongCall(output.printable(f"the history can't be read: {error}")) from error
    answer = {
        "account_id": identity["Account"],
        "audits": [_described(each) for each in found["AccountAudits"]],
        "next_at": found.get("NextAuditAt"),
    }
    if as_json:
        output.print_json(answer)
        return
    _print(answer)


def _described(audit: Mapping[str, Any]) -> dict[str, Any]:
    names = ("passed", "failed", "critical", "high", "medium", "low", "unknown")
    counts = {name: audit[name.capitalize()] for name in names}
    failing = {each["Check"]: each["Resources"] for each in audit["Failing"]}
    counted = {name: audit.get(member) for name, member in _COUNTED.items()}
    return {"at": audit["AuditedAt"], **counts, "not_applicable": audit["NotApplicable"], "failing": failing, **counted}


def _print(answer: Mapping[str, Any]) -> None:
    columns = ("failed", "critical", "high", "medium", "low", "unknown", "passed")
    rows = [(f"{each['at']:%Y-%m-%d %H:%M}", *(str(each[name]) for name in columns)) for each in answer["audits"]]
    if rows:
        output.print_table(("At (UTC)", *(name.capitalize() for name in columns)), rows)
    when = (
        f"the next audit is due at {answer['next_at']:%Y-%m-%d %H:%M} UTC" if answer["next_at"] else "the server makes no audits"
    )
    had = "" if rows else "no audit has been made yet; "
    click.echo(f"Account {answer['account_id']}: {had}{when}.")
