"""What `crownkeep doctor` looks at, and what one of its checks comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crownkeep.credentials.sealing import Keyring
    from crownkeep.settings import Settings
    from crownkeep.storage.database import Database


class Health(Enum):
    """How a check ended."""

    WELL = "ok"
    ADVICE = "warning"
    """It works, and could be safer."""
    AMISS = "failed"
    """Something is to be mended."""
    UNSEEN = "skipped"
    """It could not be looked at, since something else is amiss or is not used here."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one check found, and what to do about it; nothing where all is well."""

    health: Health
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation as it lies there: each part is absent where it can't be opened, and the checks say why."""

    settings: Settings
    now: datetime
    keyring: Keyring | None = None
    database: Database | None = None
    faults: dict[str, str] = field(default_factory=dict)
    """Why `keyring` or `database` is absent."""

    @property
    def path(self) -> Path:
        """The data directory."""
        return self.settings.data_directory

    @property
    def file(self) -> Path | None:
        """The database's file, None where a server keeps it."""
        url = self.settings.database_url
        return Path(url.removeprefix("sqlite:///").partition("?")[0]) if url.startswith("sqlite:///") else None


def well(text: str) -> Diagnosis:
    """Say that all is well."""
    return Diagnosis(Health.WELL, text)


def advice(text: str, remedy: str) -> Diagnosis:
    """Say what works and could be safer."""
    return Diagnosis(Health.ADVICE, text, remedy)


def amiss(text: str, remedy: str) -> Diagnosis:
    """Say what is to be mended."""
    return Diagnosis(Health.AMISS, text, remedy)


def unseen(text: str) -> Diagnosis:
    """Say what could not be looked at."""
    return Diagnosis(Health.UNSEEN, text)
