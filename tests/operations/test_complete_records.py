"""Complete records: whatever operation is asked, and whether it is done, refused or not even reached, its record is whole."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from tests.fixtures.clients import Credentials
from tests.fixtures.crown import Account, Crown, Crowns
from tests.house import valid
from tests.house.test_operations import OPERATIONS
from tests.services.iam.asking import allow

from crownkeep.audit import redact
from crownkeep.models import Shape, lower_camel
from crownkeep.operations.registry import Operation

FIRST = ("eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent")
ALWAYS = {
    *FIRST,
    *("requestParameters", "responseElements", "requestID", "eventID", "readOnly", "eventType", "managementEvent"),
    *("recipientAccountId", "eventCategory"),
}
SOMETIMES = {
    "errorCode",
    "errorMessage",
    "additionalEventData",
    "resources",
    "apiVersion",
    "sharedEventID",
    "serviceEventDetails",
}
SOMETIMES |= {"tlsDetails", "sessionCredentialFromConsole"}
ARN_OF_SESSION = re.compile(r"arn:aws:sts::\d{12}:assumed-role/walker/walk")
SIGNED = [each for each in OPERATIONS if each.model.auth != "none"]


@pytest.fixture
def crown(crowns: Crowns) -> Crown:
    """The shared server on SQLite: what a record holds does not depend on the database."""
    return crowns.shared("sqlite")


def session_of_a_role(account: Account) -> Credentials:
    """Return credentials of a role that may do everything, with a source identity."""
    iam, user = account.client("iam"), account.user("walt", policy=allow("sts:*"))
    trust = {**allow("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession")}
    statement = {key: value for key, value in trust["Statement"][0].items() if key != "Resource"}
    document = {"Version": "2012-10-17", "Statement": [{**statement, "Principal": {"AWS": user.arn}}]}
    made = iam.create_role(RoleName="walker", AssumeRolePolicyDocument=json.dumps(document))["Role"]
    iam.put_role_policy(RoleName="walker", PolicyName="all", PolicyDocument=json.dumps(allow("*")))
    taken = user.client("sts").assume_role(RoleArn=made["Arn"], RoleSessionName="walk", SourceIdentity="walt")
    return Credentials.of(taken["Credentials"])


def name_of(operation: Operation) -> tuple[str, str]:
    """Return what a record calls an operation: its service's source and its name."""
    as_ = operation.recorded_as
    return (as_.source if as_ else operation.service.event_source), (as_.name if as_ else "") or operation.name


def test_each_operation_leaves_a_whole_record(crown: Crown):
    account = crown.account()
    credentials = session_of_a_role(account)
    services = {operation.service.name for operation in SIGNED}
    clients = {each: crown.session(credentials, each, parameter_validation=False) for each in services}
    for operation in SIGNED:
        try:
            getattr(clients[operation.service.name], xform_name(operation.name))(**valid.parameters(operation.model))
        except (ClientError, BotoCoreError):
            continue

    kept: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for each in account.records(limit=5000):
        if is_walker_s(each):
            kept.setdefault((each["eventSource"], each["eventName"]), []).append(each)
    faults = {
        f"{operation.service.name}:{operation.name}": found
        for operation in SIGNED
        if (found := fewest_faults(operation, kept.get(name_of(operation), []), account.id))
    }

    assert {} == faults


def fewest_faults(operation: Operation, records: list[dict[str, Any]], account_id: str) -> list[str]:
    """Return what is wrong with an operation's record; two may have one name, as the console's own are named like AWS's."""
    return min((faults_of(operation, each, account_id) for each in records), key=len, default=["there is none"])


def is_walker_s(record: Mapping[str, Any]) -> bool:
    return bool(ARN_OF_SESSION.fullmatch(record["userIdentity"].get("arn", "")))


