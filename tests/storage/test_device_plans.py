"""Finding somebody's MFA devices costs the same however many devices the account has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fixtures.statements import given

from crownkeep.storage.credentials import mfa_devices
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.schema import metadata

PLACE = ("111122223333", "AIDAAAAAAAAAAAAAAAAAA")
QUERIES: dict[str, Callable[[Transaction], object]] = {
    "page": lambda db: mfa_devices.page_of_owner(db, *PLACE, after="", limit=10),
    "count": lambda db: mfa_devices.count_of_owner(db, *PLACE),
}


@pytest.mark.parametrize("query", QUERIES)
def test_devices_of_one_owner_are_found_by_the_index_of_owners(tmp_path: Path, query: str):
    database = Database(f"sqlite:///{tmp_path / 'devices.db'}")
    metadata.create_all(database.engine)
    with database.snapshot() as db:
        with given() as statements:
            QUERIES[query](db)
        asked = statements[0]
        plans = [row[3] for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked.text}", tuple(asked.values))]
    database.close()

    assert "ix_mfa_devices_account_id_owner_id (account_id=? AND owner_id=?" in plans[0]
