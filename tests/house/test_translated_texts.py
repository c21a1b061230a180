"""Every text that the console shows stands in one catalogue, so that it can be translated without touching a page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, nodes
from scripts import make_message_catalogue
from tests.house.source import SOURCE

CONSOLE = SOURCE / "crownkeep" / "console"
TEMPLATES = sorted((CONSOLE / "templates").glob("*.html"))
MODULES = sorted(each for folder in ("kit", "pages") for each in (CONSOLE / folder).rglob("*.py"))
SCRIPTS = sorted(each for each in (CONSOLE / "static").glob("*.js") if each.name != "htmx.js")

SHOWN_ATTRIBUTES = {"alt", "aria-description", "aria-label", "placeholder", "title"}
NOT_SHOWN = {"code", "kbd", "pre", "samp", "script", "style"}
MARKERS = {"_", "gettext", "ngettext", "gettext_noop"}
LETTERS = re.compile(r"[A-Za-z]{2}")
PROSE = re.compile(r"[A-Za-z,]{2,} [a-z]+")
LABEL = re.compile(r"[A-Z][a-z]+( [A-Za-z(]+)*[.:…]?\s*")
PLACES = re.compile(r"(?<!%)(?:%%)*%\((\w+)\)s")
NAMES = {
    "Crownkeep",
    "Crownkeep  · Crownkeep",
    "UTC",
    "ReadOnlyAccess",
    "PowerUserAccess",
    "iam.amazonaws.com",
    "aws:SourceIp",
    "https://",
    "https://token.actions.githubusercontent.com",
}
"""Names and addresses, which no language changes."""
SENT = {"Active", "Inactive", "Deleted", "Reset", "Never", "User", "Group", "Role", "Urgent", "Passwords", "Credentials"}
"""Values of forms and of AWS's API, which are sent or compared and not shown."""
MARKUP = {"alert error"}
"""Names of style sheets."""
NO_TEXTS = ("crownkeep ", "aws ", "/", "data-")
"""What commands, addresses and attributes begin with."""
KEYS = {"Escape", "Tab", "Enter", "Root", "Yes"}
"""Names of keys, and values of records, that scripts compare with."""
NO_PAGES = {"portal_keys.html": "files and variables for programs, in which every line is read as it is"}
OF_NO_PAGE = {
    # Faults of ours: exceptions that nobody sees.
    "kit/cookies.py": {"the value of the cookie `", "` holds letters that a header must not"},
    "kit/equivalents.py": {"the model of `", "` has no operation `"},
    # What is signed or sealed is not shown, and must be the same in every language.
    "kit/forms.py": {"form of "},
    "pages/sign_in/switch_role.py": {"roles switched to"},
    # Markup.
    "kit/manual.py": {'<div class="table-scroll" tabindex="0"><table>', '<pre tabindex="0">'},
    "kit/rendering.py": {'<time class="nowrap" datetime="{}" title="{}">{}</time>'},
    # What AWS's messages say, and what our own operations answer, is compared with.
    "kit/missing_permissions.py": {
        "explicit deny in a service control policy",
        "explicit deny in a resource control policy",
        "explicit deny in a permissions boundary",
        "explicit deny in a session policy",
        "explicit deny",
        "no service control policy allows",
        "no resource control policy allows",
        "no permissions boundary allows",
        "no session policy allows",
    },
    "kit/recoverability_picture.py": {
        "the custodian ",
        " of the ",
        "root's MFA device",
        "the user ",
        "the role ",
        "the operator",
        "the mailbox ",
        "the mail domain ",
    },
    # Files that programs read.
    "pages/credentials/access_key_list.py": {"access keys"},
    "pages/identities/new_user.py": {"User name", "Console sign-in URL"},
    "pages/organization/account_list.py": {"access keys"},
    # A kind, by which its name for several is found.
    "pages/search/search.py": {"Access key"},
    # What programs are told that send requests of their own.
    "pages/sign_in/federation.py": {
        "give the parameter `Action`: getSigninToken, or in a browser login or logout\n",
        "SessionDuration must be a number of seconds",
        "the parameter `",
        "` comes more than once",
    },
    "pages/trail/stream.py": {
        "sign in, or sign the request\n",
        "that is no page of this server\n",
        "too many streams are open: try again in a few seconds\n",
    },
}
"""Texts of modules that stand outside the catalogue, with what they are."""
SINGLE_WORDS_OF_PLACES = {"get", "text", "rows", "split", "value", "length", "each", "one", "strftime", "first", "join"}
WIDGETS = re.compile(r"<(button|input|select|form|textarea|details)\b")


class Texts(HTMLParser):
    """The texts of a page's markup that a person sees or hears."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in NOT_SHOWN:
            self._within.append(tag)
        self.found += [value or "" for name, value in attrs if name in SHOWN_ATTRIBUTES]

    def handle_endtag(self, tag: str) -> None:
        if self._within and self._within[-1] == tag:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.found.append(data)


@cache
def parsed(source: str) -> nodes.Template:
    environment = Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True)
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    return environment.parse(source)


def in_markup(template: nodes.Template) -> list[str]:
    """Return the texts that a template writes as they are."""
    texts = Texts()
    texts.feed(" ".join(each.data for each in template.find_all(nodes.TemplateData)))
    return [each.strip() for each in texts.found if LETTERS.search(each)]


def in_expressions(node: nodes.Node) -> Iterator[str]:
    """Yield the texts of a template's expressions that are neither marked nor a key, a name or a value to compare with."""
    match node:
        case nodes.Const(value=str(text)):
            if PROSE.search(text) or LABEL.fullmatch(text):
                yield text
            return
        case nodes.Call(node=nodes.Name(name=name)) if name in MARKERS:
            children: list[nodes.Node] = list(node.kwargs)
        case nodes.Call(node=nodes.Getattr(node=whose, attr="get" | "rows" | "text" | "one")):
            children = [whose, *node.args[1:]]
        case nodes.Getitem(node=whose):
            children = [whose]
        case nodes.Filter(node=whose):
            children = [whose] if whose is not None else []
        case nodes.Pair(value=value):
            children = [value]
        case nodes.Compare() | nodes.Test():
            children = []
        case nodes.Extends() | nodes.Import() | nodes.Include():
            children = []
        case _:
            children = list(node.iter_child_nodes())
    for each in children:
        yield from in_expressions(each)


