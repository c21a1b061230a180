"""`crownkeep lockdown`: from what an audit finds to locked down, by a plan that a person reads first."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crownkeep import untrusted_json
from crownkeep.arn import GLOBAL_REGION
from crownkeep.cli import audit, output
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.advisor.apply import PlanExecutor
    from crownkeep.advisor.evidence import Evidence
    from crownkeep.advisor.journal import Journal
    from crownkeep.advisor.planner import Wishes
    from crownkeep.advisor.plans import LockdownPlan, PlanStep
    from crownkeep.advisor.reader import Clients

Function = TypeVar("Function", bound=Callable[..., Any])


def _account(function: Function) -> Function:
    profile = click.option("--profile", metavar="P", help="A profile of the AWS configuration; the usual variables unless given.")
    endpoint = click.option("--endpoint-url", metavar="U", help="Another endpoint than AWS's; AWS_ENDPOINT_URL is read, too.")
    return profile(endpoint(function))


def _planned(function: Function) -> Function:
    file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    key = click.option("--key", metavar="KEY", help="The key of the machine that signed the plan, where that was another one.")
    return file(key(_account(function)))


@click.group("lockdown", short_help="Take an AWS account to locked down, by a plan.")
def command() -> None:
    """Take an account from what an audit finds to locked down: plan, read the plan, apply, verify; or undo."""


@command.command("plan", short_help="Write a plan of what to change.")
@click.option("--out", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where to write it.")
@click.option(
    "--wishes", metavar="FILE", type=click.File(encoding="utf-8"), help="The alias and the contacts that you want, as JSON."
)
@_account
@output.json_flag("Print JSON: the plan itself.")
def plan(out: Path, wishes: Any, profile: str | None, endpoint_url: str | None, as_json: bool) -> None:
    """Write a plan: ordered steps, what each changes and what it would break, its reverse, and what only people can do.

    Nothing is changed. The file is signed, and bound to what its steps read.
    """
    from crownkeep.advisor import planner, plans, signing

    wanted = _wishes(wishes)
    clients = _clients(profile, endpoint_url)
    evidence = audit.gathered(profile, endpoint_url)
    made = planner.plan(evidence, wanted, lambda name: _keys(clients, name))
    audit.write_private(out, signing.sign(plans.as_object(made), own_key()))
    if as_json:
        output.print_json(plans.as_object(made))
        return
    _print_plan(made)
    click.echo(f"Read `{out}`, then: crownkeep lockdown apply {out}")


@command.command("apply", short_help="Take the steps of a plan.")
@click.option("--yes", is_flag=True, help="Take all steps without asking before each.")
@_planned
@output.json_flag()
def apply(file: Path, yes: bool, key: str | None, profile: str | None, endpoint_url: str | None, as_json: bool) -> None:
    """Take a plan's steps, the least dangerous first, each only where it still fits, and stop at the first surprise.

    What was interrupted goes on where it stopped: call it again.
    """
    from crownkeep.advisor import apply as applying
    from crownkeep.advisor import findings, planner
    from crownkeep.advisor.private_files import UnsafeFile

    made, journal = _read(file, key)
    clients, evidence = _same_account(made, profile, endpoint_url)
    drift = _drift(made.states, planner.states(findings.audit(evidence)))
    executor = _executor(made, clients, journal, evidence)
    done: list[dict[str, str]] = []
    surprise = None
    for step in made.steps:
        if not yes and not click.confirm(f"{step.id}. {output.printable(step.title)}?", err=True):
            done.append(_as_json(step, "left out"))
            continue
        try:
            done.append(_as_json(step, executor.apply(step).what))
        except (applying.UnexpectedState, UnsafeFile) as error:
            surprise = output.printable(str(error))
            break
    _print_outcome(made, done, drift, surprise, as_json=as_json)


@command.command("verify", short_help="Prove that what was applied holds.")
@_planned
@output.json_flag()
def verify(file: Path, key: str | None, profile: str | None, endpoint_url: str | None, as_json: bool) -> None:
    """Read everything again: every step that was applied, and every check. Ends with 0 where every applied step holds.

    What was found is signed and written beside the plan, as FILE.proof.
    """
    from crownkeep.advisor import findings, signing
    from crownkeep.advisor.apply import StepStanding, UnexpectedState
    from crownkeep.advisor.check import CheckState

    made, journal = _read(file, key)
    clients, evidence = _same_account(made, profile, endpoint_url)
    executor = _executor(made, clients, journal, evidence)
    applied = [step for step in made.steps if journal.stands(step.id)]
    found: list[dict[str, str]] = []
    for step in applied:
        try:
            standing = "holds" if executor.standing(step) is StepStanding.AFTER else "does not hold"
        except UnexpectedState as error:
            standing = f"can't be read: {error}"
        found.append(_as_json(step, standing))
    report = findings.audit(evidence)
    open_ = [each.check.name for each in report.findings if each.state is CheckState.FAIL]
    proof = {
        "format": "crownkeep-lockdown-proof/1",
        "plan_sha256": journal.plan_digest,
        "account_id": made.account_id,
        "steps": found,
        "open": sorted(set(open_)),
        "people": [f"{each.check}: {each.what}" for each in made.people if each.check in open_],
        "report": findings.as_object(report),
    }
    audit.write_private(file.with_name(f"{file.name}.proof"), signing.sign(proof, own_key()))
    _print_proof(proof, as_json=as_json)
    if any(each["state"] != "holds" for each in found):
        raise click.exceptions.Exit(1)


@command.command("undo", short_help="Take applied steps back.")
@_planned
@output.json_flag()
def undo(file: Path, key: str | None, profile: str | None, endpoint_url: str | None, as_json: bool) -> None:
    """Take the steps that were applied back, the last first. What somebody has changed since is left as it is."""
    from crownkeep.advisor import apply as applying
    from crownkeep.advisor.private_files import UnsafeFile

    made, journal = _read(file, key)
    clients, evidence = _same_account(made, profile, endpoint_url)
    executor = _executor(made, clients, journal, evidence)
    done: list[dict[str, str]] = []
    surprise = None
    # The last first: a step may rest on what an earlier one made, such as the policy that it attached.
    for step in reversed(made.steps):
        if not journal.stands(step.id):
            continue
        try:
            done.append(_as_json(step, executor.undo(step).what))
        except (applying.UnexpectedState, UnsafeFile) as error:
            surprise = output.printable(str(error))
            break
    _print_outcome(made, done, [], surprise, as_json=as_json)


def _wishes(file: Any) -> Wishes:
    from crownkeep.advisor.planner import Wishes

    if file is None:
        return Wishes()
    try:
        answer = untrusted_json.read(file.read())
        contacts = {str(kind).upper(): dict(contact) for kind, contact in answer.get("contacts", {}).items()}
        named = all({"Name", "Title", "EmailAddress", "PhoneNumber"} <= contact.keys() for contact in contacts.values())
        if not named or not contacts.keys() <= {"SECURITY", "BILLING", "OPERATIONS"}:
            raise ValueError("a contact has a kind, a name, a title, an address and a telephone number")
        return Wishes(str(answer.get("alias", "")), contacts)
    except (ValueError, TypeError, AttributeError) as error:
        shape = '{"alias": "...", "contacts": {"SECURITY": {"Name", "Title", "EmailAddress", "PhoneNumber"}}}'
        raise WrongCall(f"`{file.name}` is not written as {shape}") from error


def _clients(profile: str | None, endpoint_url: str | None) -> Clients:
    from crownkeep.advisor import reader

    with audit.botocore_failures():
        return reader.clients_of(profile, endpoint_url)


def _keys(clients: Clients, user: str) -> list[Mapping[str, Any]]:
    from crownkeep.advisor import reader
    from crownkeep.advisor.evidence import ApiAnswer, question

    answer = reader.ask(clients, question("iam", "ListAccessKeys", UserName=user))
    return list(answer.value["AccessKeyMetadata"]) if isinstance(answer, ApiAnswer) and answer.value is not None else []


def own_key() -> Any:
    """Return the key of this machine that signs plans, proofs and packs."""
    from crownkeep.advisor import signing

    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    try:
        return signing.own_key(Path(home) / "crownkeep")
    except signing.UnusableKey as error:
        raise click.ClickException(str(error)) from error


def _read(file: Path, key: str | None) -> tuple[LockdownPlan, Journal]:
    from crownkeep.advisor import plans, private_files, signing
    from crownkeep.advisor.journal import Journal

    try:
        # Once: what is applied, journalled and proven is what the signature was checked of, whatever becomes of the file.
        content = file.read_bytes()
        made = plans.of(signing.read(content.decode(), key or signing.public_text(own_key())))
    except (plans.UnreadablePlan, UnicodeDecodeError) as error:
        raise click.ClickException(f"`{file}`: {error}") from error
    journal = Journal(file.with_name(f"{file.name}.journal"), sha256(content).hexdigest())
    try:
        journal.last()
    except private_files.UnsafeFile as error:
        raise click.ClickException(output.printable(str(error))) from error
    return made, journal


def _same_account(made: LockdownPlan, profile: str | None, endpoint_url: str | None) -> tuple[Clients, Evidence]:
    evidence = audit.gathered(profile, endpoint_url)
    if evidence.account_id != made.account_id:
        raise click.ClickException(
            f"the plan is for account {made.account_id}, and these credentials are of {evidence.account_id}"
        )
    return _clients(profile, endpoint_url), evidence


def _executor(made: LockdownPlan, clients: Clients, journal: Journal, evidence: Evidence) -> PlanExecutor:
    from crownkeep.advisor import ways_in
    from crownkeep.advisor.apply import PlanExecutor
    from crownkeep.advisor.reader import signing_key

    key_id = signing_key(clients("sts", GLOBAL_REGION))

    def ready(step: PlanStep) -> str | None:
        # Read anew for each step: those before it are in the journal by then.
        taken = [each for each in made.steps if journal.stands(each.id)]
        return ways_in.reason_against(step, evidence, key_id, taken=taken)

    return PlanExecutor(clients, journal, ready)


def _drift(planned: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Name what came out otherwise than when the plan was made; steps whose own reading changed refuse by themselves."""
    return sorted(key for key in planned.keys() | now.keys() if planned.get(key) != now.get(key))


