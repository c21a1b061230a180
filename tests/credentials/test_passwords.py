"""Password hashes: verify, equal cost for unknown names, reuse by one computation."""

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from crownkeep.credentials import passwords
from crownkeep.credentials.passwords import Cost
from crownkeep.credentials.secret import Secret

CHEAP = Cost(memory_kib=8, passes=1, lanes=1)
SALT = bytes(range(16))


def hashed(password: str, *, salt: bytes = SALT, cost: Cost = CHEAP) -> str:
    return passwords.hash_password(Secret(password), salt=salt, cost=cost)


@pytest.fixture
def computations(monkeypatch: pytest.MonkeyPatch) -> list[Cost]:
    made: list[Cost] = []
    derive = passwords._derive

    def counting(password: Secret, *, salt: bytes, cost: Cost) -> bytes:
        made.append(cost)
        return derive(password, salt=salt, cost=cost)

    monkeypatch.setattr(passwords, "_derive", counting)
    return made


def test_a_password_verifies_at_the_default_cost_and_as_the_library_reads_phc_strings() -> None:
    stored = passwords.hash_password(Secret("correct horse"), salt=SALT)

    Argon2id.verify_phc_encoded(b"correct horse", stored)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify(Secret("correct horse"), stored)
    assert not passwords.verify(Secret("correct horsf"), stored)


def test_composed_and_decomposed_characters_are_one_password() -> None:
    assert passwords.verify(Secret("cafe\u0301"), hashed("caf\u00e9"))


def test_case_and_spaces_matter() -> None:
    assert not passwords.verify(Secret("Secret "), hashed("Secret"))
    assert not passwords.verify(Secret("secret"), hashed("Secret"))


def test_timing_of_an_unknown_name_costs_the_same_computation(computations: list[Cost]) -> None:
    found = passwords.verify_absent(Secret("x"), cost=CHEAP)

    assert not found
    assert computations == [CHEAP]


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "$argon2i$v=19$m=8,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODw",
        "$argon2id$v=19$m=8,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODw",
        "$argon2id$v=19$m=0,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODwAAECAwQFBgcICQoLDA0ODw",
        "$argon2id$v=16$m=8,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODwAAECAwQFBgcICQoLDA0ODw",
        "$argon2id$v=19$m=8,t=1,p=1$AAECAwQFBgcIC$AAECAwQFBgcICQoLDA0ODwAAECAwQFBgcICQoLDA0ODw",
    ],
)
def test_a_damaged_hash_is_an_error_and_not_a_wrong_password(stored: str) -> None:
    with pytest.raises(passwords.MalformedHash):
        passwords.verify(Secret("x"), stored)


def test_reuse_is_found_with_no_computation_beyond_the_candidates_own(computations: list[Cost]) -> None:
    history = [hashed(f"password-{number}") for number in range(24)]
    candidate = hashed("password-7")
    computations.clear()

    assert passwords.is_remembered(Secret("password-7"), candidate, history)
    assert not passwords.is_remembered(Secret("new"), hashed("new"), history)
    assert computations == [CHEAP]  # the hash of "new", made by this test


def test_reuse_is_found_across_a_change_of_cost_by_one_computation_for_each_old_cost(computations: list[Cost]) -> None:
    older = Cost(memory_kib=16, passes=1, lanes=1)
    history = [hashed("first", cost=older), hashed("second", cost=older), hashed("third")]
    candidate = hashed("second")
    computations.clear()

    assert passwords.is_remembered(Secret("second"), candidate, history)
    assert [older] == computations


def test_an_empty_history_remembers_nothing() -> None:
    assert not passwords.is_remembered(Secret("x"), hashed("x"), [])


def test_a_hash_of_cheaper_parameters_wants_rehashing() -> None:
    assert passwords.needs_rehash(hashed("x"), passwords.DEFAULT_COST)
    assert not passwords.needs_rehash(hashed("x"), CHEAP)


@pytest.mark.parametrize("other", [Cost(8, 2, 1), Cost(16, 1, 1), Cost(24, 1, 1), Cost(16, 1, 2), Cost(32, 1, 1)])
def test_of_two_costs_at_most_one_wants_rehashing(other: Cost) -> None:
    cost = Cost(16, 2, 1)
    ways = [passwords.needs_rehash(hashed("x", cost=old), new) for old, new in ((cost, other), (other, cost))]

    assert ways.count(True) <= 1


def test_the_salt_can_be_read_back_for_the_next_password() -> None:
    assert passwords.salt_of(hashed("x")) == SALT
