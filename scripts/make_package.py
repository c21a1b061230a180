"""Make Crownkeep's Debian package, with the libraries that it was tested with inside.

.venv/bin/python -m scripts.make_package --out dist [--python 3.11] [--architecture amd64]

Debian's own libraries are older than what Crownkeep needs, so the package brings the locked wheels, for one version of Python:
3.11 for bookworm, 3.13 for trixie. It is the same bytes whenever it is built from the same commit.
"""

from __future__ import annotations

import argparse
import email
import gzip
import os
import shutil
import sys
import tempfile
from email.message import Message
from email.utils import formatdate
from importlib.metadata import version
from pathlib import Path

from click.shell_completion import FishComplete, ShellComplete, ZshComplete
from scripts import building
from scripts.building import ROOT, NotBuilt
from scripts.make_man_pages import pages

from crownkeep.cli.main import main as crownkeep

DEBIAN = ROOT / "deploy" / "debian"
LIBRARIES = "usr/lib/crownkeep"
_DOCUMENTS = "usr/share/doc/crownkeep"
_CONFIGURATION = "etc/crownkeep/crownkeep.toml"
_COMMAND_OF_UNITS = "/opt/crownkeep/bin/crownkeep"
_MAINTAINER = (
    os.environ.get("DEBFULLNAME", "Crownkeep authors") + f" <{os.environ.get('DEBEMAIL', 'crownkeep@crownkeep.invalid')}>"
)
"""Who builds it, as Debian's tools are told; nobody's address unless they say."""
_EXAMPLES = ("monitoring", "proxies", "systemd/sealing-key.conf")
_OURS = f"""\
Copyright: 2026 the Crownkeep authors

Crownkeep is under the Apache License 2.0, which is in /usr/share/common-licenses/Apache-2.0. NOTICE beside this file names the
data in it that others made.

These libraries are below /{LIBRARIES}, each as its authors published it:
"""
_DESCRIPTION = """\
account authority that speaks AWS's own APIs
 Crownkeep serves IAM, STS, Organizations, CloudTrail and the sign-in of AWS
 on your own machine. It gives every account a real root user and the tools
 to never need it, decides every request by its policies, and keeps a record
 of each that nobody can rewrite unseen.
 .
 The package brings the Python libraries that Crownkeep was tested with, since
 Debian's are older. They are used by nothing else."""


def main() -> int:
    """Make the package and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--python", default=f"{sys.version_info.major}.{sys.version_info.minor}")
    parser.add_argument("--architecture", default="amd64")
    parser.add_argument("--wheel", type=Path, help="the wheel, where it is built already")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    try:
        print(make(chosen.out, python=chosen.python, architecture=chosen.architecture, wheel=chosen.wheel))
    except NotBuilt as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


def make(out: Path, *, python: str, architecture: str, wheel: Path | None = None) -> Path:
    """Make the package for a version of Python and a machine, and return it."""
    with tempfile.TemporaryDirectory(prefix="crownkeep-package-") as directory:
        work = Path(directory)
        tree = work / "tree"
        (work / "wheel").mkdir()
        built = wheel or building.build("wheel", work / "wheel")
        building.install(built, tree / LIBRARIES, python=python, architecture=architecture)
        _lay_out(tree)
        _document(tree)
        _control(tree, python=python, architecture=architecture)
        _settle_modes(tree)
        package = out / f"crownkeep_{_version(python)}_{architecture}.deb"
        building.run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, package)
    return package


def _version(python: str) -> str:
    """Return the package's version: that of a later Debian, with a later Python, is higher."""
    return f"{version('crownkeep')}-1~py{python}"


def _lay_out(tree: Path) -> None:
    """Put the command, its settings, units, completion and lintian's overrides where Debian has them."""
    _copy(DEBIAN / "crownkeep", tree / "usr/bin/crownkeep")
    _copy(DEBIAN / "crownkeep.toml", tree / _CONFIGURATION)
    _copy(DEBIAN / "lintian-overrides", tree / "usr/share/lintian/overrides/crownkeep")
    for unit in (ROOT / "deploy" / "systemd").glob("crownkeep*"):
        text = unit.read_text().replace(_COMMAND_OF_UNITS, "/usr/bin/crownkeep")
        _write(tree / "lib/systemd/system" / unit.name, text.replace("/etc/systemd/system/", "/lib/systemd/system/"))
    shells: tuple[tuple[type[ShellComplete], str], ...] = (
        (ZshComplete, "usr/share/zsh/vendor-completions/_crownkeep"),
        (FishComplete, "usr/share/fish/vendor_completions.d/crownkeep.fish"),
    )
    for shell, place in shells:
        _write(tree / place, shell(crownkeep, {}, "crownkeep", "_CROWNKEEP_COMPLETE").source())
    # click asks this machine's bash for its version before it would write bash's; the command writes it when it is wanted.
    _write(
        tree / "usr/share/bash-completion/completions/crownkeep",
        'eval "$(_CROWNKEEP_COMPLETE=bash_source crownkeep)"\n',
    )


