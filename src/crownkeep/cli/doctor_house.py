"""Checks of what the installation keeps: database, sealing key, backup, mail and witnesses."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from crownkeep.alerts import channels
from crownkeep.alerts.channels import Smtp
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.audit import checkpoints as log_checkpoints
from crownkeep.audit import notes, tlog_policy
from crownkeep.audit.notes import MalformedNote
from crownkeep.audit.tlog_policy import MalformedTlogPolicy
from crownkeep.cli import output
from crownkeep.cli.doctor_diagnosis import Diagnosis, Installation, advice, amiss, unseen, well
from crownkeep.domain.accounts import key_check
from crownkeep.domain.accounts.key_check import WrongSealingKey
from crownkeep.settings import InvalidSettings
from crownkeep.storage import health, migrate
from crownkeep.storage.audits import drills
from crownkeep.storage.credentials import operators
from crownkeep.storage.migrate import NewerDatabase
from crownkeep.storage.notices import outbox
from crownkeep.storage.trail import checkpoints, lookups

BACKED_UP = "CompleteBackup"
"""The event of a backup that was made and is whole."""

_LARGEST_LOOKED_THROUGH = 1 << 30
_OLD_KEY = timedelta(days=365)
_OLD_BACKUP = timedelta(days=7)
_OLD_REPLICA = timedelta(minutes=15)
_STALE_MAIL = timedelta(hours=1)
_LATE_CHECKPOINT = timedelta(minutes=5)
_SOON = timedelta(days=14)
_MOST_NAMED = 5
_AHEAD = timedelta(seconds=5)
_OPERATOR = ""
_FIRST, _LAST = UUID(int=0), UUID(int=(1 << 128) - 1)


def database(found: Installation) -> Diagnosis:
    """Look at whether the database answers, is whole, and has nothing from the future in it."""
    if found.database is None:
        return amiss(found.faults["database"], "see `--database`, and whether its server runs")
    with found.database.snapshot() as db:
        step = health.step(db)
        if step is None:
            return advice("the database has no tables of ours yet", "start the server, which makes them")
        # Looking a file through takes as long as reading it, and whoever asks the doctor waits.
        is_small = found.file is not None and found.file.stat().st_size < _LARGEST_LOOKED_THROUGH
        if is_small and (damage := health.damage(db)):
            return amiss(f"the database's file is damaged: {damage}", "stop the server, and restore a backup")
        newest = lookups.newest(db, _OPERATOR, first=_FIRST, before=_LAST, limit=1)
    if newest and newest[0].happened_at > found.now + _AHEAD:
        message = f"the newest record is from {newest[0].happened_at:%Y-%m-%dT%H:%M:%SZ}, which is yet to come"
        return amiss(message, "set this machine's clock right")
    return well("the database answers")


def journal(found: Installation) -> Diagnosis:
    """Look at the header of SQLite's file: opened by us it would be in WAL mode in any case."""
    if found.file is None:
        return unseen("a server keeps the database")
    if not found.file.is_file():
        return unseen(f"there is no database at `{found.file}`")
    match health.journal_mode(found.file):
        case "none":
            return amiss(f"`{found.file}` is no SQLite database", "stop the server, and restore a backup")
        case "rollback":
            return amiss(
                f"the journal mode of `{found.file}` is not WAL", "start the server, which sets it; then see who opened the file"
            )
        case _:
            return well("WAL")


def durability(found: Installation) -> Diagnosis:
    """Look at whether the database keeps through a crash what it has confirmed."""
    if found.database is None:
        return unseen("the database can't be opened")
    with found.database.snapshot() as db:
        answer = dict(health.settings(db))
    listed = ", ".join(f"{name} {value or 'none'}" for name, value in answer.items())
    if found.file is not None:
        is_safe = answer["journal_mode"] == "wal" and answer["synchronous"] in ("full", "extra")
        return (
            well(listed)
            if is_safe
            else amiss(listed, "put the database on a file system that WAL works on, which no network has")
        )
    off = [name for name in ("synchronous_commit", "fsync", "full_page_writes") if answer[name] == "off"]
    if off:
        return amiss(f"{', '.join(off)} off: a crash loses what was confirmed", "switch on in postgresql.conf")
    if answer["transaction_read_only"] == "on":
        return amiss(
            "this database server only reads, as a standby does", "lead the URL to the primary: `target_session_attrs=read-write`"
        )
    if answer["synchronous_standby_names"] and answer["synchronous_commit"] in ("local", "remote_write"):
        return advice(listed, "set synchronous_commit to on: a fail-over may lose what was confirmed")
    return well(listed)


def schema(found: Installation) -> Diagnosis:
    """Look at whether the database is at the schema step that this version knows."""
    if found.database is None:
        return unseen("the database can't be opened")
    with found.database.snapshot() as db:
        step = health.step(db)
    newest = migrate.newest()
    if step is None or step == newest:
        return well(f"step {newest}")
    try:
        is_usable = migrate.serves(found.database)
    except NewerDatabase:
        return amiss(
            f"the database is at step {step}, and this version knows {newest}", "install the version that the servers run"
        )
    if is_usable:
        return advice(
            f"the database is at step {step}, and this version knows {newest}, which may go on", "upgrade this node, too"
        )
    return advice(f"the database is at step {step}, this version's is {newest}", "make a backup; the next start takes the steps")


