"""Filter patterns: the language, what is refused and where, CIS's own filters, and matching in linear time."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.credentials.hostile import changed, edited

from crownkeep.alerts.expressions import LONGEST_VALUE, ExpressionError, compile_expression
from crownkeep.alerts.filters import compile_filter
from crownkeep.alerts.patterns import PatternError

CIS = json.loads((Path(__file__).parent / "cis_filters.json").read_text())
RECORD: dict[str, Any] = {
    "eventName": "CreateUser",
    "eventSource": "iam.amazonaws.com",
    "sourceIPAddress": "123.123.7.9",
    "readOnly": False,
    "managementEvent": True,
    "requestParameters": None,
    "count": 200,
    "ratio": 0.5,
    "tags": [{"key": "team", "value": "blue"}, {"key": "a.b", "value": 'say "hi" 100*'}],
    "resources": ["first", "second"],
    "userIdentity": {"type": "IAMUser", "user-name": "bob", "x.y": "dotted"},
}


def fires(pattern: str, record: dict[str, Any] = RECORD) -> bool:
    found = compile_filter(pattern)
    encoded = json.dumps(record, separators=(",", ":")).encode()
    matched = found.matches(record)
    if matched:
        assert found.may_match(encoded)
        assert not found.members or any(name in encoded for name in found.members)
        assert found.event_names is None or record["eventName"] in found.event_names
    return matched


@pytest.mark.parametrize("entry", CIS, ids=lambda entry: f"{entry['control']} ({entry['published_in']})")
def test_a_filter_that_cis_publishes_fires(entry: dict[str, Any]):
    pattern = entry["pattern"]

    assert [True] * len(entry["fires"]) == [fires(pattern, record) for record in entry["fires"]]
    assert [False] * len(entry["silent"]) == [fires(pattern, record) for record in entry["silent"]]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{ $.eventName = CreateUser }", True),
        ('{$.eventName="CreateUser"}', True),
        ("{ $.eventName = createuser }", False),
        ("{ $.eventName != CreateUser }", False),
        ("{ $.missing != anything }", True),
        ("{ $.missing = anything }", False),
        ("{ $.sourceIPAddress = 123.123.* }", True),
        ("{ $.sourceIPAddress != 123.123.* }", False),
        ("{ $.sourceIPAddress = 123.124.* }", False),
        ('{ $.eventName = "*User" }', True),
        ('{ $.eventName = "C*t*U*r" }', True),
        ('{ $.eventName = "CreateUser*User" }', False),
        (r'{ $.tags[1].value = "say \"hi\" 100\*" }', True),
        (r'{ $.tags[1].value = "say*100\*" }', True),
        ("{ $.count = 200 }", True),
        ('{ $.count = "200" }', True),
        ("{ $.count = 2e2 }", True),
        ("{ $.count > 199.5 }", True),
        ("{ $.count >= 200 && $.count <= 200 }", True),
        ("{ $.count < 200 }", False),
        ("{ $.ratio < .6 }", True),
        ("{ $.readOnly > 0 }", False),
        ("{ $.requestParameters IS NULL }", True),
        ("{ $.missing IS NULL }", False),
        ("{ $.readOnly IS FALSE }", True),
        ("{ $.readOnly IS TRUE }", False),
        ("{ $.managementEvent is true }", True),
        ("{ $.readOnly = false }", True),
        ("{ $.userIdentity EXISTS }", True),
        ("{ $.userIdentity.userName EXISTS }", False),
        ("{ $.userIdentity.userName NOT EXISTS }", True),
        ("{ $.requestParameters.userName NOT EXISTS }", True),
        ("{ $.userIdentity.user-name = bob }", True),
        ("{ $.userIdentity['x.y'] = dotted }", True),
        ("{ $.resources[1] = second }", True),
        ("{ $.resources[2] = second }", False),
        ("{ $.tags[0].key = team }", True),
        ("{ $.tags.key = team }", False),
        ("{ $.userIdentity = IAMUser }", False),
        ("{ $.count = 1 || $.count = 200 && $.eventName = X }", False),
        ("{ ($.count = 1 || $.count = 200) && $.eventName = CreateUser }", True),
        ("{ (($.count = 200)) }", True),
        ("{ $.eventName = %^Create[A-Z]% }", True),
        ("{ $.eventName != %^Delete|^Remove% }", True),
        (r"{ $.sourceIPAddress = %^\d{1,3}\.123\.7\.\d+$% }", True),
        (r"{ $.sourceIPAddress = %^\d{4}% }", False),
    ],
)
def test_a_pattern_means_what_it_says(pattern: str, *, expected: bool):
    assert expected == fires(pattern)


@pytest.mark.parametrize(
    ("pattern", "position", "reason"),
    [
        ("ERROR", 1, "in braces"),
        ("", 1, "in braces"),
        ("{ }", 3, "a selector"),
        ("{ $.a = 1", 10, "closing"),
        ("{ $.a = 1 } x", 13, "nothing can follow"),
        ("{ $.a }", 7, "an operator"),
        ("{ $.a IS NOTHING }", 7, "an operator"),
        ("{ $.a = }", 9, "a value"),
        ('{ $.a = "x }', 9, "not closed"),
        ("{ ($.a = 1 }", 3, "not closed"),
        ("{ $.a > x }", 9, "takes a number"),
        ('{ $.a > "5" }', 9, "takes a number"),
        ("{ $ = 1 }", 4, "names a member"),
        ("{ $.a[x] = 1 }", 6, "an index"),
        ("{ $.a. = 1 }", 7, "the name of a member"),
        ("{ eventName = X }", 3, "a selector"),
        ("{ $.a = 1 & $.b = 2 }", 11, "closing"),
        ("{ $.a = %(a|b)% }", 10, "groups"),
        ("{ $.a = %a{2}{3}% }", 14, "another"),
        ("{ $.a = %[a% }", 10, "not closed"),
        ("{ $.a = %a% || $.a = %b% || $.a = %c% }", 35, "at most 2"),
        ("{ $.a = %x{9999}% }", 11, "places"),
        ("{ $.a = 1e999 }", 9, "too large"),
        ("{ " + "(" * 60 + "$.a = 1" + ")" * 60 + " }", 43, "nested"),
        ("{ $.a = " + "x" * 5000 + " }", 4097, "at most"),
    ],
)
def test_a_pattern_that_can_not_be_evaluated_is_refused_with_place_and_reason(pattern: str, position: int, reason: str):
    with pytest.raises(PatternError, match=reason) as refused:
        compile_filter(pattern)

    assert position == refused.value.position


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", "c"])
QUANTIFIERS = st.sampled_from(["", "", "?", "*", "+", "{2}", "{1,}", "{0,2}"])
ROWS = st.lists(st.tuples(ATOMS, QUANTIFIERS).map("".join), min_size=1, max_size=6).map("".join)
EXPRESSIONS = st.lists(
    st.tuples(st.sampled_from(["", "^"]), ROWS, st.sampled_from(["", "$"])).map("".join), min_size=1, max_size=3
).map("|".join)


@given(EXPRESSIONS, st.text(alphabet="abc1\u00e9", max_size=12))
def test_an_expression_finds_what_python_s_own_finds(expression: str, value: str):
    expected = re.search(expression.replace("$", r"\Z"), value, re.ASCII | re.DOTALL) is not None

    assert expected == compile_expression(expression)(value)


def test_an_expression_that_makes_backtracking_explode_is_matched_in_one_pass(monkeypatch: pytest.MonkeyPatch):
    from crownkeep.alerts import expressions

    steps = 0
    skipping = expressions._Places._skipping

    def counted(self: Any, places: int) -> int:
        nonlocal steps
        steps += 1
        return skipping(self, places)

    monkeypatch.setattr(expressions._Places, "_skipping", counted)

    assert not compile_expression("^" + "a*" * 100 + "b$")("a" * 5000)
    assert 5001 == steps


@pytest.mark.parametrize("operator", ["=", "!="])
def test_a_value_that_is_too_long_to_be_read_is_no_way_past_an_alarm(operator: str):
    pattern = f"{{ $.eventName {operator} %need[l]e+% }}"

    assert fires(pattern, {"eventName": "x" * (LONGEST_VALUE + 1)})


UNSUPPORTED = ["", "a|", "*a", r"a\q", r"\x4", "a)", "[]", "[z-a]", r"[\D]", "a{2,1}", "a{x}", "a$b", "a\\"]


@pytest.mark.parametrize("expression", UNSUPPORTED)
def test_an_expression_that_is_not_supported_is_refused(expression: str):
    with pytest.raises(ExpressionError):
        compile_expression(expression)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "userName", "x"]), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries({"eventName": st.text(max_size=12), "userIdentity": JSON, "errorCode": JSON}),
    st.sampled_from([entry["pattern"] for entry in CIS]),
)
def test_no_record_makes_a_filter_raise(record: dict[str, Any], pattern: str):
    assert fires(pattern, record) in (True, False)


@given(st.text(max_size=60))
def test_no_text_makes_the_parser_raise_anything_but_a_refusal(text: str):
    for pattern in (text, f"{{ {text} }}", f"{{ $.a = {text} }}", f"{{ $.a = %{text}% }}"):
        try:
            compile_filter(pattern).matches(RECORD)
        except PatternError as error:
            assert 1 <= error.position <= len(pattern) + 1  # noqa: PT017 - any refusal will do, but it must say where


def spoilt(draw: st.DataObject, pattern: str) -> str:
    return draw.draw(edited(pattern.encode())).decode("latin-1")


@given(st.data(), changed(RECORD))
def test_a_hostile_pattern_is_refused_as_such_or_asks_its_question_of_any_record(draw: st.DataObject, record: dict[str, Any]):
    pieces = [
        "$.count > 5",
        "$.eventName = Create*",
        '$.tags[0].key != "a*b"',
        "$.ratio IS NULL",
        "$.userIdentity.type = %^I[A-Z]+r$%",
    ]
    shape = draw.draw(st.sampled_from(["{{ {} && {} }}", "{{ ({}) || {} }}", "{{{}}}"]))
    pattern = shape.format(*draw.draw(st.permutations(pieces)))

    for text in (pattern, spoilt(draw, pattern)):
        with suppress(PatternError):
            found = compile_filter(text)
            assert found.matches(record) in (True, False)
            assert all(isinstance(each, bytes) for each in (*found.pieces, *found.members))


def test_a_number_that_no_float_can_hold_is_compared_and_stops_nobody():
    record = {**RECORD, "count": 10**400, "ratio": -(10**400)}

    assert [True, False, True] == [fires(each, record) for each in ("{ $.count > 5 }", "{ $.count = 5 }", "{ $.ratio < 5 }")]


@pytest.mark.parametrize(
    "text",
    [
        "{" + "(" * 4_000,
        "{ $.a = " + "9" * 4_000 + " }",
        "{ $.a = %a{9999}% }",
        "{ $" + ".a" * 2_000 + " = 1 }",
        "{ $.a IS IS }",
        "{",
    ],
)
def test_a_pattern_of_the_greatest_length_is_refused_or_compiled(text: str):
    with suppress(PatternError):
        assert compile_filter(text).matches(RECORD) in (True, False)
