"""Strength: common passwords are known, names weaken, long ones are assessed fast."""

import pytest
import zxcvbn
from tests.fixtures.patience import bounded

from crownkeep.credentials import strength
from crownkeep.credentials.secret import Secret


@pytest.mark.parametrize("password", ["password", "123456", "PASSWORD", "qwerty", "letmein"])
def test_common_passwords_are_known_whatever_their_case(password: str) -> None:
    assert strength.is_common(Secret(password))
    assert strength.assess(Secret(password)).score == 0


def test_an_uncommon_password_is_strong() -> None:
    assessed = strength.assess(Secret("staple-Battery-7-horse-correct"))

    assert assessed.score == 4
    assert not strength.is_common(Secret("staple-Battery-7-horse-correct"))


def test_words_a_guesser_knows_weaken_a_password() -> None:
    blind = strength.assess(Secret("crownkeep-acme"))
    knowing = strength.assess(Secret("crownkeep-acme"), known=("crownkeep", "acme", ""))

    assert knowing.guesses_log10 < blind.guesses_log10


def test_a_weak_password_is_advised_about() -> None:
    assessed = strength.assess(Secret("abcdefgh"))

    assert assessed.warning
    assert assessed.suggestions


def test_an_empty_password_is_as_weak_as_can_be() -> None:
    assert strength.assess(Secret("")).score == 0


def test_denial_of_service_a_password_of_all_signs_that_stand_for_letters_is_assessed_by_its_beginning(
    monkeypatch: pytest.MonkeyPatch,
):
    assessed: list[str] = []
    real = zxcvbn.zxcvbn
    monkeypatch.setattr(zxcvbn, "zxcvbn", lambda text, **options: assessed.append(text) or real(text, **options))
    signs = "4@8({[<369&#!1/|0$5+7%2" * 5

    scores = [strength.assess(Secret(text)).score for text in (signs, "staple-Battery-7-horse-correct-4@8!")]

    assert ([16, 35], [4, 4]) == ([len(text) for text in assessed], scores)


def test_an_oversized_password_cannot_blow_up_the_estimate() -> None:
    with bounded():
        assessed = strength.assess(Secret("aB3$" * 32))

    assert 0 <= assessed.score <= 4
