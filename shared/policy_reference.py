"""A slow, obvious evaluator written from AWS's text alone; the engine must agree with it on everything generated.

It reads plain JSON trees, shares no code with the engine, and does everything anew for every request.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

Tree = dict[str, Any]
Context = dict[str, Any]
Token = tuple[str] | str
Tokens = tuple[Token, ...]
"""Literal characters, each a tuple of one, and wildcards."""
Said = tuple[str | None, str | None]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@lru_cache(maxsize=100_000)
def wild(pattern: Tokens, text: str) -> bool:
    """Match tokens, each a literal character (a 1-tuple) or a wildcard (a str), against text, by definition."""
    if not pattern:
        return text == ""
    head, rest = pattern[0], pattern[1:]
    if head == "*":
        return wild(rest, text) or (text != "" and wild(pattern, text[1:]))
    if head == "?":
        return text != "" and wild(rest, text[1:])
    return text[:1] == head[0] and wild(rest, text[1:])


def tokens(text: str, context: Context, expands: bool) -> Tokens | None:
    """Characters and wildcards of a policy string, variables put in as literal characters; None if one has no value."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        if expands and text.startswith("${", at) and "}" in text[at:]:
            inner = text[at + 2 : text.index("}", at)]
            at = text.index("}", at) + 1
            key, _, default = (part.strip() for part in inner.partition(","))
            value = inner if inner in ("*", "?", "$") else context.get(key.lower())
            if not isinstance(value, str):
                value = default[1:-1] if default else None
            if value is None:
                return None
            found += [(character,) for character in value]
        else:
            found.append(text[at] if text[at] in "*?" else (text[at],))
            at += 1
    return tuple(found)


def plain(text: str, context: Context, expands: bool) -> str | None:
    """A policy string whose wildcards are ordinary characters."""
    found = tokens(text, context, expands)
    return None if found is None else "".join(token[0] for token in found)


def split(found: Tokens) -> list[Tokens]:
    """Six segments at the first five literal colons."""
    segments: list[list[Token]] = [[]]
    for token in found:
        if token == (":",) and len(segments) < 6:
            segments.append([])
        else:
            segments[-1].append(token)
    return [tuple(segment) for segment in segments]


def arn_match(found: Tokens, arn: str, *, pad: bool) -> bool:
    """Match an ARN segment by segment; `pad` lets a short pattern stand for any rest."""
    segments, parts = split(found), arn.split(":", 5)
    if pad:
        segments += [("*",)] * (6 - len(segments))
    return len(segments) == len(parts) == 6 and all(map(wild, segments, parts))


def resource_matches(pattern: str, resource: str, context: Context, expands: bool) -> bool:
    """Whether a pattern of Resource or NotResource matches an ARN."""
    if pattern == "*":
        return True
    found = tokens(pattern, context, expands)
    return found is not None and arn_match(found, resource, pad="${" not in pattern or not expands)


def is_arn(text: str) -> bool:
    """Whether a text has the six segments of an ARN."""
    return text.startswith("arn:") and text.count(":") >= 5


def number(text: str) -> Decimal | None:
    """Read a number."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def date(text: str) -> int | None:
    """Read a date, a year or seconds since 1970, as milliseconds."""
    try:
        if len(text) == 4 and text.isdigit():
            return int(datetime(int(text), 1, 1, tzinfo=UTC).timestamp() * 1000)
        return int(Decimal(text) * 1000)
    except InvalidOperation:
        pass
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def address(text: str) -> Address | None:
    """Read an address; one of IPv4 that is written as IPv6 is of IPv4."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Read a network."""
    try:
        # A range of IPv6 that ends as an IPv4 address does is none to AWS.
        return None if ":" in text and "." in text else ipaddress.ip_network(text, strict=":" in text)
    except ValueError:
        return None


def binary(text: str) -> bytes | None:
    """Read base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda a, b: a == b,
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}


def one_value(base: str, value: str, wanted: list[str], context: Context, expands: bool, effect: str) -> bool:
    """Whether one request value satisfies an operator against the policy's values."""
    negated = "Not" in base
    base = base.replace("Not", "")
    if not wanted:
        return False
    if base in ("ArnEquals", "ArnLike"):
        if not is_arn(value):
            return False
        for one in wanted:
            found = tokens(one, context, expands)
            if found is None:
                continue
            if found != ("*",) and (len(split(found)) < 6 or split(found)[0] != (("a",), ("r",), ("n",))):
                return effect == "Deny"
            if found == ("*",) or arn_match(found, value, pad=False):
                return not negated
        return negated
    if negated and effect != "Deny" and not readable(base, wanted):
        return False
    if base == "IpAddress":
        where = address(value)
        if where is None:
            return False
        nets = [network(one) for one in wanted]
        return negated != any(net is not None and where.version == net.version and where in net for net in nets)
    return negated != any(equal(base, value, one, context, expands) for one in wanted)


def readable(base: str, wanted: list[str]) -> bool:
    """Whether each value of the policy is what its operator compares."""
    reads: dict[str, Callable[[str], object]] = {"Numeric": number, "Date": date, "IpAddress": network}
    return all(read(one) is not None for name, read in reads.items() if base.startswith(name) for one in wanted)


def equal(base: str, value: str, wanted: str, context: Context, expands: bool) -> bool:
    """Whether a request's value compares with one value of the policy."""
    if base == "StringLike":
        found = tokens(wanted, context, expands)
        return found is not None and wild(found, value)
    if base.startswith("StringEquals"):
        text = plain(wanted, context, expands)
        if base.endswith("IgnoreCase"):
            return text is not None and text.lower() == value.lower()
        return text == value
    if base == "Bool":
        return (value.lower() == "true") == (wanted.lower() == "true")
    if base == "BinaryEquals":
        return binary(value) is not None and binary(value) == binary(wanted)
    read: Callable[[str], Decimal | int | None] = number if base.startswith("Numeric") else date
    left, right = read(value), read(wanted)
    if left is None or right is None:
        return False
    return COMPARE[base.removeprefix("Numeric").removeprefix("Date")](left, right)


