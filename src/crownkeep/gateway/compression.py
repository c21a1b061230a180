"""Compressed request bodies, unpacked up to a limit so that a small body can't become a huge one."""

from __future__ import annotations

import zlib

from crownkeep import errors

_WINDOW_BITS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}


def decompress(body: bytes, encoding: str, *, limit: int) -> bytes:
    """Unpack a body by its Content-Encoding (RFC 9110, 8.4) to at most `limit` bytes.

    Raises SerializationException for a coding we don't know, for broken or cut off content and for anything after
    its end, and RequestEntityTooLarge beyond the limit.
    """
    coding = encoding.strip().lower()
    if coding in ("", "identity"):
        return body
    if coding not in _WINDOW_BITS:
        raise errors.SerializationException("unknown Content-Encoding: send `gzip`, `deflate` or none")
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