def nodes(found: Installation) -> Diagnosis:
    """Look at whether servers of several versions run on the database."""
    if found.database is None:
        return unseen("the database can't be opened")
    if found.database.is_sqlite:
        return unseen("an embedded database has one server")
    with found.database.snapshot() as db:
        versions = health.nodes(db)
    others = [each for each in versions if each != migrate.newest()]
    if not others:
        return well("all who are connected to the database are of this version, as far as PostgreSQL sees")
    return advice(
        f"servers or commands of another version are connected (schema step {', '.join(others)}; this version's is"
        f" {migrate.newest()})",
        "upgrade the nodes that are left: what is new in a version holds once all run it",
    )


def sealing_key(found: Installation) -> Diagnosis:
    """Look at whether the sealing key is this database's, opens what is sealed, and is not too old."""
    if found.keyring is None:
        return amiss(found.faults["keyring"], "put `sealing.key` back from its backup, or give it back its mode")
    if found.database is None:
        return unseen("the database can't be opened")
    with found.database.snapshot() as db:
        if health.step(db) != migrate.newest():
            return unseen("the database has not taken the steps of this version")
        try:
            closed = key_check.examine(db, found.keyring)
        except WrongSealingKey as error:
            return amiss(str(error), "put the right `sealing.key` in its place before anything is started")
    if closed:
        return amiss(f"no key opens some of {', '.join(closed)}", "put the key they were sealed with back into `sealing.key`")
    made = found.keyring.newest.made
    message = f"{found.keyring.newest.id}, made on {made:%Y-%m-%d}, opens what is sealed"
    if found.now.date() - made > _OLD_KEY:
        return advice(message, "make a new one with `crownkeep keys rotate`, and back the file up")
    return well(message)


def backup(found: Installation) -> Diagnosis:
    """Look at when the last whole backup was made, by the operator's trail."""
    if found.database is None:
        return unseen("the database can't be opened")
    with found.database.snapshot() as db:
        if health.step(db) != migrate.newest():
            return unseen("the database has not taken the steps of this version")
        made = lookups.newest(db, _OPERATOR, first=_FIRST, before=_LAST, limit=1, attribute=("EventName", BACKED_UP))
    remedy = "run `crownkeep backup create --to TARGET` every day, and keep `sealing.key` elsewhere"
    if not made:
        return advice("no backup was ever made with `crownkeep backup`", remedy)
    message = f"the last backup was made at {made[0].happened_at:%Y-%m-%dT%H:%M:%SZ}"
    return amiss(message, remedy) if found.now - made[0].happened_at > _OLD_BACKUP else well(message)


def replica(found: Installation) -> Diagnosis:
    """Look at how far the copy of the embedded database is behind, where one is kept."""
    place = found.settings.replica_place
    if place is None or found.file is None:
        return unseen("no copy of the database on another disk is asked for (`replica_directory`)")
    copy, remedy = place / found.file.name, "see in the server's log why"
    if not copy.exists():
        return amiss(f"there is no copy of the database in `{place}`", remedy)
    if copy.stat().st_dev == found.file.stat().st_dev:
        return advice(f"the copy in `{place}` is on the same disk as the database", "name a directory of another disk")
    # The newest change may be in the write-ahead log alone, while the file itself is hours old.
    written = (found.file, found.file.with_name(f"{found.file.name}-wal"))
    behind = timedelta(seconds=max(each.stat().st_mtime for each in written if each.exists()) - copy.stat().st_mtime)
    if behind > _OLD_REPLICA:
        return amiss(
            f"the copy of the database in `{place}` is {output.counted(int(behind.total_seconds()), 'second')} behind", remedy
        )
    return well(f"a copy of the database is in `{place}`")


def drill(found: Installation) -> Diagnosis:
    """Look at when a way back into an account was rehearsed last, and whether the latest of each drill worked."""
    if found.database is None:
        return unseen("the database can't be opened")
    with found.database.snapshot() as db:
        if health.step(db) != migrate.newest():
            return unseen("the database has not taken the steps of this version")
        held, failed = drills.latest(db), drills.count_failed(db)
    if held is None:
        return advice("no way back into an account was ever rehearsed", "run `crownkeep drill lost-mfa --account ID`")
    message = f"the last drill was held at {held:%Y-%m-%dT%H:%M:%SZ}"
    if failed:
        return advice(f"{message}; of the latest of each kind, {failed} did not work", "see `crownkeep recoverability ID`")
    return well(message)


