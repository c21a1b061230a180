"""A slow, obvious evaluator written from AWS's text alone; the engine must agree with it on everything generated.

It reads plain JSON trees, shares no code with the engine, and does everything anew for every request.
"""

import base64
import ipaddress
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache


@lru_cache(maxsize=100_000)
def wild(pattern, text):
    """Match tokens, each a literal character (a 1-tuple) or a wildcard (a str), against text, by definition."""
    if not pattern:
        return text == ""
    head, rest = pattern[0], pattern[1:]
    if head == "*":
        return wild(rest, text) or (text != "" and wild(pattern, text[1:]))
    if head == "?":
        return text != "" and wild(rest, text[1:])
    return text[:1] == head[0] and wild(rest, text[1:])


def tokens(text, context, expands):
    """Characters and wildcards of a policy string, variables put in as literal characters; None if one has no value."""
    found, at = [], 0
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


def plain(text, context, expands):
    """A policy string whose wildcards are ordinary characters."""
    found = tokens(text, context, expands)
    return None if found is None else "".join(token[0] for token in found)


def split(found):
    """Six segments at the first five literal colons."""
    segments = [[]]
    for token in found:
        if token == (":",) and len(segments) < 6:
            segments.append([])
        else:
            segments[-1].append(token)
    return [tuple(segment) for segment in segments]


def arn_match(found, arn, *, pad):
    segments, parts = split(found), arn.split(":", 5)
    if pad:
        segments += [("*",)] * (6 - len(segments))
    return len(segments) == len(parts) == 6 and all(map(wild, segments, parts))


def resource_matches(pattern, resource, context, expands):
    if pattern == "*":
        return True
    found = tokens(pattern, context, expands)
    return found is not None and arn_match(found, resource, pad="${" not in pattern or not expands)


def is_arn(text):
    return text.startswith("arn:") and text.count(":") >= 5


def number(text):
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def date(text):
    try:
        return (
            int(Decimal(text) * 1000)
            if not (len(text) == 4 and text.isdigit())
            else None or int(datetime(int(text), 1, 1, tzinfo=UTC).timestamp() * 1000)
        )
    except InvalidOperation:
        pass
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def address(text):
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def network(text):
    try:
        return ipaddress.ip_network(text, strict=":" in text)
    except ValueError:
        return None


def binary(text):
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


COMPARE = {
    "Equals": lambda a, b: a == b,
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}


def one_value(base, value, wanted, context, expands, effect):
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


def readable(base, wanted):
    """Whether each value of the policy is what its operator compares."""
    reads = {"Numeric": number, "Date": date, "IpAddress": network}
    return all(read(one) is not None for name, read in reads.items() if base.startswith(name) for one in wanted)


def equal(base, value, wanted, context, expands):
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
    read = number if base.startswith("Numeric") else date
    left, right = read(value), read(wanted)
    if left is None or right is None:
        return False
    return COMPARE[base.removeprefix("Numeric").removeprefix("Date")](left, right)


def condition_holds(operator, key, wanted, context, expands, effect):
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


def as_list(value):
    return value if isinstance(value, list) else [value]


def action_matches(patterns, action):
    return any(wild(tuple(c if c in "*?" else (c,) for c in one.lower()), action.lower()) for one in as_list(patterns))


def named(statement, caller):
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


def applies(document, statement, caller, action, resource, context):
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


def say(documents, caller, action, resource, context):
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


def authorize(case, caller, action, resource, context):
    """AWS's flow chart; `case` maps kinds to lists of documents (organization kinds to lists of such lists)."""

    def ask(documents):
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
