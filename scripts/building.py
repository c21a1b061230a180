"""What packages and releases are built with: the moment that they name, the locked wheels, and commands that must succeed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
_UV = Path(sys.executable).with_name("uv")
_PLATFORMS = {"amd64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
"""What uv calls the machines that Debian calls so."""
_OF_THIS_MACHINE = ("direct_url.json", "uv_cache.json", "INSTALLER", "REQUESTED", "RECORD")
"""Files of an installation that say where and how it was made. RECORD lists them, and files that are removed."""


class NotBuilt(Exception):
    """Something could not be built; the message says what."""


def run(*command: str | Path, cwd: Path = ROOT, stdin: str | None = None, **environment: str) -> str:
    """Run a command and return what it printed; raises NotBuilt with what it said where it fails."""
    words = [str(each) for each in command]
    variables = os.environ | {"SOURCE_DATE_EPOCH": str(moment()), "TZ": "UTC", "LC_ALL": "C.UTF-8"} | environment
    done = subprocess.run(words, cwd=cwd, env=variables, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotBuilt(f"`{' '.join(words[:3])} ...` ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


@cache
def moment() -> int:
    """Return the time that everything built names: SOURCE_DATE_EPOCH, or the last commit's."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given.isdecimal():
        return int(given)
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)


def build(kind: str, place: Path) -> Path:
    """Build a `wheel` or an `sdist` with the locked build backend, in this environment, and return it."""
    before = set(place.glob("*"))
    run(_UV, "build", f"--{kind}", "--no-build-isolation", "--python", sys.executable, "--offline", "--out-dir", place, ROOT)
    [built] = (each for each in set(place.glob("*")) - before if each.suffix in (".whl", ".gz"))
    return built


def install(wheel: Path, place: Path, *, python: str, architecture: str) -> None:
    """Install a wheel and what it needs, exactly as locked and by hashes, into a directory of its own."""
    if architecture not in _PLATFORMS:
        raise NotBuilt(f"there is no `{architecture}`: choose one of {', '.join(_PLATFORMS)}")
    target = ("--target", place, "--python-version", python, "--python-platform", _PLATFORMS[architecture], "--no-deps")
    quiet = ("--quiet", "--only-binary", ":all:", "--link-mode", "copy")
    locked = run(_UV, "export", "--quiet", "--locked", "--no-dev", "--all-extras", "--no-emit-project")
    run(_UV, "pip", "install", *quiet, *target, "--require-hashes", "-r", "-", stdin=locked)
    run(_UV, "pip", "install", *quiet, *target, wheel)
    for name in ("bin", "share"):
        shutil.rmtree(place / name, ignore_errors=True)
    (place / ".lock").unlink(missing_ok=True)
    for name in _OF_THIS_MACHINE:
        for each in place.glob(f"*.dist-info/{name}"):
            each.unlink()