def _document(tree: Path) -> None:
    """Write manual pages, changelog, examples, and whose work is inside under which licence."""
    for name, text in pages(crownkeep, "crownkeep"):
        _write_packed(tree / "usr/share/man/man1" / f"{name}.1.gz", text)
    for name in _EXAMPLES:
        found = ROOT / "deploy" / name
        for each in sorted(found.iterdir()) if found.is_dir() else [found]:
            _copy(each, tree / _DOCUMENTS / "examples" / each.name)
    when = formatdate(building.moment())
    entry = f"  * Release of Crownkeep {version('crownkeep')}; CHANGELOG.md of its source says what changed."
    change = f"crownkeep ({version('crownkeep')}-1) stable; urgency=medium\n\n{entry}\n\n -- {_MAINTAINER}  {when}\n"
    _write_packed(tree / _DOCUMENTS / "changelog.Debian.gz", change)
    _copy(ROOT / "NOTICE", tree / _DOCUMENTS / "NOTICE")
    _write(tree / _DOCUMENTS / "copyright", _copyright(tree / LIBRARIES))


def _copyright(libraries: Path) -> str:
    """Return Debian's file on licences: ours, and each library's with the files of its own that have the text."""
    parts = [_OURS]
    for place in sorted(libraries.glob("*.dist-info")):
        found = email.message_from_string((place / "METADATA").read_text(encoding="utf-8"))
        if found["Name"] == "crownkeep":
            continue
        texts = sorted(f"/{LIBRARIES}/{each.relative_to(libraries)}" for each in licence_files(place))
        parts.append(f"{found['Name']} {found['Version']}: {licence(found)}\n" + "".join(f"  {text}\n" for text in texts))
    return "\n".join(parts)


def licence(metadata: Message) -> str:
    """Return the licence that a library names: an SPDX expression, else what its classifiers or its own words say."""
    if metadata["License-Expression"]:
        return str(metadata["License-Expression"])
    classifiers = [each.split(" :: ")[-1] for each in metadata.get_all("Classifier", []) if each.startswith("License ::")]
    words = str(metadata["License"] or "").strip()
    return ", ".join(classifiers) or (words.splitlines()[0] if words else "see its own files")


def licence_files(place: Path) -> list[Path]:
    """Return the files of a library's dist-info that hold its licence."""
    names = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS")
    return [each for each in place.rglob("*") if each.is_file() and each.name.upper().startswith(names)]


def _control(tree: Path, *, python: str, architecture: str) -> None:
    major, minor = python.split(".")
    size = sum(1 + each.stat().st_size // 1024 for each in tree.rglob("*") if each.is_file())
    fields = {
        "Package": "crownkeep",
        "Version": _version(python),
        "Architecture": architecture,
        "Maintainer": _MAINTAINER,
        "Installed-Size": str(size),
        "Depends": f"python3 (>= {python}), python3 (<< {major}.{int(minor) + 1}), {_NEEDED}",
        "Suggests": "postgresql, caddy | nginx | haproxy",
        "Section": "admin",
        "Priority": "optional",
        "Description": _DESCRIPTION,
    }
    _write(tree / "DEBIAN/control", "".join(f"{name}: {value}\n" for name, value in fields.items()))
    _write(tree / "DEBIAN/conffiles", f"/{_CONFIGURATION}\n")
    for script in ("postinst", "prerm", "postrm"):
        _copy(DEBIAN / script, tree / "DEBIAN" / script)
    files = sorted(each for each in tree.rglob("*") if each.is_file() and "DEBIAN" not in each.relative_to(tree).parts)
    sums = building.run("md5sum", *(each.relative_to(tree) for each in files), cwd=tree)
    _write(tree / "DEBIAN/md5sums", sums)


_NEEDED = "adduser, libc6 (>= 2.28), libgcc-s1, libstdc++6, procps, zlib1g"
"""What the libraries' own code is linked with, postinst calls, and the unit's reload needs (`kill`)."""
_RUN = ("usr/bin/crownkeep", "DEBIAN/postinst", "DEBIAN/prerm", "DEBIAN/postrm")


def _settle_modes(tree: Path) -> None:
    """Give every file the mode and the time that it has for everybody, whatever the umask and the moment were."""
    for each in [tree, *tree.rglob("*")]:
        each.chmod(0o755 if each.is_dir() or each.relative_to(tree).as_posix() in _RUN else 0o644)
        os.utime(each, (building.moment(), building.moment()))


def _copy(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, place)


def _write(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def _write_packed(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    raise SystemExit(main())
