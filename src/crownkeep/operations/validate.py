"""Is a request within the limits of AWS's model? If not, it is refused in AWS's words, by the service's own error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from crownkeep import errors
from crownkeep.errors import AwsError
from crownkeep.models import OperationModel
from crownkeep.operations.model_limits import PATTERN_SENTENCE, Violation, violations

Refusal = Callable[[OperationModel, str, list[Violation]], AwsError]


def validate(operation: OperationModel, parameters: Mapping[str, object]) -> None:
    """Check decoded parameters against the operation's model: what is required, lengths, ranges, patterns and enums.

    Raises the service's error for a broken limit: ValidationError for IAM and STS, and what `REFUSALS` says for others.
    """
    if operation.input is None:
        return
    found = violations(operation.input, parameters)
    if found:
        refuse = REFUSALS.get(operation.service.name, _validation_exception)
        raise refuse(operation, summary(found), found)


def summary(found: list[Violation]) -> str:
    """Return AWS's text: `2 validation errors detected: ...; ...`."""
    count = "1 validation error" if len(found) == 1 else f"{len(found)} validation errors"
    return f"{count} detected: {'; '.join(violation.text for violation in found)}"


def _validation_error(operation: OperationModel, text: str, found: list[Violation]) -> AwsError:
    return errors.ValidationError(text)


# What IAM itself says of names and paths, which its own model leaves to it (seen on AWS, 2026).
_NAMES = "It must contain only alphanumeric characters and/or the following: +=,.@_-"
_PATHS = "It must begin and end with / and contain only alphanumeric characters and/or / characters."
_PATH_PREFIXES = "It must begin with the / character and contain only alphanumeric characters and/or / characters."
_LETTERS = "It must contain only alphanumeric characters."
_DOCUMENTS = "It must contain only printable ASCII characters."
_SPOKEN = {
    r"[\w]+": _LETTERS,
    r"[\w+=,.@-]+": _NAMES,
    r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)": _PATHS,
    r"((/[A-Za-z0-9\.,\+@=_-]+)*)/": _PATHS,
    r"\u002F[\u0021-\u007F]*": _PATH_PREFIXES,
}
"""By the pattern that the published model has in their place."""


_ENUM = "Member must satisfy enum value set"
_UNNAMED_ENUMS = {"UpdateServiceSpecificCredential"}
"""Operations whose refusals don't name the values that there are, as seen on AWS."""


def _iam(operation: OperationModel, text: str, found: list[Violation]) -> AwsError:
    """IAM repeats no values, names the fields in a hash table's order, and has words of its own for names and paths."""
    # A member that lacks in a list is another error than a parameter that lacks, as seen on AWS.
    absent = next((each for each in found if each.kind == "required" and "." in each.field), None)
    if absent is not None:
        written = _as_sent(absent.field)
        return errors.MissingParameter(f"The request must contain the parameter {written}.")
    # What IAM words by itself comes only where nothing else is wrong.
    spoken = {each.field: rule for each in found if (rule := _spoken_rule(each)) is not None}
    modelled = sorted((each for each in found if each.field not in spoken), key=lambda each: _bucket(each.field))
    if operation.name in _UNNAMED_ENUMS:
        modelled = [replace(each, constraint=_ENUM) if each.kind == "enum" else each for each in modelled]
    if modelled:
        return errors.ValidationError(summary([replace(each, value=None) for each in modelled]))
    field, rule = next(iter(spoken.items()))
    return errors.ValidationError(f"The specified value for {field} is invalid. {rule}")


def _as_sent(field: str) -> str:
    """Return a field as the query protocol writes it: `Tags.member.2.Key` for `tags.2.member.key`."""
    parts = [part if part == "member" else part[:1].upper() + part[1:] for part in field.split(".")]
    for place in range(len(parts) - 1):
        # The model's path has the index before `member`, the wire behind it.
        if parts[place].isdigit() and parts[place + 1] == "member":
            parts[place], parts[place + 1] = parts[place + 1], parts[place]
    return ".".join(parts)


def _spoken_rule(violation: Violation) -> str | None:
    if violation.kind != "pattern":
        return None
    if violation.field.endswith("olicyDocument"):
        return _DOCUMENTS
    rule = _SPOKEN.get(violation.constraint.removeprefix(PATTERN_SENTENCE))
    return _PATH_PREFIXES if rule is not None and violation.field.endswith("athPrefix") else rule


