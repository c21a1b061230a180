"""The password policy's pages: what it means for people, well-known policies to start from, and the difference before saving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, frame, policy_in_force, report_lines, undo, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.policy_in_force import Fields
from crownkeep.console.pages.account import out_of_policy
from crownkeep.credentials.password_policy import PasswordPolicy
from crownkeep.errors import AwsError
from crownkeep.translation import gettext, gettext_noop, ngettext

PATH = "/console/password-policy"
EDIT = f"{PATH}/edit"
REVIEW = f"{PATH}/review"
DELETE = f"{PATH}/delete"

DELETION = Equivalent("iam", "DeleteAccountPasswordPolicy")
NUMBERS = {"MinimumPasswordLength": (6, 128), "MaxPasswordAge": (1, 1095), "PasswordReusePrevention": (1, 24)}
"""Fields that hold a number, with the least and the most that AWS takes."""

_DIGITS = 4
_CLASSES = {
    "RequireUppercaseCharacters": gettext_noop("an upper-case letter"),
    "RequireLowercaseCharacters": gettext_noop("a lower-case letter"),
    "RequireNumbers": gettext_noop("a number"),
    "RequireSymbols": gettext_noop("a symbol"),
}


@dataclass(frozen=True, slots=True)
class PasswordPreset:
    """A policy that somebody recommends."""

    name: str
    label: str
    reason: str
    fields: Fields


_ALL_CLASSES: Fields = dict.fromkeys(_CLASSES, True)
PRESETS = (
    PasswordPreset(
        "guide",
        gettext_noop("The guide's"),
        gettext_noop(
            "Twelve characters of every kind, changed every 90 days, the last three not again; what the hands-on guide sets."
        ),
        {
            "MinimumPasswordLength": 12,
            **_ALL_CLASSES,
            "AllowUsersToChangePassword": True,
            "MaxPasswordAge": 90,
            "PasswordReusePrevention": 3,
        },
    ),
    PasswordPreset(
        "nist",
        "NIST SP 800-63B",
        gettext_noop(
            "Length rather than odd characters, and no change without a cause: forced changes make people choose worse passwords."
        ),
        {"MinimumPasswordLength": 15, "AllowUsersToChangePassword": True},
    ),
    PasswordPreset(
        "cis",
        "CIS AWS Foundations",
        gettext_noop("At least 14 characters, and none of the last 24 passwords again; the benchmark asks for no more."),
        {"MinimumPasswordLength": 14, "AllowUsersToChangePassword": True, "PasswordReusePrevention": 24},
    ),
)


async def show(request: Request) -> Response:
    """Show the policy and what it means."""
    return await _overview(request)


async def edit(request: Request) -> Response:
    """Show the form, filled with the policy that holds or with a preset's."""
    held = await policy_in_force.current(request)
    chosen = next((preset for preset in PRESETS if preset.name == request.query_params.get("preset")), None)
    # AWS's default can't be filled in: it asks for three of four kinds of characters, which no policy can say.
    start = PRESETS[0].fields if isinstance(held, Refused) or held is None else held
    return _form(request, chosen.fields if chosen else start)


async def review(request: Request) -> Response:
    """Show the difference that saving would make; nothing is changed yet."""
    if request.query_params.get("to") == "default":
        wanted: Fields | None = None
    else:
        try:
            wanted = _read(lambda name: request.query_params.get(name, ""))
        except ValueError as error:
            return _form(request, dict(request.query_params), problem=str(error))
    held = await policy_in_force.current(request)
    return frame.page(
        request,
        "password_policy_review.html",
        current=PATH,
        same=[_saving(wanted), report_lines.GET],
        wanted=wanted,
        out=await out_of_policy.count(request, wanted, now=web.of(request).now),
        unknown=held if isinstance(held, Refused) else None,
        differences=None if isinstance(held, Refused) else _differences(held, wanted),
        sentences=in_words(wanted),
    )


async def save(request: Request) -> Response:
    """Replace the policy."""
    form = web.form(request)
    try:
        wanted = _read(form.one)
    except ValueError as error:
        return _form(request, {name: form.one(name) for name in policy_in_force.LABELS if name in form}, problem=str(error))
    return await _change(request, _saving(wanted))


async def delete(request: Request) -> Response:
    """Go back to AWS's default."""
    web.form(request)
    return await _change(request, DELETION)


async def _change(request: Request, wanted: Equivalent) -> Response:
    held = await policy_in_force.current(request)
    back = [] if isinstance(held, Refused) else [_saving(held)]
    try:
        done = await calls.change(request, wanted.service, wanted.operation, wanted.parameters)
    except AwsError as error:
        return await _overview(request, refusal=calls.refused(request, wanted, error))
    return calls.go(request, PATH, done, undo=undo.offer(request, back, then=PATH))


async def _overview(request: Request, *, refusal: Refused | None = None) -> Response:
    held = await policy_in_force.current(request)
    unknown = held if isinstance(held, Refused) else None
    fields = None if isinstance(held, Refused) else held
    return frame.page(
        request,
        "password_policy.html",
        current=PATH,
        same=[policy_in_force.GET, _saving(fields or PRESETS[0].fields), report_lines.GET],
        refusal=refusal,
        unknown=unknown,
        fields=fields,
        out=await out_of_policy.count(request, fields, now=web.of(request).now),
        sentences=in_words(fields),
        presets=PRESETS,
    )


