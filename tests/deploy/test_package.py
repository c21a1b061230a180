"""The Debian package, as it is unpacked: alone with its own libraries it serves, and lintian finds nothing that has no reason."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from scripts import make_package
from tests.fixtures.process import Process

DEBIAN = make_package.DEBIAN


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built once for the Python that Debian has here."""
    place = tmp_path_factory.mktemp("package")
    return make_package.make(place, python=f"{sys.version_info.major}.{sys.version_info.minor}", architecture="amd64")


@pytest.mark.nightly
def test_an_unpacked_package_serves_and_lintian_finds_nothing(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    subprocess.run(["dpkg-deb", "--extract", package, tmp_path], check=True, timeout=300)
    command = tmp_path / "usr/bin/crownkeep"
    monkeypatch.setattr("tests.fixtures.process.COMMAND", command)
    server = Process(tmp_path)
    server.command = [command, "serve"]

    shown = subprocess.run([command, "--version"], capture_output=True, text=True, check=True, timeout=120).stdout
    server.start()
    answer = server.account()
    doctor = server.crownkeep("doctor")
    server.stop()

    assert version("crownkeep") in shown
    assert 12 == len(answer["account_id"])
    assert (0, "All is well.") == (doctor.returncode, doctor.stdout.splitlines()[-1])
    lintian = shutil.which("lintian")
    assert lintian, "`make nightly` installs lintian"
    ended = subprocess.run([lintian, "--profile", "debian", package], capture_output=True, text=True, timeout=1_800, check=False)
    assert "" == re.sub(r"^(N:.*|)\n", "", ended.stdout, flags=re.MULTILINE)


def test_removing_the_package_for_good_keeps_its_data():
    removed = (DEBIAN / "postrm").read_text()

    assert [] == re.findall(r"^.*\brm\b.*(?:/var/lib|/var/backups).*$", removed, re.MULTILINE)
    assert "is kept" in removed


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm"])
def test_scripts_of_the_package_can_be_run_by_any_shell(script: str):
    subprocess.run(["sh", "-n", DEBIAN / script], check=True, timeout=60)

    assert "set -e" in (DEBIAN / script).read_text()


def test_the_package_needs_what_its_units_run_and_stops_what_they_start(tmp_path: Path):
    (tmp_path / "usr").mkdir()
    (tmp_path / "usr/file").write_text("")
    units = {each.name: each.read_text() for each in (DEBIAN.parent / "systemd").glob("crownkeep*")}

    make_package._control(tmp_path, python="3.11", architecture="amd64")

    control, removed = (tmp_path / "DEBIAN/control").read_text(), (tmp_path / "DEBIAN/prerm").read_text()
    programs = {word for text in units.values() for word in re.findall(r"^Exec\w+=(\S+)", text, re.MULTILINE)}
    # `kill` is no part of a minimal Debian.
    assert ({"/opt/crownkeep/bin/crownkeep", "/bin/kill"}, True) == (programs, " procps," in control)
    assert set() == {name for name in units if not name.endswith(("-backup.service", "-doctor.service")) and name not in removed}


def test_every_override_of_lintian_has_its_reason():
    paragraphs = (DEBIAN / "lintian-overrides").read_text().strip().split("\n\n")

    assert paragraphs
    assert all(each.startswith("# ") for each in paragraphs)
