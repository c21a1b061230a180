"""`crownkeep login`: what `aws login` does, for AWS command lines that don't have it.

The person signs in with a browser; what comes of it goes into the cache that `aws login` uses. The profile then names either the
session in that cache, for tools that know it, or this command, which every AWS tool can call for credentials
(`credential_process`).
"""

from __future__ import annotations

import os
import shlex
import sys
import webbrowser
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from crownkeep import arn, clock
from crownkeep.cli import output

_ENOUGH_LEFT = timedelta(minutes=5)
"""With so much time left, cached credentials are given out as they are; AWS's tools use the same limit."""

_SESSION = "crownkeep_login_session"


@click.command("login", short_help="Get credentials for the AWS CLI by signing in with a browser.")
@click.option(
    "--profile", default="default", metavar="NAME", envvar="AWS_PROFILE", show_default=True, help="The AWS profile to write."
)
@click.option(
    "--endpoint-url", metavar="URL", help="The server's address; by default AWS_ENDPOINT_URL, the profile's, or this computer."
)
@click.option("--region", metavar="NAME", help="The profile's region, where it has none yet.  [default: us-east-1]")
@click.option("--cross-device", is_flag=True, help="Sign in with a browser on another computer and paste the code.")
@click.option("--login-session", is_flag=True, help="Name the session in the profile, for tools that know `aws login`.")
@click.option("--no-browser", is_flag=True, help="Print the address instead of opening a browser.")
@click.option("--credential-process", is_flag=True, help="Print the profile's credentials for an AWS tool; renew if needed.")
@output.json_flag("Print JSON about what was written.")
def command(
    profile: str,
    endpoint_url: str | None,
    region: str | None,
    cross_device: bool,
    login_session: bool,
    no_browser: bool,
    credential_process: bool,
    as_json: bool,
) -> None:
    """Sign in with a browser and give an AWS profile temporary credentials. No access key is made.

    The credentials last fifteen minutes and are renewed by themselves for as long as the browser session lasts.
    """
    from crownkeep.cli import aws_files
    from crownkeep.cli.aws_files import UnusableFile
    from crownkeep.cli.sign_in_client import SignInFailed

    if not aws_files.PROFILE_NAME.fullmatch(profile):
        raise click.UsageError(f"`{profile}` can't name a profile: use letters, digits and _.@+=,:/-")
    try:
        if credential_process:
            _print_credentials(profile, endpoint_url)
            return
        # Before the browser opens: nobody signs in to hear that the profile holds keys of somebody's own.
        aws_files.check_free(profile)
        endpoint = _endpoint(profile, endpoint_url)
        session, token = _sign_in(endpoint, cross_device=cross_device, no_browser=no_browser or cross_device)
        cache = aws_files.cache(session, token)
        config = aws_files.write_profile(profile, _values(profile, session, endpoint, region, login_session=login_session))
    except (SignInFailed, UnusableFile) as error:
        raise click.ClickException(output.printable(str(error))) from error
    _tell(profile, session, config, cache, as_json=as_json)


def _sign_in(endpoint: str, *, cross_device: bool, no_browser: bool) -> tuple[str, dict[str, Any]]:
    from crownkeep.cli import sign_in_client
    from crownkeep.cli.sign_in_client import CROSS_DEVICE, SAME_DEVICE, Attempt, Listener

    if cross_device:
        attempt = Attempt(endpoint, CROSS_DEVICE, f"{endpoint}/v1/sessions/confirmation")
        _show(attempt.address, no_browser=no_browser)
        # Hidden, like a password: with the verifier of this process it is worth credentials.
        code = attempt.pasted_code(click.prompt("Code from the browser", hide_input=True, err=True))
        return sign_in_client.redeem(attempt, code)
    listener = Listener()
    try:
        attempt = Attempt(endpoint, SAME_DEVICE, listener.redirect_uri)
        _show(attempt.address, no_browser=no_browser)
        return sign_in_client.redeem(attempt, listener.wait(attempt))
    finally:
        listener.close()


def _show(address: str, *, no_browser: bool) -> None:
    click.echo(f"Sign in with a browser at this address:\n\n  {address}\n", err=True)
    if not no_browser:
        webbrowser.open(address)


def _values(profile: str, session: str, endpoint: str, region: str | None, *, login_session: bool) -> Mapping[str, str | None]:
    """Return the profile's keys: of the two ways to the session it has one, or the wrong one might be taken."""
    from crownkeep.cli import aws_files

    ours = Path(sys.argv[0]).name.startswith("crownkeep")
    program = str(Path(sys.argv[0]).resolve()) if ours else "crownkeep"
    # AWS's tools take this apart as a shell would. A profile's name needs no quotes: PROFILE_NAME lets no such character through.
    process = f"{shlex.quote(program)} login --credential-process --profile {profile}"
    return {
        "login_session": session if login_session else None,
        _SESSION: None if login_session else session,
        "credential_process": None if login_session else process,
        "endpoint_url": endpoint,
        "region": region or aws_files.profile(profile).get("region") or arn.GLOBAL_REGION,
    }


def _print_credentials(profile: str, endpoint_url: str | None) -> None:
    from crownkeep.cli import aws_files, sign_in_client
    from crownkeep.cli.sign_in_client import SignInFailed

    again = f"sign in with `crownkeep login --profile {profile}`"
    held = aws_files.profile(profile)
    # Either key may name it: a profile of `aws login` serves as well.
    session = held.get(_SESSION) or held.get("login_session")
    token = aws_files.cached(session) if session else None
    if session is None or token is None:
        raise SignInFailed(f"profile `{profile}` has no session: {again}")
    ends = sign_in_client.expiry(token)
    if ends is None or ends - clock.now() <= _ENOUGH_LEFT:
        try:
            token = sign_in_client.refresh(_checked(endpoint_url or held.get("endpoint_url") or _elsewhere()), token)
        except SignInFailed as error:
            raise SignInFailed(f"{error} ({again})") from error
        aws_files.cache(session, token)
    given = token["accessToken"]
    output.print_json(
        {
            "Version": 1,
            "AccessKeyId": given["accessKeyId"],
            "SecretAccessKey": given["secretAccessKey"],
            "SessionToken": given["sessionToken"],
            "Expiration": given["expiresAt"],
        }
    )


def _endpoint(profile: str, endpoint_url: str | None) -> str:
    from crownkeep.cli import aws_files

    named = os.environ.get("AWS_ENDPOINT_URL_SIGNIN") or os.environ.get("AWS_ENDPOINT_URL")
    return _checked(endpoint_url or named or aws_files.profile(profile).get("endpoint_url") or _elsewhere())


def _elsewhere() -> str:
    """Return where a server with this directory's settings is reached."""
    from crownkeep import settings

    return settings.load().url


def _checked(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
        raise click.UsageError(f"`{endpoint}` is no address of a server: write it like https://sign-in.example.org")
    return f"{parts.scheme}://{parts.netloc}"


def _tell(profile: str, session: str, config: Path, cache: Path, *, as_json: bool) -> None:
    if as_json:
        output.print_json({"profile": profile, "session": session, "config": str(config), "cache": str(cache)})
        return
    option = "" if profile == "default" else f" --profile {profile}"
    click.echo(f"Signed in as {output.printable(session)}. Use it with: aws sts get-caller-identity{option}")
