"""The tally of nights: what shards have counted adds up."""

from __future__ import annotations

from scripts import nightly_shards


def test_totals_of_shards_add_up_whichever_machine_they_ran_on():
    tally = ['{"tamperings": 500}', '{"kills": 40}', '{"tamperings": 500}']

    assert {"tamperings": 1_000, "kills": 40, "ceremony steps": 0} == nightly_shards.totals(tally)
    assert {"tamperings": 0, "kills": 0, "ceremony steps": 0} == nightly_shards.totals([])
