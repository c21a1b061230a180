"""What a server says when it starts: where its data is, what always holds, and what is not as safe as it could be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crownkeep import clock
from crownkeep.cli import doctor_machine
from crownkeep.cli.doctor_diagnosis import Health, Installation
from crownkeep.settings import Settings


@dataclass(frozen=True, slots=True)
class StartFacts:
    """What a start has found out: which database it is, and which key signs the trail."""

    database: str
    """`SQLite`, or `PostgreSQL`; its URL may hold a password."""
    trail: str
    sealing_key_id: str


def text(chosen: Settings, facts: StartFacts) -> str:
    """Return the banner."""
    answer = [
        ("data", f"{chosen.data_directory} ({facts.database})"),
        ("sealing key", facts.sealing_key_id),
        ("trail", facts.trail),
        ("witnesses", f"as `{chosen.trail_policy}` names them" if chosen.trail_policy else "none"),
        ("mail", f"by {chosen.smtp_host}" if chosen.smtp_host else f"as files in {chosen.data_directory / 'outbox'}"),
        ("enforced", f"signatures and policies, always; MFA of root {_since(chosen)}; a record before every answer"),
    ]
    if chosen.traces_endpoint:
        answer.append(("traces", f"of {chosen.traces_ratio:.0%} of all requests, to {chosen.traces_url}"))
    lines = [f"Crownkeep serves {chosen.url}.", ""]
    lines += [f"  {name:<17} {value}" for name, value in answer]
    lines += ["", "  make an account   crownkeep account create --email root@acme.example --name acme"]
    lines += [f"  use it            export AWS_ENDPOINT_URL={chosen.url}", "  look it over      crownkeep doctor"]
    lines += ["  stop              Ctrl-C", *(f"warning: {each}" for each in warnings(chosen))]
    return "\n".join(lines) + "\n"


def _since(chosen: Settings) -> str:
    return f"after {chosen.root_mfa_grace_days} days" if chosen.root_mfa_grace_days else "at once"


def warnings(chosen: Settings) -> Iterator[str]:
    """Yield what is not as safe as it could be; `crownkeep doctor` looks further, and may take its time."""
    found = Installation(chosen, clock.now())
    # Only what is quick: a start waits for no host that does not answer.
    for check in (doctor_machine.wire, doctor_machine.certificate, doctor_machine.time):
        said = check(found)
        if said.health in (Health.ADVICE, Health.AMISS):
            yield f"{said.text}; {said.remedy}"
    if not chosen.smtp_host:
        yield "mail is written into files, which nobody may read in time; set `smtp_host` and `mail_from`"
    if not chosen.trail_policy and not chosen.trail_checkpoint_file:
        yield "nobody else knows how far the trail goes; set `trail_policy` or `trail_checkpoint_file`"
