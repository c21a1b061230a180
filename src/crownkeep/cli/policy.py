"""`crownkeep policy`: what is wrong with a policy, and why somebody may do something or not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

import click

from crownkeep.cli import house, output, policy_check, policy_documents
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.decisions.explanations import Question
    from crownkeep.policy import ContextValue, Explanation

_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+", re.ASCII)
_KEY = re.compile(r"[^\s=]+")


@click.group("policy", short_help="Check policies, and explain decisions.")
def command() -> None:
    """Check policies, and explain decisions."""


command.add_command(policy_check.command)


def _action(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not _ACTION.fullmatch(value):
        raise click.BadParameter(f"`{output.printable(value)}` is no action: give one as `iam:CreateUser`, without wildcards")
    return value


def _resource(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    from crownkeep import arn

    if value != "*" and (arn.parse(value) is None or not value.isprintable()):
        raise click.BadParameter(f"`{output.printable(value)}` is no resource: give its ARN, or `*` for an action that has none")
    return value


def _context(_ctx: click.Context, _param: click.Parameter, values: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Gather condition keys with all their values; names that differ in case are one key."""
    found: dict[str, tuple[str, ...]] = {}
    for each in values:
        key, equals, value = each.partition("=")
        if not equals or not _KEY.fullmatch(key):
            raise click.BadParameter(f"`{output.printable(each)}` is no condition key: give `aws:SourceIp=192.0.2.1`")
        name = key.lower()
        found[name] = (*found.get(name, ()), value)
    return found


@command.command("explain", short_help="Explain why a principal may do something or not.")
@click.option("--principal", metavar="ARN", help="The principal: a user, a role, a role's session or a root user.")
@click.option("--action", metavar="ACTION", required=True, callback=_action, help="The action, such as `s3:GetObject`.")
@click.option("--resource", metavar="ARN", required=True, callback=_resource, help="The resource; `*` for an action without one.")
@click.option(
    "--context", metavar="KEY=VALUE", multiple=True, callback=_context, help="A condition key; repeat it for each further value."
)
@click.option(
    "--policy",
    "held",
    metavar="FILE",
    type=click.File("rb"),
    multiple=True,
    help="Ask about a principal that doesn't exist and has this policy; repeatable.",
)
@click.option("--resource-policy", metavar="FILE", type=click.File("rb"), help="The policy of a resource elsewhere.")
@house.options
@output.json_flag()
def explain(
    principal: str | None,
    action: str,
    resource: str,
    context: dict[str, tuple[str, ...]],
    held: tuple[IO[bytes], ...],
    resource_policy: IO[bytes] | None,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Explain why a principal may do something or not. Exits with 0 if it is allowed and 1 if it is denied.

    The decision is the server's own, from the policies that are in force now. A user is taken to sign with a long-term key, a
    role to have a session that began just now; what else a request would know is absent unless `--context` gives it. With
    `--policy` nothing is looked up, and no data directory is needed. Nothing is changed.
    """
    if principal is None and not held:
        raise click.UsageError("say who: give `--principal`, or `--policy` with what somebody holds")
    from crownkeep.decisions import explanations

    who = principal if principal is not None else explanations.SOMEBODY
    values: dict[str, ContextValue] = {
        key: given if len(given) > 1 or explanations.is_multivalued(key) else given[0] for key, given in context.items()
    }
    question = explanations.Question(who, action, resource, values, policy_documents.resource_policy(resource_policy))
    found = _explained_offline(held, question) if held else _explained(question, data, database)
    if as_json:
        output.print_json(found.as_mapping())
    else:
        for line in str(found).split("\n"):
            click.echo(output.printable(line))
    if not found.decision.allowed:
        raise click.exceptions.Exit(1)


def _explained_offline(held: tuple[IO[bytes], ...], question: Question) -> Explanation:
    from crownkeep import clock, errors
    from crownkeep.decisions import explanations

    documents = [policy_documents.source(each) for each in held]
    try:
        return explanations.explain_documents(documents, question, now=clock.now())
    except errors.InvalidInput as error:
        raise WrongCall(output.printable(error.message)) from error


def _explained(question: Question, data: str | None, database: str | None) -> Explanation:
    from crownkeep import clock, errors
    from crownkeep.decisions import explanations

    try:
        with house.opened(data, database) as held, held.database.snapshot() as db:
            return explanations.explain(db, held.wiring, question, now=clock.now())
    except errors.InvalidInput as error:
        raise WrongCall(output.printable(error.message)) from error
