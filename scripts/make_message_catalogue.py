"""Gather every text for people into src/crownkeep/locale/crownkeep.pot, the catalogue that translations begin with.

    python -m scripts.make_message_catalogue

Texts are what `gettext`, `ngettext` and `gettext_noop` are called with, and what templates hold in `_()` and `{% trans %}`,
and titles and descriptions of ready-made policies.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import write_po

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "crownkeep"
TEMPLATE = SOURCE / "locale" / "crownkeep.pot"
_PRESETS = "catalogue/organization_presets.json"
_METHODS = [("console/templates/**.html", "jinja2"), (_PRESETS, "scripts.make_message_catalogue:presets")]
_OPTIONS = {"console/templates/**.html": {"extensions": "jinja2.ext.i18n", "trimmed": "true", "silent": "false"}}
_KEYWORDS = {**DEFAULT_KEYWORDS, "gettext_noop": None}
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""The same texts give the same file, whenever it is written."""


def presets(file: IO[bytes], _keywords: object, _tags: object, options: object) -> Iterator[tuple[int, str, str, list[str]]]:
    """Yield the titles and descriptions of ready-made policies, as Babel takes them from an extractor; it names `options`."""
    for each in json.load(file):
        for text in (each["title"], each["description"]):
            yield 1, "", text, []


def gathered() -> Catalog:
    """Return the catalogue of every text, with the files that it stands in."""
    catalogue = Catalog(project="Crownkeep", copyright_holder="The Crownkeep authors", creation_date=_EPOCH, revision_date=_EPOCH)
    # Only modules that mark texts are read by their tokens, which takes long.
    marking = [file.relative_to(SOURCE) for file in SOURCE.rglob("*.py") if b"gettext" in file.read_bytes()]
    methods = [*_METHODS, *((file.as_posix(), "python") for file in marking)]
    found = extract_from_dir(SOURCE, methods, _OPTIONS, keywords=_KEYWORDS, comment_tags=("Translators:",))
    for file, line, message, comments, context in found:
        catalogue.add(message, None, [(file, line)], auto_comments=comments, context=context)
    return catalogue


def texts() -> Iterator[str]:
    """Yield every text as it stands in the code, each form of a plural."""
    for message in gathered():
        yield from (message.id,) if isinstance(message.id, str) else message.id


def written(catalogue: Catalog) -> bytes:
    """Return the catalogue as a file, sorted; without line numbers, which change with every line above them."""
    file = io.BytesIO()
    write_po(file, catalogue, width=120, sort_output=True, include_lineno=False)
    return file.getvalue()


def main() -> None:
    """Write the catalogue."""
    TEMPLATE.write_bytes(written(gathered()))


if __name__ == "__main__":
    main()
