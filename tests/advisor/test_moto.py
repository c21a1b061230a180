"""A second endpoint: moto's server, whose answers are not ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from bench.servers import Server, moto

from crownkeep.advisor import findings, reader
from crownkeep.advisor.check import CheckState

pytestmark = pytest.mark.nightly


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with moto(tmp_path) as running:
        yield running


def test_another_endpoint_is_audited_alike(server: Server, monkeypatch: pytest.MonkeyPatch):
    for name, value in (("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(name, value)
    url = f"http://127.0.0.1:{server.port}"
    iam = botocore.session.get_session().create_client("iam", endpoint_url=url)
    iam.create_user(UserName="cat")
    iam.create_login_profile(UserName="cat", Password="long enough for a cat")

    report = findings.audit(reader.gather(reader.clients_of(None, url)))

    states = {each.check.name: each.state for each in report.findings}
    assert (
        CheckState.FAIL
        is states["password-policy"]
        is states["users-mfa"]
        is states["trail-on"]
        is states["administrator-exists"]
    )
    assert CheckState.PASS is states["root-access-keys"] is states["old-keys"]
