"""`crownkeep sso import` as people call it, with files that mean well and files that don't."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Ended, Terminal
from tests.fixtures.crown import Crown
from tests.fixtures.single_sign_on import SingleSignOn

from crownkeep.cli import people_files, sso_import
from crownkeep.services.sso_directory import imports

HASH = "$2b$10$" + "a" * 21 + "." + "a" * 30 + "."
URL = "http://127.0.0.1:9"


@pytest.fixture
def sso(crown: Crown, monkeypatch: pytest.MonkeyPatch) -> SingleSignOn:
    """An instance in this process, whose administrator's clients the command gets."""
    made = SingleSignOn(crown)
    monkeypatch.setattr(sso_import, "_clients", lambda _profile, _url: made.management.client)
    return made


def ask(crownkeep: Terminal, sso: SingleSignOn, file: Path, content: str | bytes, *words: str) -> Ended:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return crownkeep("sso", "import", str(file), "--instance", sso.arn, "--endpoint-url", URL, *words, "--json")


def people(sso: SingleSignOn) -> dict[str, Any]:
    return {each["UserName"]: each for each in sso.people.list_users(**sso.store)["Users"]}


def test_a_csv_file_is_imported_and_what_it_could_not_be_is_told_by_row(crownkeep: Terminal, sso: SingleSignOn, tmp_path: Path):
    table = (
        "\ufeffUser name;First name;Last name;E-Mail;Groups;Password hash;Active\r\n".replace("E-Mail", "Email")
        + f"ann;Ann;Lee;ann@people.example;ops|dev;{HASH};\r\n"
        + "ben;Ben;Li;ben@people.example;ops;{SSHA}aGVsbG8=;no\r\n"
        + "\r\n"
        + "ANN;Ann;Again;;;;\r\n"
        + '"=HYPERLINK(""http://evil"")";Eve;Evil;;;;\r\n'
        + "eve;Eve;Evil;;=cmd;;\r\n"
        + ";No;Name;;;;\r\n"
        + "fay;Fay;Few;;;;maybe\r\n"
    )

    ended = ask(crownkeep, sso, tmp_path / "people.csv", table)

    answer = ended.json()
    assert 1 == ended.code
    assert {"created": 2, "existing": 0, "refused": 5} == answer["people"]
    assert {"added": 3, "refused": 0} == answer["memberships"]
    assert {"kept": 1, "invited": 0, "none": 1} == answer["passwords"]
    assert [2, 3, 5, 6, 7, 8, 9] == [each["row"] for each in answer["rows"]]
    assert "SHA-1" in answer["rows"][1]["reason"]
    assert "row 2 has the same user name" in answer["rows"][2]["reason"]
    assert "a spreadsheet's formula" in answer["rows"][3]["reason"]
    assert {"ann", "ben"} == set(people(sso))
    assert "DISABLED" == people(sso)["ben"]["UserStatus"]


def test_an_ldif_file_of_a_directory_is_imported_with_its_groups(crownkeep: Terminal, sso: SingleSignOn, tmp_path: Path):
    encoded = base64.b64encode("Zoë".encode()).decode()
    entries = f"""version: 1
# exported
#  by somebody
dn: uid=zoe, ou=people,dc=example
objectClass: inetOrgPerson
uid: zoe
givenName:: {encoded}
sn: A very long
  name
mail: zoe@people.example
userPassword:: {base64.b64encode(("{CRYPT}" + HASH).encode()).decode()}
jpegPhoto:: /9j/4AAQSkZJRg==

dn: CN=Max,OU=users,DC=example
objectClass: user
sAMAccountName: max
givenName: Max
sn: Mu
userAccountControl: 514
memberOf: CN=Field\\, North,OU=groups,DC=example

dn: cn=ops,ou=groups,dc=example
objectClass: groupOfNames
cn: ops
description: on call
member: UID=zoe,ou=people,dc=example
member: cn=nested,ou=groups,dc=example

dn: cn=host,dc=example
objectClass: device
cn: host
"""

    ended = ask(crownkeep, sso, tmp_path / "people.ldif", entries)

    answer, found = ended.json(), people(sso)
    assert {"created": 2, "existing": 0, "refused": 0} == answer["people"]
    assert {"added": 2, "refused": 1} == answer["memberships"]
    assert {"GivenName": "Zoë", "FamilyName": "A very long name"} == found["zoe"]["Name"]
    assert "DISABLED" == found["max"]["UserStatus"]
    groups = {each["DisplayName"]: each.get("Description") for each in sso.people.list_groups(**sso.store)["Groups"]}
    assert {"ops": "on call", "Field, North": None} == groups
    assert "groups in groups are not taken" in next(each["reason"] for each in answer["rows"] if each["kind"] == "membership")


def test_people_in_many_groups_are_sent_in_as_many_requests_as_the_server_takes():
    people = [(None, {"UserName": f"u{number}", "Groups": ["g"] * 200}) for number in range(12)]

    batches = list(sso_import._batches(people))

    assert [5, 5, 2] == [len(each) for each in batches]
    assert people == [each for batch in batches for each in batch]
    assert imports.MOST_MEMBERSHIPS == sso_import._BATCH_MEMBERSHIPS


