"""The reader: asks the AWS API what checks need, several calls at once, and keeps refusals beside answers. It never writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from threading import Lock
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from crownkeep import arn, clock
from crownkeep.advisor import calls, evidence
from crownkeep.advisor.evidence import ApiAnswer, ApiQuestion, Evidence, Missing

WORKERS = 8

_DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "UnauthorizedAccess"}
)
_REPORT_TRIES = 20

Clients = Callable[[str, str], Any]
"""Makes a client of a service in a Region."""
Progress = Callable[[int, int], None]


class NoAccount(Exception):
    """Nobody says which account it is: no credentials, no connection, or credentials that are refused."""


def clients_of(
    profile: str | None, endpoint_url: str | None, credentials: Mapping[str, Any] | None = None, *, models: str = ""
) -> Clients:
    """Make clients of a profile or of the usual variables, as stock AWS tools do, or of a session's `Credentials`.

    They try again as throttles ask them to. `models` is a folder of further services' models.
    """
    session = Session(profile=profile)
    if models:
        session.get_component("data_loader").search_paths.append(models)
    if credentials is not None:
        session.set_credentials(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])
    config = Config(retries={"mode": "adaptive", "total_max_attempts": 8}, connect_timeout=10, read_timeout=60)
    made: dict[tuple[str, str], Any] = {}
    lock = Lock()  # making clients is not safe in several threads; using them is

    def client(service: str, region: str) -> Any:
        with lock:
            if (service, region) not in made:
                made[service, region] = session.create_client(
                    service, region_name=region, endpoint_url=endpoint_url, config=config
                )
            return made[service, region]

    return client


def gather(clients: Clients, *, on_progress: Progress | None = None, workers: int = WORKERS) -> Evidence:
    """Ask everything that checks need; raises NoAccount."""
    at = clock.now()
    identity = ask(clients, calls.IDENTITY)
    if isinstance(identity, Missing) or identity.value is None:
        said = identity.message if isinstance(identity, Missing) else "nothing was answered"
        raise NoAccount(f"GetCallerIdentity was refused: {said}")
    account_id = str(identity.value["Account"])
    first = ask_all(clients, calls.FIRST, on_progress=on_progress, workers=workers)
    so_far = evidence.of(account_id, at, [identity, *first])
    then = ask_all(clients, calls.follow_ups(so_far), on_progress=on_progress, workers=workers)
    answers = [identity, *first, *then]
    # One level of units after the other: AWS allows five.
    while deeper := calls.of_units(evidence.of(account_id, at, answers)):
        answers += ask_all(clients, deeper, on_progress=on_progress, workers=workers)
    return evidence.of(account_id, at, answers)


def ask_all(
    clients: Clients, questions: Iterable[ApiQuestion], *, on_progress: Progress | None = None, workers: int = WORKERS
) -> list[ApiAnswer | Missing]:
    """Ask many questions at once and return the answers in their order."""
    asked = list(questions)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        running = [pool.submit(ask, clients, each) for each in asked]
        if on_progress is not None:
            for done, _ in enumerate(as_completed(running), start=1):
                on_progress(done, len(asked))
        return [each.result() for each in running]


def ask(clients: Clients, asked: ApiQuestion) -> ApiAnswer | Missing:
    """Ask one question."""
    at = clock.now()
    try:
        client = clients(asked.service, asked.region or arn.GLOBAL_REGION)
        if asked == calls.CREDENTIAL_REPORT:
            return ApiAnswer(asked, at, evidence.plain(_credential_report(client)))
        return ApiAnswer(asked, at, evidence.plain(_call(client, asked)))
    except ClientError as error:
        answer = error.response.get("Error", {})
        return _refused(asked, at, str(answer.get("Code", "")), str(answer.get("Message", "")))
    except (BotoCoreError, ResponseParserError) as error:
        return Missing(asked, at, type(error).__name__, str(error), is_denied=False)


def _refused(asked: ApiQuestion, at: datetime, code: str, message: str) -> ApiAnswer | Missing:
    if calls.is_absence(asked, code):
        return ApiAnswer(asked, at, None)
    return Missing(asked, at, code, message, is_denied=code in _DENIED)


def _call(client: Any, asked: ApiQuestion) -> Mapping[str, Any]:
    operation, arguments = _method_name(client, asked.operation), asked.arguments()
    if client.can_paginate(operation):
        limit = (
            {"PaginationConfig": {"MaxItems": calls.MOST_ITEMS[asked.operation]}} if asked.operation in calls.MOST_ITEMS else {}
        )
        pages: Mapping[str, Any] = client.get_paginator(operation).paginate(**arguments, **limit).build_full_result()
        return pages
    return invoke(client, asked.operation, arguments)


def invoke(client: Any, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Make one call by the operation's name in the model."""
    answer: Mapping[str, Any] = client._make_api_call(operation, dict(arguments))
    return answer


def signing_key(client: Any) -> str:
    """Return the id of the key that a client signs with; empty where it does not sign."""
    credentials = client._request_signer._credentials
    return "" if credentials is None else str(credentials.get_frozen_credentials().access_key)


def _method_name(client: Any, operation: str) -> str:
    name: str = next(python for python, model in client.meta.method_to_api_mapping.items() if model == operation)
    return name


def _credential_report(client: Any) -> Mapping[str, Any]:
    """Have the report made where there is no fresh one, which changes nothing but the report, and wait for it."""
    for _ in range(_REPORT_TRIES):
        if client.generate_credential_report().get("State") == "COMPLETE":
            break
        clock.sleep(1)
    answer: Mapping[str, Any] = client.get_credential_report()
    return answer
