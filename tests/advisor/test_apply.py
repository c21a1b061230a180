"""Taking steps and taking them back where a call fails: what may have happened is never taken for what did not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber

from crownkeep.advisor.apply import PlanExecutor, UnexpectedState
from crownkeep.advisor.journal import Journal
from crownkeep.advisor.plans import PlannedCall, PlanStep, Reading

CALL = PlannedCall("iam", "CreateAccountAlias", {"AccountAlias": "quiet"})
UNDO = PlannedCall("iam", "DeleteAccountAlias", {"AccountAlias": "quiet"})
READING = Reading(PlannedCall("iam", "ListAccountAliases"), "AccountAliases", [], ["quiet"])
STEP = PlanStep("1", "account-alias", "Set the alias", 1, (), CALL, UNDO, READING, "")


class Endpoint:
    """IAM as botocore's stubs have it, answer by answer, and a journal."""

    def __init__(self, directory: Path) -> None:
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        self.client = botocore.session.Session().create_client("iam", region_name="us-east-1", **keys)
        self.stub = Stubber(self.client)
        self.journal = Journal(directory / "plan.json.journal", "digest")
        self.executor = PlanExecutor(lambda service, region: self.client, self.journal, lambda step: None)

    def shows(self, *aliases: str) -> None:
        self.stub.add_response("list_account_aliases", {"AccountAliases": [*aliases], "IsTruncated": False})

    def refuses(self, method: str, status: int) -> None:
        self.stub.add_client_error(method, "Refused", "no", http_status_code=status)

    def hangs(self, operation: str) -> None:
        def lost(**_: Any) -> None:
            raise ReadTimeoutError(endpoint_url="https://iam.amazonaws.com")

        self.client.meta.events.register_first(f"before-call.iam.{operation}", lost)


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    made = Endpoint(tmp_path)
    with made.stub:
        yield made
    made.stub.assert_no_pending_responses()


def test_a_step_that_was_refused_does_not_stand(endpoint: Endpoint):
    endpoint.shows()
    endpoint.refuses("create_account_alias", 403)

    with pytest.raises(UnexpectedState, match="failed"):
        endpoint.executor.apply(STEP)

    assert not endpoint.journal.stands(STEP.id)


@pytest.mark.parametrize("how", ["timeout", "fault of theirs"])
def test_a_step_whose_call_may_have_happened_stands_and_can_be_undone(endpoint: Endpoint, how: str):
    endpoint.shows()
    if how == "timeout":
        endpoint.hangs("CreateAccountAlias")
    else:
        endpoint.refuses("create_account_alias", 500)
    with pytest.raises(UnexpectedState, match="failed"):
        endpoint.executor.apply(STEP)
    assert endpoint.journal.stands(STEP.id)
    endpoint.shows("quiet")
    endpoint.stub.add_response("delete_account_alias", {})
    endpoint.shows()

    assert "undone" == endpoint.executor.undo(STEP).what

    assert not endpoint.journal.stands(STEP.id)


@pytest.mark.parametrize("status", [400, 503])
def test_a_step_whose_undoing_failed_stands_and_is_tried_again(endpoint: Endpoint, status: int):
    endpoint.journal.write(STEP.id, "done")
    endpoint.shows("quiet")
    endpoint.refuses("delete_account_alias", status)

    with pytest.raises(UnexpectedState, match="failed"):
        endpoint.executor.undo(STEP)

    assert endpoint.journal.stands(STEP.id)


class Killed(BaseException):
    """The process is gone: nothing below catches it."""


class Fragile:
    """Three settings in this process, which dies at a given one of its steps: a call, or a line written."""

    def __init__(self, directory: Path) -> None:
        self.state: dict[str, Any] = {}
        self.calls: list[str] = []
        self.left: int | None = None
        self.path = directory / "plan.json.journal"

    def tick(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed

    def apply(self, steps: Sequence[PlanStep]) -> list[str]:
        """Run `apply` as a new process does, with nothing but the files of the one before."""
        executor = PlanExecutor(lambda service, region: self, DyingJournal(self), lambda step: None)
        return [executor.apply(step).what for step in steps]

    # What reader.invoke and reader.ask call of a client.
    def can_paginate(self, _: str) -> bool:
        return False

    @property
    def meta(self) -> Any:
        return SimpleNamespace(method_to_api_mapping={"get_it": "GetIt"})

    def _make_api_call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        name = parameters["Name"]
        self.tick()
        if operation == "GetIt":
            return {"Value": self.state.get(name)}
        self.state[name] = "new"
        self.calls.append(name)
        self.tick()  # killed after AWS did it, and before its answer was read
        return {}


class DyingJournal(Journal):
    """A journal whose process may die before a line is written, and after."""

    def __init__(self, fragile: Fragile) -> None:
        super().__init__(fragile.path, "digest")
        self._fragile = fragile

    def write(self, step_id: str, event: str, detail: str = "") -> None:
        self._fragile.tick()
        super().write(step_id, event, detail)
        self._fragile.tick()


def of_three_steps() -> list[PlanStep]:
    return [
        PlanStep(
            str(number),
            "check",
            f"Set {number}",
            1,
            (),
            PlannedCall("iam", "SetIt", {"Name": f"s{number}"}),
            PlannedCall("iam", "UnsetIt", {"Name": f"s{number}"}),
            Reading(PlannedCall("iam", "GetIt", {"Name": f"s{number}"}), "Value", None, "new"),
            "",
        )
        for number in range(3)
    ]


def test_a_plan_killed_at_any_point_is_finished_by_applying_it_again(tmp_path: Path):
    whole = Fragile(tmp_path / "whole")
    whole.path.parent.mkdir()
    whole.left = 1_000
    whole.apply(of_three_steps())
    points = 1_000 - whole.left

    for point in range(points):
        here = Fragile(tmp_path / str(point))
        here.path.parent.mkdir()
        here.left = point
        with pytest.raises(Killed):
            here.apply(of_three_steps())
        here.left = None

        here.apply(of_three_steps())

        assert ["s0", "s1", "s2"] == here.calls  # each once, in order
        assert all(DyingJournal(here).stands(step.id) for step in of_three_steps())
    assert points > 15
