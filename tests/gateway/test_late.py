"""What a server loads when somebody first needs it, and how those fare who ask for it at the same moment."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pkgutil import iter_modules
from typing import Any

import pytest
from tests.fixtures import coroutines

from crownkeep import services
from crownkeep.gateway.late import LateApplication
from crownkeep.operations import registry

NOT_FOR_A_START = ("alembic", "crownkeep.console", "fido2", "jinja2", "opentelemetry", "signxml", "starlette", "zxcvbn")
"""Nor for any service."""
NOT_BEFORE_A_SERVICE = ("cryptography.x509", "joserfc", "prometheus_client")


def test_a_server_starts_without_what_only_people_need():
    answer = _run("import sys, crownkeep.app; from crownkeep import services; services.load(); print(*sys.modules)")

    assert [] == [name for name in NOT_FOR_A_START if name in answer]


ASKS_FOR_STS = """
import sys
import crownkeep.app
from crownkeep import services
from crownkeep.operations import registry

services.load_late()
known = (".sts.caller", ".organizations.units")
at_first = [name for name in sys.modules if name.endswith(known) or name in sys.argv[1:]]
served = [*registry.service("sts").served()]
then = [name for name in sys.modules if name.endswith(known)]
print(len(at_first), *then, *served)
"""


def test_a_service_is_imported_whole_when_it_is_first_asked_for_and_no_other():
    count, *names = _run(ASKS_FOR_STS, *NOT_BEFORE_A_SERVICE)

    assert "0" == count
    assert ["crownkeep.services.sts.caller"] == [name for name in names if name.startswith("crownkeep.")]
    assert {"AssumeRole", "AssumeRoot", "GetCallerIdentity", "GetSessionToken"} < set(names)


SHOWS_QUOTAS = """
import sys
from types import SimpleNamespace
from unittest import mock
import crownkeep.app
from crownkeep import services
from crownkeep.operations import registry

services.load_late()
registry.service("operator")
module = sys.modules["crownkeep.services.operator.quotas"]
with mock.patch.object(module, "known_accounts"), mock.patch.object(module, "account_quotas"):
    shown = module.list_quotas(SimpleNamespace(db=None, notes=SimpleNamespace()), account_id="1")
print(*(each["name"] for each in shown["quotas"]))
"""


def test_quotas_of_services_that_nobody_has_asked_for_yet_are_shown():
    assert {"UsersQuota", "ApprovalTeamsPerAccount", "GroupsPerEntitledRoleQuota"} <= set(_run(SHOWS_QUOTAS))


ASK_AT_ONCE = """
import threading
from crownkeep.operations import registry

half, go_on = threading.Event(), threading.Event()
found, tries = [], []


def load():
    tries.append("try")
    if len(tries) == 1:
        raise ImportError("too many open files")
    service = registry.Service("late")
    half.set()
    go_on.wait()
    service.operation("GetLate", resource=registry.no_resource)(print)


def ask():
    found.append([*registry.service("late").served()])


registry.load_late({"late": load})
try:
    registry.service("late")
except ImportError as error:
    print(type(error).__name__)
asking = [threading.Thread(target=ask) for _ in range(3)]
asking[0].start()
half.wait()
for each in asking[1:]:
    each.start()
print(len(found))
go_on.set()
for each in asking:
    each.join()
print(len(tries), *(name for names in found for name in names))
"""


def test_a_service_has_the_name_of_its_package_by_which_it_is_found():
    packages = {each.name.replace("_", "-") for each in iter_modules(services.__path__)}

    services.load()

    assert set() == packages ^ {each.name for each in registry.services()}


def test_whoever_asks_for_a_service_that_is_being_imported_waits_for_all_of_it():
    assert ["ImportError", "0", "2", "GetLate", "GetLate", "GetLate"] == _run(ASK_AT_ONCE)


def _run(code: str, *arguments: str) -> list[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True).stdout.split()


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
