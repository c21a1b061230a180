"""`crownkeep account`: the operator makes, lists, shows, closes, reopens and purges accounts."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

import click

from crownkeep import ids
from crownkeep.cli import house, output, waiting

_ROOT_KEY_WARNING = """\
warning: this root access key may do everything in the account, and no policy limits it: use it for the first steps, then delete
it with `aws iam delete-access-key`"""

_NOT_SERVED = "note: no server runs on this data directory; start one with `crownkeep serve`, and the links and keys work"

_EMAIL = re.compile(r"[!-?A-~]+@[!-?A-~]+\.[!-?A-~]+")
_NAME = re.compile(r"(?! *$)[ -;=?-~]{1,50}")
_USER = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_LONGEST_EMAIL = 64


@click.group("account", short_help="Make, list, close and purge accounts.")
def command() -> None:
    """Make, list, close and purge accounts, with or without a running server."""


def account_id(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """Take an account id, as a callback of an option; a wrong call for anything else."""
    if value is not None and not ids.is_account_id(value):
        raise click.BadParameter(f"`{output.printable(value)}` does not fit: an account id has 12 digits")
    return value


def email_address(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """Take an e-mail address, as a callback of an option; a wrong call for anything else."""
    if value is not None and len(value) > _LONGEST_EMAIL:
        raise click.BadParameter(f"an e-mail address may have {_LONGEST_EMAIL} characters")
    return _fitting(value, _EMAIL, "give an e-mail address such as `root@acme.example`")


def _name(_ctx: click.Context, _param: click.Parameter, value: str) -> str | None:
    return _fitting(value, _NAME, "a name has 1 to 50 characters of ASCII, not all blanks, without `<` and `>`")


def _user(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    return _fitting(value, _USER, "a user's name has 1 to 64 letters, digits and characters of `+=,.@_-`")


def _fitting(value: str | None, pattern: re.Pattern[str], rule: str) -> str | None:
    if value is not None and not pattern.fullmatch(value):
        raise click.BadParameter(f"`{output.printable(value)}` does not fit: {rule}")
    return value


account_argument = click.argument("account_id", metavar="ID", callback=account_id)


@command.command("create")
@click.option("--email", required=True, callback=email_address, help="The root user's e-mail address.")
@click.option("--name", required=True, callback=_name, help="The account's name.")
@click.option("--account-id", metavar="ID", callback=account_id, help="12 digits; random unless given.")
@click.option("--admin-user", metavar="NAME", callback=_user, help="Also make a user with AdministratorAccess and a key.")
@click.option("--root-access-key", is_flag=True, help="Also make an access key of root, for the first steps.")
@click.option("--root-password-stdin", is_flag=True, help="Read root's password from the first line of standard input.")
@house.options
@output.json_flag("Print JSON, secrets included.")
def create(
    email: str,
    name: str,
    account_id: str | None,
    admin_user: str | None,
    root_access_key: bool,
    root_password_stdin: bool,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Make an account.

    It prints a link to choose root's password, which works once, within 7 days. There is no link if the password comes from
    standard input.
    """
    password = _password() if root_password_stdin else None
    with house.opened(data, database) as held:
        answer = held.ask(
            "CreateAccount",
            email=email,
            name=name,
            account_id=account_id,
            admin_user=admin_user,
            # None and not False: what isn't asked for is not sent, and not in the record.
            root_access_key=root_access_key or None,
            root_password=password,
        )
    if "root" in answer:
        click.echo(_ROOT_KEY_WARNING, err=True)
    # After the account is made, which needs no server: what it prints can't be used before one runs.
    if not held.is_served:
        click.echo(_NOT_SERVED, err=True)
    if as_json:
        output.print_json(answer)
    else:
        _tell(answer, name)


@command.command("list", short_help="List the accounts.")
@house.options
@output.json_flag()
def list_(data: str | None, database: str | None, as_json: bool) -> None:
    """List all accounts by id, including closed ones."""
    with house.opened(data, database) as held:
        accounts = held.ask_for_all("ListAccounts", "accounts")
    if as_json:
        output.print_json({"accounts": accounts})
        return
    rows = [(each["account_id"], each["name"], each["state"], each["root_email"], _day(each)) for each in accounts]
    output.print_table(("ACCOUNT", "NAME", "STATE", "ROOT E-MAIL", "CREATED"), rows)


