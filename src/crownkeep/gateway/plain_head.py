"""Plain requests: a signed POST at the root whose bytes have come in one piece, as nearly all AWS requests do.

Read without the parser, whose callbacks cost more than the rest of reading. Only what no two readers could read differently is
taken: one line of request, headers with usual names and printable values, each once, and a body of exactly the length that is
said. Whatever else comes (a repeated or folded header, chunks, an upgrade, half a body) is the parser's.
"""

from __future__ import annotations

import re
from functools import lru_cache

_LINE = b"POST / HTTP/1.1\r\n"
_END = b"\r\n\r\n"
_SIGNED = b"AWS4-"
_PRINTABLE = bytes(range(0x20, 0x7F))
_NAME = re.compile(rb"[A-Za-z0-9-]+")
_LONGEST_NAME = 64
_MOST_LINES = 64
_LONGEST_LENGTH = 7
"""Digits of a Content-Length: more than a piece of the wire has bytes."""

# What changes how a message is framed, or what becomes of its connection, is read in one place only.
_PARSERS = frozenset(
    {
        *(b"connection", b"expect", b"http2-settings", b"keep-alive", b"proxy-connection", b"te", b"trailer"),
        *(b"transfer-encoding", b"upgrade"),
    }
)


def read(piece: bytes) -> tuple[dict[bytes, bytes], bytes] | None:
    """Return the headers, by their names in lower case, and the body of a plain request; None for any other."""
    end = piece.find(_END)
    if end < 0 or not piece.startswith(_LINE):
        return None
    head = piece[len(_LINE) : end]
    lines = head.split(b"\r\n")
    # What is left without printable ASCII is the ends of lines, and nothing else: no bare CR or LF, no tab, no zero byte.
    if len(lines) > _MOST_LINES or head.translate(None, _PRINTABLE) != b"\r\n" * (len(lines) - 1):
        return None
    headers: dict[bytes, bytes] = {}
    for line in lines:
        written, _, value = line.partition(b":")
        # Long names are kept out of what is remembered, or strangers would fill it with theirs.
        name = _name(written) if len(written) <= _LONGEST_NAME else None
        value = value.lstrip(b" ")
        # A blank at the end is no part of a value (RFC 9112, section 5.1), but the parser hands it on as one.
        if name is None or not value or value.endswith(b" ") or name in headers:
            return None
        headers[name] = value
    length = headers.get(b"content-length", b"")
    body = piece[end + len(_END) :]
    if not length.isdigit() or len(length) > _LONGEST_LENGTH or int(length) != len(body):
        return None
    if b"host" not in headers or not headers.get(b"authorization", b"").startswith(_SIGNED):
        return None
    return headers, body


@lru_cache(maxsize=1024)
def _name(written: bytes) -> bytes | None:
    """Return a header's name in lower case, None where the parser is to read it."""
    name = written.lower()
    return None if name in _PARSERS or _NAME.fullmatch(written) is None else name
