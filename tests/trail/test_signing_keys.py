"""The keys that sign checkpoints: what somebody does to them in the database is said, and ends nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.trail.tampering import KEYRING, MADE

from crownkeep.credentials.sealing import Unsealable
from crownkeep.domain import trail_keys
from crownkeep.storage import migrate
from crownkeep.storage.database import Database
from crownkeep.storage.trail import log_keys
from crownkeep.storage.trail.log_keys import LOG


def test_keys_that_were_removed_or_changed_in_the_database_are_a_fault_that_the_sequencer_names(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path}/crownkeep.db")
    migrate.upgrade(database)
    trail_keys.prepare(database, KEYRING)
    with database.snapshot() as db:
        rows = log_keys.every(db, LOG)
    database.close()

    assert len(rows) == len(trail_keys.signers(KEYRING, rows, now=MADE))
    for spoilt in ([], [replace(each, retired_at=MADE) for each in rows], [replace(each, vkey="log") for each in rows]):
        with pytest.raises(Unsealable):
            trail_keys.signers(KEYRING, spoilt, now=MADE)