def _form(request: Request, fields: Fields, *, problem: str = "") -> Response:
    same, status = ([], 400) if problem else ([_saving(fields)], 200)
    return frame.page(
        request,
        "password_policy_form.html",
        current=PATH,
        same=same,
        status=status,
        fields=fields,
        problem=problem,
        numbers=NUMBERS,
        labels=policy_in_force.LABELS,
        classes=_CLASSES,
    )


def _read(field: Callable[[str], str]) -> Fields:
    """Read the form's fields; raises ValueError, saying which number is none."""
    read: dict[str, object] = {}
    for name in policy_in_force.LABELS:
        text = field(name).strip()
        if name not in NUMBERS:
            read |= {name: True} if text else {}
        elif text:
            read[name] = _number(name, text)
    if "MinimumPasswordLength" not in read:
        raise ValueError(gettext("Say how long a password must be: a number from 6 to 128."))
    return read


def _number(name: str, text: str) -> int:
    least, most = NUMBERS[name]
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and least <= int(text) <= most):
        field = gettext(policy_in_force.LABELS[name])
        raise ValueError(gettext("%(field)s must be a number from %(least)s to %(most)s.", field=field, least=least, most=most))
    return int(text)


def _saving(fields: Fields | None) -> Equivalent:
    """Return the call that makes a policy hold: an update says every field, for what it leaves out gets its default."""
    if fields is None:
        return DELETION
    switches = {name: bool(fields.get(name)) for name in policy_in_force.LABELS if name not in NUMBERS}
    return Equivalent(
        "iam", "UpdateAccountPasswordPolicy", {**{name: fields[name] for name in NUMBERS if name in fields}, **switches}
    )


def _differences(current: Fields | None, wanted: Fields | None) -> list[tuple[str, str, str]]:
    """Return what changes: a label, what it is now and what it will be."""
    now, then = _shown(current), _shown(wanted)
    labels = policy_in_force.LABELS
    return [(gettext(labels[name]), now[name], then[name]) for name in now if now[name] != then[name]]


def _shown(fields: Fields | None) -> dict[str, str]:
    """Write a policy out, field by field."""
    absent = {name: gettext("never") if name == "MaxPasswordAge" else gettext("none") for name in NUMBERS}
    if fields is None:
        shown = {"MinimumPasswordLength": "8", **dict.fromkeys(_CLASSES, gettext("three of four kinds"))}
        return {name: shown.get(name, absent.get(name, gettext("no"))) for name in policy_in_force.LABELS}
    return {
        name: str(fields.get(name, absent[name])) if name in NUMBERS else gettext("yes") if fields.get(name) else gettext("no")
        for name in policy_in_force.LABELS
    }


def in_words(fields: Fields | None) -> list[str]:
    """Say what a policy means for the account's users, in sentences; None is AWS's default."""
    if fields is None:
        return [
            gettext("A password has at least 8 characters, of three kinds: upper-case and lower-case letters, numbers, symbols."),
            gettext("It is neither the account's name nor its e-mail address, and it never expires."),
            gettext("Users may change their own password only where a policy allows it."),
        ]
    policy = _policy(fields)
    change = (
        gettext("Users may change their own password.")
        if policy.allow_users_to_change_password
        else gettext("Users may change their own password only where a policy allows it.")
    )
    return [_length(policy, fields), *_age(policy), change]


def _length(policy: PasswordPolicy, fields: Fields) -> str:
    kinds = [gettext(words) for name, words in _CLASSES.items() if fields.get(name)]
    if not kinds:
        return ngettext(
            "A password has at least %(num)s character, of any kind.",
            "A password has at least %(num)s characters, of any kind.",
            policy.minimum_password_length,
        )
    return ngettext(
        "A password has at least %(num)s character, among them %(kinds)s.",
        "A password has at least %(num)s characters, among them %(kinds)s.",
        policy.minimum_password_length,
        kinds=_listed(kinds),
    )


def _age(policy: PasswordPolicy) -> list[str]:
    reuse = _reuse(policy.password_reuse_prevention)
    if not policy.expire_passwords:
        return [gettext("It never expires."), reuse]
    if policy.hard_expiry:
        ends = ngettext(
            "It expires after %(num)s day; then only an administrator can let the user in again.",
            "It expires after %(num)s days; then only an administrator can let the user in again.",
            policy.max_password_age,
        )
    else:
        ends = ngettext(
            "It expires after %(num)s day; then the user chooses a new one at the next sign-in.",
            "It expires after %(num)s days; then the user chooses a new one at the next sign-in.",
            policy.max_password_age,
        )
    return [ends, reuse]


def _reuse(remembered: int) -> str:
    if remembered == 0:
        return gettext("Earlier passwords may come again.")
    return ngettext("The present password may not come again.", "None of the last %(num)s passwords may come again.", remembered)


def _policy(fields: Fields) -> PasswordPolicy:
    def number(name: str, default: int) -> int:
        value = fields.get(name, default)
        return value if isinstance(value, int) else default

    return PasswordPolicy(
        minimum_password_length=number("MinimumPasswordLength", 6),
        allow_users_to_change_password=bool(fields.get("AllowUsersToChangePassword")),
        max_password_age=number("MaxPasswordAge", 0),
        password_reuse_prevention=number("PasswordReusePrevention", 0),
        hard_expiry=bool(fields.get("HardExpiry")),
    )


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else gettext("%(earlier)s and %(last)s", earlier=", ".join(words[:-1]), last=words[-1])


ROUTES = [
    Route(PATH, show, methods=["GET"]),
    Route(EDIT, edit, methods=["GET"]),
    Route(REVIEW, review, methods=["GET"]),
    Route(PATH, save, methods=["POST"]),
    Route(DELETE, delete, methods=["POST"]),
]
