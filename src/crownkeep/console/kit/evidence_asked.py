"""Evidence for the pages: what the advisor judges, asked for by whoever is signed in, and what is missing as a page shows it."""

from __future__ import annotations

from starlette.requests import Request

from crownkeep.advisor import evidence
from crownkeep.advisor.calls import is_absence
from crownkeep.advisor.evidence import ApiAnswer, ApiQuestion, Evidence, Missing
from crownkeep.console.kit import calls, web
from crownkeep.console.kit.calls import Found, Refused
from crownkeep.console.kit.equivalents import Equivalent


async def answer(request: Request, asked: ApiQuestion) -> ApiAnswer | Missing:
    """Ask one question."""
    found = await calls.ask(request, asked.service, asked.operation, asked.arguments())
    now = web.of(request).now
    if not isinstance(found, Refused):
        return ApiAnswer(asked, now, evidence.plain(found))
    return ApiAnswer(asked, now, None) if is_absence(asked, found.code) else missing(request, asked, found)


def missing(request: Request, asked: ApiQuestion, refused: Refused) -> Missing:
    """Return a refusal as what is missing from evidence."""
    return Missing(asked, web.of(request).now, refused.code, refused.message, refused.is_denied)


def refused(request: Request, lacking: Missing) -> Refused:
    """Return what is missing as the refusal that a page shows."""
    return Refused(equivalent(lacking.question).action, lacking.code, lacking.message, web.of(request).origin.request_id)


def value(request: Request, found: Evidence, asked: ApiQuestion) -> Found | Refused:
    """Return an answer out of evidence, empty where there is no such thing."""
    reply = found.answers[asked.text]
    return refused(request, reply) if isinstance(reply, Missing) else reply.value or {}


def equivalent(asked: ApiQuestion) -> Equivalent:
    """Return a question as the call that a page shows."""
    return Equivalent(asked.service, asked.operation, asked.arguments())