def outside_the_catalogue(source: str) -> list[str]:
    """Return the texts of a template that can't be translated."""
    template = parsed(source)
    known = NAMES | SENT | MARKUP
    found = [*in_markup(template), *in_expressions(template)]
    return [each for each in found if each not in known and not each.startswith(NO_TEXTS)]


def outside_the_catalogue_in_module(source: str) -> list[str]:
    """Return the texts of a module that read like a sentence or a phrase, and are marked for no catalogue."""
    tree = ast.parse(source)
    aside = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    for call in (each for each in ast.walk(tree) if isinstance(each, ast.Call)):
        if isinstance(call.func, ast.Name) and call.func.id in MARKERS:
            aside.update(id(each) for each in ast.walk(call))
    texts = [each for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return [str(each.value) for each in texts if id(each) not in aside and PROSE.search(str(each.value))]


@cache
def messages() -> list[str]:
    return [text for text in make_message_catalogue.texts() if text]


def unfilled_in_template(source: str) -> list[str]:
    """Return the messages of a template's `_()` and `ngettext()` whose places are not those that are filled in."""
    calls = [each for each in parsed(source).find_all(nodes.Call) if isinstance(each.node, nodes.Name)]
    found = []
    for call in calls:
        texts = [each.value for each in call.args if isinstance(each, nodes.Const) and isinstance(each.value, str)]
        if isinstance(call.node, nodes.Name) and call.node.name in MARKERS and texts and not call.dyn_kwargs:
            found += wrong_places(texts, {each.key for each in call.kwargs})
    return found


def unfilled_in_module(source: str) -> list[str]:
    """Return the messages of a module's `gettext()` and `ngettext()` whose places are not those that are filled in."""
    found = []
    for call in (each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Call)):
        if isinstance(call.func, ast.Name) and call.func.id in ("gettext", "ngettext"):
            texts = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if None not in (names := {each.arg for each in call.keywords}):
                found += wrong_places(texts, {str(each) for each in names})
    return found


def wrong_places(texts: list[str], given: set[str]) -> list[str]:
    """Return the texts that have a place for what is not given, or all of them where something given has no place in any."""
    wanted = [set(PLACES.findall(text)) for text in texts]
    known = given | {"num"}
    missing = [text for text, places in zip(texts, wanted, strict=True) if places - known]
    # A plural form may do without the count that chose it.
    return missing or (texts if given - {"count"} - set().union(*wanted) else [])


@pytest.mark.parametrize("file", [each for each in TEMPLATES if each.name not in NO_PAGES], ids=lambda file: file.name)
def test_a_template_writes_no_text_outside_the_catalogue(file: Path):
    assert [] == outside_the_catalogue(file.read_text())


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Seen by nobody</p>", ["Seen by nobody"]),
        ('<input placeholder="A name">', ["A name"]),
        ('{{ f(hint="Optional.") }} {{ "Boundary: " if a }}', ["Optional.", "Boundary: "]),
        ('{{ "Status" }} {{ f(label="Made up") }}', ["Status", "Made up"]),
        ('{{ "to" if a == "Active" else {"Kind": "Never seen"}[b["Name"]] }}', ["Never seen"]),
        ("{{ _('Status') }} {% trans n %}{{ n }} of them{% endtrans %} <code>iam list</code>", []),
    ],
)
def test_texts_outside_the_catalogue_are_found(source: str, found: list[str]):
    assert found == outside_the_catalogue(source)


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(CONSOLE)))
def test_a_module_of_pages_writes_no_sentence_outside_the_catalogue(file: Path):
    known = OF_NO_PAGE.get(str(file.relative_to(CONSOLE)), set())

    assert known == set(outside_the_catalogue_in_module(file.read_text()))


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_a_script_takes_its_texts_from_the_page(file: Path):
    code = re.sub(r"(^|\s)//.*", "", file.read_text())

    texts = [text for _, text in re.findall(r"""(["'`])(.*?)\1""", code)]
    assert [] == [text for text in texts if re.match(r"[A-Z][a-z']+( |$)", text) and text not in KEYS]


def test_a_message_is_a_whole_text_whose_places_say_what_they_are():
    wrong = [
        text
        for text in messages()
        if text != text.strip()
        or text.strip("·") != text
        or WIDGETS.search(text)
        or not LETTERS.search(PLACES.sub("", text))
        or {*PLACES.findall(text)} & SINGLE_WORDS_OF_PLACES
    ]

    assert [] == wrong


def test_every_place_of_a_message_is_filled_in():
    modules = [text for file in (SOURCE / "crownkeep").rglob("*.py") if "gettext" in (text := file.read_text())]

    assert [] == [text for file in TEMPLATES for text in unfilled_in_template(file.read_text())]
    assert [] == [text for module in modules for text in unfilled_in_module(module)]


def test_the_catalogue_is_what_the_script_writes():
    written = make_message_catalogue.written(make_message_catalogue.gathered())

    assert written == make_message_catalogue.TEMPLATE.read_bytes()
