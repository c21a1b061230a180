"""What a record shows of a resource: which attributes were sent, and of their values those alone that say nothing of a person.

So AWS records them (IAM Identity Center user guide, "Logging IAM Identity Center SCIM API calls with AWS CloudTrail"): whoever
reads the trail sees that a group's members were changed, and not who they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from crownkeep.audit import redact
from crownkeep.audit.redact import HIDDEN
from crownkeep.operations.call import Call
from crownkeep.services.scim import bodies
from crownkeep.services.scim.bodies import ENTERPRISE, GROUP, PATCH, USER, Json
from crownkeep.services.scim.resources import LISTS, NAME, TEXTS
from crownkeep.storage.single_sign_on.directory_groups import DirectoryGroupRow
from crownkeep.storage.single_sign_on.directory_users import DirectoryUserRow

_HIDDEN = frozenset({*TEXTS, *LISTS, ENTERPRISE, "externalId", "members"})
_SCHEMAS = frozenset({USER, GROUP, ENTERPRISE, PATCH})
_VERBS = frozenset({"ADD", "REPLACE", "REMOVE"})
_MOST_OPERATIONS = 100
_PATH = re.compile(r"[A-Za-z0-9:.$_-]{1,128}")
_FILTER = re.compile(r"\[[^\]]*\]")


def read(call: Call, body: bytes | None, schema: str) -> Json:
    """Return a body's object, and note its outline for the record; raises ValidationException."""
    content = bodies.read(body, schema)
    call.notes.parameters["httpBody"] = outline(content)
    return content


def note_answer(call: Call, row: DirectoryUserRow | DirectoryGroupRow, resource: Json) -> None:
    """Note the outline of the resource that is sent back, with its id."""
    made, changed = redact.java_date(row.created_at), redact.java_date(row.updated_at)
    meta = {"created": made, "lastModified": changed, "resourceType": resource["meta"]["resourceType"]}
    call.notes.answer = {"meta": meta, **outline(resource), "id": resource["id"]}


def outline(resource: Mapping[str, object]) -> dict[str, object]:
    """Return what a record shows of a resource, or of the operations on one; attributes that aren't SCIM's are left out."""
    shown: dict[str, object] = {}
    for name, value in resource.items():
        # The names are looked up and never copied: what somebody calls an attribute of their own may be a secret, too.
        if name in _HIDDEN:
            shown[name] = HIDDEN
        elif name == "schemas" and isinstance(value, list):
            shown[name] = [each if isinstance(each, str) and each in _SCHEMAS else HIDDEN for each in value[: len(_SCHEMAS)]]
        elif name == "name" and isinstance(value, Mapping):
            shown[name] = {part: HIDDEN for part in NAME if part in value}
        elif name == "active":
            shown[name] = value if isinstance(value, bool) else HIDDEN
        elif name == "Operations" and isinstance(value, list):
            shown["operations"] = [_operation(each) for each in value[:_MOST_OPERATIONS] if isinstance(each, Mapping)]
    return shown


def _operation(given: Mapping[str, object]) -> dict[str, object]:
    shown: dict[str, object] = {}
    verb, path = str(given.get("op")).upper(), given.get("path")
    shown["op"] = verb if verb in _VERBS else HIDDEN
    if isinstance(path, str) and path:
        # `members[value eq "..."]`: which attribute it is, and not which person.
        plain = _FILTER.sub("", path)
        shown["path"] = plain if _PATH.fullmatch(plain) else HIDDEN
    if "value" in given:
        shown["value"] = HIDDEN
    return shown
