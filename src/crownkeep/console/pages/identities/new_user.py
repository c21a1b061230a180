"""A new user in three pages: what it is to be, the calls that make it so, and the password, which is shown this once.

The password is made, or typed, when the user is created: it is in no address, no hidden field and no page before.
"""

from __future__ import annotations

import base64
import csv
import io
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep import clock
from crownkeep.console.kit import account_names, frame, parts, password_rules_asked, web
from crownkeep.console.kit.calls import Done, Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import USER
from crownkeep.console.kit.parts import ChangesMade
from crownkeep.console.pages.identities import granted_policies, mfa_demand, user_choices
from crownkeep.console.pages.identities.user_choices import CHOSEN, GENERATED, MANAGED, PASSWORD, Choices, Plan
from crownkeep.credentials import generated_passwords
from crownkeep.signin import pending
from crownkeep.translation import gettext

CREATE = "/console/create-user"
REVIEW = f"{CREATE}/review"
MAKE = f"{CREATE}/make"
SUGGESTED: Final = ("AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit")
_ADMINISTRATOR = Choices(access=CHOSEN, policies=(f"{MANAGED}AdministratorAccess",))
"""What the recommendation to create an administrator offers: a password, MFA, and everything allowed."""
_LONGEST = 128


async def create(request: Request) -> Response:
    """Ask what the new user is to be."""
    web.signed_in(request)
    return await _form_page(request, _ADMINISTRATOR if request.query_params.get("for") == "administrator" else Choices())


async def changed(request: Request) -> Response:
    """Show the form again, filled in as it was."""
    return await _form_page(request, user_choices.read(web.form(request)))


async def reviewed(request: Request) -> Response:
    """Show every call that creates the user; nothing is done yet."""
    choices = user_choices.read(web.form(request))
    if not choices.name or choices.malformed_tags:
        alert = gettext("Write one tag on each line, as KEY=VALUE.") if choices.name else gettext("Give the user a name.")
        return await _form_page(request, choices, alert=alert)
    return await _review_page(request, choices)


async def made(request: Request) -> Response:
    """Create the user as it was reviewed, once, and show what can be shown this once."""
    form, session, here = web.form(request), web.signed_in(request), web.of(request)
    choices = user_choices.read(form)
    # Planned anew and compared: what is called is what was looked at, and not what a form says of it.
    plan = await _plan(request, choices)
    if plan.digest != form.one("reviewed"):
        return await _review_page(request, choices, alert=gettext("What would be called has changed since you looked at it."))
    password = form.one("password") if choices.access == CHOSEN else ""
    if choices.access == CHOSEN and not password:
        return await _review_page(request, choices, alert=gettext("Type the password that you have chosen."))
    # One form makes one user, however often it is sent: by two clicks, by the back button, by reloading the answer.
    once = pending.unseal(here.door.wiring.keyring, form.one("once"), session, now=here.now)
    if once is None or not await pending.spend(here.door, once):
        return await _review_page(
            request, choices, alert=gettext("This form was used already, or is too old. Look whether the user exists.")
        )
    if choices.access == GENERATED:
        password = await _generated(request)
    outcome = await _carry_out(request, choices, plan, password)
    if not outcome.made and outcome.refused is not None:
        return await _review_page(request, choices, refusal=outcome.refused)
    return await _made_page(request, choices, outcome, password if choices.access == GENERATED else "")


async def _carry_out(request: Request, choices: Choices, plan: Plan, password: str) -> ChangesMade:
    made: tuple[Done, ...] = ()
    for call in plan.calls:
        if call.operation == "CreateLoginProfile":
            call = replace(call, parameters={**call.parameters, "Password": password})
        outcome = await parts.carry_out(request, [call])
        made += outcome.made
        if outcome.refused is not None:
            return ChangesMade(made, outcome.refused)
        if call.operation == "CreateLoginProfile" and choices.needs_mfa:
            # At once, so that nobody signs in before it is demanded.
            demanded = await mfa_demand.demand(request, choices.name)
            made += demanded.made
            if demanded.refused is not None:
                return ChangesMade(made, demanded.refused)
    return ChangesMade(made, None)


async def _generated(request: Request) -> str:
    """Generate a password that is as long as the account's policy asks for."""
    policy = await parts.ask(request, "GetAccountPasswordPolicy")
    least = int(policy.one("PasswordPolicy").get("MinimumPasswordLength", 0))
    # Where the policy may not be read the usual length is tried, and IAM says what is wrong with it.
    length = min(max(generated_passwords.LENGTH, least), _LONGEST)
    return generated_passwords.generate(clock.token_bytes(generated_passwords.CHANCE), length=length)


