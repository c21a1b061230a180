"""`crownkeep policy check`: what AWS would refuse in a policy, and what is dangerous, useless or untidy, by line and column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import click

from crownkeep.cli import output, policy_documents

if TYPE_CHECKING:
    from crownkeep.errors import AwsError
    from crownkeep.policy import PolicyKind, Remark, Span

_KINDS = ("identity", "resource", "trust", "boundary", "session", "service-control", "resource-control")
_SHOWN_PLACES = 3
_WIDEST = 100
_LEAD = 40
_LONGEST_DETAILS = 500


@dataclass(frozen=True, slots=True)
class _Checked:
    """A document that was checked: AWS's refusal, where it would refuse it, and what is to be said besides."""

    text: str
    refusal: AwsError | None
    remarks: tuple[Remark, ...]

    @property
    def is_sound(self) -> bool:
        """Whether AWS would take it, and nothing in it is an error or a danger."""
        from crownkeep.policy import Severity

        serious = (Severity.ERROR, Severity.SECURITY_WARNING)
        return self.refusal is None and not any(remark.severity in serious for remark in self.remarks)


@click.command("check", short_help="Find errors in a policy document.")
@click.argument("file", metavar="FILE", type=click.File("rb"))
@click.option(
    "--kind",
    type=click.Choice(_KINDS),
    default="identity",
    show_default=True,
    metavar="KIND",
    help=f"The kind of policy: {', '.join(_KINDS)}.",
)
@output.json_flag("Print JSON: findings as Access Analyzer's ValidatePolicy answers them.")
def command(file: IO[bytes], kind: str, as_json: bool) -> None:
    """Find errors and dangers in a policy document (`-` reads standard input). Needs no data directory.

    First what AWS would refuse it with, then findings with the codes of Access Analyzer, the worst first. Exits 0 when nothing is
    an error or a security warning, and 1 otherwise.
    """
    from crownkeep.policy import PolicyKind

    checked = _check(file, PolicyKind(kind.replace("-", " ")))
    if as_json:
        output.print_json(_as_json(policy_documents.name_of(file), kind, checked))
    else:
        _show(policy_documents.name_of(file), kind, checked)
    if not checked.is_sound:
        raise click.exceptions.Exit(1)


def _check(file: IO[bytes], kind: PolicyKind) -> _Checked:
    from crownkeep import errors, policy, settings
    from crownkeep.services.accessanalyzer.known_actions import KnownActions

    try:
        text = policy_documents.read(file)
    except errors.AwsError as error:
        return _Checked("", error, ())
    remarks = policy.lint(text, kind, catalogue=KnownActions(settings.load().services))
    try:
        policy.validate(policy.parse(text), kind)
    except policy.MalformedPolicy as error:
        return _Checked(text, errors.MalformedPolicyDocument(error.message), remarks)
    return _Checked(text, None, remarks)


def _as_json(name: str, kind: str, checked: _Checked) -> dict[str, object]:
    refusal = checked.refusal
    return {
        "file": name,
        "kind": kind,
        "sound": checked.is_sound,
        "error": None if refusal is None else {"code": refusal.code, "message": refusal.message},
        "findings": [remark.as_member() for remark in checked.remarks],
    }


def _show(name: str, kind: str, checked: _Checked) -> None:
    if checked.refusal is not None:
        click.echo(f"ERROR {checked.refusal.code}\n  {_clipped(checked.refusal.message)}\n")
    lines = checked.text.split("\n")
    for remark in checked.remarks:
        place = f" {_place(remark.locations[0].span)}" if remark.locations else ""
        click.echo(f"{remark.severity.value} {remark.code}{place}\n  {_clipped(remark.details)}")
        for location in remark.locations[:_SHOWN_PLACES]:
            for line in _excerpt(lines, location.span):
                click.echo(line)
        click.echo()
    click.echo(f"{output.printable(name)}: {_summary(checked)}, checked as {kind} policy")


def _place(span: Span) -> str:
    """Return line and column as editors count them: both from 1."""
    return f"{span.start.line}:{span.start.column + 1}"


def _excerpt(lines: list[str], span: Span) -> Iterator[str]:
    """Cut out the line where a value begins, with carets under the value; of a long line only what stands around it."""
    line, column = lines[span.start.line - 1].removesuffix("\r"), span.start.column
    end = span.end.column if span.end.line == span.start.line else column + 1
    first = max(0, min(column - _LEAD, len(line) - _WIDEST))
    shown = line[first : first + _WIDEST]
    carets = "^" * max(1, min(end, first + len(shown)) - column)
    before = f"  {span.start.line} | {'…' if first else ''}"
    after = "…" if first + len(shown) < len(line) else ""
    yield f"{before}{output.printable(shown.replace(chr(9), ' '))}{after}".rstrip()
    yield f"{' ' * (len(before) + column - first)}{carets}"


def _clipped(text: str) -> str:
    whole = output.printable(text)
    return whole if len(whole) <= _LONGEST_DETAILS else f"{whole[:_LONGEST_DETAILS]}…"


def _summary(checked: _Checked) -> str:
    counts = Counter(remark.severity.value.lower().replace("_", " ") for remark in checked.remarks)
    if checked.refusal is not None:
        counts = Counter({"refusal": 1}) + counts
    said = [f"{count} {word}{'s' if count > 1 else ''}" for word, count in counts.items()]
    return ", ".join(said) or "nothing to say"
