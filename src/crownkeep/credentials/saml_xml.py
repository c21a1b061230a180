"""XML that strangers send: read only where it can do no harm, and never more of it than its use needs."""

from __future__ import annotations

from xml.parsers import expat

DEEPEST = 64
MOST_ELEMENTS = 20_000
_ENCODINGS = frozenset({"UTF-8", "UTF-16", "US-ASCII", "ISO-8859-1"})
"""What every parser reads alike. By any other encoding, two parsers may see two documents in the same bytes."""


class HarmfulXml(ValueError):
    """A document that is not well formed, or holds what can be turned against whoever reads it; nothing more is said."""


def require_harmless(text: bytes) -> None:
    """Raise HarmfulXml for what is not well formed, has a document type, or is nested or spread out beyond all use.

    Without a document type there are no entities to expand ("billion laughs") and nothing outside to fetch (XXE); processing
    instructions have no place in SAML either (SAML 2.0 core, section 1.3; OWASP, "XML External Entity Prevention").
    """
    parser = expat.ParserCreate()
    seen = _Seen()
    parser.XmlDeclHandler = _require_known_encoding
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ProcessingInstructionHandler = _refuse
    parser.StartElementHandler = seen.begin
    parser.EndElementHandler = seen.end
    try:
        parser.Parse(text, True)
    except HarmfulXml:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:
        # The last two are of encodings that Python does not know, or has no table of.
        raise HarmfulXml("the document is not well formed") from error


def _require_known_encoding(version: str, encoding: str | None, standalone: int) -> None:
    if encoding is not None and encoding.upper() not in _ENCODINGS:
        raise HarmfulXml("the document is in an encoding that is not read")


def _refuse(*_: object) -> None:
    raise HarmfulXml("the document holds a document type or a processing instruction")


class _Seen:
    """How deep and how many elements have been seen so far."""

    __slots__ = ("_depth", "_elements")

    def __init__(self) -> None:
        self._depth = 0
        self._elements = 0

    def begin(self, name: str, attributes: object) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > DEEPEST or self._elements > MOST_ELEMENTS:
            raise HarmfulXml("the document is nested too deep or has too many elements")

    def end(self, name: str) -> None:
        self._depth -= 1
