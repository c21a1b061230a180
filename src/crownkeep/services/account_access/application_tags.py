"""Tags of applications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crownkeep import errors
from crownkeep.domain.single_sign_on import access_applications
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.account_access import targets
from crownkeep.services.account_access.service import account_access
from crownkeep.storage.single_sign_on import access_applications as access_application_rows
from crownkeep.storage.single_sign_on import sso_tags

MOST = 50
_RESERVED = "aws:"
_LONGEST_KEY, _LONGEST_VALUE = 128, 256


@account_access.operation("TagResource", resource=targets.tagged, effect=Effect.STATE)
def tag_resource(call: Call, *, resource_arn: str, tags: Mapping[str, str]) -> Result:
    """Add tags to an application, or change them."""
    row = targets.required(call, resource_arn)
    tag_id, wanted = access_applications.tag_id(row), checked(tags)
    before = {key.lower() for key in sso_tags.of_resource(call.db, tag_id)}
    if len(before | {key.lower() for key in wanted}) > MOST:
        raise errors.ServiceValidation(f"A resource can have {MOST} tags.")
    sso_tags.put(call.db, row.account_id, tag_id, wanted)
    access_application_rows.touch(call.db, row.application_id, at=call.now)
    return NOTHING


@account_access.operation("UntagResource", resource=targets.tagged, effect=Effect.STATE)
def untag_resource(call: Call, *, resource_arn: str, tag_keys: Sequence[str]) -> Result:
    """Take tags from an application; a key that names none is no error."""
    row = targets.required(call, resource_arn)
    sso_tags.remove(call.db, access_applications.tag_id(row), tag_keys)
    access_application_rows.touch(call.db, row.application_id, at=call.now)
    return NOTHING


@account_access.operation("ListTagsForResource", resource=targets.tagged)
def list_tags_for_resource(call: Call, *, resource_arn: str) -> Result:
    """Return an application's tags."""
    row = targets.required(call, resource_arn)
    return {"tags": sso_tags.of_resource(call.db, access_applications.tag_id(row))}


def checked(sent: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a request; raises ValidationException for those beyond AWS's rules, which the model doesn't hold."""
    # Conditions ask for a key without regard to case: of two spellings one would be decided on, and the other acted on.
    if len({key.lower() for key in sent}) != len(sent):
        raise errors.ServiceValidation("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.lower().startswith(_RESERVED) for key in sent):
        raise errors.ServiceValidation("Tag keys can't begin with aws:, which is reserved.")
    if not all(0 < len(key) <= _LONGEST_KEY and len(value) <= _LONGEST_VALUE for key, value in sent.items()):
        raise errors.ServiceValidation(f"A tag's key has 1 to {_LONGEST_KEY} characters, and its value {_LONGEST_VALUE} at most.")
    if len(sent) > MOST:
        raise errors.ServiceValidation(f"A resource can have {MOST} tags.")
    return dict(sent)
