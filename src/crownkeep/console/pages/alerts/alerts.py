"""Alerts: the rules of the account with a live test, receivers, what became of each alert, and what to do if it was not you."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep import ids
from crownkeep.console.kit import calls, danger, frame, parts, web
from crownkeep.console.kit.calls import Found, Refused
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.translation import gettext

PATH = "/console/alerts"
RECEIVERS = f"{PATH}/receivers"
HISTORY = f"{PATH}/history"
LOCK_DOWN = f"{PATH}/lock-down"

_SHOWN = 100
_DAYS = (1, 7, 30)
_STEPS = {"ConfirmAlertReceiver", "DeleteAlertReceiver", "EnableAlertReceiver", "TestAlertReceiver"}


async def rules(request: Request) -> Response:
    """List the rules."""
    return await _rules(request)


async def change_rule(request: Request) -> Response:
    """Test a pattern, save it as a rule, remove one, or silence one and end that."""
    form = web.form(request)
    name, pattern = form.one("name").strip(), form.one("pattern").strip()
    match form.one("do"):
        case "test":
            tried = await calls.ask(request, "alerts", "TestAlertRule", {"Pattern": pattern, "Days": 30})
            return await _rules(request, name=name, pattern=pattern, tried=tried)
        case "save":
            wanted = Equivalent("alerts", "PutAlertRule", {"Name": name, "Pattern": pattern})
        case "remove":
            text = gettext("Its pattern goes, and nobody hears any more of what it found.")
            danger.require(
                request, Ending(name, gettext("Remove the rule %(name)s?", name=name), text, gettext("Remove rule"), PATH)
            )
            wanted = Equivalent("alerts", "DeleteAlertRule", {"Name": name})
        case "silence":
            # Compared as texts before it is read: `int` takes more than these digits, such as those of other scripts.
            days = int(form.one("days")) if form.one("days") in map(str, _DAYS) else _DAYS[0]
            ends_at = web.of(request).now + timedelta(days=days)
            reason = form.one("reason").strip()
            wanted = Equivalent("alerts", "SilenceAlertRule", {"Name": name, "Reason": reason, "EndsAt": ends_at})
        case _:
            wanted = Equivalent("alerts", "EndAlertSilence", {"Name": name})
    outcome = await parts.carry_out(request, [wanted])
    if outcome.refused is not None:
        # What was typed is kept; the form of a rule in the list has neither a pattern nor a field for its name.
        return await _rules(request, name=name if pattern else "", pattern=pattern, refusal=outcome.refused)
    return calls.go(request, PATH, *outcome.made)


async def receivers(request: Request) -> Response:
    """List the receivers."""
    return await _receivers(request)


async def change_receiver(request: Request) -> Response:
    """Add a receiver, confirm it, send it a test, enable or remove it."""
    form = web.form(request)
    operation = form.one("do")
    if operation == "CreateAlertReceiver":
        wanted: Mapping[str, object] = {"Channel": form.one("channel"), "Target": form.one("target").strip()}
        return await _add(request, wanted)
    if operation not in _STEPS:
        # What changes nothing, for a form that asks for none of the page's own steps.
        operation = "TestAlertReceiver"
    asked: dict[str, object] = {"ReceiverId": form.one("receiver")}
    if operation == "DeleteAlertReceiver":
        await _require_word(request, form.one("receiver"))
    if operation == "ConfirmAlertReceiver":
        asked["Code"] = form.one("code").strip()
    outcome = await parts.carry_out(request, [Equivalent("alerts", operation, asked)])
    if outcome.refused is not None:
        return await _receivers(request, refusal=outcome.refused)
    return calls.go(request, RECEIVERS, *outcome.made)


async def _require_word(request: Request, receiver: str) -> None:
    """Ask for the address of a receiver before it is removed; its id, where the receivers can't be read."""
    listed = await parts.ask(request, "ListAlertReceivers", service="alerts")
    word = next((str(each["Target"]) for each in listed.rows("Receivers") if each["ReceiverId"] == receiver), receiver)
    text = gettext("It hears of nothing any more. Added again, it gets a new code, and a webhook a new secret.")
    danger.require(
        request,
        Ending(
            word,
            gettext("Remove %(receiver)s?", receiver=word),
            text,
            gettext("Remove receiver"),
            RECEIVERS,
            {gettext("Receiver ID"): receiver},
        ),
    )


async def history(request: Request) -> Response:
    """Show the last alerts, and how far each has come."""
    listed = await calls.ask(request, "alerts", "ListAlerts", {"MaxResults": _SHOWN})
    return frame.page(
        request,
        "alert_history.html",
        current=PATH,
        same=[Equivalent("alerts", "ListAlerts")],
        listed=listed,
        is_refused=isinstance(listed, Refused),
    )


async def replay(request: Request) -> Response:
    """Send an alert again that was given up."""
    asked = {"NoticeId": web.form(request).one("notice")}
    wanted = Equivalent("alerts", "ReplayAlert", asked)
    return await parts.change(request, [wanted], then=HISTORY, current=PATH)


async def lock_down(request: Request) -> Response:
    """Say what to do now, for whoever follows the link of an alert: the link does nothing, and each step asks for a proof."""
    event = request.query_params.get("event", "")
    return frame.page(request, "lock_down.html", current=PATH, same=[], event=event if ids.is_event_id(event) else "")


async def _add(request: Request, wanted: Mapping[str, object]) -> Response:
    call = Equivalent("alerts", "CreateAlertReceiver", wanted)
    made, outcome = await parts.obtain(request, call)
    if outcome.refused is not None:
        return await _receivers(request, refusal=outcome.refused, target=str(wanted["Target"]))
    return await _receivers(request, made=made)


async def _rules(
    request: Request,
    *,
    name: str = "",
    pattern: str = "",
    tried: Found | Refused | None = None,
    refusal: Refused | None = None,
) -> Response:
    wrong = tried if isinstance(tried, Refused) else None
    listed = await calls.ask(request, "alerts", "ListAlertRules")
    return frame.page(
        request,
        "alert_rules.html",
        current=PATH,
        same=[Equivalent("alerts", "ListAlertRules")],
        listed=listed,
        name=name,
        pattern=pattern,
        tried=None if wrong is not None else tried,
        is_refused=isinstance(listed, Refused),
        refusal=refusal or wrong,
        days=_DAYS,
    )


async def _receivers(
    request: Request, *, refusal: Refused | None = None, made: Found | None = None, target: str = ""
) -> Response:
    listed = await calls.ask(request, "alerts", "ListAlertReceivers")
    same = [Equivalent("alerts", "ListAlertReceivers")]
    return frame.page(
        request,
        "alert_receivers.html",
        current=PATH,
        same=same,
        listed=listed,
        is_refused=isinstance(listed, Refused),
        refusal=refusal,
        made=made,
        target=target,
    )


ROUTES = [
    Route(PATH, rules, methods=["GET"]),
    Route(PATH, change_rule, methods=["POST"]),
    Route(RECEIVERS, receivers, methods=["GET"]),
    Route(RECEIVERS, change_receiver, methods=["POST"]),
    Route(HISTORY, history, methods=["GET"]),
    Route(HISTORY, replay, methods=["POST"]),
    Route(LOCK_DOWN, lock_down, methods=["GET"]),
]
