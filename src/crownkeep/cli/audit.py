"""`crownkeep audit`: how far an account is from locked down, on AWS or on any endpoint that speaks its API."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crownkeep import untrusted_json
from crownkeep.cli import output
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.advisor.check import AccountCheck
    from crownkeep.advisor.evidence import Evidence
    from crownkeep.advisor.findings import Acceptance, Report
    from crownkeep.advisor.reader import Progress

_SEVERITIES = ("critical", "high", "medium", "low")
_FORMATS = ("table", "json", "csv", "sarif", "junit", "ocsf", "oscal", "html", "pdf")


@click.command("audit", short_help="Show how far an AWS account is from locked down.")
@click.option("--profile", metavar="P", help="A profile of the AWS configuration; the usual variables unless given.")
@click.option("--endpoint-url", metavar="U", help="Another endpoint than AWS's; AWS_ENDPOINT_URL is read, too.")
@output.json_flag("Print JSON: every finding with its evidence, its fix and the catalogues that know it.")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="table", show_default=True, help="What to print.")
@click.option("--fail-on", type=click.Choice(_SEVERITIES), help="End with 1 where something at least this severe fails.")
@click.option("--save", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Keep the evidence in this file.")
@click.option("--from", "kept", metavar="FILE", type=click.File(encoding="utf-8"), help="Judge kept evidence, and ask nobody.")
@click.option("--baseline", metavar="FILE", type=click.File(encoding="utf-8"), help="What is accepted: until when, why, by whom.")
@click.option("--since", metavar="FILE", type=click.File(encoding="utf-8"), help="An earlier JSON report: print what changed.")
@click.option("--organization", is_flag=True, help="Audit every account of the organization, from its management account.")
@click.option("--role", metavar="NAME", help="With `--organization`: the role in each account; else the one Organizations made.")
@click.option("--as-root", is_flag=True, help="With `--organization`: enter as root for the audit task (AssumeRoot).")
@click.option("--history", is_flag=True, help="Print how the scheduled audits of a Crownkeep server came out.")
@click.option("--list", "listing", is_flag=True, help="List the checks.")
@click.option("--explain", metavar="CHECK", help="Say what a check asks for, why, and how it is set right.")
def command(
    profile: str | None,
    endpoint_url: str | None,
    as_json: bool,
    form: str,
    fail_on: str | None,
    save: Path | None,
    kept: Any,
    baseline: Any,
    since: Any,
    organization: bool,
    role: str | None,
    as_root: bool,
    history: bool,
    listing: bool,
    explain: str | None,
) -> None:
    """Show how far an account is from locked down, by what the AWS API says of it.

    The usual AWS variables and profiles name the account; SecurityAudit's permissions are enough. Nothing is ever changed. Ends
    with 0 whatever is found, unless `--fail-on` says otherwise.
    """
    form = "json" if as_json else form
    if listing or explain is not None:
        _list(as_json=as_json) if explain is None else _explain(explain, as_json=as_json)
        return
    if history:
        _show_history(profile, endpoint_url, as_json=form == "json")
        return
    accepted = _accepted(baseline)
    if organization:
        alone = save is None and kept is None and since is None and form in ("table", "json")
        _audit_organization(profile, endpoint_url, accepted, form, fail_on, role=role, as_root=as_root, alone=alone)
        return
    evidence = kept_evidence(kept) if kept is not None else gathered(profile, endpoint_url)
    if save is not None:
        write_private(save, _saved(evidence))
    report = _judged(evidence, accepted)
    if since is not None:
        _print_changes(since, report, as_json=form == "json")
    else:
        _print(report, form)
    if fail_on is not None and report.fails(_severity(fail_on)):
        raise click.exceptions.Exit(1)


def _show_history(profile: str | None, endpoint_url: str | None, *, as_json: bool) -> None:
    from crownkeep.cli import audit_history

    with botocore_failures():
        audit_history.show(profile, endpoint_url, as_json=as_json)


def _audit_organization(
    profile: str | None,
    endpoint_url: str | None,
    accepted: Sequence[Acceptance],
    form: str,
    fail_on: str | None,
    *,
    role: str | None,
    as_root: bool,
    alone: bool,
) -> None:
    from crownkeep.cli import audit_organization

    if not alone:
        raise WrongCall("`--organization` prints a table or JSON, and goes with none of `--save`, `--from` and `--since`")
    with botocore_failures(), _progress() as on_progress:
        found = audit_organization.audited(profile, endpoint_url, accepted, role=role, as_root=as_root, on_progress=on_progress)
    audit_organization.show(found, as_json=form == "json")
    # An account that could not be asked counts as failed: silence must not pass a build.
    if fail_on is not None and any(each.report is None or each.report.fails(_severity(fail_on)) for each in found):
        raise click.exceptions.Exit(1)


def gathered(profile: str | None, endpoint_url: str | None) -> Evidence:
    """Ask an account's API for everything that checks need."""
    from crownkeep.advisor import reader

    with botocore_failures(), _progress() as on_progress:
        return reader.gather(reader.clients_of(profile, endpoint_url), on_progress=on_progress)


