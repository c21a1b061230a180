"""A release that somebody touched is none: the signature, the sums, and what is inside."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from scripts import bill_of_materials, building, make_release

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A releaser's key."""
    file = tmp_path_factory.mktemp("keys") / "release"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True, timeout=60)
    return file


@pytest.fixture
def signed(tmp_path: Path, key: Path) -> Path:
    """A release of one file, signed."""
    place = tmp_path / "release"
    place.mkdir()
    (place / "crownkeep.txt").write_text("as it was built\n")
    (place / make_release.SUMS).write_text(make_release.sums(place))
    building.run("ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", make_release.NAMESPACE, place / make_release.SUMS)
    return place


def verified(place: Path, signers: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Return why a release is refused."""
    assert 1 == make_release.main(["--verify", str(place), "--signers", str(signers)])
    return capsys.readouterr().err


def signers_of(key: Path, place: Path) -> Path:
    """Write who may sign."""
    file = place / "allowed_signers"
    file.write_text(f"{make_release.SIGNER} {key.with_suffix('.pub').read_text()}")
    return file


def test_a_file_that_was_changed_after_signing_is_found(signed, key, tmp_path, capsys):
    (signed / "crownkeep.txt").write_text("as somebody else likes it\n")

    assert "are not those that SHA256SUMS names" in verified(signed, signers_of(key, tmp_path), capsys)


def test_a_file_that_was_added_after_signing_is_found(signed, key, tmp_path, capsys):
    (signed / "more.whl").write_text("")

    assert "are not those that SHA256SUMS names" in verified(signed, signers_of(key, tmp_path), capsys)


def test_sums_that_somebody_else_made_are_refused(signed, key, tmp_path, capsys):
    (signed / "crownkeep.txt").write_text("as somebody else likes it\n")
    (signed / make_release.SUMS).write_text(make_release.sums(signed))

    assert "ssh-keygen" in verified(signed, signers_of(key, tmp_path), capsys)


def test_another_signer_s_release_is_refused(signed, tmp_path, capsys):
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True, timeout=60)

    assert "ssh-keygen" in verified(signed, signers_of(other, tmp_path), capsys)


def test_the_bill_names_each_library_with_the_hashes_of_the_lock_file(tmp_path):
    place = tmp_path / "click-0.dist-info"
    place.mkdir()
    number = version("click")
    (place / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: click\nVersion: {number}\nLicense-Expression: BSD-3-Clause\n\n"
    )

    answer = json.loads(bill_of_materials.bill(tmp_path))

    [found] = answer["components"]
    assert ("click", number, [{"expression": "BSD-3-Clause"}]) == (found["name"], found["version"], found["licenses"])
    assert [64] == [len(each["hashes"][0]["content"]) for each in found["externalReferences"]]
    assert bill_of_materials.bill(tmp_path) == bill_of_materials.bill(tmp_path)


def test_a_library_that_is_not_locked_stops_the_release(tmp_path):
    place = tmp_path / "click-0.dist-info"
    place.mkdir()
    (place / "METADATA").write_text("Metadata-Version: 2.4\nName: click\nVersion: 0.0.1\n\n")

    with pytest.raises(building.NotBuilt, match="is installed, and not locked"):
        bill_of_materials.bill(tmp_path)


@pytest.mark.nightly
def test_a_whole_release_is_built_twice_signed_and_verified(key, tmp_path, monkeypatch, capsys):
    # What is not committed yet may be tried out, too.
    monkeypatch.setattr(make_release, "_require_clean", lambda: None)
    place = tmp_path / "release"

    assert 0 == make_release.main(["--key", str(key), "--out", str(place)]), capsys.readouterr().err
    assert 0 == make_release.main(["--verify", str(place), "--signers", str(signers_of(key, tmp_path))]), capsys.readouterr().err

    kinds = {each.name.rpartition(".")[2] for each in place.iterdir()}
    assert {"whl", "gz", "deb", "json", "SHA256SUMS", "sig"} == kinds
