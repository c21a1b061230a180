"""The policy simulator: what somebody, or somebody with these policies, could do, and why; nothing is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep import arn as arns
from crownkeep.console.kit import decision_trees, frame, identity_kinds, parts, simulations, web
from crownkeep.console.kit.decision_trees import ShownDecision
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import IdentityKind
from crownkeep.console.kit.parts import Part
from crownkeep.console.kit.simulations import SimulationQuestion
from crownkeep.console.pages.simulation import cited_policies
from crownkeep.console.pages.simulation.cited_policies import CitedPolicy
from crownkeep.translation import gettext

SIMULATOR = "/console/simulator"


async def simulator(request: Request) -> Response:
    """Ask whose policies to simulate, or which."""
    web.signed_in(request)
    query = request.query_params
    question = SimulationQuestion(query.get("principal", ""), "", "", query.get("actions", ""), query.get("resources", ""), ())
    # An address that asks all of a question is answered, so that decisions can be linked to.
    return await _answer(request, question) if question.principal and question.names else _page(request, question)


async def simulated(request: Request) -> Response:
    """Decide, and show why; context keys that the policies mention get a place to be filled in."""
    web.signed_in(request)
    form = web.form(request)
    return await _answer(request, simulations.read(form), keys_only="keys" in form)


async def _answer(request: Request, question: SimulationQuestion, *, keys_only: bool = False) -> Response:
    about = await _about(request, question.principal)
    if about is not None and about.refusal is not None:
        return _page(request, question, asked=[about])
    arn = _arn_of(question.principal, about)
    if not arn and question.principal:
        return _page(request, question, alert=gettext("Name a user, a group or a role: by its ARN, or as user/bob."))
    asked = []
    mentioned = simulations.context_keys(question, arn)
    if mentioned is None:
        return _page(request, question, alert=gettext("Name somebody, or type a policy."))
    keys = await _ask(request, mentioned)
    asked.append(keys)
    question = simulations.with_keys(question, keys.rows("ContextKeyNames"))
    if not question.names or keys_only:
        return _page(request, question, asked=asked)
    found = await _ask(request, simulations.simulation(question, arn))
    asked.append(found)
    results = found.rows("EvaluationResults")
    unbounded: Sequence[Mapping[str, object]] = ()
    if decision_trees.is_bounded(results):
        asked.append(await _ask(request, simulations.without_boundary(found.call)))
        unbounded = asked[-1].rows("EvaluationResults")
    decided = decision_trees.read(results, unbounded)
    sources = await cited_policies.sources(
        request, decided, given=question.documents, boundary=question.boundary, holder=_holder(arn)
    )
    return _page(request, question, asked=asked, decided=decided, sources=sources)


async def _ask(request: Request, call: Equivalent) -> Part:
    return await parts.ask(request, call.operation, service=call.service, **call.parameters)


async def _about(request: Request, principal: str) -> Part | None:
    """Look up who is meant by a short name such as `user/bob`; None for what is none."""
    word, _, name = principal.partition("/")
    kind = identity_kinds.KINDS.get(word.lower())
    if kind is None or not name:
        return None
    return await parts.ask(request, f"Get{kind.noun}", **{kind.key: name})


def _arn_of(principal: str, about: Part | None) -> str:
    if about is None:
        return principal if principal.startswith("arn:") else ""
    noun = about.call.operation.removeprefix("Get")
    return str(about.one(noun)["Arn"])


def _holder(arn: str) -> tuple[IdentityKind, str] | None:
    parsed = arns.parse(arn)
    word, _, rest = (parsed.resource if parsed is not None else "").partition("/")
    kind = identity_kinds.KINDS.get(word)
    return None if kind is None else (kind, rest.rpartition("/")[2])


def _page(
    request: Request,
    question: SimulationQuestion,
    *,
    asked: Sequence[Part] = (),
    decided: Sequence[ShownDecision] = (),
    sources: Mapping[str, CitedPolicy] | None = None,
    alert: str = "",
) -> Response:
    sample = Equivalent("iam", "SimulatePrincipalPolicy", {"PolicySourceArn": "ARN", "ActionNames": ["iam:CreateUser"]})
    return frame.page(
        request,
        "simulator.html",
        current=SIMULATOR,
        status=400 if alert else 200,
        same=parts.equivalents(asked) or [sample],
        question=question,
        types=simulations.TYPES,
        refused=[part for part in asked if part.refusal is not None],
        has_more=any(part.marker for part in asked),
        decided=decided,
        sources=sources or {},
        alert=alert,
    )


ROUTES = [
    Route(SIMULATOR, simulator, methods=["GET"]),
    Route(SIMULATOR, simulated, methods=["POST"]),
]
