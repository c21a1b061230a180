"""`crownkeep seal`: acts on an account that nobody does alone, and how the seal is shown, changed and lifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from crownkeep.cli import house, output, waiting
from crownkeep.cli.account import account_argument

_ACTS = (
    "root-sign-in",
    "root-sessions",
    "root-recovery",
    "root-mfa",
    "root-email",
    "close-account",
    "guardrails",
    "attach-policies",
    "trail",
    "alerts",
    "operator",
)


class _Seal(click.Group):
    """Takes an account where a command is expected: `crownkeep seal ACCOUNT --team ARN` seals it."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        # No command has the name of an account, which is twelve digits.
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            return super().resolve_command(ctx, ["account", *args])
        return super().resolve_command(ctx, args)


@click.group("seal", cls=_Seal, short_help="Seal an account under a team, show its seal or lift it.")
def command() -> None:
    """Seal an account under a team of custodians, so that nobody uses root alone.

    `crownkeep seal ACCOUNT --team ARN` seals it: the word `account` may be left out.
    """


@command.command("account", short_help="Seal an account under an approval team.")
@account_argument
@click.option("--team", "team_arn", metavar="ARN", required=True, help="The approval team, by its ARN.")
@click.option("--what", multiple=True, type=click.Choice(_ACTS), help="What is sealed; everything unless given. Can be repeated.")
@click.option("--minutes", type=click.IntRange(1, 15), help="How long a session of root lasts at most; 15 unless given.")
@click.option("--cooldown", metavar="MINUTES", type=click.IntRange(0, 10080), help="How long after a use the next may begin.")
@click.option(
    "--unseal-delay", metavar="HOURS", type=click.IntRange(24, 720), help="How long you wait to unseal without the team; 72."
)
@click.option("--renew-mfa", is_flag=True, help="Root's MFA devices must be new after each use.")
@waiting.options
@house.options
@output.json_flag()
def account(
    account_id: str,
    team_arn: str,
    what: Sequence[str],
    minutes: int | None,
    cooldown: int | None,
    unseal_delay: int | None,
    renew_mfa: bool,
    asked: waiting.Asking,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Seal an account. To change a seal takes the approval of the team that it has.

    A team is refused that could approve nothing: one that is not active, or whose people have too few keys of their own.
    """
    with house.opened(data, database) as held:
        parameters = {
            "account_id": account_id,
            "team_arn": team_arn,
            "what": list(what) or None,
            "session_minutes": minutes,
            "cooldown_minutes": cooldown,
            "unseal_delay_hours": unseal_delay,
            "renews_mfa": renew_mfa or None,
        }
        found = waiting.ask(held, asked, "SealAccount", **parameters)
    _tell(found, as_json=as_json)


@command.command("show", short_help="Show an account's seal.")
@account_argument
@house.options
@output.json_flag()
def show(account_id: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Show what is sealed under which team, and what is due after root's last use."""
    with house.opened(data, database) as held:
        found = held.ask("GetSeal", account_id=account_id)
    _tell(found, as_json=as_json)


@command.command("unseal", short_help="Lift an account's seal.")
@account_argument
@click.option("--without-team", type=click.Choice(["begin", "cancel", "finish"]), help="For a team that can act no more.")
@waiting.options
@house.options
@output.json_flag()
def unseal(
    account_id: str, without_team: str | None, asked: waiting.Asking, data: str | None, database: str | None, as_json: bool
) -> None:
    """Lift an account's seal, with its team's approval.

    If the team can act no more: `--without-team begin`, wait for the seal's delay, in which everybody is alerted, then
    `--without-team finish`.
    """
    with house.opened(data, database) as held:
        match without_team:
            case "begin":
                _tell(held.ask("BeginUnsealWithoutTeam", account_id=account_id), as_json=as_json)
                return
            case "cancel":
                _tell(held.ask("CancelUnsealWithoutTeam", account_id=account_id), as_json=as_json)
                return
            case "finish":
                held.ask("FinishUnsealWithoutTeam", account_id=account_id)
            case _:
                waiting.ask(held, asked, "UnsealAccount", account_id=account_id)
    if as_json:
        output.print_json({"account_id": account_id, "sealed": False})
    else:
        click.echo(f"Account {account_id} is not sealed any more.")


def _tell(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(found)
        return
    pairs = [
        ("account", found["account_id"]),
        ("team", found["team_arn"]),
        ("sealed", ", ".join(found["what"])),
        ("session", f"{found['session_minutes']} minutes at most"),
        ("cooldown", f"{found['cooldown_minutes']} minutes"),
        ("last used", f"{found['last_used_at']:%Y-%m-%d %H:%M} UTC" if "last_used_at" in found else "never"),
        ("review", "due before the next use" if found["review_is_due"] else "none due"),
        ("MFA", "to be renewed before the next use" if found["mfa_is_due"] else "nothing due"),
        ("password", "to be changed before the next use" if found["password_is_due"] else "nothing due"),
    ]
    if "unseals_at" in found:
        pairs.append(("without team", f"can be unsealed from {found['unseals_at']:%Y-%m-%d %H:%M} UTC"))
    output.print_pairs(pairs)