@command.command("show")
@account_argument
@house.options
@output.json_flag()
def show(account_id: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Show one account."""
    _ask_and_show("GetAccount", account_id, data, database, _printer(as_json))


@command.command("close", short_help="Close an account; for 90 days it can be reopened.")
@account_argument
@waiting.options
@house.options
@output.json_flag()
def close(account_id: str, asked: waiting.Asking, data: str | None, database: str | None, as_json: bool) -> None:
    """Close an account. Its credentials stop working. It can be reopened for 90 days.

    Where that is sealed, its approval is asked for: the command prints the request's id and ends with 3.
    """
    with house.opened(data, database) as held:
        account = waiting.ask(held, asked, "CloseAccount", account_id=account_id)
    _printer(as_json)(account)


@command.command("reopen", short_help="Reopen a closed account.")
@account_argument
@house.options
@output.json_flag()
def reopen(account_id: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Reopen a closed account. Its credentials work again."""
    _ask_and_show("ReopenAccount", account_id, data, database, _printer(as_json))


@command.command("purge", short_help="Remove an account with everything in it.")
@account_argument
@click.option("--yes", is_flag=True, help="Confirm. A purge can't be undone.")
@waiting.options
@house.options
@output.json_flag()
def purge(account_id: str, yes: bool, asked: waiting.Asking, data: str | None, database: str | None, as_json: bool) -> None:
    """Remove an account and everything in it, including its trail. Its id can be used again.

    Where that is sealed, its approval is asked for: the command prints the request's id and ends with 3.
    """
    if not yes:
        raise click.UsageError(f"purging account `{account_id}` can't be undone; add `--yes` if you mean it")
    with house.opened(data, database) as held:
        waiting.ask(held, asked, "PurgeAccount", account_id=account_id)
    if as_json:
        output.print_json({"account_id": account_id, "purged": True})
    else:
        click.echo(f"Account {account_id} is gone.")


@command.command("quota", short_help="Show or set an account's quotas.")
@account_argument
@click.argument("name", required=False)
@click.argument("value", required=False, type=click.IntRange(min=0))
@click.option("--default", "to_default", is_flag=True, help="Set the quota to its default.")
@house.options
@output.json_flag()
def quota(
    account_id: str, name: str | None, value: int | None, to_default: bool, data: str | None, database: str | None, as_json: bool
) -> None:
    """Show an account's quotas, or set one: how many users, roles and policies it may have, and how long policies may be."""
    if to_default and (name is None or value is not None):
        raise click.UsageError("`--default` takes the name of a quota, and no value")
    with house.opened(data, database) as held:
        if to_default:
            quotas = [held.ask("ResetQuota", account_id=account_id, name=name)]
        elif value is not None:
            quotas = [held.ask("SetQuota", account_id=account_id, name=name, value=value)]
        else:
            quotas = held.ask("ListQuotas", account_id=account_id)["quotas"]
            quotas = [each for each in quotas if name in (None, each["name"])]
    if not quotas:
        raise click.UsageError(f"there is no quota `{output.printable(str(name))}`; leave the name out to see them all")
    if as_json:
        output.print_json({"quotas": quotas})
        return
    rows = [(each["name"], str(each["value"]), str(each["default"]), f"{each['least']} to {each['most']}") for each in quotas]
    output.print_table(("QUOTA", "VALUE", "DEFAULT", "MAY BE"), rows)


@command.command("guard", short_help="Guard an account's last way in.")
@account_argument
@click.option("--on/--off", "enabled", default=None, help="Switch the operator's guard on or off; one of them is needed.")
@waiting.options
@house.options
@output.json_flag()
def guard(
    account_id: str, enabled: bool | None, asked: waiting.Asking, data: str | None, database: str | None, as_json: bool
) -> None:
    """Refuse every act after which nobody could administer the account. The account can't switch it off again.

    Where guardrails are sealed, `--off` takes an approval: the command prints the request's id and ends with 3.
    """
    if enabled is None:
        raise click.UsageError("give `--on` or `--off`")
    with house.opened(data, database) as held:
        answer = waiting.ask(held, asked, "SetLastWayInGuard", account_id=account_id, enabled=enabled)
    if as_json:
        output.print_json({"account_id": account_id, **answer})
        return
    state = "on" if answer["enabled"] else "off"
    who = " (switched on by the account itself)" if answer["by_account"] and not answer["by_operator"] else ""
    click.echo(f"The guard of the last way into account {account_id} is {state}{who}.")


def _ask_and_show(
    operation: str, account_id: str, data: str | None, database: str | None, show_it: Callable[[Mapping[str, Any]], None]
) -> None:
    with house.opened(data, database) as held:
        account = held.ask(operation, account_id=account_id)
    show_it(account)


def _printer(as_json: bool) -> Callable[[Mapping[str, Any]], None]:
    return output.print_json if as_json else _show


def _show(account: Mapping[str, Any]) -> None:
    pairs = [
        ("account", account["account_id"]),
        ("name", account["name"]),
        ("state", account["state"]),
        ("created", _day(account)),
        ("root user", account["root_arn"]),
        ("root e-mail", account["root_email"]),
        ("sign in at", account["sign_in_url"]),
    ]
    if "closed_at" in account:
        pairs.insert(4, ("closed", f"{account['closed_at']:%Y-%m-%d}"))
    output.print_pairs(pairs)


def _tell(answer: Mapping[str, Any], name: str) -> None:
    click.echo(f"Account {answer['account_id']} ({output.printable(name)}) is made.\n")
    pairs = [("root user", answer["root_email"]), ("sign in at", answer["sign_in_url"])]
    if "set_password_url" in answer:
        pairs.append(("choose root's password at", answer["set_password_url"]))
    output.print_pairs(pairs)
    if "set_password_url" in answer:
        click.echo("\nThat link works once, within 7 days: whoever opens it first owns the account.")
    for title, credentials in (("Administrator", answer.get("admin")), ("Root", answer.get("root"))):
        if credentials is not None:
            click.echo(f"\n{title}'s access key; the secret is shown this once:\n")
            output.print_pairs([(key.replace("_", " "), value) for key, value in credentials.items()])


def _day(account: Mapping[str, Any]) -> str:
    return f"{account['created_at']:%Y-%m-%d}"


def _password() -> str:
    """Read root's password: its first line, or what is typed unseen where standard input is a terminal."""
    if sys.stdin.isatty():
        typed: str = click.prompt("Root's password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    # From the input alone, never an argument: whoever lists this machine's processes reads those.
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise click.UsageError("standard input holds no password; write root's password into it, as one line")
    return line
