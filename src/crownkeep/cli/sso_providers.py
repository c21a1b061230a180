"""`crownkeep sso identity-provider`: with which provider elsewhere the people of an organization sign in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from crownkeep.cli import house, output, secret_files
from crownkeep.cli.account import account_id

Function = TypeVar("Function", bound=Callable[..., Any])

_HIDDEN = ("configuration_id",)
_of_account = click.option(
    "--account", required=True, metavar="ID", callback=account_id, help="The account that owns the instance."
)


@click.group("identity-provider", short_help="The provider elsewhere that people sign in with.")
def command() -> None:
    """Have people sign in with an identity provider elsewhere, by OpenID Connect or SAML 2.0.

    Their passwords and MFA devices here are refused meanwhile, and everybody is signed out. `remove` is the way back: it needs no
    sign-in, and passwords and devices are as they were.
    """


def _common(command: Function) -> Function:
    """Give a command the options that both protocols have."""
    name = click.option("--name", metavar="NAME", help="What people read where they sign in.")
    match = click.option(
        "--match-by",
        type=click.Choice(["external-id", "user-name", "email"]),
        help="Which attribute of people here the provider's is compared with.",
    )
    attribute = click.option("--match-attribute", metavar="NAME", help="The claim or attribute of the provider that is compared.")
    unknown = click.option("--create-people", is_flag=True, help="Make people who sign in for the first time.")
    return _of_account(name(match(attribute(unknown(house.options(output.json_flag()(command)))))))


@command.command("set-oidc", short_help="Sign people in by OpenID Connect.")
@click.option("--issuer", required=True, metavar="URL", help="The issuer, as the provider's metadata spells it.")
@click.option("--client-id", required=True, metavar="ID", help="What the provider calls this server.")
@click.option(
    "--client-secret-file", metavar="FILE", type=click.Path(path_type=Path), help="The file that holds the client's secret."
)
@click.option("--scope", "scopes", multiple=True, metavar="SCOPE", help="A scope beside `openid`; `profile` and `email` if none.")
@_common
def set_oidc(
    issuer: str,
    client_id: str,
    client_secret_file: Path | None,
    scopes: tuple[str, ...],
    account: str,
    name: str | None,
    match_by: str | None,
    match_attribute: str | None,
    create_people: bool,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Sign people in by OpenID Connect: authorization code with PKCE, state and nonce.

    The provider's metadata is fetched now and held to the issuer. By default its `sub` is compared with people's external ids.
    """
    secret = None if client_secret_file is None else secret_files.line(client_secret_file, "the client's secret")
    people = _people(name, match_by, match_attribute, create_people=create_people)
    with house.opened(data, database) as held:
        made = held.ask(
            "SetOpenIdProvider",
            account_id=account,
            issuer=issuer,
            client_id=client_id,
            client_secret=secret,
            scopes=list(scopes) or None,
            **people,
        )
    _show(made, as_json=as_json)


@command.command("set-saml", short_help="Sign people in by SAML 2.0.")
@click.option(
    "--metadata", required=True, metavar="FILE", type=click.Path(path_type=Path), help="The provider's metadata document."
)
@_common
def set_saml(
    metadata: Path,
    account: str,
    name: str | None,
    match_by: str | None,
    match_attribute: str | None,
    create_people: bool,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Sign people in by SAML 2.0: signed responses to requests of this server alone.

    By default the assertion's NameID is compared with people's user names.
    """
    people = _people(name, match_by, match_attribute, create_people=create_people)
    with house.opened(data, database) as held:
        made = held.ask("SetSamlProvider", account_id=account, metadata=_text(metadata), **people)
    _show(made, as_json=as_json)


@command.command("show", short_help="Show the provider, and what it is told.")
@_of_account
@house.options
@output.json_flag()
def show(account: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Show the provider, and the addresses that it is told; its secret is not shown."""
    with house.opened(data, database) as held:
        found = held.ask("GetIdentityProvider", account_id=account)
    _show(found, as_json=as_json)


@command.command("remove", short_help="Sign people in here again.")
@_of_account
@house.options
@output.json_flag()
def remove(account: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Have people sign in with their passwords and MFA devices here again; everybody is signed out."""
    with house.opened(data, database) as held:
        held.ask("RemoveIdentityProvider", account_id=account)
    if as_json:
        output.print_json({"account_id": account})
    else:
        click.echo(f"The people of {account} sign in here again.")


def _people(name: str | None, match_by: str | None, attribute: str | None, *, create_people: bool) -> dict[str, str | None]:
    return {
        "name": name,
        "match_by": None if match_by is None else match_by.upper().replace("-", "_"),
        "match_attribute": attribute,
        "unknown_people": "CREATE" if create_people else None,
    }


def _show(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(found)
        return
    shown = {name: value for name, value in found.items() if name not in _HIDDEN}
    output.print_pairs([(name.replace("_", " "), _spelled(value)) for name, value in shown.items()])


def _spelled(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return " ".join(map(str, value))
        case _:
            return str(value)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"`{file}` can't be read: save the provider's metadata there, as text") from error