def condition_holds(operator: str, key: str, wanted: Any, context: Context, expands: bool, effect: str) -> bool:
    """Whether one key of a condition holds."""
    wanted = [str(one) for one in (wanted if isinstance(wanted, list) else [wanted])]
    value = context.get(key.lower())
    if operator == "Null":
        return ("true" if value is None else "false") in wanted
    qualifier, _, base = operator.rpartition(":")
    if_exists = base.endswith("IfExists")
    base = base.removesuffix("IfExists")
    values = [] if value is None else [value] if isinstance(value, str) else list(value)
    satisfied = [one_value(base, one, wanted, context, expands, effect) for one in values]
    if qualifier == "ForAllValues":
        return all(satisfied)
    if qualifier == "ForAnyValue":
        return any(satisfied)
    if value is None:
        return if_exists or ("Not" in base and wanted != [] and (effect == "Deny" or readable(base.replace("Not", ""), wanted)))
    return isinstance(value, str) and satisfied[0]


def as_list(value: Any) -> list[Any]:
    """Return a list, which a single value may stand for."""
    return value if isinstance(value, list) else [value]


def action_matches(patterns: Any, action: str) -> bool:
    """Whether one of the patterns matches an action."""
    return any(wild(tuple(c if c in "*?" else (c,) for c in one.lower()), action.lower()) for one in as_list(patterns))


def named(statement: Tree, caller: Tree) -> str | None:
    """How a statement names the caller: "direct", "issuer", "account", or None."""
    element = statement.get("Principal", statement.get("NotPrincipal"))
    if element is None:
        return "direct"
    aws = ["*"] if element == "*" else as_list(element.get("AWS", []))
    accounts = {caller["account"], f"arn:aws:iam::{caller['account']}:root"} & set(aws)
    direct = "*" in aws or caller["arn"] in aws
    issuer = caller.get("issuer") in aws
    if "NotPrincipal" in statement:
        if "*" in aws:
            return None
        if statement["Effect"] == "Allow":
            return None if accounts or direct or issuer else "direct"
        faces = accounts and (caller["kind"] == "root" or (direct and (issuer or caller["kind"] != "session")))
        return None if faces and not caller.get("boundary") else "direct"
    if direct or (accounts and caller["kind"] == "root"):
        return "direct"
    return "issuer" if issuer else "account" if accounts else None


def applies(document: Tree, statement: Tree, caller: Tree, action: str, resource: str, context: Context) -> bool:
    """Whether a statement applies to a request."""
    expands = document.get("Version") == "2012-10-17"
    if "Action" in statement and not action_matches(statement["Action"], action):
        return False
    if "NotAction" in statement and action_matches(statement["NotAction"], action):
        return False
    patterns = as_list(statement.get("Resource", statement.get("NotResource", "*")))
    if any(resource_matches(one, resource, context, expands) for one in patterns) == ("NotResource" in statement):
        return False
    return named(statement, caller) is not None and all(
        condition_holds(operator, key, wanted, context, expands, statement["Effect"])
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def say(documents: list[Tree], caller: Tree, action: str, resource: str, context: Context) -> Said:
    """What documents say together: ("Deny"|"Allow"|None, how the best Allow names the caller)."""
    found = [
        (statement["Effect"], named(statement, caller))
        for document in documents
        for statement in as_list(document["Statement"])
        if applies(document, statement, caller, action, resource, context)
    ]
    if any(effect == "Deny" for effect, _ in found):
        return "Deny", None
    best = [naming for naming in ("direct", "issuer", "account") if ("Allow", naming) in found]
    return ("Allow", best[0]) if found else (None, None)


def authorize(case: Tree, caller: Tree, action: str, resource: str, context: Context) -> str:
    """AWS's flow chart; `case` maps kinds to lists of documents (organization kinds to lists of such lists)."""

    def ask(documents: list[Tree]) -> Said:
        return say(documents, caller, action, resource, context)

    gates = [ask(level) for level in [*case.get("rcp", []), *case.get("scp", [])]]
    said = {kind: ask(case[kind]) for kind in ("identity", "boundary", "session", "resource") if kind in case}
    if caller["kind"] == "root":
        said["identity"], _ = ("Allow", None), said.pop("boundary", None)
    if any(effect == "Deny" for effect, _ in [*gates, *said.values()]):
        return "explicitDeny"
    if any(effect != "Allow" for effect, _ in gates):
        return "implicitDeny"
    resource_effect, naming = said.get("resource", (None, None))
    limits = all(said[kind][0] == "Allow" for kind in ("boundary", "session") if kind in said)
    own_side = limits and said.get("identity", (None, None))[0] == "Allow"
    if case.get("owner", caller["account"]) != caller["account"]:
        allowed = own_side and resource_effect == "Allow"
    elif case.get("required") and resource_effect != "Allow":
        allowed = False
    elif caller["kind"] == "root":
        allowed = limits
    else:
        # A user is named as such, a session of one is what its session policy leaves of the user.
        leaves = caller["kind"] != "user" or said.get("session", ("Allow", None))[0] == "Allow"
        allowed = (naming == "direct" and leaves) or (naming == "issuer" and limits) or own_side
    return "allowed" if allowed else "implicitDeny"
