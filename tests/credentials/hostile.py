"""Hostile input with a structure: values of every type where another is expected, and good samples with a few edits."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import strategies as st

_numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**400, -62135596801, 253402300800, 1e308, float("nan")]),
)
_texts = st.one_of(st.text(max_size=20), st.sampled_from(["\0", "\ud800", "A" * 3000, "=", ".", "-" * 40]))
_leaves = st.one_of(st.none(), st.booleans(), _numbers, _texts)
json_values: st.SearchStrategy[Any] = st.recursive(
    _leaves, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_texts, inner, max_size=4)), max_leaves=8
)
"""What JSON can hold, and some that it can't."""

_cbor_leaves = st.one_of(st.booleans(), st.integers(-(2**63), 2**63), st.text(max_size=9), st.binary(max_size=80))
cbor_values: st.SearchStrategy[Any] = st.recursive(
    _cbor_leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.integers(-9, 9), st.text(max_size=6)), inner, max_size=4)
    ),
    max_leaves=8,
)
"""What CBOR can hold."""


@st.composite
def changed(draw: st.DrawFn, sample: Mapping[Any, Any], values: st.SearchStrategy[Any] = json_values) -> dict[Any, Any]:
    """Draw a mapping like the sample, with some of its members, or of those of a member, left out, replaced or added."""
    result = dict(sample)
    for name in draw(st.lists(st.sampled_from([*sample]), max_size=2, unique=True)):
        inner = result[name]
        match draw(st.sampled_from(["replace", "remove", "enter"])):
            case "enter" if isinstance(inner, Mapping) and inner:
                result[name] = draw(changed(inner, values))
            case "remove":
                del result[name]
            case _:
                result[name] = draw(values)
    if draw(st.booleans()):
        result[draw(st.text(max_size=6))] = draw(values)
    return result


@st.composite
def edited(draw: st.DrawFn, sample: bytes) -> bytes:
    """Draw a sample with up to three slices cut out, doubled or replaced."""
    result = sample
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(result)))
        end = min(len(result), start + draw(st.integers(0, 12)))
        put = draw(st.one_of(st.just(b""), st.just(result[start:end] * 2), st.binary(max_size=6)))
        result = result[:start] + put + result[end:]
    return result


def json_text(value: object) -> bytes:
    """Write a value as JSON, whether JSON has it or not."""
    return json.dumps(value).encode()


def token(header: bytes, payload: bytes, key: ec.EllipticCurvePrivateKey) -> str:
    """Sign whatever is given as a JWT by ES256."""
    message = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, payload))
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    signature = base64.urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).rstrip(b"=")
    return b".".join((message, signature)).decode("ascii", "replace")


@st.composite
def documents(draw: st.DrawFn, sample: Mapping[str, Any]) -> bytes:
    """Draw a JSON document like the sample: with other members, other bytes, or nested beyond all use."""
    text = json_text(draw(changed(sample)))
    match draw(st.integers(0, 5)):
        case 0:
            return draw(edited(text))
        case 1:
            return text.replace(b"1", b"[" * 5000, 1)
        case _:
            return text
