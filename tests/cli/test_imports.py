"""`crownkeep passwords` and `crownkeep mfa`: what the operator imports, from files that may be anything."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.serialization import Encoding
from tests.cli.conftest import Terminal
from tests.credentials.mds import Certified, certify, metadata_blob

from crownkeep import data_directory
from crownkeep.credentials.breached import BreachedPasswords
from crownkeep.credentials.nt_hashes import nt_hash
from crownkeep.credentials.secret import Secret
from crownkeep.credentials.totp import seed_text

Made = Callable[..., dict[str, Any]]

SEED = bytes(range(20))
BASE32 = seed_text(SEED).reveal()


def hashed(*passwords: str) -> bytes:
    digests = sorted(hashlib.sha1(each.encode()).hexdigest().upper() for each in passwords)
    return "".join(f"{digest}:7\r\n" for digest in digests).encode()


def index(data: Path) -> BreachedPasswords:
    return BreachedPasswords((data / "breached-passwords.idx").read_bytes())


@pytest.mark.parametrize(
    "content",
    [
        hashed("hunter2", "letmein"),
        b"hunter2\r\nletmein\nhunter2\n\n\xff\xfe\n",
        b"\n".join(sorted(nt_hash(each).hex().encode() for each in ("hunter2", "letmein"))),
        gzip.compress(hashed("hunter2", "letmein")),
        gzip.compress(b"letmein\nhunter2\n"),
    ],
    ids=["sha1", "plain", "ntlm", "packed", "packed and plain"],
)
def test_a_list_of_breached_passwords_is_imported_in_whatever_way_it_is_written(
    crownkeep: Terminal, data: Path, tmp_path: Path, content: bytes
):
    (tmp_path / "list").write_bytes(content)

    ended = crownkeep("passwords", "import-breached", str(tmp_path / "list"), "--json")

    assert (0, 2) == (ended.code, ended.json()["entries"])
    opened = index(data)
    assert [True, True, False] == [Secret(each) in opened for each in ("hunter2", "letmein", "correct horse")]


def test_a_list_comes_from_standard_input_and_rare_passwords_can_be_left_out(crownkeep: Terminal):
    lines = hashed("hunter2").decode() + "F" * 40 + ":1\n"

    ended = crownkeep("passwords", "import-breached", "-", "--at-least", "2", "--json", stdin=lines)

    assert (0, {"entries": 1, "kind": "SHA1"}) == (ended.code, ended.json())


def test_a_hash_may_be_somebody_s_password(crownkeep: Terminal, data: Path, tmp_path: Path):
    (tmp_path / "list").write_bytes(b"A" * 40 + b"\n")

    crownkeep("passwords", "import-breached", str(tmp_path / "list"), "--format", "plain")

    assert Secret("A" * 40) in index(data)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x" * 5000, "line 1 has more than 4096 bytes"),
        (b"hunter2\n" + b"y" * 5000, "line 2 has more than 4096 bytes"),
        (b"PK\x03\x04\0\0\0\0", "is no text: unpack the file first"),
        (b"", "it holds no password"),
        (b"\n\n", "it holds no password"),
        (hashed("a") + b"not a hash\n", "line 2 is not"),
        (b"F" * 40 + b":1\n" + b"0" * 40 + b":1\n", "line 2 is out of order"),
        (gzip.compress(hashed("a"))[:-9], "is cut off or damaged"),
        (b"\x1f\x8b\x08nonsense", "is cut off or damaged"),
        (gzip.compress(bytes(10_000_000)), "line 1 has more than 4096 bytes"),
    ],
)
def test_a_hostile_list_gets_one_clear_sentence_and_leaves_the_one_in_use(
    crownkeep: Terminal, data: Path, tmp_path: Path, content: bytes, said: str
):
    (tmp_path / "good").write_bytes(hashed("hunter2"))
    (tmp_path / "bad").write_bytes(content)
    crownkeep("passwords", "import-breached", str(tmp_path / "good"))

    ended = crownkeep("passwords", "import-breached", str(tmp_path / "bad"))

    assert (1, True, 1) == (ended.code, said in ended.err, ended.err.strip().count("\n") + 1)
    assert Secret("hunter2") in index(data)
    assert [] == list(data.glob(".*.new"))


def test_two_imports_at_once_do_not_write_into_one_another(crownkeep: Terminal, made: Made, data: Path, tmp_path: Path):
    made()
    (tmp_path / "list").write_bytes(hashed("hunter2"))

    with data_directory.staging(data, "breached-passwords.idx"):
        ended = crownkeep("passwords", "import-breached", str(tmp_path / "list"))

    assert (1, True) == (ended.code, "another import is writing" in ended.err)


def test_an_import_stands_in_the_operator_s_trail(crownkeep: Terminal, tmp_path: Path):
    (tmp_path / "list").write_bytes(hashed("hunter2"))
    crownkeep("passwords", "import-breached", str(tmp_path / "list"))

    (record, *_) = crownkeep("trail", "list", "--json").json()["events"]

    assert ("InstallBreachedPasswords", 1) == (record["eventName"], record["additionalEventData"]["entries"])


def test_nothing_is_installed_that_no_command_has_staged(crown: Any):
    for path in ("/breached-passwords/install", "/fido-metadata/install"):
        answer = crown.operator("POST", path, {})
        assert (409, True) == (answer.status, "is staged" in answer.text)


def pem(certified: Certified) -> bytes:
    return certified.certificate.public_bytes(Encoding.PEM)


def test_metadata_is_verified_before_it_is_kept(crownkeep: Terminal, data: Path, tmp_path: Path):
    publisher, other = certify("publisher"), certify("somebody else")
    (tmp_path / "root.pem").write_bytes(pem(publisher))
    (tmp_path / "forged.jwt").write_bytes(metadata_blob(certify("signer", other), number=9))
    (tmp_path / "good.jwt").write_bytes(metadata_blob(certify("signer", publisher), number=4) + b"\n")

    forged = crownkeep("mfa", "import-metadata", str(tmp_path / "forged.jwt"), "--root", str(tmp_path / "root.pem"))
    good = crownkeep("mfa", "import-metadata", str(tmp_path / "good.jwt"), "--root", str(tmp_path / "root.pem"), "--json")

    assert (1, True) == (forged.code, "not signed under the given root" in forged.err)
    assert (0, 4, 1) == (good.code, good.json()["number"], good.json()["models"])
    assert publisher.der == (data / "fido-metadata-root.der").read_bytes()


def test_replayed_metadata_that_is_older_than_what_is_in_use_is_refused(crownkeep: Terminal, tmp_path: Path):
    publisher = certify("publisher")
    (tmp_path / "root.pem").write_bytes(pem(publisher))
    codes = []

    for number in (5, 4, 6):
        (tmp_path / "blob").write_bytes(metadata_blob(certify("signer", publisher), number=number))
        codes.append(crownkeep("mfa", "import-metadata", str(tmp_path / "blob"), "--root", str(tmp_path / "root.pem")).code)

    assert [0, 1, 0] == codes


def test_metadata_whose_certificates_have_run_out_is_refused(crownkeep: Terminal, tmp_path: Path):
    publisher = certify("publisher")
    (tmp_path / "root.pem").write_bytes(pem(publisher))
    (tmp_path / "blob").write_bytes(metadata_blob(certify("signer", publisher), number=1))

    with time_machine.travel(datetime(2040, 1, 1, tzinfo=UTC)):
        ended = crownkeep("mfa", "import-metadata", str(tmp_path / "blob"), "--root", str(tmp_path / "root.pem"))

    assert (1, True) == (ended.code, "not valid now" in ended.err)


@pytest.mark.parametrize("content", [b"", b"x", b"a.b.c", b"e30.e30.", b"\xff" * 100, gzip.compress(b"a.b.c")])
def test_hostile_metadata_gets_one_clear_sentence(crownkeep: Terminal, data: Path, tmp_path: Path, content: bytes):
    (tmp_path / "root.pem").write_bytes(pem(certify("publisher")))
    (tmp_path / "blob").write_bytes(content)

    ended = crownkeep("mfa", "import-metadata", str(tmp_path / "blob"), "--root", str(tmp_path / "root.pem"))

    assert (1, 1, False) == (ended.code, ended.err.strip().count("\n") + 1, (data / "fido-metadata.jwt").exists())


def test_a_root_that_is_no_certificate_is_said_so(crownkeep: Terminal, tmp_path: Path):
    (tmp_path / "blob").write_bytes(b"a.b.c")

    ended = crownkeep("mfa", "import-metadata", str(tmp_path / "blob"), "--root", str(tmp_path / "blob"))

    assert (1, True) == (ended.code, "is no certificate" in ended.err)


@pytest.mark.parametrize("in_hex", [True, False])
def test_hardware_tokens_are_given_to_an_account_sealed_and_unprinted(
    crownkeep: Terminal, made: Made, data: Path, tmp_path: Path, in_hex: bool
):
    account, spelled = made()["account_id"], SEED.hex() if in_hex else BASE32.lower()
    (tmp_path / "tokens.csv").write_text(f"serial,seed\r\nGAHT12345678,{spelled}\r\n")
    options = ("--account", account, *(("--hex",) if in_hex else ()))

    first = crownkeep("mfa", "import-tokens", str(tmp_path / "tokens.csv"), *options, "--json")
    again = crownkeep("mfa", "import-tokens", str(tmp_path / "tokens.csv"), *options)

    answer = {"account_id": account, "imported": 1, "unchanged": 0, "serial_numbers": ["GAHT12345678"]}
    assert (0, answer) == (first.code, first.json())
    assert (0, True) == (again.code, "1 there already" in again.out)
    everything = b"".join(file.read_bytes() for file in data.iterdir() if file.is_file()) + (first.out + again.out).encode()
    assert not any(form in everything for form in (SEED, BASE32.encode(), SEED.hex().encode(), base64.b64encode(SEED)))


def test_a_token_belongs_to_one_account(crownkeep: Terminal, made: Made):
    first, second = made()["account_id"], made()["account_id"]
    crownkeep("mfa", "import-tokens", "-", "--account", first, stdin=f"GAHT12345678,{BASE32}\n")

    elsewhere = crownkeep("mfa", "import-tokens", "-", "--account", second, stdin=f"GAHT12345678,{BASE32}\n")
    replaced = crownkeep("mfa", "import-tokens", "-", "--account", first, stdin=f"gaht12345678,{'A' * 32}\n")

    assert (1, True) == (elsewhere.code, "is known already" in elsewhere.err)
    assert (1, True) == (replaced.code, "is known already" in replaced.err)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no token"),
        ("GAHT12345678\n", "line 1 is not `SERIAL,SEED`"),
        (f"short,{BASE32}\n", "line 1 has no serial number"),
        (f"arn:aws:iam::1:mfa/x,{BASE32}\n", "line 1 has no serial number"),
        (f"GAHT12345678,{BASE32}\nGAHT12345678,{BASE32}\n", "a second time"),
        ("GAHT12345678,nonsense1\n", "is not base32"),
        ("GAHT12345678,AAAA\n", "use 16 to 64"),
        (f'GAHT12345678,"{BASE32}\n', "line 1 is not `SERIAL,SEED`"),
        (f"GAHT12345678,{'A' * 2000}\n", "more than 1024 bytes"),
        ("".join(f"GAHT{number:08},{BASE32}\n" for number in range(1001)), "more than 1000 tokens"),
    ],
)
def test_a_hostile_file_of_tokens_gets_one_clear_sentence_without_seeds(
    crownkeep: Terminal, made: Made, tmp_path: Path, content: str, said: str
):
    account = made()["account_id"]
    (tmp_path / "tokens.csv").write_text(content)

    ended = crownkeep("mfa", "import-tokens", str(tmp_path / "tokens.csv"), "--account", account)

    assert (1, True, False) == (ended.code, said in ended.err, BASE32 in ended.err)
