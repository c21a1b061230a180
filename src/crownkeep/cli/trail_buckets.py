"""`crownkeep trail bucket`: the operator gives accounts buckets that their trails may deliver log files to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from crownkeep.cli import house, output, secret_files, waiting
from crownkeep.cli.account import account_id


@click.group("bucket", short_help="Give accounts buckets for log files.")
def command() -> None:
    """Give accounts buckets that their trails deliver log files to; a trail can't deliver anywhere else."""


@command.command("add", short_help="Give an account a bucket.")
@click.argument("name")
@click.option("--account", metavar="ID", required=True, callback=account_id, help="The account whose trails may deliver there.")
@click.option("--directory", metavar="DIR", help="Keep the files here, and not in the data directory.")
@click.option("--s3-endpoint", metavar="URL", help="Have an S3-compatible server keep the files.")
@click.option("--s3-region", metavar="REGION", help="The Region that requests to it are signed for (us-east-1).")
@click.option("--s3-bucket", metavar="NAME", help="What the bucket is called there, where that is another name.")
@click.option("--s3-access-key-id", metavar="ID", help="The access key that requests to it are signed with.")
@click.option("--s3-secret-file", metavar="FILE", type=click.Path(path_type=Path), help="The file that holds its secret.")
@house.options
@output.json_flag()
def add(
    name: str,
    account: str,
    directory: str | None,
    s3_endpoint: str | None,
    s3_region: str | None,
    s3_bucket: str | None,
    s3_access_key_id: str | None,
    s3_secret_file: Path | None,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Give an account a bucket. Files are kept in the data directory, unless another place is named.

    What is in a directory can be read by the account through this server's S3 API. A server that `--s3-endpoint` names is only
    written to.
    """
    secret = None if s3_secret_file is None else secret_files.line(s3_secret_file, "the secret access key")
    with house.opened(data, database) as held:
        made = held.ask(
            "AddTrailBucket",
            name=name,
            account_id=account,
            directory=None if directory is None else str(Path(directory).absolute()),
            endpoint=s3_endpoint,
            endpoint_region=s3_region,
            endpoint_bucket=s3_bucket,
            access_key_id=s3_access_key_id,
            secret_access_key=secret,
        )
    if as_json:
        output.print_json(made)
    else:
        click.echo(f"Trails of account {account} may deliver to the bucket `{output.printable(name)}`, which is {made['place']}.")


@command.command("list", short_help="List the buckets of all accounts.")
@house.options
@output.json_flag()
def list_(data: str | None, database: str | None, as_json: bool) -> None:
    """List the buckets of all accounts, where they are, and how many trails deliver to each."""
    with house.opened(data, database) as held:
        found = held.ask_for_all("ListTrailBuckets", "buckets")
    if as_json:
        output.print_json({"buckets": found})
        return
    output.print_table(("BUCKET", "ACCOUNT", "TRAILS", "PLACE"), [_row(each) for each in found])


@command.command("remove", short_help="Take a bucket away; its files stay.")
@click.argument("name")
@waiting.options
@house.options
@output.json_flag()
def remove(name: str, asked: waiting.Asking, data: str | None, database: str | None, as_json: bool) -> None:
    """Take a bucket away. Its files stay where they are; trails that deliver there can't, and say so.

    Where the account's trail is sealed, its approval is asked for: the command prints the request's id and ends with 3.
    """
    with house.opened(data, database) as held:
        removed = waiting.ask(held, asked, "RemoveTrailBucket", name=name)
    if as_json:
        output.print_json(removed)
        return
    click.echo(f"The bucket `{output.printable(name)}` is removed; its files stay in {removed['place']}.")
    for each in removed["trails"]:
        click.echo(f"The trail {each} can't deliver any longer.")


def _row(bucket: Mapping[str, Any]) -> tuple[str, ...]:
    return bucket["name"], bucket["account_id"], str(len(bucket["trails"])), bucket["place"]
