"""Evidence of an account on Crownkeep, gathered in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.fixtures.crown import Account

from crownkeep.advisor import reader
from crownkeep.advisor.evidence import Evidence


@pytest.fixture
def gather() -> Callable[..., Evidence]:
    """Gather evidence of an account as its administrator, or with the clients of somebody else."""

    def gather(account: Account, who: Any = None) -> Evidence:
        return reader.gather(clients_of(who or account), workers=2)

    return gather


def clients_of(who: Any) -> reader.Clients:
    """Return clients that sign as somebody, each made once."""
    made: dict[tuple[str, str], Any] = {}

    def client(service: str, region: str) -> Any:
        if (service, region) not in made:
            made[service, region] = who.client(service, region=region)
        return made[service, region]

    return client
