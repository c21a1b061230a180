"""Records as OCSF events, version 1.4.0: sign-ins as Authentication (3002), everything else as API Activity (6003)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

VERSION = "1.4.0"
_API_ACTIVITY = 6003
_AUTHENTICATION = 3002
_OTHER = 99
_SUCCESS, _FAILURE = 1, 2
_INFORMATIONAL = 1
# What a call does, by the verb that its name begins with; the numbers are those of API Activity's `activity_id`.
_ACTIVITIES = {
    1: ("Create", "Put", "Add", "Attach", "Upload", "Enable", "Generate", "Register", "Tag"),
    2: ("Get", "List", "Describe", "Lookup", "Simulate", "Validate", "Check"),
    3: ("Update", "Change", "Set", "Reset", "Resync", "Move", "Rotate"),
    4: ("Delete", "Remove", "Detach", "Deactivate", "Disable", "Purge", "Close", "Untag"),
}
_LOGON = 1
_UNMAPPED = ("requestParameters", "responseElements", "additionalEventData")


def of_record(record: Mapping[str, Any]) -> dict[str, object]:
    """Return a CloudTrail record as an OCSF event; what has no place there is under `unmapped`."""
    is_sign_in = record.get("eventType") == "AwsConsoleSignIn"
    name = str(record.get("eventName", ""))
    class_uid = _AUTHENTICATION if is_sign_in else _API_ACTIVITY
    activity = (_LOGON if name == "ConsoleLogin" else _OTHER) if is_sign_in else _activity(name)
    has_failed = bool(record.get("errorCode") or record.get("errorMessage"))
    event: dict[str, object] = {
        "activity_id": activity,
        "category_uid": class_uid // 1000,
        "class_uid": class_uid,
        "type_uid": class_uid * 100 + activity,
        "severity_id": _INFORMATIONAL,
        "status_id": _FAILURE if has_failed else _SUCCESS,
        "time": int(datetime.fromisoformat(str(record["eventTime"])).timestamp() * 1000),
        "metadata": {
            "version": VERSION,
            "uid": record.get("eventID"),
            "product": {"name": "Crownkeep", "vendor_name": "Crownkeep"},
            "log_name": "CloudTrail",
        },
        "actor": {"user": _user(record)},
        "api": _api(record),
        "src_endpoint": _endpoint(str(record.get("sourceIPAddress", ""))),
        "http_request": {"user_agent": record.get("userAgent", "")},
        "cloud": _cloud(record),
        "unmapped": {each: record[each] for each in _UNMAPPED if record.get(each)},
    }
    resources = [{"uid": each.get("ARN"), "type": each.get("type")} for each in record.get("resources") or ()]
    if resources:
        event["resources"] = resources
    if is_sign_in:
        event["user"] = _user(record)
        event["is_mfa"] = (record.get("additionalEventData") or {}).get("MFAUsed") == "Yes"
    if record.get("errorMessage"):
        event["status_detail"] = record["errorMessage"]
    return event


def _cloud(record: Mapping[str, Any]) -> dict[str, object]:
    account = {"uid": record.get("recipientAccountId")}
    return {"provider": "AWS", "region": record.get("awsRegion"), "account": account}


def _activity(name: str) -> int:
    return next((number for number, verbs in _ACTIVITIES.items() if name.startswith(verbs)), _OTHER)


def _user(record: Mapping[str, Any]) -> dict[str, object]:
    identity = record.get("userIdentity") or {}
    user: dict[str, object] = {
        "type": identity.get("type", "Unknown"),
        "uid": identity.get("principalId", ""),
        "uid_alt": identity.get("arn", ""),
        "name": identity.get("userName") or identity.get("invokedBy") or "",
        "account": {"uid": identity.get("accountId", "")},
        "credential_uid": identity.get("accessKeyId", ""),
    }
    return {name: value for name, value in user.items() if value not in ("", {"uid": ""})}


def _api(record: Mapping[str, Any]) -> dict[str, object]:
    api: dict[str, object] = {
        "operation": record.get("eventName"),
        "service": {"name": record.get("eventSource")},
        "request": {"uid": record.get("requestID", "")},
    }
    if record.get("apiVersion"):
        api["version"] = record["apiVersion"]
    if record.get("errorCode"):
        api["response"] = {"error": record["errorCode"], "message": record.get("errorMessage", "")}
    return api


def _endpoint(address: str) -> dict[str, str]:
    """Return where a call came from: an address, or the name of what made it by itself."""
    is_address = address[:1].isdigit() or ":" in address
    return {"ip": address} if is_address else {"svc_name": address or "unknown"}
