"""Documents: what is read, what is kept, where things stand."""

import json

from hypothesis import given
from hypothesis import strategies as st
from tests.policy import building, strategies

from crownkeep import policy
from crownkeep.policy.positions import locate

PRETTY = """{
  "Version": "2012-10-17",
  "Id": "caf\\u00e9",
  "Statement": [
    {
      "Sid": "First",
      "Effect": "Allow",
      "Action": ["s3:GetObject", "s3:PutObject"],
      "Resource": "*"
    },
    {
      "Effect": "Deny",
      "NotAction": "iam:*",
      "NotResource": "arn:aws:s3:::b",
      "Principal": {"AWS": ["111122223333", "*"], "Service": "ec2.amazonaws.com"},
      "Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}, "Bool": {"aws:SecureTransport": true}}
    }
  ]
}"""


def test_a_document_is_kept_byte_for_byte():
    document = policy.parse(PRETTY)

    assert document.text == PRETTY


def test_every_element_is_read():
    document = policy.parse(PRETTY)

    first, second = document.statements
    assert ("2012-10-17", "café", True) == (document.version, document.id, document.statement_is_list)
    assert (0, "First", True, ("s3:GetObject", "s3:PutObject"), ("*",)) == (
        first.index,
        first.sid,
        first.allows,
        first.actions,
        first.resources,
    )
    assert (None, None, None, ()) == (first.not_actions, first.not_resources, first.principal, first.conditions)
    assert (1, None, False, ("iam:*",), ("arn:aws:s3:::b",)) == (
        second.index,
        second.sid,
        second.allows,
        second.not_actions,
        second.not_resources,
    )
    assert second.principal is not None
    assert not second.principal.everyone
    assert (("AWS", "111122223333"), ("AWS", "*"), ("Service", "ec2.amazonaws.com")) == second.principal.named
    assert [("NumericLessThan", ("3600",)), ("Bool", ("true",))] == [
        (condition.operator, condition.values) for condition in second.conditions
    ]


def test_statements_are_found_by_line_and_column():
    document = policy.parse(PRETTY)

    span = document.statement_span(document.statements[1])

    assert (11, 4) == (span.start.line, span.start.column)
    assert (17, 5) == (span.end.line, span.end.column)
    assert document.text[span.start.offset] == "{"
    assert document.text[span.end.offset - 1] == "}"


def test_a_single_statement_has_the_path_without_an_index():
    document = policy.parse('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}')

    assert ("Statement",) == document.statement_path(document.statements[0])
    assert 36 == document.statement_span(document.statements[0]).start.column


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(values, st.sampled_from([None, 0, 2]))
def test_every_value_of_a_json_text_is_located(tree, indent):
    text = json.dumps(tree, indent=indent)

    spans = locate(text)

    assert set(paths(tree)) == set(spans)
    for path, span in spans.items():
        assert at(tree, path) == json.loads(text[span.start.offset : span.end.offset])


def paths(tree, so_far=()):
    yield so_far
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield from paths(value, (*so_far, key))


def at(tree, path):
    for key in path:
        tree = tree[key]
    return tree


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_no_text_makes_the_parser_fail_otherwise_than_with_a_refusal(text):
    assert building.fault_of(policy.parse, text) in (None, "Syntax errors in policy.")


@given(strategies.documents(principals=True), st.sampled_from(list(policy.PolicyKind)))
def test_no_document_makes_validation_fail_otherwise_than_with_a_refusal(tree, kind):
    document = policy.parse(json.dumps(tree))

    assert "" != building.fault_of(policy.validate, document, kind)


def test_the_room_is_importable_alone_and_pure():
    code = "import sys; import crownkeep.policy; print(sorted(m for m in sys.modules if m.startswith('crownkeep')))"

    loaded = building.run_python(code)

    rooms = {name.split(".")[1] for name in json.loads(loaded.replace("'", '"')) if "." in name}
    # `values` makes frozen values cheap, `ids` knows what an account's id is; neither imports anything of ours.
    assert {"ids", "policy", "values"} == rooms
