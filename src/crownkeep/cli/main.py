"""`crownkeep`: finds the command, and says in one sentence what went wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import click

# What `crownkeep --help` says of each command, so that it need not import them all.
_COMMANDS = {
    "serve": "Serve the AWS APIs and the pages.",
    "account": "Make, list, close and purge accounts.",
    "root": "Look after root users: what they sign in with, and their recovery.",
    "passwords": "Import the passwords that are known from breaches.",
    "mfa": "Import FIDO metadata and hardware tokens.",
    "mail": "Read the mail that waits or was written into the outbox.",
    "login": "Get credentials for the AWS CLI by signing in with a browser.",
    "policy": "Check policies, and explain what they decide.",
    "credential-audit": "Check the evidence of credential audits.",
    "operations": "List which AWS operations are served.",
    "keys": "Rotate sealing keys, and find access keys that leaked.",
    "trail": "Read the audit trail.",
}


class _Lazy(MutableMapping[str, click.Command]):
    """The commands by name, each imported from the module of its name at its first use."""

    def __getitem__(self, name: str) -> click.Command:
        if name not in _COMMANDS:
            raise KeyError(name)
        command: click.Command = import_module(f"crownkeep.cli.{name.replace('-', '_')}").command
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(_COMMANDS)

    def __len__(self) -> int:
        return len(_COMMANDS)

    def __setitem__(self, name: str, command: click.Command) -> None:
        raise TypeError("commands are named in `_COMMANDS`")

    def __delitem__(self, name: str) -> None:
        raise TypeError("commands are named in `_COMMANDS`")


class _House(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError, KeyboardInterrupt):
            raise
        except Exception as error:
            from crownkeep.cli import failures  # what it needs to know has long been imported where something failed

            raise failures.explain(error) from error


@click.group(cls=_House, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="crownkeep", message="crownkeep %(version)s")
def main() -> None:
    """A self-hosted account authority that speaks AWS's own APIs and keeps the root user locked away."""


main.commands = _Lazy()
