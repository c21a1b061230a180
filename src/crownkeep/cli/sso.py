"""`crownkeep sso`: single sign-on enabled for an organization, and people imported into it."""

from __future__ import annotations

import click

from crownkeep.cli import house, output, sso_import, sso_providers
from crownkeep.cli.account import account_id

_OWNER = "The account that owns the instance."


@click.group("sso", short_help="Enable single sign-on for an organization.")
def command() -> None:
    """Enable single sign-on for an organization, and import its people."""


command.add_command(sso_import.import_)


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


command.add_command(sso_providers.command)


@command.group("scim-token", short_help="Tokens with which another directory provisions people.")
def scim_token() -> None:
    """Make and delete tokens with which another directory provisions people and groups by SCIM.

    An instance has two at most, so that one can be replaced without a gap; each lasts a year.
    """


@scim_token.command("create", short_help="Make a token, and show it once.")
@click.option("--account", required=True, metavar="ID", callback=account_id, help=_OWNER)
@house.options
@output.json_flag()
def create_scim_token(account: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Make a token, and show it once with the address that the other directory is told."""
    with house.opened(data, database) as held:
        made = held.ask("CreateScimToken", account_id=account)
    if as_json:
        output.print_json(made)
    else:
        shown = ("endpoint", "token", "token_id", "expires_at")
        output.print_pairs([(name.replace("_", " "), str(made[name])) for name in shown])


@scim_token.command("list", short_help="List the tokens, which are not shown again.")
@click.option("--account", required=True, metavar="ID", callback=account_id, help=_OWNER)
@house.options
@output.json_flag()
def list_scim_tokens(account: str, data: str | None, database: str | None, as_json: bool) -> None:
    """List the tokens of an instance by their ids, with when they end."""
    with house.opened(data, database) as held:
        found = held.ask("ListScimTokens", account_id=account)
    if as_json:
        output.print_json(found)
    else:
        rows = [(each["token_id"], str(each["created_at"]), str(each["expires_at"])) for each in found["tokens"]]
        output.print_table(("TOKEN ID", "CREATED", "EXPIRES"), rows)


@scim_token.command("delete", short_help="Delete a token.")
@click.argument("token_id", metavar="TOKEN-ID")
@click.option("--account", required=True, metavar="ID", callback=account_id, help=_OWNER)
@house.options
@output.json_flag()
def delete_scim_token(token_id: str, account: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Delete a token: the next request with it is refused."""
    with house.opened(data, database) as held:
        held.ask("DeleteScimToken", account_id=account, token_id=token_id)
    if as_json:
        output.print_json({"token_id": token_id})
    else:
        click.echo(f"The token {token_id} is deleted: nobody provisions people with it any more.")
