"""Rendering: Jinja templates that escape whatever they are given, and static files' addresses, which change with them."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from functools import cache, lru_cache
from gettext import NullTranslations
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from crownkeep import translation
from crownkeep.translation import gettext, ngettext

FOLDER = Path(__file__).parents[1]
STATIC = FOLDER / "static"
_TEXTS = 8192


def render(template: str, **values: object) -> str:
    """Render a template of `templates/`."""
    return _environment().get_template(template).render(**values)


@cache
def version() -> str:
    """Return a hash of the static files: addresses that carry it may be cached for good."""
    digest = hashlib.sha256()
    for file in sorted(STATIC.iterdir()):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:12]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        # A misspelled name is a fault at once, and not an empty place on a page that nobody notices.
        undefined=StrictUndefined,
        # The templates of a server that runs don't change, and each look at one would cost a system call.
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # A text may be broken over lines in a template: in the catalogue it is one line.
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        translation.look_up_places, translation.look_up_plural, newstyle=True
    )
    # `_()` gives text, which is escaped; `{% trans %}` gives markup, with its values escaped.
    environment.globals["_"] = _text
    environment.globals["language"] = lambda: translation.spoken().tag
    # Of markup, though it holds nothing to escape: every page has several, and escaping takes as long as joining.
    environment.globals["static"] = cache(lambda name: Markup("/static/{}?v={}").format(name, version()))
    # Of what is marked elsewhere, or came from elsewhere: its per cent signs are no places.
    environment.filters["translated"] = translation.look_up
    environment.filters["moment"] = _moment
    environment.filters["moment_text"] = _moment_text
    environment.filters["ago"] = ago
    environment.filters["grouped"] = _grouped
    return environment


def _text(message: str, /, **values: object) -> Markup:
    return _escaped(message) % values if values else _whole(translation.spoken().messages, message)


@lru_cache(maxsize=_TEXTS)
def _whole(_messages: NullTranslations, message: str) -> Markup:
    # A page holds a hundred texts, and escaping each takes longer than looking it up. Kept by the messages that are spoken.
    return _escaped(message) % {}


def _escaped(message: str) -> Markup:
    # Values are escaped where they are filled in, but for what is markup already.
    return escape(translation.look_up_places(message))


def _moment(value: datetime) -> Markup:
    # The script of the pages writes it in the viewer's zone; without it, it stays as it is here.
    exact = f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time class="nowrap" datetime="{}" title="{}">{}</time>').format(value.isoformat(), exact, _moment_text(value))


def _moment_text(value: datetime) -> str:
    """Write a moment for an attribute, which holds no markup."""
    return f"{value:%Y-%m-%d %H:%M} UTC"


def ago(value: datetime, now: datetime) -> str:
    """Write how long ago something was, in its largest whole unit."""
    passed = max(now - value, timedelta())
    if days := passed // timedelta(days=1):
        return ngettext("%(num)s day ago", "%(num)s days ago", days)
    if hours := passed // timedelta(hours=1):
        return ngettext("%(num)s hour ago", "%(num)s hours ago", hours)
    if minutes := passed // timedelta(minutes=1):
        return ngettext("%(num)s minute ago", "%(num)s minutes ago", minutes)
    return gettext("just now")


def _grouped(account_id: str) -> str:
    """Write an account id as AWS's console does: 1234-5678-9012."""
    return f"{account_id[:4]}-{account_id[4:8]}-{account_id[8:]}"
