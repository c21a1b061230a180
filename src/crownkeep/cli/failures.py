"""What a command says when it can't do what it was asked: one sentence that says what to do, and no traceback."""

from __future__ import annotations

import errno
import logging

import click

from crownkeep.backups.faults import BackupFault
from crownkeep.cli import output
from crownkeep.credentials.recipients import UnusableRecipient
from crownkeep.data_directory import UnusableDataDirectory
from crownkeep.domain.accounts.key_check import WrongSealingKey
from crownkeep.errors import AwsError
from crownkeep.settings import InvalidSettings
from crownkeep.storage.database import DatabaseFault
from crownkeep.storage.engines import UnusableDatabaseUrl
from crownkeep.storage.migrate import NewerDatabase, OlderNodes
from crownkeep.storage.trail.sealed_files import SealedFileFault
from crownkeep.wrapping.faults import UnusableKeyHolder


class WrongCall(click.ClickException):
    """The command was called wrongly: exit code 2. One that was refused, or found something wrong, ends with 1."""

    exit_code = 2


_log = logging.getLogger("crownkeep.cli")


def explain(error: Exception) -> click.ClickException:
    """Return the failure to show; a fault of ours shows its kind alone, since its text could hold anything."""
    match error:
        case InvalidSettings() | UnusableDatabaseUrl():
            return WrongCall(str(error))
        case AwsError():
            return click.ClickException(output.printable(error.message))
        case (
            UnusableDataDirectory()
            | NewerDatabase()
            | OlderNodes()
            | WrongSealingKey()
            | BackupFault()
            | UnusableRecipient()
            | SealedFileFault()
            | UnusableKeyHolder()
        ):
            return click.ClickException(str(error))
        case DatabaseFault():
            reason = output.printable(str(error.orig).strip().partition("\n")[0]) or type(error).__name__
            return click.ClickException(f"the database can't be used: {reason}; see `--database` and whether its server runs")
        case OSError(errno=errno.ENOSPC):
            return click.ClickException("the disk is full: make room, or name another data directory with `--data`")
        case _:
            _log.debug("a command failed", exc_info=error)
            return click.ClickException(f"a fault of crownkeep's own ({type(error).__name__}); report it with what you called")
