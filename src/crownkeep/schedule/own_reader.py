"""The reader of scheduled audits: asks an account's own operations in this process what `crownkeep audit` asks over the wire.

It asks as the auditor (`operations.auditor`), so that policies decide on each question as they do for anybody. Nothing is
recorded of single questions: the audit that they are for has one event.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from crownkeep import clock, ids
from crownkeep.advisor import calls, evidence
from crownkeep.advisor.evidence import ApiAnswer, ApiQuestion, Evidence, Missing
from crownkeep.arn import GLOBAL_REGION
from crownkeep.errors import AwsError
from crownkeep.operations import auditor, invoke, registry
from crownkeep.operations.call import Origin, Request, Wiring
from crownkeep.operations.outcomes import Outcome
from crownkeep.operations.registry import Operation
from crownkeep.services.iam.reports.credential_report import CredentialReport
from crownkeep.storage.database import Database

MOST_PAGES = 20
"""Pages of one list: what an account has beyond them is not looked at, and what depends on it can't be told."""

_WHO = "audit.crownkeep"
_PAGE_SIZES = {"GetAccountAuthorizationDetails": {"MaxItems": 1000}}
_DOCUMENTS = frozenset({"AssumeRolePolicyDocument", "PolicyDocument", "Document"})
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})


@dataclass(frozen=True, slots=True)
class OwnReader:
    """Reads accounts of this server. It takes its time, and so is for threads."""

    database: Database
    wiring: Wiring

    def gather(self, account_id: str) -> Evidence:
        """Ask everything that checks need of an account, one question after another."""
        at = clock.now()
        first = [self._ask(account_id, each) for each in (calls.IDENTITY, *calls.FIRST)]
        so_far = evidence.of(account_id, at, first)
        then = [self._ask(account_id, each) for each in calls.follow_ups(so_far)]
        return evidence.of(account_id, at, [*first, *then])

    def _ask(self, account_id: str, asked: ApiQuestion) -> ApiAnswer | Missing:
        at = clock.now()
        served = registry.service(asked.service)
        operation = served.find(asked.operation) if served else None
        if operation is None:
            return Missing(asked, at, "UnknownOperation", "it is not served here", is_denied=False)
        try:
            value = (
                self._report(account_id, asked) if asked == calls.CREDENTIAL_REPORT else self._pages(account_id, operation, asked)
            )
        except AwsError as error:
            if calls.is_absence(asked, error.code):
                return ApiAnswer(asked, at, None)
            return Missing(asked, at, error.code, error.message, is_denied=error.code in _DENIED)
        if value is None:
            return Missing(asked, at, "TooMany", f"more than {MOST_PAGES} pages are not read", is_denied=False)
        return ApiAnswer(asked, at, evidence.plain(value))

    def _pages(self, account_id: str, operation: Operation, asked: ApiQuestion) -> Mapping[str, Any] | None:
        """Return an answer with all its pages put together, None where there are too many."""
        most = calls.MOST_ITEMS.get(asked.operation)
        parameters = {**_PAGE_SIZES.get(asked.operation, {}), **asked.arguments()}
        whole: dict[str, Any] = {}
        for _ in range(MOST_PAGES):
            answer = self._call(account_id, operation, parameters, asked.region)
            _add(whole, _readable(answer) if asked.service == "iam" else answer)
            following = dict(_following(answer))
            if not following or (most is not None and _longest(whole) >= most):
                return whole
            parameters |= following
        return None

    def _call(self, account_id: str, operation: Operation, parameters: Mapping[str, Any], region: str) -> Mapping[str, Any]:
        with self.database.snapshot() as db:
            outcome = invoke.perform(db, _request(account_id, operation, parameters, region), self.wiring)
        if outcome.error is not None:
            raise outcome.error
        return outcome.result

    def _report(self, account_id: str, asked: ApiQuestion) -> Mapping[str, Any]:
        """Return the credential report as it would be made now, and keep none: the account's own stays what it is."""
        served = registry.service("iam")
        making = served.find("GenerateCredentialReport") if served else None
        reading = served.find(asked.operation) if served else None
        if making is None or reading is None:
            raise LookupError("IAM has no credential report")
        request = _request(account_id, making, {}, "")
        with self.database.snapshot() as db:
            made = invoke.prepare(db, request, self.wiring)
        if isinstance(made, Outcome) and made.error is not None:
            raise made.error
        if isinstance(made, CredentialReport) and made.content is not None:
            return {"Content": made.content, "ReportFormat": "text/csv", "GeneratedTime": request.now}
        return self._call(account_id, reading, {}, "")


def _request(account_id: str, operation: Operation, parameters: Mapping[str, Any], region: str) -> Request:
    now = clock.now()
    origin = Origin(_WHO, _WHO, region or GLOBAL_REGION, ids.request_id(clock.token_bytes(16)))
    return Request(operation, parameters, auditor.of_account(account_id, now), origin, now)


def _following(answer: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield the parameter that asks for the next page, where there is one."""
    if answer.get("IsTruncated") and answer.get("Marker"):
        yield "Marker", answer["Marker"]
    elif answer.get("NextToken"):
        yield "NextToken", answer["NextToken"]


def _add(whole: dict[str, Any], answer: Mapping[str, Any]) -> None:
    for name, value in answer.items():
        if isinstance(value, list | tuple):
            whole.setdefault(name, []).extend(value)
        elif name not in ("IsTruncated", "Marker", "NextToken"):
            whole[name] = value


def _longest(whole: Mapping[str, Any]) -> int:
    return max((len(value) for value in whole.values() if isinstance(value, list)), default=0)


def _readable(value: Any) -> Any:
    """Return IAM's answer with policy documents as JSON, which clients of its API decode, too."""
    match value:
        case Mapping():
            return {name: _document(each) if name in _DOCUMENTS else _readable(each) for name, each in value.items()}
        case list() | tuple():
            return [_readable(each) for each in value]
        case _:
            return value


def _document(value: Any) -> Any:
    return json.loads(unquote(value)) if isinstance(value, str) else _readable(value)