def _bucket(field: str) -> int:
    """Return where Java's HashMap keeps a key, in a table of the usual sixteen places: IAM names broken limits in that order."""
    code = 0
    for character in field:
        code = (31 * code + ord(character)) & 0xFFFFFFFF
    # Java's String.hashCode, spread as HashMap.hash does it.
    return (code ^ code >> 16) & 15


def _validation_exception(operation: OperationModel, text: str, found: list[Violation]) -> AwsError:
    # The encoder spells it ValidationException for JSON services.
    return errors.ValidationError(text)


def _fields(operation: OperationModel, text: str, found: list[Violation]) -> AwsError:
    fields = [{"name": each.field, "message": each.text} for each in found]
    return errors.AccountValidation(text, members={"reason": "fieldValidationFailed", "fieldList": fields})


def _invalid_request(operation: OperationModel, text: str, found: list[Violation]) -> AwsError:
    members = {"error": "invalid_request", "error_description": text} if operation.service.name == "sso-oidc" else {}
    return errors.InvalidRequest(text, members=members)


_ORGANIZATIONS_REASONS = {
    "required": ("INPUT_REQUIRED", "You must include a value for all required parameters."),
    "minimum": ("MIN_LENGTH_EXCEEDED", "You provided a string parameter that is shorter than allowed."),
    "maximum": ("MAX_LENGTH_EXCEEDED", "You provided a string parameter that is longer than allowed."),
    "least": ("MIN_VALUE_EXCEEDED", "You provided a numeric parameter that has a smaller value than allowed."),
    "greatest": ("MAX_VALUE_EXCEEDED", "You provided a numeric parameter that has a larger value than allowed."),
    "pattern": ("INVALID_PATTERN", "You provided a value that does not match the required pattern."),
    "enum": ("INVALID_ENUM", "You specified an invalid value."),
}
"""By the kind of limit: Organizations' reason and its text (API_InvalidInputException; the pattern's text is as seen on AWS)."""


def _invalid_input(operation: OperationModel, text: str, found: list[Violation]) -> AwsError:
    reason, message = _ORGANIZATIONS_REASONS[found[0].kind]
    return errors.InvalidInputException(message, members={"Reason": reason})


_CLOUDTRAIL_FIELDS: Mapping[str, type[AwsError]] = {
    "lookupAttributes": errors.InvalidLookupAttributes,
    "maxResults": errors.InvalidMaxResults,
    "eventCategory": errors.InvalidEventCategory,
    "nextToken": errors.InvalidNextToken,
}


def _cloudtrail(operation: OperationModel, text: str, found: list[Violation]) -> AwsError:
    # An error that the operation doesn't model must not leave: SDKs would not know it.
    chosen = _CLOUDTRAIL_FIELDS.get(found[0].field.partition(".")[0])
    for candidate in (chosen, errors.InvalidParameter):
        if candidate is not None and candidate.code in operation.error_codes:
            return candidate(text)
    return errors.ValidationError(text)


def _signin(operation: OperationModel, text: str, found: list[Violation]) -> AwsError:
    return errors.ValidationError(text, members={"error": "INVALID_REQUEST"})


def _invalid_parameter_value(operation: OperationModel, text: str, found: list[Violation]) -> AwsError:
    return errors.InvalidParameterValue(text)


def _invalid_parameter(operation: OperationModel, text: str, found: list[Violation]) -> AwsError:
    return errors.InvalidParameter(text)


def _invalid_argument(operation: OperationModel, text: str, found: list[Violation]) -> AwsError:
    return errors.InvalidArgument(text)


REFUSALS: Mapping[str, Refusal] = {
    # The query services' common error.
    "iam": _iam,
    "sts": _validation_error,
    # REST services whose ValidationException lists the fields.
    "account": _fields,
    "accessanalyzer": _fields,
    # InvalidInputException carries one reason, and its text does not name the field.
    "organizations": _invalid_input,
    # CloudTrail models an error for many a parameter, and none for the rest.
    "cloudtrail": _cloudtrail,
    # The portal and OIDC model InvalidRequestException.
    "sso": _invalid_request,
    "sso-oidc": _invalid_request,
    # AWS Sign-In's ValidationException says of what kind it is.
    "signin": _signin,
    "s3": _invalid_argument,
    "ec2": _invalid_parameter_value,
    "resourcegroupstaggingapi": _invalid_parameter,
    # sso-admin and identitystore model ValidationException, or have it among the common errors.
}
"""How each service refuses; one that is not named here answers ValidationException."""
