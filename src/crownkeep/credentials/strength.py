"""Strength: how hard a password is to guess, and whether it is one that everybody tries first."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from crownkeep.credentials.secret import Secret

# zxcvbn's time grows faster than the text; what comes after this many characters cannot make a password weaker.
_LONGEST_ASSESSED = 64
# It doubles with the signs that may stand for letters: a text of all of them took three seconds.
_SIGNS = frozenset("4@8({[<369&#!1/|0$5+7%2")
_MANY_SIGNS = 8
_ASSESSED_OF_MANY_SIGNS = 16


@dataclass(frozen=True, slots=True)
class Strength:
    """An estimate of a password's strength, with advice to show beside it."""

    score: int
    """0 (guessed at once) to 4 (safe even if hashes are stolen)."""
    guesses_log10: float
    warning: str
    suggestions: tuple[str, ...]


def assess(password: Secret, *, known: Sequence[str] = ()) -> Strength:
    """Estimate the strength by zxcvbn; `known` are words a guesser would try: account name, e-mail, user name."""
    from zxcvbn import zxcvbn

    text = password.reveal()[:_LONGEST_ASSESSED]
    if len(_SIGNS.intersection(text)) > _MANY_SIGNS:
        text = text[:_ASSESSED_OF_MANY_SIGNS]
    if not text:
        return Strength(0, 0.0, "", ())
    result = zxcvbn(text, user_inputs=[word for word in known if word])
    feedback = result["feedback"]
    return Strength(
        score=int(result["score"]),
        guesses_log10=float(result["guesses_log10"]),
        warning=str(feedback["warning"] or ""),
        suggestions=tuple(str(suggestion) for suggestion in feedback["suggestions"]),
    )


def is_common(password: Secret) -> bool:
    """Tell whether a password is among the 30,000 most used (zxcvbn's list), whatever its case."""
    return password.reveal().lower() in _common_passwords()


@cache
def _common_passwords() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])
