"""Access keys are seen in any text, with whatever near them could be their secret."""

from hypothesis import given
from hypothesis import strategies as st

from crownkeep.credentials import leaked_keys

KEY = "AKIAQ222222222222222"
SECRET = "abcdefghij/KLMNOPQRST+0123456789abcdefgH"


def seen(text: str) -> list[tuple[str, str, list[str]]]:
    lines = [(str(number), line.encode()) for number, line in enumerate(text.split("\n"), start=1)]
    return [
        (each.access_key_id, each.place, [secret.reveal() for secret in each.candidates]) for each in leaked_keys.sightings(lines)
    ]


def test_a_secret_before_beside_and_after_the_id_is_a_candidate():
    for text in (f"{SECRET}\n{KEY}", f"{KEY} {SECRET}", f"{KEY}\n\n{SECRET}"):
        ((key, _, candidates),) = seen(text)
        assert (KEY, [SECRET]) == (key, candidates)


def test_what_is_far_away_is_none():
    lines = "\n" * (leaked_keys.NEAR + 1)

    assert [(KEY, "1", [])] == seen(f"{KEY}{lines}{SECRET}")


def test_a_commits_name_and_a_longer_text_are_no_secrets_and_a_longer_id_is_none():
    assert [(KEY, "1", [])] == seen(f"{KEY} {'0123456789' * 4} {SECRET}x")
    assert [] == seen(f"{KEY}A X{KEY}")


def test_the_nearest_secret_is_among_the_candidates_of_a_crowded_text():
    crowd = "\n".join(f"{number:02}{SECRET[2:]}" for number in range(100))

    ((_, _, candidates),) = seen(f"{crowd[: 41 * 60]}{KEY}\n{SECRET}\n{crowd[41 * 60 :]}")

    assert SECRET in candidates


@given(st.lists(st.binary(max_size=200), max_size=60))
def test_no_bytes_whatever_make_it_fail(lines):
    found = list(leaked_keys.sightings(("x", line) for line in lines))

    assert all(len(each.candidates) <= 50 for each in found)
