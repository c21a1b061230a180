"""The GitHub Action: its steps run what lies beside it, with values that can't be taken for code."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.fixtures.process import ROOT, Process

ACTION = ROOT / "deploy" / "github-action"


def test_no_value_of_a_caller_is_part_of_a_script():
    action = yaml.safe_load((ACTION / "action.yml").read_text())

    steps = action["runs"]["steps"]
    assert "composite" == action["runs"]["using"]
    assert [] == [step["name"] for step in steps if "${{" in step.get("run", "")]
    assert all(step.get("shell") == "bash" for step in steps if "run" in step)
    named = {
        word for step in steps for value in step.get("env", {}).values() for word in value.split() if word.startswith("inputs.")
    }
    assert {each.removeprefix("inputs.") for each in named} <= action["inputs"].keys()


@pytest.mark.nightly
def test_the_action_writes_sarif_and_a_summary_and_fails_for_what_is_severe(serve: Callable[..., Process], tmp_path: Path):
    server = serve()
    admin = server.account(admin_user="admin")["admin"]
    output, summary = tmp_path / "output", tmp_path / "summary"
    given = {"RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
    keys = {"AWS_ACCESS_KEY_ID": admin["access_key_id"], "AWS_SECRET_ACCESS_KEY": admin["secret_access_key"]}

    def run(step: str, **values: str) -> int:
        variables = server.environment | given | keys | values
        done = subprocess.run(
            [ACTION / "audit.sh", step], env=variables, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        return done.returncode

    looked = run("look", ENDPOINT_URL=server.url)

    sarif = json.loads(Path(output.read_text().strip().removeprefix("sarif=")).read_text())
    assert (0, 1, 0) == (looked, run("judge", FAIL_ON="low"), run("judge"))
    assert "2.1.0" == sarif["version"]
    assert sarif["runs"][0]["results"]
    assert "### Crownkeep audit" in summary.read_text()
