"""How often checkpoints are signed: while a server is busy, each stands for half a second of records."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from tests.fixtures.crown import Crown
from tests.trail import logs

from crownkeep.storage.trail import checkpoints
from crownkeep.trail import sequencer


def test_a_busy_server_signs_no_more_often_than_it_must(crown: Crown, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sequencer, "SECONDS_BETWEEN_LOOKS", 0.01)
    monkeypatch.setattr(sequencer, "SECONDS_BETWEEN_CHECKPOINTS", 0.2)
    house = crown._served._app._house
    sts = crown.account().client("sts")
    logs.settled(crown)
    with house.database.snapshot() as db:
        before = checkpoints.newest(db)
    signed = list[checkpoints.CheckpointRow]()

    while len(signed) < 4:
        sts.get_caller_identity()
        with house.database.snapshot() as db:
            signed = checkpoints.page(db, after=before.size if before else 0, limit=10)

    # The moment is taken before the signing, whose length differs; most of the pause must lie between two.
    assert all(later.signed_at - earlier.signed_at > timedelta(seconds=0.15) for earlier, later in pairwise(signed))
