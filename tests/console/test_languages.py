"""Languages: a page speaks what its browser likes best, of the languages that have a catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.console.languages import compile_catalogue
from tests.fixtures.crown import Crowns
from tests.signin.browser import Browser

from crownkeep import translation
from crownkeep.console.kit import rendering
from crownkeep.translation import ENGLISH, gettext, languages, ngettext, preferred, speaking


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    """A folder with a catalogue of German and one of Brazilian Portuguese."""
    compile_catalogue(
        tmp_path,
        "de",
        {
            "Sign in": "Anmelden",
            "Sign in to your account": "Bei Ihrem Konto anmelden",
            "%(name)s is gone": "%(name)s ist weg",
            ("%(num)s key", "%(num)s keys"): ("%(num)s Schlüssel", "%(num)s Schlüssel insgesamt"),
        },
    )
    compile_catalogue(tmp_path, "pt_BR", {"Sign in": "Entrar <b>&</b> \"'"})
    return tmp_path


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE-at, en;q=0.9", "de"),
        ("en, de;q=0.9", "en"),
        ("fr, pt-BR;q=0.3, de;q=0.7", "de"),
        ("pt-br", "pt-BR"),
        ("pt", "en"),
        ("de;q=0", "en"),
        ("de;Q=0.9", "de"),
        ("pt-BR-x-ours", "pt-BR"),
        ("*", "en"),
        ("", "en"),
    ],
)
def test_the_language_that_a_browser_likes_best_is_chosen_of_those_that_there_are(compiled: Path, header: str, tag: str):
    found = preferred(header, languages(compiled))

    assert tag == found.tag


@pytest.mark.parametrize(
    "header",
    [
        "," * 100_000,
        "a;q=" + "9" * 10_000,
        "de;q=nan",
        "de;q=-1",
        "de;q=inf;q=1",
        "../../de",
        "de/../../etc/passwd",
        "de\x00",
        "\u0130;q=1",
        ";;;===",
        "en-" * 30_000,
    ],
)
def test_a_hostile_header_is_answered_in_a_language_that_there_is(compiled: Path, header: str):
    known = languages(compiled)

    found = preferred(header, known)

    assert found in known.values()


def test_texts_are_looked_up_with_their_places_and_plural_forms(compiled: Path):
    with speaking(languages(compiled)["de"]):
        texts = [gettext("%(name)s is gone", name="bob"), *(ngettext("%(num)s key", "%(num)s keys", n) for n in (1, 2))]
        unknown, empty = gettext("Never seen by a translator"), gettext("")

    assert ["bob ist weg", "1 Schlüssel", "2 Schlüssel insgesamt"] == texts
    assert ("Never seen by a translator", "") == (unknown, empty)
    assert translation.spoken() is ENGLISH


def test_a_page_speaks_the_language_of_its_browser_and_the_next_page_that_of_its_own(
    crowns: Crowns, compiled: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(translation, "languages", lambda: languages(compiled))
    browser = Browser(crowns.shared("sqlite"))

    german, english = (browser.get("/signin?choose", accept_language=each) for each in ("de-CH", "xx"))

    assert all(text in german.text for text in ('<html lang="de">', "Anmelden"))
    assert '<html lang="en">' in english.text
    assert "Anmelden" not in english.text


def test_xss_what_a_catalogue_says_instead_of_a_text_is_shown_as_text(
    crowns: Crowns, compiled: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(translation, "languages", lambda: languages(compiled))

    page = Browser(crowns.shared("sqlite")).get("/signin?choose", accept_language="pt-BR")

    assert '<html lang="pt-BR">' in page.text
    assert "Entrar &lt;b&gt;&amp;&lt;/b&gt; &#34;&#39;" in page.text
    assert "Entrar <b>" not in page.text


def test_a_translation_with_a_wrong_place_is_shown_in_english_and_is_no_fault(tmp_path: Path):
    wrong: dict[str | tuple[str, str], str | tuple[str, ...]] = {
        "%(name)s is gone": "%(nmae)s ist weg",
        "Half": "50 % davon",
        ("%(num)s key", "%(num)s keys"): ("%(nun)s Schlüssel", "%s"),
    }
    compile_catalogue(tmp_path, "de", wrong)

    with speaking(languages(tmp_path)["de"]):
        found = [gettext("%(name)s is gone", name="ann"), gettext("Half"), ngettext("%(num)s key", "%(num)s keys", 1)]
        many = ngettext("%(num)s key", "%(num)s keys", 2)
        in_template = rendering._environment().from_string("{% trans name='ann' %}{{ name }} is gone{% endtrans %}").render()

    assert ["ann is gone", "Half", "1 key", "2 keys", "ann is gone"] == [*found, many, in_template]
