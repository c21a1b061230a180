"""The service's refusal of a field: ValidationException with the reason and the fields at fault as members."""

from __future__ import annotations

from crownkeep.errors import AccountValidation

FIELD = "fieldValidationFailed"
REGION = "invalidRegionOptTarget"


def field(name: str, message: str) -> AccountValidation:
    """Make the refusal of one field; `name` is the way to it, as in `contactInformation.city`."""
    return AccountValidation(message, members={"reason": FIELD, "fieldList": [{"name": name, "message": message}]})


def region(message: str) -> AccountValidation:
    """Make the refusal of a Region that can't be switched on or off."""
    return AccountValidation(message, members={"reason": REGION, "fieldList": [{"name": "regionName", "message": message}]})
