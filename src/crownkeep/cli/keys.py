"""`crownkeep keys`: a new sealing key goes first into the key file, then every secret at rest is sealed with it.

    1. the new key is put first in `sealing.key`     running servers look at the file every second and go over to it
    2. the command waits                             until each of them has
    3. batch by batch, secrets are sealed anew       through the one door, beside whatever the servers write

The old keys stay in the file: sessions that were issued under them live on, and a copy of the database from before opens.
"""

from __future__ import annotations

import click

from crownkeep.cli import house, keys_leaked, output
from crownkeep.cli.house import House

_SECONDS_TO_NOTICE = 3.0


@click.group("keys", short_help="Rotate sealing keys, and find access keys that leaked.")
def command() -> None:
    """Rotate sealing keys, and find access keys that leaked."""


command.add_command(keys_leaked.command)


@command.command("rotate")
@click.option(
    "--wait",
    type=click.FloatRange(0, 3600),
    default=_SECONDS_TO_NOTICE,
    metavar="SECONDS",
    show_default=True,
    help="How long running servers get to read the new key before anything is sealed anew.",
)
@house.options
@output.json_flag()
def rotate(wait: float, data: str | None, database: str | None, as_json: bool) -> None:
    """Make a new sealing key and seal every secret with it, while servers run.

    Where it is interrupted, `crownkeep keys reseal` does the rest. Back the key file up afterwards.
    """
    from crownkeep import clock, data_directory
    from crownkeep.credentials import sealing

    with house.opened(data, database) as held:
        key = sealing.mint_key(clock.token_bytes(sealing.KEY_SIZE), made=clock.now().date())
        keyring = sealing.rotated(held.directory.keyring, key)
        data_directory.write_keyring(held.directory.path, keyring)
        held.directory.keyring.adopt(keyring)
        clock.sleep(wait)
        _reseal(held, as_json=as_json)


@command.command("reseal")
@house.options
@output.json_flag()
def reseal(data: str | None, database: str | None, as_json: bool) -> None:
    """Seal every secret with the newest key of the key file that is sealed with an older one."""
    with house.opened(data, database) as held:
        _reseal(held, as_json=as_json)


def _reseal(held: House, *, as_json: bool) -> None:
    resealed = unopenable = 0
    token: str | None = None
    while True:
        step = held.ask("ResealSecrets", next_token=token)
        resealed += step["resealed"]
        unopenable += step["unopenable"]
        token = step.get("next_token")
        if token is None:
            break
    newest = held.directory.keyring.newest.id
    if as_json:
        output.print_json({"sealing_key_id": newest, "resealed": resealed, "unopenable": unopenable})
    else:
        click.echo(f"{output.counted(resealed, 'secret')} sealed anew with the key {newest}.")
    if unopenable:
        raise click.ClickException(
            f"{unopenable} secrets can't be opened with any key of the key file: put the key they were sealed with back into it"
        )
