"""Policy documents as commands get them: files, or standard input, of which no more is read than a policy may have."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from crownkeep.cli import output
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.decisions.explanations import GivenPolicy
    from crownkeep.policy import PolicySet

_LONGEST = 131_072
"""Characters of the longest document that IAM's operations accept (policyDocumentType in AWS's model)."""
_LONGEST_CHARACTER = 4
"""Bytes of UTF-8."""


def name_of(file: IO[bytes]) -> str:
    """Return what a file is called; standard input is `-`."""
    # A stream that stands in for standard input has no name.
    name = str(getattr(file, "name", "<stdin>"))
    return "-" if name == "<stdin>" else output.printable(name)


def read(file: IO[bytes]) -> str:
    """Read a document's text.

    Raises ValidationError for one that is longer than any policy, MalformedPolicyDocument for one that is no UTF-8, both in AWS's
    words, and WrongCall where the file can't be read.
    """
    from crownkeep import errors
    from crownkeep.policy.parse import SYNTAX_ERROR

    try:
        content = file.read(_LONGEST * _LONGEST_CHARACTER + 1)
    except OSError as error:
        raise WrongCall(f"`{name_of(file)}` can't be read: {error.strerror or 'give a file with a policy'}") from error
    is_cut = len(content) > _LONGEST * _LONGEST_CHARACTER
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        if not is_cut:
            raise errors.MalformedPolicyDocument(SYNTAX_ERROR) from error
        text = ""
    if is_cut or len(text) > _LONGEST:
        raise errors.ValidationError(
            "1 validation error detected: Value at 'policyDocument' failed to satisfy constraint: "
            f"Member must have length less than or equal to {_LONGEST}"
        )
    return text


def source(file: IO[bytes]) -> GivenPolicy:
    """Read a document that somebody holds; raises what `read` raises, with the file's name before it."""
    from crownkeep.decisions.explanations import GivenPolicy
    from crownkeep.errors import AwsError

    try:
        return GivenPolicy(name_of(file), read(file))
    except AwsError as error:
        raise type(error)(f"{name_of(file)}: {error.message}") from error


def resource_policy(file: IO[bytes] | None) -> PolicySet | None:
    """Read and compile the policy of a resource, where one was given; raises what `source` does, for faults of grammar too."""
    if file is None:
        return None
    from crownkeep.decisions import explanations
    from crownkeep.policy import PolicyKind

    return explanations.compiled([source(file)], PolicyKind.RESOURCE)