async def _plan(request: Request, choices: Choices) -> Plan:
    return await user_choices.plan(request, choices, web.signed_in(request).principal.account_id)


async def _form_page(request: Request, choices: Choices, *, alert: str = "") -> Response:
    groups = await parts.ask(request, "ListGroups", MaxItems=parts.ROWS)
    own = await parts.ask(request, "ListPolicies", Scope="Local", MaxItems=parts.ROWS)
    named = {"UserName": choices.name or "NAME"}
    password = {"Password": PASSWORD, "PasswordResetRequired": True}
    offered = {f"{MANAGED}{name}": name for name in SUGGESTED} | {
        str(each["Arn"]): str(each["PolicyName"]) for each in own.rows("Policies")
    }
    return frame.page(
        request,
        "create_user.html",
        current=USER.folder,
        status=400 if alert else 200,
        same=[
            Equivalent("iam", "CreateUser", {**named, "Path": choices.path}),
            Equivalent("iam", "CreateLoginProfile", {**named, **password}),
            Equivalent("iam", "AttachUserPolicy", {**named, "PolicyArn": f"{MANAGED}AdministratorAccess"}),
            Equivalent("iam", "AddUserToGroup", {**named, "GroupName": "GROUP"}),
        ],
        alert=alert,
        choices=choices,
        offered=offered,
        other=" ".join(arn for arn in choices.policies if arn not in offered),
        groups=groups,
        own=own,
        review=REVIEW,
    )


async def _review_page(request: Request, choices: Choices, *, alert: str = "", refusal: Refused | None = None) -> Response:
    session, here = web.signed_in(request), web.of(request)
    plan = await _plan(request, choices)
    once = pending.begin(session, now=here.now, chance=clock.token_bytes(pending.CHANCE))
    return frame.page(
        request,
        "create_user_review.html",
        current=USER.folder,
        status=400 if alert else 200,
        same=plan.calls,
        refusal=refusal,
        alert=alert,
        choices=choices,
        plan=plan,
        granted=await granted_policies.of_calls(request, plan.calls),
        rules=await password_rules_asked.ask(request) if choices.access == CHOSEN else None,
        once=pending.seal(here.door.wiring.keyring, once),
        change=CREATE,
        make=MAKE,
    )


async def _made_page(request: Request, choices: Choices, outcome: ChangesMade, password: str) -> Response:
    alias = await account_names.alias_of(request)
    address = account_names.sign_in_addresses(request, alias if isinstance(alias, str) else "")[0]
    has_profile = any(done.action == "iam:CreateLoginProfile" for done in outcome.made)
    return frame.page(
        request,
        "created_user.html",
        current=USER.folder,
        choices=choices,
        outcome=outcome,
        path=USER.page(choices.name),
        address=address if has_profile else "",
        password=password if has_profile else "",
        download=_file(choices.name, password, address) if password and has_profile else "",
        letter=_letter(choices, address) if has_profile else "",
    )


def _file(name: str, password: str, address: str) -> str:
    """Write the file that AWS's console offers, as an address that needs no further request."""
    text = io.StringIO()
    csv.writer(text).writerows([("User name", "Password", "Console sign-in URL"), (name, password, address)])
    return "data:text/csv;base64," + base64.b64encode(text.getvalue().encode()).decode()


def _letter(choices: Choices, address: str) -> str:
    """Write the address of a letter with instructions, without the password: mail is read by others."""
    lines = [
        gettext("You have been given access to the console as the user %(name)s.", name=choices.name),
        "",
        gettext("Sign in here: %(address)s", address=address),
        gettext("User name: %(name)s", name=choices.name),
        "",
        gettext("You get the password by another way."),
        *([gettext("You are asked to choose another one when you first sign in.")] if choices.must_change else []),
        *(
            [gettext("You are asked to set up MFA, so have an authenticator app or a passkey at hand.")]
            if choices.needs_mfa
            else []
        ),
    ]
    return f"mailto:?subject={quote(gettext('Your access to the console'))}&body={quote(chr(10).join(lines))}"


ROUTES = [
    Route(CREATE, create, methods=["GET"]),
    Route(CREATE, changed, methods=["POST"]),
    Route(REVIEW, reviewed, methods=["POST"]),
    Route(MAKE, made, methods=["POST"]),
]
