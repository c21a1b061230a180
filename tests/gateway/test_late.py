"""What a server loads when somebody first needs it, and how those fare who ask for it at the same moment."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from tests.fixtures import coroutines

from crownkeep.gateway.late import LateApplication

NOT_FOR_A_START = ("alembic", "crownkeep.console", "fido2", "jinja2", "signxml", "starlette", "zxcvbn")


def test_a_server_starts_without_what_only_people_need():
    loaded = "import sys, crownkeep.app; from crownkeep import services; services.load(); print(*sys.modules)"

    answer = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.split()

    assert [] == [name for name in NOT_FOR_A_START if name in answer]


def test_an_application_is_made_once_and_everybody_who_waited_is_served():
    made: list[str] = []
    served: list[str] = []

    def make() -> Any:
        made.append("made")

        async def application(scope: Any, receive: Any, send: Any) -> None:
            served.append(scope)

        return application

    async def ask() -> None:
        late: Any = LateApplication(make)
        await asyncio.gather(*(late(each, None, None) for each in ("first", "second", "third")))

    coroutines.run(ask())

    assert ["made"] == made
    assert {"first", "second", "third"} == set(served)


def test_an_application_that_could_not_be_made_is_made_for_the_next_who_asks():
    tries: list[str] = []

    def make() -> Any:
        tries.append("try")
        if len(tries) == 1:
            raise OSError("too many open files")

        async def application(scope: Any, receive: Any, send: Any) -> None:
            tries.append(scope)

        return application

    async def ask() -> None:
        late: Any = LateApplication(make)
        with pytest.raises(OSError, match="too many"):
            await late("first", None, None)
        await late("second", None, None)

    coroutines.run(ask())

    assert ["try", "try", "second"] == tries
