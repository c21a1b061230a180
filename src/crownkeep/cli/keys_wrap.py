"""`crownkeep keys wrap` and `unwrap`: a sealing key that opens only with a key of a hardware token, or of a service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crownkeep.cli import house, output
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.wrapping.key_files import KeyHolder


@click.command("wrap", short_help="Let a hardware token or a service hold what opens the sealing key.")
@click.option("--pkcs11", "module", metavar="MODULE", help="The PKCS#11 library of the token.")
@click.option("--token", metavar="LABEL", help="The token's label.")
@click.option("--key", "label", metavar="LABEL", default="crownkeep", show_default=True, help="The key in the token.")
@click.option("--kms", metavar="KEY", help="The key of a service that speaks AWS KMS's API: its id, alias or ARN.")
@click.option("--region", metavar="REGION", default="us-east-1", show_default=True, help="The region of that service.")
@click.option("--endpoint", metavar="URL", default="", help="The address of that service, where it is not Amazon's.")
@house.options
@output.json_flag()
def wrap(
    module: str | None,
    token: str | None,
    label: str,
    kms: str | None,
    region: str,
    endpoint: str,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Wrap the sealing key: `sealing.key` then opens only with a key that never leaves its holder.

    In a token (PKCS#11) the key is made if there is none of that label. Its PIN is read from `sealing.pin` of the data
    directory, the credential `sealing.pin` or CROWNKEEP_SEALING_PIN. Servers that run go on. Rotate the key afterwards, as disks
    keep what was deleted.
    """
    from crownkeep import sealing_key_file

    holder = _holder(module, token, label, kms, region, endpoint)
    with house.opened_where_it_is(data, database) as held:
        held.ask("WrapSealingKey", by="kms" if module is None else "pkcs11")
        _require_file(held.directory.path)
        sealing_key_file.hold_key(held.directory.path, holder)
    if as_json:
        output.print_json({"wrapped_by": holder.spoken})
    else:
        click.echo(f"The sealing key opens only with {holder.spoken} from now on.")
        click.echo(
            "Run `crownkeep keys rotate` now: a disk may keep what was deleted. Back up the token's key as its maker says."
        )


@click.command("unwrap", short_help="Keep the sealing key open on the disk again.")
@house.options
@output.json_flag()
def unwrap(data: str | None, database: str | None, as_json: bool) -> None:
    """Put a wrapped sealing key on the disk again, so that servers start without the holder, who must be reached once more."""
    from crownkeep import data_directory, sealing_key_file

    with house.opened_where_it_is(data, database) as held:
        held.ask("UnwrapSealingKey")
        if data_directory.key_holder(held.directory.path) is None:
            raise click.ClickException("the sealing key is not wrapped: see `crownkeep keys wrap`")
        _require_file(held.directory.path)
        sealing_key_file.hold_key(held.directory.path, None)
    if as_json:
        output.print_json({"wrapped_by": None})
    else:
        click.echo("The sealing key is open on the disk again.")


def _require_file(path: Path) -> None:
    from crownkeep import data_directory

    if not (path / data_directory.SEALING_KEY).exists():
        raise click.ClickException(
            f"the sealing key is handed in, and not in `{path}`: wrap it where it is a file, and hand that file in"
        )


def _holder(module: str | None, token: str | None, label: str, kms: str | None, region: str, endpoint: str) -> KeyHolder:
    from crownkeep.wrapping.services import ServiceKey
    from crownkeep.wrapping.tokens import TokenKey

    if (module is None) == (kms is None):
        raise WrongCall("say whose key it is: `--pkcs11 MODULE --token LABEL`, or `--kms KEY`")
    if kms is not None:
        return ServiceKey(key=kms, region=region, endpoint=endpoint)
    if module is None or token is None:
        raise WrongCall("`--pkcs11` needs `--token LABEL`: `pkcs11-tool -L --module MODULE` lists tokens")
    return TokenKey(module=module, token=token, key=label)
