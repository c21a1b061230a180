"""`crownkeep drill`: rehearse a way back into an account on a copy of its state, and record how it went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from crownkeep.cli import house, output
from crownkeep.cli.account import account_id as checked_account

if TYPE_CHECKING:
    from crownkeep.drills.report import DrillReport

NAMES = ("lost-mfa", "lost-mailbox", "leaked-root-key", "admin-locked-out", "custodian-gone")


@click.command("drill", short_help="Rehearse a way back into an account.")
@click.argument("name", type=click.Choice(NAMES), metavar="NAME")
@click.option(
    "--account", "account_id", metavar="ID", callback=checked_account, help="Which account; needed if there are several."
)
@house.options
@output.json_flag()
def command(name: str, account_id: str | None, data: str | None, database: str | None, as_json: bool) -> None:
    """Rehearse a loss and the way back: lost-mfa, lost-mailbox, leaked-root-key, admin-locked-out or custodian-gone.

    The state is copied into a directory of its own, and all is done there, by the code that people would use. The installation is
    not touched, and no mail or webhook leaves. What is recorded in the trail is that the drill was held, and how it went.

    Exits 0 where the way back worked, and 1 where it did not. TMPDIR says where the copy is made.
    """
    from crownkeep.drills import rehearsal
    from crownkeep.drills.report import DrillName

    with house.opened(data, database) as held:
        chosen = _account(held, account_id)
        report = rehearsal.rehearse(DrillName(name), chosen, source=held.database, wiring=held.wiring)
        failed = next((step.text for step in report.steps if not step.worked), "the drill could not begin")
        held.ask(
            "RecordDrill",
            account_id=chosen,
            name=name,
            worked=report.worked,
            steps=len(report.steps),
            milliseconds=int(report.seconds * 1000),
            failed_step=None if report.worked else failed,
        )
    answer = _described(report)
    if as_json:
        output.print_json(answer)
    else:
        _print(answer)
    if not report.worked:
        raise SystemExit(1)


def _account(held: house.House, account_id: str | None) -> str:
    """Return the account that is meant; raises UsageError where it could be several."""
    if account_id is not None:
        return str(held.ask("GetAccount", account_id=account_id)["account_id"])
    found = held.ask("ListAccounts", max_results=2)["accounts"]
    if len(found) != 1:
        raise click.UsageError("name the account with `--account`; `crownkeep account list` shows them all")
    return str(found[0]["account_id"])


def _described(report: DrillReport) -> dict[str, Any]:
    return {
        "ok": report.worked,
        "drill": report.name.value,
        "account_id": report.account_id,
        "lost": report.lost,
        "steps": [
            {
                "step": each.text,
                "by": each.by,
                "worked": each.worked,
                "seconds": round(each.seconds, 3),
                "reason": each.reason or None,
            }
            for each in report.steps
        ],
        "seconds": round(report.seconds, 3),
        "remarks": list(dict.fromkeys(report.remarks)),
    }


def _print(answer: Mapping[str, Any]) -> None:
    click.echo(
        f"Drill {answer['drill']} for account {answer['account_id']}: {'the way back worked' if answer['ok'] else 'NO WAY BACK'}."
    )
    click.echo(f"Lost: {output.printable(answer['lost'])}.\n")
    rows = [
        (str(number), each["step"], each["by"], "yes" if each["worked"] else f"no: {each['reason']}", f"{each['seconds']:.3f} s")
        for number, each in enumerate(answer["steps"], 1)
    ]
    output.print_table(("", "STEP", "WHO ACTS", "WORKED", "TIME"), rows)
    for remark in answer["remarks"]:
        click.echo(f"\nNote: {output.printable(remark)}.")
    click.echo(f"\nIn all {answer['seconds']:.3f} s. Nothing was changed but the record that this drill was held.")