def test_a_dry_run_says_it_and_changes_nothing(crownkeep: Terminal, sso: SingleSignOn, tmp_path: Path):
    file = tmp_path / "people.txt"
    rows = "username,givenname,familyname\n" + "".join(f"user{number},U,Ser\n" for number in range(105))

    ended = ask(crownkeep, sso, file, rows, "--format", "csv", "--dry-run")

    assert (0, True, 105) == (ended.code, ended.json()["dry_run"], ended.json()["people"]["created"])
    assert {} == people(sso)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"username,givenname\n\xff\xfe\xfd,x\n", "not UTF-8 in line 2"),
        ("a.csv", b"username,givenname\na\0b,x\n", "NUL character in line 2"),
        ("a.csv", b"username,shoe size\na,44\n", "the heading `shoe size` is none of"),
        ("a.csv", b"username,user name\na,b\n", "two headings say the same"),
        ("a.csv", b"givenname\na\n", "no heading `username`"),
        ("a.csv", b'username\n"a\n', "is no CSV"),
        ("a.csv", b"username\n" + b"a" * 200_000, "is no CSV"),
        ("a.ldif", b"dn: uid=a\nuserPassword:< file:///etc/shadow\n", "names a file or an address"),
        ("a.ldif", b"dn: uid=a\nchangetype: delete\n", "is a change and no entry"),
        ("a.ldif", b"dn: uid=a\nnonsense\n", "line 2 is no LDIF"),
        ("a.ldif", b"uid: a\n", "its dn is missing"),
        ("a.xml", b"<a/>", "is it CSV or LDIF?"),
    ],
)
def test_a_file_that_is_no_such_file_is_refused_before_anything_is_sent(
    crownkeep: Terminal, tmp_path: Path, name: str, content: bytes, said: str
):
    file = tmp_path / name
    file.write_bytes(content)

    ended = crownkeep("sso", "import", str(file), "--instance", "d-0123456789", "--endpoint-url", URL)

    assert (2, True) == (ended.code, said in ended.err), ended.err


def test_a_huge_file_is_refused_unread(crownkeep: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "huge.csv"
    file.write_bytes(b"username\n" + b"a\n" * 50)
    monkeypatch.setattr(people_files, "LARGEST", 64)

    too_large = crownkeep("sso", "import", str(file), "--instance", "d-0123456789", "--endpoint-url", URL)
    monkeypatch.setattr(people_files, "LARGEST", 2**20)
    monkeypatch.setattr(people_files, "MOST_ROWS", 10)
    too_many = crownkeep("sso", "import", str(file), "--instance", "d-0123456789", "--endpoint-url", URL)

    assert (2, True) == (too_large.code, "import it in parts" in too_large.err)
    assert (2, True) == (too_many.code, "more than 10 rows" in too_many.err)


def test_utf_16_as_spreadsheets_save_it_is_read_and_a_name_drives_no_terminal(
    crownkeep: Terminal, sso: SingleSignOn, tmp_path: Path
):
    file = tmp_path / "people.csv"
    file.write_bytes("username\tfirst name\tlast name\nzoë\tZoë\tA\nx\x1b[2J\tX\tY\n".encode("utf-16"))

    ended = crownkeep("sso", "import", str(file), "--instance", sso.store["IdentityStoreId"], "--endpoint-url", URL)

    assert {"zoë"} == set(people(sso))
    assert 1 == ended.code
    assert "\x1b" not in ended.out


def test_a_password_that_is_no_hash_never_leaves_this_machine(crownkeep: Terminal, sso: SingleSignOn, tmp_path: Path):
    ended = ask(crownkeep, sso, tmp_path / "a.csv", "username,firstname,lastname,passwordhash\nann,A,L,hunter2\n")

    assert "of no scheme that is taken" in ended.json()["rows"][0]["reason"]
    assert "hunter2" not in ended.out


def test_without_a_server_or_credentials_it_says_what_is_missing(
    crownkeep: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "a.csv"
    file.write_text("username,firstname,lastname\nann,A,L\n")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)

    nowhere = crownkeep("sso", "import", str(file), "--instance", "d-0123456789")
    wrong = crownkeep("sso", "import", str(file), "--instance", "nonsense", "--endpoint-url", URL)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "")
    unknown = crownkeep("sso", "import", str(file), "--instance", "d-0123456789", "--endpoint-url", URL, "--profile", "nobody")

    assert (2, True) == (nowhere.code, "which server?" in nowhere.err)
    assert (2, True) == (wrong.code, "`--instance` takes an ARN" in wrong.err)
    assert (2, True) == (unknown.code, "no AWS account can be asked" in unknown.err), unknown.err


def test_the_service_s_own_variable_names_the_server_before_the_general_one(
    crownkeep: Terminal, sso: SingleSignOn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked = []
    monkeypatch.setattr(sso_import, "_clients", lambda _profile, url: asked.append(url) or sso.management.client)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://general.example")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO_DIRECTORY", URL)
    (tmp_path / "people.csv").write_text("username,given name,family name\nann,Ann,Lee\n")

    ended = crownkeep("sso", "import", str(tmp_path / "people.csv"), "--instance", sso.arn, "--dry-run", "--json")

    assert 0 == ended.code
    assert [URL] == asked
