"""The house as a command opens it: settings, data directory and database, with or without a server beside it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.data_directory import DataDirectory, KeyFileWatch
    from crownkeep.operations.call import Wiring
    from crownkeep.settings import Settings
    from crownkeep.storage.database import Database

Function = TypeVar("Function", bound=Callable[..., Any])

_LONGEST_PAGE = 1000
"""Entries of a list that one answer holds at most."""


def options(command: Function) -> Function:
    """Give a command the options that say which house it works in; they come as `data` and `database`."""
    data = click.option("--data", metavar="DIR", help="The data directory.")
    database = click.option("--database", metavar="URL", help="The database; SQLite in the data directory unless given.")
    return data(database(config_option(command)))


def _read_settings_from(_ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None:
        # As a variable, so that serving processes that are started from this one read the same file.
        os.environ["CROWNKEEP_CONFIG"] = os.path.abspath(value)


def config_option(command: Function) -> Function:
    """Give a command the option that names a file of settings."""
    explained = "Read settings from this file, and from no other."
    return click.option("--config", metavar="FILE", expose_value=False, callback=_read_settings_from, help=explained)(command)


@dataclass(frozen=True, slots=True)
class House:
    """An open house, and the operator in it."""

    settings: Settings
    directory: DataDirectory
    database: Database
    wiring: Wiring
    key_file: KeyFileWatch
    is_served: bool
    """Whether a server runs on this data directory."""

    def ask(self, operation: str, **parameters: object) -> Mapping[str, Any]:
        """Ask for an operation of the operator's service through the one door; parameters that are None are left out.

        Raises the AwsError that it is refused with.
        """
        from crownkeep.operations import asking
        from crownkeep.principals import Operator

        operator = Operator(system_user=_user_name(os.getuid()))
        return asking.ask(self.database, self.wiring, operation, parameters, caller=operator, who=_user_agent())

    def ask_for_all(self, operation: str, member: str) -> list[Mapping[str, Any]]:
        """Ask for a whole list, page by page, and return its entries, which are in this member of each answer."""
        found: list[Mapping[str, Any]] = []
        token: str | None = None
        while True:
            page = self.ask(operation, max_results=_LONGEST_PAGE, next_token=token)
            found += page[member]
            token = page.get("next_token")
            if token is None:
                return found

    def settle_trail(self) -> None:
        """Give what was recorded while no server ran its place in the tree, and sign; a server that runs does so by itself.

        Raises ClickException where somebody has altered the tree.
        """
        from crownkeep.storage.trail.tree import AlteredTree, IncompleteTree
        from crownkeep.trail import catching_up

        if self.is_served:
            return
        try:
            catching_up.catch_up(self.database, self.directory.keyring)
        except (AlteredTree, IncompleteTree) as error:
            raise click.ClickException(f"the trail can't be signed: {error}; run `crownkeep trail verify`") from error


@contextmanager
def opened(data: str | None, database: str | None) -> Iterator[House]:
    """Open the house, made and brought up to date where that is needed, and close it in the end."""
    from crownkeep import app, data_directory, server_address
    from crownkeep import settings as configuration

    settings = configuration.load({"data": data, "database": database})
    directory = data_directory.prepare(settings)
    watch = data_directory.KeyFileWatch(directory)
    server = server_address.read(directory.path)
    if server is not None and not settings.public_url:
        # What a command prints leads to the server that serves this directory, not to where one would serve by default.
        settings = configuration.load({"data": data, "database": database, "public_url": server.url})
    held, wiring = app.open_wiring(settings, directory)
    try:
        yield House(settings, directory, held, wiring, watch, is_served=server is not None and server.is_running)
    finally:
        held.close()


@contextmanager
def opened_where_it_is(data: str | None, database: str | None) -> Iterator[House]:
    """Open a house whose data directory is there already; raises WrongCall where it isn't, instead of making a new one."""
    from crownkeep import settings as configuration

    path = configuration.load({"data": data, "database": database}).data_directory
    if not path.is_dir():
        raise WrongCall(f"there is no data directory `{path}`; name another with `--data`")
    with opened(data, database) as held:
        yield held


def _user_agent() -> str:
    """Return what the record says of the caller: the command line, whose process it was, and who had signed in on this machine.

    Whoever becomes another user by sudo or su has still signed in as themselves; the kernel keeps that (pam_loginuid(8)).
    """
    from importlib.metadata import version

    name = _user_name(os.getuid())
    said = f"crownkeep-cli/{version('crownkeep')} user/{name}"
    try:
        login = int(_LOGIN.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return said
    return said if login in (_NO_LOGIN, os.getuid()) else f"{said} login/{_user_name(login)}"


_LOGIN = Path("/proc/self/loginuid")
_NO_LOGIN = 0xFFFFFFFF
"""Of what a service manager has started: nobody had signed in."""


def _user_name(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)
