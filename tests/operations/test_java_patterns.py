"""Java's regular expressions: what they match in Java, they match here."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crownkeep import models
from crownkeep.operations import java_patterns
from crownkeep.operations.java_patterns import compile_pattern

PATTERNS = sorted(
    {shape.pattern for service in map(models.service, models.SERVICES) for shape in service.shapes.values() if shape.pattern}
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_of_every_service_compiles(pattern):
    assert compile_pattern(pattern)("") in (True, False)


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        # java.util.regex.Pattern: predefined classes are ASCII.
        (r"[\w]+", "é", False),
        (r"\d+", "٣", False),
        (r"\s+", "\u00a0", False),
        # All of the value has to match, alternatives included, and no line end is forgiven.
        ("a|ab", "ab", True),
        ("^a$", "a\n", False),
        (r"^(\d{12})|(ou-[a-z]+)$", "123456789012ou-a", False),
        # Five line ends stop a dot, unless `(?s)`.
        (".*", "a\u2028b", False),
        (".*", "a\u0085b", False),
        (".*", "a\rb", False),
        ("(?s).*", "a\n\r\u2028b", True),
        # Code units pair up to one character.
        (r"[\uD800\uDC00-\uDBFF\uDFFF]+", "😀", True),
        (r"[\u0020-\u00FF]+", "ÿ ", True),
        (r"[\u0020-\u00FF]+", "Ā", False),
        # Categories.
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", "Kostenträger 中文 ٣½\u3000", True),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", "☃", False),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", "\U0010ff00", False),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", "a\n", False),
        (r"\p{L}+", "Ünï", True),
        # Java's unions of classes and possessive quantifiers.
        ("[a-c[x-z]]+", "abxz", True),
        ("[a-c[x-z]]+", "m", False),
        ("a*+a", "aaa", False),
        (r"[a&&b]", "&", None),
    ],
)
def test_a_pattern_means_what_it_means_in_java(pattern, value, expected):
    if expected is None:
        with pytest.raises(ValueError, match="intersects"):
            compile_pattern(pattern)
        return

    assert expected == compile_pattern(pattern)(value)


@pytest.mark.parametrize("pattern", [r"\Qa\E", r"\P{L}", "[a", "[a[^b]]", r"[\p{L}\u00A1-\u00FF]"])
def test_what_cannot_be_translated_is_refused_and_not_guessed_at(pattern):
    with pytest.raises(ValueError, match=r"translated|without end"):
        compile_pattern(pattern)


@settings(max_examples=300, deadline=None)
@given(value=st.text(max_size=20), letters=st.sets(st.sampled_from("LMNPSZ"), min_size=1))
def test_a_class_of_categories_is_what_unicode_says_it_is(value, letters):
    pattern = "[" + "".join(rf"\p{{{letter}}}" for letter in sorted(letters)) + "]*"

    assert all(unicodedata.category(each)[0] in letters for each in value) == compile_pattern(pattern)(value)


@settings(max_examples=20, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize(
    "pattern", [each for each in PATTERNS if r"\p" not in each and "u10000" not in each and "uD800" not in each]
)
def test_a_value_made_to_match_matches_and_python_agrees(pattern, data):
    expression = re.compile(java_patterns._Translation(pattern).text(), re.ASCII)

    value = data.draw(st.from_regex(expression, fullmatch=True))

    assert compile_pattern(pattern)(value)
