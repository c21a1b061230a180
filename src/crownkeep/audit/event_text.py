"""A record's text, joined of parts that repeat from request to request: every request has a record, and most of it is the same.

What it comes to is what `event` makes: the same bytes as of `encode(record(facts))`. What is out of the ordinary is left to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from crownkeep.audit import event
from crownkeep.audit.event import EventFacts
from crownkeep.principals import Caller, Principal

_encode = msgspec.json.Encoder().encode
_REMEMBERED = 1024
_LONGEST_REMEMBERED = 512
"""Characters that a client chooses of a remembered part: a User-Agent of kilobytes is written anew each time."""


def text(facts: EventFacts, event_id: str) -> bytes:
    """Return the JSON of an event's record under an id."""
    try:
        if not _is_usual(facts):
            return event.encode(event.record(facts, event_id))
        named = sum([len(name) for _, name in facts.resources])
        is_short = len(facts.user_agent) + len(facts.host) + named <= _LONGEST_REMEMBERED
        return b"".join(
            (
                _beginning(facts.caller, facts.account_alias),
                event.moment(facts.happened_at).encode(),
                (_remembered_origin if is_short else _origin)(
                    facts.source, facts.name, facts.region, facts.source_ip, facts.user_agent
                ),
                _error(facts) if facts.error_code or facts.error_message else b"",
                b',"requestParameters":',
                _elements(facts.parameters),
                b',"responseElements":',
                _elements(facts.response),
                b',"requestID":',
                _encode(facts.request_id),
                b',"eventID":',
                _encode(event_id),
                (_remembered_end if is_short else _end)(
                    facts.read_only,
                    facts.resources,
                    facts.event_type,
                    facts.api_version,
                    facts.is_data_event,
                    facts.account_id,
                    (facts.tls_version, facts.tls_cipher, facts.host) if facts.tls_version else None,
                ),
            )
        )
    except UnicodeEncodeError:
        # A lone surrogate, which becomes a question mark there.
        return event.encode(event.record(facts, event_id))


def _is_usual(facts: EventFacts) -> bool:
    """Tell whether a record has no member but those that nearly all have."""
    if facts.identity is not None or facts.additional or facts.shared_event_id or facts.service_details is not None:
        return False
    return not (isinstance(facts.caller, Principal) and facts.caller.session is not None and facts.caller.session.from_console)


def _beginning(caller: Caller | None, account_alias: str) -> bytes:
    # A long-term key's caller is the same in each of its requests; a session is another each time, and holds what has no hash.
    if isinstance(caller, Principal) and caller.session is None:
        return _remembered_beginning(caller, account_alias)
    return _made_beginning(caller, account_alias)


def _made_beginning(caller: Caller | None, account_alias: str) -> bytes:
    members = {"eventVersion": event.VERSION, "userIdentity": event.identity(caller, account_alias), "eventTime": ""}
    # Up to the quotation mark after which the moment stands.
    return _encode(members)[:-2]


_remembered_beginning = lru_cache(maxsize=_REMEMBERED)(_made_beginning)


def _origin(source: str, name: str, region: str, source_ip: str, user_agent: str) -> bytes:
    members = {
        "eventSource": source,
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": source_ip,
        "userAgent": user_agent[: event.LONGEST_TEXT],
    }
    return b'",' + _encode(members)[1:-1]


_remembered_origin = lru_cache(maxsize=_REMEMBERED)(_origin)


def _error(facts: EventFacts) -> bytes:
    members = {"errorCode": facts.error_code[: event.LONGEST_TEXT]} if facts.error_code else {}
    members["errorMessage"] = facts.error_message[: event.LONGEST_TEXT]
    return b"," + _encode(members)[1:-1]


def _elements(elements: Mapping[str, object] | None) -> bytes:
    if not elements:
        return b"null"
    written = _encode(elements)
    return written if len(written) <= event.LARGEST_ELEMENTS else _encode(event.within_limit(elements))


def _end(
    read_only: bool,
    resources: tuple[tuple[str, str], ...],
    event_type: str,
    api_version: str,
    is_data_event: bool,
    account_id: str,
    tls: tuple[str, str, str] | None,
) -> bytes:
    members: dict[str, object] = {"readOnly": read_only}
    if arns := event.resource_arns(resources, account_id):
        members["resources"] = arns
    members["eventType"] = event_type
    if api_version:
        members["apiVersion"] = api_version
    members["managementEvent"] = not is_data_event
    members["recipientAccountId"] = account_id
    members["eventCategory"] = "Data" if is_data_event else "Management"
    if tls is not None:
        members["tlsDetails"] = event.tls_details(*tls)
    return b"," + _encode(members)[1:]


_remembered_end = lru_cache(maxsize=_REMEMBERED)(_end)
