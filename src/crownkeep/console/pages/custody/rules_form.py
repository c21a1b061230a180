"""Rules of an approval team beyond a number: a form that asks the team for groups, and for going on alone after a delay."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, frame, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.custody.custody_tabs import PATH, REQUESTS
from crownkeep.errors import AwsError

RULES = f"{PATH}/rules"
_GROUPS = ("1", "2", "3")
_DELAYS = (0, 24, 36, 48)


async def rules(request: Request) -> Response:
    """Show the form, filled in with the rules that are in force."""
    return await _page(request, request.query_params.get("team", ""))


async def asked(request: Request) -> Response:
    """Ask the team; it decides as on any other request."""
    form = web.form(request)
    team = form.one("team")[:256]
    of_people = {name.removeprefix("of-"): value for name, value in form.pairs() if name.startswith("of-")}
    groups = []
    for number in _GROUPS:
        people = [each for each, group in of_people.items() if group == number]
        if people:
            least = form.one(f"least-{number}")
            name = form.one(f"name-{number}").strip()[:64] or f"Group {number}"
            groups.append({"Name": name, "MinApprovals": int(least) if least.isdecimal() else 0, "Approvers": people})
    hours = form.one("alone")
    parameters: dict[str, object] = {
        "TeamArn": team,
        "Groups": groups,
        "AloneAfterHours": int(hours) if hours.isdecimal() else 0,
    }
    reason = form.one("reason").strip()[:1000]
    wanted = Equivalent("approvals", "UpdateTeamRules", parameters | ({"Reason": reason} if reason else {}))
    try:
        done = await calls.change(request, wanted.service, wanted.operation, wanted.parameters)
    except AwsError as error:
        return await _page(request, team, refusal=calls.refused(request, wanted, error))
    return calls.go(request, REQUESTS, done)


async def _page(request: Request, arn: str, *, refusal: Refused | None = None) -> Response:
    listed = await parts.ask(request, "ListTeams", service="approvals")
    team = next((each for each in listed.rows("Teams") if each.get("Arn") == arn), None)
    example = {"TeamArn": arn or "TEAM_ARN", "AloneAfterHours": 24}
    return frame.page(
        request,
        "custody_rules.html",
        current=PATH,
        same=[*parts.equivalents([listed]), Equivalent("approvals", "UpdateTeamRules", example)],
        refusal=refusal,
        listed=listed,
        team=team,
        groups=list(team.get("Groups", ())) if team is not None else [],
        numbers=_GROUPS,
        delays=_DELAYS,
        action=RULES,
    )


ROUTES = [Route(RULES, rules, methods=["GET"]), Route(RULES, asked, methods=["POST"])]
