"""`crownkeep sso`: the operator enables single sign-on for an organization."""

from __future__ import annotations

import click

from crownkeep.cli import house, output
from crownkeep.cli.account import account_id


@click.group("sso", short_help="Enable single sign-on for an organization.")
def command() -> None:
    """Enable single sign-on for an organization."""


@command.command("enable", short_help="Enable single sign-on for an organization.")
@click.option("--account", required=True, metavar="ID", callback=account_id, help="The organization's management account.")
@house.options
@output.json_flag()
def enable(account: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Enable single sign-on for the organization that an account manages.

    Its administrators add people, groups and permission sets with `aws identitystore` and `aws sso-admin`.
    """
    with house.opened(data, database) as held:
        made = held.ask("EnableSingleSignOn", account_id=account)
    if as_json:
        output.print_json(made)
    else:
        output.print_pairs([("instance", made["instance_arn"]), ("identity store", made["identity_store_id"])])