def tokens(found: Installation) -> Diagnosis:
    """Look at whether operators' tokens end soon, or have ended: whoever has one learns it from a refusal otherwise."""
    if found.database is None:
        return unseen("the database can't be opened")
    with found.database.snapshot() as db:
        if health.step(db) != migrate.newest():
            return unseen("the database has not taken the steps of this version")
        ending = operators.ending(db, before=found.now + _SOON, limit=_MOST_NAMED + 1)
    if not ending:
        return well(f"no operator's token ends within {_SOON.days} days")
    message = ", ".join(f"{each.name} on {each.expires_at:%Y-%m-%d}" for each in ending[:_MOST_NAMED])
    more = " and others" if len(ending) > _MOST_NAMED else ""
    remedy = "make new ones with `crownkeep operator rotate NAME`, or remove operators who have left"
    return advice(f"operators' tokens end soon, or have ended: {message}{more}", remedy)


def mail(found: Installation) -> Diagnosis:
    """Look at whether mail leaves: the server is greeted, and nothing waits for long."""
    try:
        channel = channels.chosen(found.settings)
        if isinstance(channel, Smtp):
            channel.try_out()
    except InvalidSettings as error:
        return amiss(str(error), "see docs/mail.md")
    except Undelivered as error:
        return amiss(f"mail can't leave: {error}", "see the settings that begin with `smtp_`")
    # Mail alone, and not webhooks: a receiver of an account's that doesn't answer is no fault of this installation.
    if not isinstance(channel, Smtp):
        return advice("mail is written into files, which nobody may read in time", "set `smtp_host` and `mail_from`")
    if found.database is not None:
        with found.database.snapshot() as db:
            stuck = outbox.stuck_mail(db, before=found.now - _STALE_MAIL) if health.step(db) == migrate.newest() else None
        if stuck is not None:
            return amiss(f"a notice waits since {stuck.created_at:%Y-%m-%dT%H:%M:%SZ}", "see why with `crownkeep mail list`")
    return well(f"`{found.settings.smtp_host}` takes mail")


def witness(found: Installation) -> Diagnosis:
    """Look at whether others than this machine know how far the trail goes."""
    if not found.settings.trail_policy:
        if found.settings.trail_checkpoint_file:
            return well("checkpoints are written to `trail_checkpoint_file`")
        if found.settings.trail_checkpoint_url:
            return well("checkpoints are posted to `trail_checkpoint_url`")
        message = "nobody else knows how far the trail goes: whoever has this machine could cut off its end unseen"
        return advice(message, "name witnesses with `trail_policy`, or keep `crownkeep trail checkpoint` elsewhere")
    try:
        policy = tlog_policy.read(Path(found.settings.trail_policy).read_bytes())
    except (OSError, MalformedTlogPolicy) as error:
        return amiss(f"`{found.settings.trail_policy}` can't be used ({error})", "correct the file that `trail_policy` names")
    if found.database is None:
        return unseen("the database can't be opened")
    with found.database.snapshot() as db:
        newest = checkpoints.newest(db) if health.step(db) == migrate.newest() else None
        seen = [] if newest is None else checkpoints.newest_of_witnesses(db, other_than=newest.origin)
    if newest is None:
        return well("nothing is recorded yet")
    # Only those of the policy count: a cosignature of somebody whom nobody named proves nothing to us.
    known = {party.key.name for party in policy.witnesses.values()}
    sizes = [row.size for row in seen if row.name in known]
    if not sizes:
        return amiss("no witness has cosigned the trail", "see the server's log for what they answer")
    if max(sizes) < newest.size and found.now - newest.signed_at > _STALE_MAIL:
        return amiss(f"witnesses have seen {max(sizes)} of {newest.size} records", "see the server's log for what they answer")
    return well(f"witnesses have seen {max(sizes)} of {newest.size} records")


def checkpoint_file(found: Installation) -> Diagnosis:
    """Look at whether the trail's newest checkpoint has reached the file that is to hold it, if any."""
    if not found.settings.trail_checkpoint_file:
        return unseen("no file is asked for (`trail_checkpoint_file`)")
    file = Path(found.settings.trail_checkpoint_file)
    if found.database is None:
        return unseen("the database can't be opened")
    with found.database.snapshot() as db:
        newest = checkpoints.newest(db) if health.step(db) == migrate.newest() else None
    if newest is None:
        return well("nothing is recorded yet")
    try:
        held = log_checkpoints.read(notes.read(file.read_bytes()))
    except FileNotFoundError:
        held = None
    except MalformedNote as error:
        return amiss(f"`{file}` holds no checkpoint ({error})", "move it out of the way: the server writes it anew")
    if held is not None and held.origin != newest.origin:
        return amiss(f"`{file}` holds a checkpoint of another trail", "name another file with `trail_checkpoint_file`")
    written = 0 if held is None else held.size
    if written < newest.size and found.now - newest.signed_at > _LATE_CHECKPOINT:
        return amiss(
            f"`{file}` knows of {written} of {newest.size} records",
            "see why in the server's log; a systemd unit writes there only with a `ReadWritePaths=` in a drop-in",
        )
    return well(f"checkpoints are written to `{file}`")
