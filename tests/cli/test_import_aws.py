"""`crownkeep import aws` as people call it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.advisor.accounts import Account
from tests.cli.conftest import Terminal
from tests.fixtures.process import Process

from crownkeep.advisor import evidence
from crownkeep.cli import imports


@pytest.fixture
def kept(tmp_path: Path) -> str:
    file = tmp_path / "evidence.json"
    file.write_text(evidence.save(Account().evidence()))
    return str(file)


def test_a_twin_is_made_over_the_wire_and_what_it_could_not_have_is_named(
    crownkeep: Terminal, served: Process, kept: str, monkeypatch: pytest.MonkeyPatch
):
    answer = served.account(email="twin@acme.example", name="twin", admin_user="admin")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", answer["admin"]["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", answer["admin"]["secret_access_key"])

    ended = crownkeep("import", "aws", "--from", kept, "--to-endpoint-url", served.url, "--json")

    names = {each["UserName"] for each in served.client("iam", answer["admin"]).list_users()["Users"]}
    assert {"admin", "ann", "ben"} <= names
    assert ("111111111111", answer["account_id"]) == (ended.json()["from"], ended.json()["account_id"])
    assert (ended.code == 0) == (ended.json()["left_out"] == [])


@pytest.mark.parametrize(
    "url",
    [
        "https://iam.amazonaws.com",
        "https://IAM.amazonaws.com.",
        "https://x.api.aws",
        "amazonaws.com",
        "https://iam.amazonaws.com.cn",
    ],
)
def test_nothing_is_ever_written_to_aws(crownkeep: Terminal, kept: str, url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(imports, "made", None)

    ended = crownkeep("import", "aws", "--from", kept, "--to-endpoint-url", url)

    assert (2, True) == (ended.code, "nothing is ever written to AWS" in ended.err)
