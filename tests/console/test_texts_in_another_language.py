"""Texts of pages in another language: found, kept and filed as if everybody spoke English."""

from __future__ import annotations

import json
from gettext import NullTranslations

from crownkeep import translation
from crownkeep.console.kit import policy_summary, rendering, site_map
from crownkeep.translation import Language


class Bracketed(NullTranslations):
    """A language in which every message stands between brackets; its catalogue has a head, as those in files do."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧" if message else "Language: qps\n"


QPS = Language("qps", Bracketed())


def test_an_empty_text_is_not_the_head_of_the_catalogue():
    with translation.speaking(QPS):
        assert "" == translation.gettext("")
        assert "" == rendering._environment().from_string("{{ _(text) }}").render(text="")


def test_a_page_is_found_by_its_english_name_and_by_the_one_that_is_shown():
    with translation.speaking(QPS):
        assert ["/console/users"] == [place.path for place in site_map.matching("⟦Users⟧")]
        assert "/console/users" in [place.path for place in site_map.matching("users")]
        assert "⟦Users⟧" == site_map.label("/console/users/bob")


def test_a_policy_summary_is_kept_for_its_language_alone():
    document = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
    in_english = policy_summary.summarize(document)

    with translation.speaking(QPS):
        in_another = policy_summary.summarize(document)

    assert in_english is not None
    assert in_another is not None
    assert ["Statement 1", "⟦Statement 1⟧"] == [found.allowed[0].statement for found in (in_english, in_another)]
