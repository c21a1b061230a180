"""Bodies of events: whatever their size, a record comes back as it was, and small ones are stored small."""

from __future__ import annotations

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from crownkeep.storage.trail import events

RECORD = json.dumps({"eventVersion": "1.11", "userIdentity": {"type": "IAMUser"}, "eventSource": "iam.amazonaws.com"}).encode()


@given(st.binary(max_size=64), st.integers(0, 400))
@example(b"\x00", 6 * 1024)
@example(b"\x00", 6 * 1024 + 1)
@example(RECORD, 1_000)
@settings(max_examples=30)
def test_records_of_any_size_are_unpacked_as_they_were(piece, times):
    record = piece * times

    assert record == events.unpack(events.pack(record))


def test_what_most_records_hold_takes_hardly_any_room():
    assert len(events.pack(RECORD)) < len(RECORD) / 2
