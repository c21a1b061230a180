"""What lies in deploy/: units, manifests and examples that are what they say."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.fixtures.process import ROOT

from crownkeep.settings import Settings

DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "systemd" / "crownkeep.service"
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateDevices": "yes",
    "CapabilityBoundingSet": "",
    "MemoryDenyWriteExecute": "yes",
    "UMask": "0077",
    "Type": "notify",
}
_HIGHEST_EXPOSURE = 20
"""In tenths, as `systemd-analyze security` counts them."""


def unit(file: Path) -> configparser.SectionProxy:
    """Return the section that says how a service is run."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[method-assign, assignment]  # names keep their case
    parser.read_string(file.read_text())
    return parser["Service"]


def test_the_service_is_hardened():
    found = unit(UNIT)

    assert HARDENED == {name: found[name] for name in HARDENED}
    analyze = shutil.which("systemd-analyze")
    if analyze is not None:
        command = [analyze, "security", "--offline=true", f"--threshold={_HIGHEST_EXPOSURE}", str(UNIT)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert 0 == ended.returncode, ended.stdout[-200:]


def documents() -> list[dict[str, Any]]:
    """Return the Kubernetes objects."""
    return [each for file in sorted((DEPLOY / "kubernetes").glob("*.yaml")) for each in yaml.safe_load_all(file.read_text())]


def test_pods_are_restricted_and_no_service_s_variables_reach_them():
    pods = [each["spec"]["template"]["spec"] for each in documents() if "template" in each.get("spec", {})]

    assert pods
    for pod in pods:
        # A Service called crownkeep would set CROWNKEEP_PORT to `tcp://...`.
        assert (False, False) == (pod["enableServiceLinks"], pod["automountServiceAccountToken"])
        assert {"type": "RuntimeDefault"} == pod["securityContext"]["seccompProfile"]
        assert pod["securityContext"]["runAsNonRoot"]
        for container in pod["containers"]:
            context = container["securityContext"]
            assert {"drop": ["ALL"]} == context["capabilities"]
            assert (False, True) == (context["allowPrivilegeEscalation"], context["readOnlyRootFilesystem"])


@pytest.mark.nightly
def test_kubernetes_takes_the_manifests():
    import kubernetes_validate

    newest = kubernetes_validate.latest_version()

    assert [newest.rpartition(".")[0]] * 3 == [kubernetes_validate.validate(each, newest, strict=True) for each in documents()]


@pytest.mark.parametrize("file", sorted(DEPLOY.rglob("*")), ids=lambda path: path.name)
def test_every_variable_in_an_example_is_a_setting(file: Path):
    if file.is_dir():
        return
    named = set(re.findall(r"\bCROWNKEEP_([A-Z_0-9]+)\b", re.sub(r"#.*", "", file.read_text())))

    assert set() == {name for name in named if name.lower() not in Settings.__struct_fields__}


def test_the_dashboard_and_the_alerts_name_metrics_that_there_are(crown):
    token = (crown.settings.data_directory / "metrics.token").read_text().strip()
    crown.account().client("iam").list_users()
    shown = crown.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"}).text
    text = "".join(file.read_text() for file in (DEPLOY / "monitoring").iterdir())

    json.loads((DEPLOY / "monitoring" / "dashboard.json").read_text())
    rules = yaml.safe_load((DEPLOY / "monitoring" / "alerts.yaml").read_text())
    named = set(re.findall(r"\bcrownkeep_[a-z_]+", text))
    assert named
    assert set() == {name for name in named if name not in shown and name.removesuffix("_bucket") not in shown}
    assert all({"alert", "expr", "annotations"} <= rule.keys() for group in rules["groups"] for rule in group["rules"])


def test_every_command_has_a_manual_page_that_can_be_set():
    from scripts.make_man_pages import pages
    from tests.house.test_one_door import commands

    from crownkeep.cli.main import main

    found = dict(pages(main, "crownkeep"))

    assert {f"crownkeep-{name.replace(' ', '-')}" for name in commands()} <= found.keys()
    # A line that begins with a point or a quote is a request to troff, and these are all that we make.
    requests = {line.split()[0] for text in found.values() for line in text.splitlines() if line.startswith((".", "'"))}
    assert requests <= {".TH", ".SH", ".TP", ".B", ".PP", "."}