def faults_of(operation: Operation, record: Mapping[str, Any], account_id: str) -> list[str]:
    """Return what is wrong with the record of an operation that a role's session asked for."""
    rules = {
        "elements": ALWAYS <= set(record) <= ALWAYS | SOMETIMES and tuple(record)[: len(FIRST)] == FIRST,
        "readOnly": record["readOnly"] is operation.is_read_only,
        "category": record["managementEvent"] is not operation.is_data_event
        and record["eventCategory"] == ("Data" if operation.is_data_event else "Management"),
        "apiVersion": ("apiVersion" in record) == (operation.service.model.protocol == "query"),
        "account": account_id == record["recipientAccountId"],
        "ids": UUID(record["eventID"]).version == 7 and record["requestID"] != "",
        "error": ("errorCode" in record) == ("errorMessage" in record),
        "answer": _is_answer(operation, record),
        "parameters": not _strange(record["requestParameters"], operation.model.input),
        "resources": all({"accountId", "type", "ARN"} == set(each) for each in record.get("resources", ())),
        "identity": not _identity_faults(record["userIdentity"], account_id),
    }
    return [name for name, holds in rules.items() if not holds]


def _is_address(name: str, value: str) -> bool:
    """Tell whether this is where alerts go, of which the host may be known and the path may not."""
    return name == "target" and value == redact.without_path(value)


def _is_answer(operation: Operation, record: Mapping[str, Any]) -> bool:
    answer = record["responseElements"]
    if operation.recorded_as is not None and operation.recorded_as.tells_outcome:
        return answer == {record["eventName"]: "Failure" if "errorCode" in record else "Success"}
    return answer is None or (operation.records_answer and "errorCode" not in record)


def _identity_faults(identity: Mapping[str, Any], account_id: str) -> list[str]:
    context = identity.get("sessionContext", {})
    issuer, attributes = context.get("sessionIssuer", {}), context.get("attributes", {})
    rules = {
        "elements": {"type", "principalId", "arn", "accountId", "accessKeyId", "sessionContext"} == set(identity),
        "type": "AssumedRole" == identity["type"],
        "principal": bool(re.fullmatch("AROA[A-Z0-9]{16,17}:walk", identity.get("principalId", ""))),
        "key": identity.get("accessKeyId", "").startswith("ASIA"),
        "account": account_id == identity["accountId"] == issuer.get("accountId"),
        "issuer": ("Role", "walker") == (issuer.get("type"), issuer.get("userName")),
        "issuer's arn": f"arn:aws:iam::{account_id}:role/walker" == issuer.get("arn"),
        "attributes": {"creationDate", "mfaAuthenticated"} == set(attributes),
        "source identity": "walt" == context.get("sourceIdentity"),
    }
    return [name for name, holds in rules.items() if not holds]


def _strange(recorded: Any, shape: Shape | None) -> list[str]:
    """Return the parameters that are none of the model's, and those that are in the clear and must not be."""
    if recorded is None or "omitted" in recorded:
        return []
    members = {lower_camel(name): member for name, member in shape.members.items()} if shape is not None else {}
    unknown = [name for name in recorded if name not in members]
    secret = {name for name in recorded if name in members and members[name].shape.sensitive}
    clear = [name for name in secret if redact.HIDDEN not in str(recorded[name]) and not _is_address(name, recorded[name])]
    return unknown + clear


@pytest.mark.parametrize(
    ("service", "name", "is_read"),
    [("iam", "get_user", True), ("iam", "create_user", False), ("organizations", "list_roots", True)],
)
def test_a_request_that_reaches_no_operation_is_a_read_or_a_change_all_the_same(
    crown: Crown, service: str, name: str, is_read: bool
):
    account = crown.account()
    spoilt = Credentials(account.created["admin"]["access_key_id"], "not the secret")

    with pytest.raises(ClientError, match=r"SignatureDoesNotMatch|InvalidSignature"):
        getattr(crown.session(spoilt, service, parameter_validation=False), name)()

    record = next(each for each in account.records() if "errorCode" in each)
    assert (is_read, service == "iam") == (record["readOnly"], "apiVersion" in record)
    assert ALWAYS <= set(record) <= ALWAYS | SOMETIMES
