"""The wheel is complete: installed alone into a bare environment, it serves; everything else of a clone is out of its reach."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from tests.fixtures.process import ROOT, Process

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built once."""
    place = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "build", "--wheel", "--out-dir", place, ROOT], check=True, capture_output=True, timeout=300)
    [built] = place.glob("*.whl")
    return built


def test_the_wheel_holds_every_file_of_the_package(wheel):
    with zipfile.ZipFile(wheel) as opened:
        packed = set(opened.namelist())

    files = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*") if path.is_file()}
    assert set() == {name for name in files if "__pycache__" not in name} - packed
    assert any(name.endswith("licenses/LICENSE") for name in packed)


def test_an_installed_wheel_serves(wheel, tmp_path, monkeypatch):
    bare = tmp_path / "bare"
    venv.create(bare, with_pip=True)
    subprocess.run([bare / "bin" / "python", "-m", "pip", "install", "--quiet", wheel], check=True, timeout=900, cwd=tmp_path)
    monkeypatch.setattr("tests.fixtures.process.COMMAND", bare / "bin" / "crownkeep")
    server = Process(tmp_path)

    server.start()
    answer = server.account()
    doctor = server.crownkeep("doctor")
    server.stop()

    assert 12 == len(answer["account_id"])
    assert (0, "All is well.") == (doctor.returncode, doctor.stdout.splitlines()[-1])


def test_the_root_of_the_image_serves_and_has_no_shell_or_other_program(wheel, tmp_path):
    env, root = tmp_path / "env", tmp_path / "root"
    subprocess.run(["/usr/bin/python3.11", "-m", "venv", "--without-pip", env], check=True, timeout=120)
    uv = Path(sys.executable).with_name("uv")
    wanted = f"{wheel}[postgres,saml]"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", env / "bin" / "python", wanted], check=True, timeout=900)
    subprocess.run(["sh", ROOT / "deploy" / "oci" / "rootfs.sh", root, env], check=True, timeout=300)

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        inside = ["unshare", "--map-root-user", f"--root={root}", *words]
        variables = {"CROWNKEEP_DATA": "/tmp/data", "PATH": "/usr/bin:/bin"}
        return subprocess.run(inside, capture_output=True, text=True, timeout=120, env=variables)

    programs = {each.name for each in (root / "usr" / "bin").iterdir()}
    made = run(env / "bin" / "crownkeep", "account", "create", "--email", "root@image.example", "--name", "image", "--json")

    assert {"python3.11"} == programs
    assert not any(each.lstat().st_mode & 0o6000 for each in root.rglob("*") if not each.is_symlink() and each.is_file())
    assert (0, "") == (made.returncode, made.stderr.partition("note:")[0])
    assert 12 == len(json.loads(made.stdout)["account_id"])
    assert 0 != run("/bin/sh", "-c", "true").returncode
    assert (
        0 == run(env / "bin" / "python", "-c", "import psycopg, signxml, lxml.etree, uvloop, httptools, ssl, sqlite3").returncode
    )
