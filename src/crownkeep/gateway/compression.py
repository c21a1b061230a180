"""Compressed request bodies of known callers, unpacked up to a limit so that a small body can't become a huge one."""

from __future__ import annotations

import zlib

from crownkeep import errors

HIGHEST_RATIO = 32
"""Bytes that one compressed byte may become; documents and their like reach a third of that, and a bomb a thousand."""

_ALWAYS_FITS = 64 * 1024
_WINDOW_BITS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}


def is_packed(encoding: str) -> bool:
    """Tell whether a Content-Encoding says that a body is not as it will be read."""
    return encoding.strip().lower() not in ("", "identity")


def decompress(body: bytes, encoding: str, *, limit: int) -> bytes:
    """Unpack a body by its Content-Encoding (RFC 9110, 8.4) to at most `limit` bytes, and HIGHEST_RATIO times its own length.

    Raises SerializationException for a coding we don't know, for broken or cut off content and for anything after
    its end, and RequestEntityTooLarge beyond the limit.
    """
    if not is_packed(encoding):
        return body
    coding = encoding.strip().lower()
    if coding not in _WINDOW_BITS:
        raise errors.SerializationException("unknown Content-Encoding: send `gzip`, `deflate` or none")
    limit = min(limit, max(_ALWAYS_FITS, HIGHEST_RATIO * len(body)))
    unpacker = zlib.decompressobj(wbits=_WINDOW_BITS[coding])
    try:
        content = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise errors.SerializationException("the body is not what its Content-Encoding says") from error
    if len(content) > limit:
        raise errors.RequestEntityTooLarge("Request entity too large")
    if not unpacker.eof or unpacker.unused_data:
        raise errors.SerializationException("the body is not what its Content-Encoding says")
    return content
