"""Taking steps and taking them back where a call fails: what may have happened is never taken for what did not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber

from crownkeep.advisor.apply import Hands, Surprise
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
        self.hands = Hands(lambda service, region: self.client, self.journal, lambda step: None)

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

    with pytest.raises(Surprise, match="failed"):
        endpoint.hands.apply(STEP)

    assert not endpoint.journal.stands(STEP.id)


@pytest.mark.parametrize("how", ["timeout", "fault of theirs"])
def test_a_step_whose_call_may_have_happened_stands_and_can_be_undone(endpoint: Endpoint, how: str):
    endpoint.shows()
    if how == "timeout":
        endpoint.hangs("CreateAccountAlias")
    else:
        endpoint.refuses("create_account_alias", 500)
    with pytest.raises(Surprise, match="failed"):
        endpoint.hands.apply(STEP)
    assert endpoint.journal.stands(STEP.id)
    endpoint.shows("quiet")
    endpoint.stub.add_response("delete_account_alias", {})
    endpoint.shows()

    assert "undone" == endpoint.hands.undo(STEP).what

    assert not endpoint.journal.stands(STEP.id)


@pytest.mark.parametrize("status", [400, 503])
def test_a_step_whose_undoing_failed_stands_and_is_tried_again(endpoint: Endpoint, status: int):
    endpoint.journal.write(STEP.id, "done")
    endpoint.shows("quiet")
    endpoint.refuses("delete_account_alias", status)

    with pytest.raises(Surprise, match="failed"):
        endpoint.hands.undo(STEP)

    assert endpoint.journal.stands(STEP.id)