def _as_json(step: PlanStep, state: str) -> dict[str, str]:
    return {"step": step.id, "check": step.check, "title": step.title, "state": state}


def _print_plan(made: LockdownPlan) -> None:
    rows = [(step.id, str(step.danger), step.title, " ".join(step.breaks)) for step in made.steps]
    output.print_table(("Step", "Danger", "What", "What it would break"), rows)
    if made.people:
        click.echo("\nOnly people can:")
        output.print_table(("Check", "What", "Where"), [(each.check, each.what, each.link) for each in made.people])
    click.echo(f"\n{output.counted(len(made.steps), 'step')}, and {output.counted(len(made.people), 'thing')} for people.")


def _print_outcome(
    made: LockdownPlan, done: Sequence[Mapping[str, str]], drift: Sequence[str], surprise: str | None, *, as_json: bool
) -> None:
    if as_json:
        output.print_json({"account_id": made.account_id, "steps": list(done), "drift": list(drift), "stopped": surprise})
    else:
        output.print_table(("Step", "What", "State"), [(each["step"], each["title"], each["state"]) for each in done])
        for key in drift:
            click.echo(f"changed since the plan, and no step's concern: {output.printable(key)}")
        if surprise is not None:
            click.echo(f"Error: stopped: {surprise}", err=True)
    if surprise is not None:
        raise click.exceptions.Exit(1)


def _print_proof(proof: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(proof)
        return
    output.print_table(("Step", "What", "State"), [(each["step"], each["title"], each["state"]) for each in proof["steps"]])
    if proof["people"]:
        click.echo("\nLeft for people:")
        for each in proof["people"]:
            click.echo(f"  {output.printable(each)}")
