"""`crownkeep keys`: a new sealing key goes first into the key file, then every secret at rest is sealed with it.

    1. the rotation is begun                         through the one door, where a seal may ask for an approval
    2. the new key is put first in `sealing.key`     under a lock and durably; running servers look every second and go over to it
    3. the command waits                             until each of them has
    4. batch by batch, secrets are sealed anew       through the one door, beside whatever the servers write

The old keys stay in the file: sessions that were issued under them live on, and a copy of the database from before opens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from crownkeep.cli import house, keys_leaked, keys_split, keys_wrap, output, waiting
from crownkeep.cli.house import House

if TYPE_CHECKING:
    from crownkeep.credentials.sealing import SealingKey

_SECONDS_TO_NOTICE = 3.0


@click.group("keys", short_help="Rotate, split and wrap sealing keys, and find leaked access keys.")
def command() -> None:
    """Rotate, split and wrap sealing keys, and find leaked access keys."""


for _each in (keys_leaked.command, keys_split.split, keys_split.unseal, keys_split.join, keys_wrap.wrap, keys_wrap.unwrap):
    command.add_command(_each)


@command.command("rotate", short_help="Make a new sealing key and seal with it.")
@click.option(
    "--wait",
    type=click.FloatRange(0, 3600),
    default=_SECONDS_TO_NOTICE,
    metavar="SECONDS",
    show_default=True,
    help="How long to wait for running servers to read the new key.",
)
@click.option("--to", "key_id", metavar="ID", help="Switch to a key that `crownkeep keys add` put into the file.")
@waiting.options
@house.options
@output.json_flag()
def rotate(wait: float, key_id: str | None, asked: waiting.Asking, data: str | None, database: str | None, as_json: bool) -> None:
    """Make a new sealing key and seal every secret with it, while servers run.

    Where a seal covers it, its approval is asked for first: the command prints the request's id and ends with 3. If a rotation is
    interrupted, finish it with `crownkeep keys reseal`. Back up the key file afterwards.
    """
    from crownkeep import clock, sealing_key_file
    from crownkeep.credentials import sealing
    from crownkeep.domain.accounts import key_check

    with house.opened_where_it_is(data, database) as held:
        waiting.ask(held, asked, "BeginKeyRotation", sealing_key_id=key_id)
        try:
            changed = sealing_key_file.change_keyring(
                held.directory.path,
                lambda found: sealing.rotated(found, _minted()) if key_id is None else sealing.promoted(found, key_id),
            )
        except LookupError as error:
            raise click.ClickException(f"the key file holds no key `{output.printable(key_id or '')}`") from error
        held.directory.keyring.adopt(changed)
        # Not `changed`: another rotation may have followed, and only the keyring that is watched looks at the file again.
        key_check.begin(held.database, held.directory.keyring)
        clock.sleep(wait)
        _reseal(held, as_json=as_json)


@command.command("add", short_help="Add a key that opens and does not seal yet.")
@house.options
@output.json_flag()
def add(data: str | None, database: str | None, as_json: bool) -> None:
    """Add a sealing key that opens but doesn't seal yet, for several machines.

    Copy the key file to each machine, then switch to the key with `crownkeep keys rotate --to ID`.
    """
    from crownkeep import sealing_key_file
    from crownkeep.credentials import sealing

    with house.opened_where_it_is(data, database) as held:
        key = _minted()
        sealing_key_file.change_keyring(held.directory.path, lambda found: sealing.extended(found, key))
    if as_json:
        output.print_json({"sealing_key_id": key.id})
    else:
        click.echo(f"The key {key.id} is in the key file. Copy the file to every machine, then run `keys rotate --to {key.id}`.")


def _minted() -> SealingKey:
    from crownkeep import clock
    from crownkeep.credentials import sealing

    return sealing.mint_key(clock.token_bytes(sealing.KEY_SIZE), made=clock.now().date())


@command.command("reseal", short_help="Seal old secrets with the newest key.")
@house.options
@output.json_flag()
def reseal(data: str | None, database: str | None, as_json: bool) -> None:
    """Seal the secrets that are sealed with an older key with the newest key of the key file."""
    with house.opened_where_it_is(data, database) as held:
        _reseal(held, as_json=as_json)


def _reseal(held: House, *, as_json: bool) -> None:
    resealed = unopenable = 0
    newest = ""
    # Another rotation may begin meanwhile: what it hasn't reached is sealed with its key, too.
    while newest != held.directory.keyring.newest.id:
        held.key_file.look()
        newest = held.directory.keyring.newest.id
        done, unopenable = _reseal_once(held)
        resealed += done
    if as_json:
        output.print_json({"sealing_key_id": newest, "resealed": resealed, "unopenable": unopenable})
    else:
        click.echo(f"{output.counted(resealed, 'secret')} sealed anew with the key {newest}.")
    if unopenable:
        raise click.ClickException(
            f"{unopenable} secrets can't be opened with any key of the key file: put the key they were sealed with back into it"
        )


def _reseal_once(held: House) -> tuple[int, int]:
    """Go through every secret once, and return how many were sealed anew and how many can't be opened."""
    resealed = unopenable = 0
    token: str | None = None
    while True:
        # Nothing is sealed with a key that the file lacks. A token of the listing ends with the key that it was made by.
        if held.key_file.look() and token is not None:
            return resealed, unopenable
        step = held.ask("ResealSecrets", next_token=token)
        resealed += step["resealed"]
        unopenable += step["unopenable"]
        token = step.get("next_token")
        if token is None:
            return resealed, unopenable