@contextmanager
def botocore_failures() -> Iterator[None]:
    """Say in one sentence why no account can be asked."""
    from botocore.exceptions import BotoCoreError

    from crownkeep.advisor import reader

    try:
        yield
    except BotoCoreError as error:
        raise WrongCall(output.printable(f"no AWS account can be asked: {error}")) from error
    except reader.NoAccount as error:
        said = output.printable(str(error))
        raise WrongCall(
            f"no AWS account can be asked: {said}; see `--profile`, `--endpoint-url` and the variables AWS_*"
        ) from error


def write_private(path: Path, text: str) -> None:
    """Write a file that says what an account lets in, readable for its owner alone."""
    from crownkeep.advisor import private_files

    try:
        private_files.write(path, text)
    except private_files.UnsafeFile as error:
        raise click.ClickException(output.printable(str(error))) from error


@contextmanager
def _progress() -> Iterator[Progress | None]:
    # No bar in logs and pipes, and no import of `rich`, which costs a tenth of a second.
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Asking the AWS API", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _saved(evidence: Evidence) -> str:
    from crownkeep.advisor import evidence as evidences

    return evidences.save(evidence)


def kept_evidence(file: Any) -> Evidence:
    """Read evidence that `--save` has written."""
    from crownkeep.advisor import evidence as evidences

    try:
        return evidences.load(file.read())
    except (evidences.UnreadableEvidence, UnicodeDecodeError) as error:
        raise WrongCall(f"`{file.name}` is no evidence that `crownkeep audit --save` has written") from error


def _accepted(file: Any) -> Sequence[Acceptance]:
    from crownkeep.advisor import findings

    try:
        return findings.read_baseline(file.read()) if file is not None else ()
    except (findings.UnreadableBaseline, UnicodeDecodeError) as error:
        raise WrongCall(f"`{file.name}`: {error}") from error


def _judged(evidence: Evidence, accepted: Sequence[Acceptance]) -> Report:
    from crownkeep.advisor import findings

    return findings.audit(evidence, accepted)


def _severity(name: str) -> Any:
    from crownkeep.advisor.check import CheckSeverity

    return CheckSeverity(name)


def _print(report: Report, form: str) -> None:
    if form == "table":
        from crownkeep.advisor.report import table

        output.print_table(table.HEADINGS, table.rows(report))
        click.echo()
        click.echo(table.summary(report))
        return
    if form == "pdf":
        _print_pdf(report)
        return
    from crownkeep.advisor.report.formats import FORMATS

    click.echo(FORMATS[form](report))


def _print_pdf(report: Report) -> None:
    from crownkeep.advisor.report import pdf

    if sys.stdout.isatty():
        raise click.UsageError("PDF is nothing for a terminal: add `> report.pdf`")
    try:
        # Bytes go out as they are: a line end after them would be part of the file.
        click.echo(pdf.write(report), nl=False)
    except pdf.NoTypesetter as error:
        raise click.ClickException(str(error)) from error


def _print_changes(file: Any, report: Report, *, as_json: bool) -> None:

    from crownkeep.advisor import findings

    try:
        found = findings.changes(untrusted_json.read(file.read()), report)
    except (findings.UnreadableBaseline, ValueError) as error:
        raise WrongCall(f"`{file.name}` is no report that `crownkeep audit --json` has printed") from error
    if as_json:
        members = [{"check": each.check, "resource": each.resource, "before": each.before, "after": each.after} for each in found]
        output.print_json({"account_id": report.account_id, "changes": members})
        return
    rows = [(each.check, each.before or "-", each.after or "-", each.resource) for each in found]
    output.print_table(("Check", "Before", "Now", "Resource"), rows)
    click.echo(f"{output.counted(len(found), 'finding')} came out otherwise than before")


def _list(*, as_json: bool) -> None:
    from crownkeep.advisor import catalogue

    checks = catalogue.load()
    if as_json:
        output.print_json({"checks": [_described(each) for each in checks]})
        return
    output.print_table(
        ("Check", "Severity", "Topic", "Asks that"), [(c.name, c.severity.value, c.topic, c.title) for c in checks]
    )


def _explain(name: str, *, as_json: bool) -> None:
    from crownkeep.advisor import catalogue

    check = catalogue.named(name)
    if check is None:
        raise WrongCall(f"there is no check `{output.printable(name)}`; `crownkeep audit --list` lists them all")
    if as_json:
        output.print_json(_described(check))
        return
    known = "; ".join(f"{where} {', '.join(ids)}" for where, ids in check.maps.items())
    pairs = [
        ("Check", check.name),
        ("Asks that", check.title),
        ("Severity", check.severity.value),
        ("Why", check.why),
        ("Console", check.fix.console),
        ("CLI", check.fix.cli),
        ("Terraform", check.fix.terraform),
        ("Known as", known),
    ]
    output.print_pairs([(label, text) for label, text in pairs if text])


def _described(check: AccountCheck) -> dict[str, object]:
    return {
        "check": check.name,
        "title": check.title,
        "topic": check.topic,
        "severity": check.severity.value,
        "why": check.why,
        "fix": {"console": check.fix.console, "cli": check.fix.cli, "terraform": check.fix.terraform},
        "maps": {where: list(ids) for where, ids in check.maps.items()},
    }
