"""`crownkeep operations`: which operations are served, and which are not, of every service whose wire is spoken."""

from __future__ import annotations

from collections.abc import Mapping

import click

from crownkeep.cli import output


@click.command("operations", short_help="List which AWS operations are served.")
@click.option("--service", metavar="NAME", help="Only this service, with all its operations, such as `iam`.")
@output.json_flag()
def command(service: str | None, as_json: bool) -> None:
    """List which AWS operations are served. Others are refused with AWS's error code for an unknown operation."""
    from crownkeep import models, services
    from crownkeep.operations import registry

    services.load()
    spoken = models.SPOKEN
    if service is not None and service not in spoken:
        raise click.UsageError(f"`{output.printable(service)}` is not spoken here; one of {', '.join(spoken)} is meant")
    found: dict[str, Mapping[str, bool]] = {}
    for name in spoken if service is None else (service,):
        registered = registry.service(name)
        served = set(registered.served()) if registered else set()
        found[name] = {operation: operation in served for operation in sorted(models.service(name).operations)}
    if as_json:
        output.print_json(_as_json(found))
    elif service is None:
        rows = [(name, str(sum(each.values())), str(len(each))) for name, each in found.items()]
        output.print_table(("SERVICE", "SERVED", "OF"), rows)
    else:
        rows_of_one = [(name, "served" if is_served else "not served") for name, is_served in found[service].items()]
        output.print_table(("OPERATION", ""), rows_of_one)


def _as_json(found: Mapping[str, Mapping[str, bool]]) -> dict[str, object]:
    return {
        "services": [
            {
                "service": name,
                "served": [operation for operation, is_served in operations.items() if is_served],
                "not_served": [operation for operation, is_served in operations.items() if not is_served],
            }
            for name, operations in found.items()
        ]
    }
