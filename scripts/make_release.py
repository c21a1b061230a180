"""Make a release and sign it, or verify one.

.venv/bin/python -m scripts.make_release --key ~/.ssh/release --out dist/release
.venv/bin/python -m scripts.make_release --verify dist/release --signers allowed_signers [--rebuild]

A release is the wheel, the source, the Debian package, the bill of materials (CycloneDX), and SHA256SUMS over them, which an
Ed25519 key of the releaser signs as OpenSSH does. Everything is built twice and must be the same both times. Nothing asks the
network once the locked wheels are in uv's cache.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from scripts import bill_of_materials, building, make_package
from scripts.building import ROOT, NotBuilt

SUMS = "SHA256SUMS"
SIGNATURE = f"{SUMS}.sig"
NAMESPACE = "crownkeep-release"
"""What the signature is for (`ssh-keygen -n`), so that no other signature of the same key counts."""

SIGNER = "crownkeep-release"
"""Who signs, as a line of `allowed_signers` begins."""


def main(words: Sequence[str] | None = None) -> int:
    """Make or verify a release, and say what was done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "release")
    parser.add_argument("--key", type=Path, help="the releaser's Ed25519 key, of OpenSSH; its public half is beside it")
    parser.add_argument("--python", default=f"{sys.version_info.major}.{sys.version_info.minor}")
    parser.add_argument("--architecture", default="amd64")
    parser.add_argument("--once", action="store_true", help="build once, and don't compare")
    parser.add_argument("--verify", type=Path, metavar="DIR", help="verify the release that is there")
    parser.add_argument("--signers", type=Path, help="who may sign, in the form of ssh-keygen(1), ALLOWED SIGNERS")
    parser.add_argument("--rebuild", action="store_true", help="build it again from this checkout, and compare")
    chosen = parser.parse_args(words)
    try:
        if chosen.verify:
            _verify(chosen)
        else:
            _make(chosen)
    except NotBuilt as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


def _make(chosen: argparse.Namespace) -> None:
    if chosen.key is None:
        raise NotBuilt("name the key that signs with `--key`; `ssh-keygen -t ed25519 -f FILE` makes one")
    _require_clean()
    shutil.rmtree(chosen.out, ignore_errors=True)
    chosen.out.mkdir(parents=True)
    build(chosen.out, python=chosen.python, architecture=chosen.architecture)
    if not chosen.once:
        _compare_with_another(chosen.out, chosen)
    (chosen.out / SUMS).write_text(sums(chosen.out))
    building.run("ssh-keygen", "-q", "-Y", "sign", "-f", chosen.key, "-n", NAMESPACE, chosen.out / SUMS)
    print(f"{chosen.out}:\n{(chosen.out / SUMS).read_text()}", end="")


def _require_clean() -> None:
    if building.run("git", "status", "--porcelain"):
        raise NotBuilt("there are changes that no commit has: commit them first, so that anybody can build the same")


def build(place: Path, *, python: str, architecture: str) -> None:
    """Build everything that is in a release, but for its sums, into an empty directory."""
    wheel = building.build("wheel", place)
    building.build("sdist", place)
    (place / ".gitignore").unlink(missing_ok=True)
    make_package.make(place, python=python, architecture=architecture, wheel=wheel)
    with tempfile.TemporaryDirectory(prefix="crownkeep-release-") as directory:
        libraries = Path(directory) / "libraries"
        building.install(wheel, libraries, python=python, architecture=architecture)
        (place / f"crownkeep-{version('crownkeep')}.cdx.json").write_text(bill_of_materials.bill(libraries))


def sums(place: Path) -> str:
    """Return what `sha256sum` would print of a release's files."""
    files = sorted(each for each in place.iterdir() if each.name not in (SUMS, SIGNATURE))
    return "".join(f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in files)


def _verify(chosen: argparse.Namespace) -> None:
    """Verify the signature, every sum, the bill of materials against its schema, and that the package holds the wheel."""
    place: Path = chosen.verify
    if chosen.signers is None:
        raise NotBuilt(f"name who may sign with `--signers`: a file with the line `{SIGNER} ssh-ed25519 ...`")
    for name in (SUMS, SIGNATURE):
        if not (place / name).is_file():
            raise NotBuilt(f"`{place}` has no {name}: it is no release, or not all of one")
    said = (place / SUMS).read_text()
    signed = ("-f", chosen.signers, "-I", SIGNER, "-n", NAMESPACE, "-s", place / SIGNATURE)
    building.run("ssh-keygen", "-Y", "verify", *signed, stdin=said)
    if said != sums(place):
        raise NotBuilt(
            f"the files in `{place}` are not those that {SUMS} names: fetch them again, and use none of them until then"
        )
    _hold_bill_against_its_schema(place)
    _hold_package_against_wheel(place)
    if chosen.rebuild:
        _compare_with_another(place, chosen)
    print(f"{place} is the release that {SIGNER} signed")


def _hold_bill_against_its_schema(place: Path) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    [bill] = place.glob("*.cdx.json")
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill.read_text())
    if fault is not None:
        raise NotBuilt(f"`{bill}` is no CycloneDX 1.6: {fault}")


def _hold_package_against_wheel(place: Path) -> None:
    """Raise NotBuilt where a module of the wheel is missing in the package, or another one."""
    [wheel], [package] = place.glob("*.whl"), place.glob("*.deb")
    with tempfile.TemporaryDirectory(prefix="crownkeep-release-") as directory, zipfile.ZipFile(wheel) as opened:
        building.run("dpkg-deb", "--extract", package, directory)
        libraries = Path(directory) / make_package.LIBRARIES
        for name in opened.namelist():
            if name.startswith("crownkeep/") and opened.read(name) != (libraries / name).read_bytes():
                raise NotBuilt(f"`{package.name}` holds another {name} than {wheel.name}")


def _compare_with_another(place: Path, chosen: argparse.Namespace) -> None:
    """Build all of it once more, elsewhere, and raise NotBuilt where anything is another."""
    with tempfile.TemporaryDirectory(prefix="crownkeep-again-") as directory:
        again = Path(directory)
        build(again, python=chosen.python, architecture=chosen.architecture)
        first, second = sums(place).splitlines(), sums(again).splitlines()
    if first != second:
        others = sorted(each.split("  ")[1] for each in set(first) ^ set(second))
        raise NotBuilt(f"built twice, these differ: {', '.join(dict.fromkeys(others))}")


if __name__ == "__main__":
    raise SystemExit(main())
