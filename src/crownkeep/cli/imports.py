"""`crownkeep import aws`: a twin of an AWS account in an account of ours, for drills and questions. It holds no secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from crownkeep.arn import GLOBAL_REGION
from crownkeep.cli import audit, output
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.advisor.evidence import Evidence
    from crownkeep.advisor.plans import PlannedCall
    from crownkeep.advisor.reader import Clients
    from crownkeep.advisor.twin_organization import Caller, ImportedCall

_THERE = frozenset({"EntityAlreadyExists", "EntityAlreadyExistsException", "AccountAliasAlreadyExists"})


@click.group("import", short_help="Make a twin of an AWS account.")
def command() -> None:
    """Make a twin of an AWS account."""


@command.command("aws", short_help="Make a twin of an AWS account here.")
@click.option("--from", "kept", metavar="FILE", type=click.File(encoding="utf-8"), help="Evidence of `audit --save`.")
@click.option("--profile", metavar="P", help="Without `--from`: the profile of the account to read.")
@click.option("--endpoint-url", metavar="U", help="Without `--from`: another endpoint than AWS's to read from.")
@click.option("--to-endpoint-url", metavar="U", required=True, help="The Crownkeep server that the twin is made on.")
@click.option("--to-profile", metavar="P", help="A profile of the twin's administrator; the usual variables unless given.")
@output.json_flag()
def aws(
    kept: Any, profile: str | None, endpoint_url: str | None, to_endpoint_url: str, to_profile: str | None, as_json: bool
) -> None:
    """Make an account's users, groups, roles, policies, password policy and contacts anew in an account of a Crownkeep server.

    Where the account leads an organization, its units, control policies and members are made, too: members as empty accounts at
    addresses that nobody has.

    Make that account first: `crownkeep account create --account-id ID --admin-user NAME`. With the same id, ARNs stay the same;
    another takes its place in them. Nobody can sign in as anybody of the twin: passwords, keys and MFA are not read. A user, a
    group or a role of the same name is kept, and gets the policies. Ends with 1 where something could not be made.
    """
    from crownkeep.advisor import twin, twin_organization
    from crownkeep.advisor.view import CannotTell

    if urlsplit(to_endpoint_url).hostname is None or _is_amazon(to_endpoint_url):
        raise WrongCall("`--to-endpoint-url` is the address of a Crownkeep server: nothing is ever written to AWS")
    evidence = audit.kept_evidence(kept) if kept is not None else audit.gathered(profile, endpoint_url)
    with audit.botocore_failures():
        clients, account_id = _target(to_profile, to_endpoint_url)
    try:
        wanted = twin.of(evidence, account_id)
    except CannotTell as error:
        raise click.ClickException(output.printable(f"users and roles are not known: {error}")) from error
    outcomes = [*made(clients, wanted), *twin_organization.make(_caller(clients), evidence, account_id)]
    _print(evidence, account_id, outcomes, as_json=as_json)


def _is_amazon(url: str) -> bool:
    # What is made by mistake in a real account is real: so the address is looked at, whatever the credentials are.
    host = (urlsplit(url).hostname or "").lower().rstrip(".")
    return any(host == each or host.endswith(f".{each}") for each in ("amazonaws.com", "amazonaws.com.cn", "api.aws", "aws"))


def _target(profile: str | None, endpoint_url: str) -> tuple[Clients, str]:
    from crownkeep.advisor import calls, reader
    from crownkeep.advisor.evidence import Missing

    clients = reader.clients_of(profile, endpoint_url)
    who = reader.ask(clients, calls.IDENTITY)
    if isinstance(who, Missing) or who.value is None:
        said = who.message if isinstance(who, Missing) else "nothing was answered"
        raise reader.NoAccount(f"GetCallerIdentity was refused: {said}")
    return clients, str(who.value["Account"])


def made(clients: Clients, wanted: Sequence[PlannedCall]) -> list[ImportedCall]:
    """Make the calls; those that did not find what they name are tried again as long as that helps."""
    # A trust policy may name a user or role that comes later in the list: rounds settle that, without an order of our own.
    done: list[ImportedCall] = []
    left = list(wanted)
    while left:
        outcomes = [_make(clients, each) for each in left]
        failed = [each for each in outcomes if each.state == "left out"]
        done += [each for each in outcomes if each.state != "left out"]
        if len(failed) == len(left):
            return done + failed
        left = [each.call for each in failed]
    return done


def _make(clients: Clients, call: PlannedCall) -> ImportedCall:
    from crownkeep.advisor.twin_organization import CallRefused, ImportedCall

    try:
        _caller(clients)(call)
    except CallRefused as error:
        return ImportedCall(call, "there") if error.code in _THERE else ImportedCall(call, "left out", str(error))
    return ImportedCall(call, "made")


def _caller(clients: Clients) -> Caller:
    from botocore.exceptions import BotoCoreError, ClientError

    from crownkeep.advisor import reader
    from crownkeep.advisor.twin_organization import CallRefused

    def make(call: PlannedCall, /) -> Mapping[str, Any]:
        try:
            return reader.invoke(clients(call.service, GLOBAL_REGION), call.operation, call.parameters)
        except ClientError as error:
            raise CallRefused(error.response.get("Error", {}).get("Code", ""), str(error)) from error
        except BotoCoreError as error:
            raise CallRefused("", str(error)) from error

    return make


def _print(evidence: Evidence, account_id: str, outcomes: Sequence[ImportedCall], *, as_json: bool) -> None:
    from crownkeep.advisor import twin

    made = twin.subjects(each.call for each in outcomes if each.state == "made")
    there = sum(each.state == "there" for each in outcomes)
    failed = [each for each in outcomes if each.state == "left out"]
    if as_json:
        left_out = [{"call": each.call.operation, "name": _name(each.call), "reason": each.reason} for each in failed]
        output.print_json(
            {"from": evidence.account_id, "account_id": account_id, "made": dict(made), "there": there, "left_out": left_out}
        )
    else:
        click.echo(f"Account {evidence.account_id} is in account {account_id}:")
        output.print_pairs([(kind, str(count)) for kind, count in sorted(made.items())])
        click.echo(f"{output.counted(there, 'call')} found what was there already.")
        if failed:
            rows = [(each.call.operation, _name(each.call), each.reason) for each in failed]
            output.print_table(("Left out", "Name", "Why"), rows)
    if failed:
        raise click.exceptions.Exit(1)


def _name(call: PlannedCall) -> str:
    return next((str(value) for name, value in call.parameters.items() if name.endswith("Name")), "")
