"""`crownkeep`: finds the command, and says in one sentence what went wrong with it."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import click

# What `crownkeep --help` says of each command, so that it need not import them all.
_COMMANDS = {
    "serve": "Serve the AWS APIs and the pages.",
    "doctor": "Say whether this installation is well.",
    "backup": "Make, verify and restore backups.",
    "upgrade": "Say which steps an upgrade takes, or take them.",
    "move": "Move everything into another database.",
    "operator": "Give people tokens of their own to operate this server.",
    "account": "Make, list, close and purge accounts.",
    "root": "Show root users' credentials, and confirm their recovery.",
    "custodian": "Name custodians, who approve sealed acts.",
    "seal": "Seal an account under a team, show its seal or lift it.",
    "approvals": "Ask for approval of sealed acts, and verify approvals.",
    "token": "Keep the register of physical security keys.",
    "drill": "Rehearse a way back into an account.",
    "recoverability": "Say who can still get into an account.",
    "passwords": "Import breached passwords.",
    "mfa": "Import FIDO metadata and hardware tokens.",
    "sso": "Enable single sign-on for an organization.",
    "alerts": "Say who hears of what in an account.",
    "mail": "Read mail in the outbox and mail that waits.",
    "audit": "Show how far an AWS account is from locked down.",
    "what-if": "Show what recorded use a change would deny.",
    "least-privilege": "Make a policy of what was recorded.",
    "lockdown": "Take an AWS account to locked down, by a plan.",
    "evidence": "Pack evidence for an auditor, and check it.",
    "import": "Make a twin of an AWS account.",
    "login": "Get credentials for the AWS CLI by signing in with a browser.",
    "policy": "Check policies, and explain decisions.",
    "credential-audit": "Export and check the evidence of credential audits.",
    "operations": "List which AWS operations are served.",
    "keys": "Rotate, split and wrap sealing keys, and find leaked access keys.",
    "trail": "Read, verify and prove the audit trail.",
}

_MODULES = {"import": "imports", "operator": "operators"}  # words and modules of Python's own name no module


class _Lazy(MutableMapping[str, click.Command]):
    """The commands by name, each imported from the module of its name at its first use."""

    def __getitem__(self, name: str) -> click.Command:
        if name not in _COMMANDS:
            raise KeyError(name)
        module = _MODULES.get(name, name.replace("-", "_"))
        # Nothing that is imported is garbage: whoever looks for some finds none, several times.
        gc.disable()
        try:
            command: click.Command = import_module(f"crownkeep.cli.{module}").command
        finally:
            gc.enable()
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
        _warn_of_unknown_variables()
        try:
            return super().invoke(ctx)
        except click.ClickException as refused:
            _printable(refused)
            raise
        except (click.Abort, click.exceptions.Exit, BrokenPipeError, KeyboardInterrupt):
            raise
        except Exception as error:
            from crownkeep.cli import failures  # what it needs to know has long been imported where something failed

            raise _printable(failures.explain(error)) from error


def _printable(error: click.ClickException) -> click.ClickException:
    """Return an error whose message drives no terminal: names in files and texts of servers come to stand in it."""
    lines = error.message.split("\n")
    if not all(map(str.isprintable, lines)):
        from crownkeep.cli import output  # what prints has its costs, and few messages need it

        # click shows this attribute at the very end, and calls it final until then.
        vars(error)["message"] = "\n".join(map(output.printable, lines))
    return error


def _warn_of_unknown_variables() -> None:
    if not any(name.startswith("CROWNKEEP_") for name in os.environ):
        return
    from crownkeep import settings  # only where there is something to compare: `--help` stays quick

    for name in settings.unknown_variables():
        click.echo(f"warning: there is no setting for the variable `{name}`; docs/reference/settings.md lists them all", err=True)


@click.group(cls=_House, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="crownkeep", message="crownkeep %(version)s")
def main() -> None:
    """A self-hosted account authority that speaks AWS's own APIs and keeps the root user locked away.

    Commands use the data directory that `--data` or CROWNKEEP_DATA names (~/.local/share/crownkeep), with or without a running
    server. `serve --host`, `--port` and `--public-url` set the server's address, which the links that commands print lead to.
    Run `crownkeep COMMAND --help` for more.
    """


main.commands = _Lazy()
