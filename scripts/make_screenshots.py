"""Take pictures of the pages: a server of its own, a furnished account, and a real Chromium that looks.

    make screenshots

Every page of the console's table of routes is taken in light and in dark, narrow and wide, into screenshots/, and so are the
pages of a person of single sign-on; what the documents show goes to docs/pictures, as much of it as a screen shows.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import boto3
import pyotp
from playwright.sync_api import Browser, Page, sync_playwright
from shared import every_page, furnished
from shared.furnished import Samples

from crownkeep import models

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "screenshots"
SHOWN = (
    *("sign-in", "dashboard", "users-bob_security", "policies-one_reading_document", "trail-root"),
    *("single-sign-on", "single-sign-on-assignments"),
)
"""Pages that the documents show, light and wide."""
SHOWN_OF_PEOPLE = ("portal", "portal-device-code")
"""The same of the pages of a person of single sign-on, which need a sign-in of their own."""

COMMAND = str(Path(sys.executable).parent / "crownkeep")
PASSWORD = "Plum-Lantern-Quartz-47!"
SIZES = {"wide": (1440, 900), "middle": (820, 1180), "narrow": (360, 740)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def main() -> int:
    """Take every picture and say where they are."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="crownkeep-pictures-") as data:
        Path(data).chmod(0o700)
        url = f"http://localhost:{port}"
        command = [COMMAND, "serve", "--data", data, "--port", str(port), "--public-url", url]
        server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            _wait_for(url)
            answer = _account(data, url)
            samples = _furnished(answer, url)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
                _take_all(browser, url, str(answer["set_password_url"]), samples)
                _take_people(browser, url, _client("sso-directory", answer["admin"], url), samples)
                browser.close()
        finally:
            server.terminate()
            server.wait(timeout=30)
    print(PICTURES)
    return 0


def names(samples: Samples) -> dict[str, str]:
    """Return the name of the picture of every page, with the page's address."""
    named: dict[str, str] = {}
    for address in (*every_page.outside(samples), *every_page.inside(samples)):
        if every_page.is_file(address):
            continue
        name = "sign-in" if address == "/signin" else every_page.name_of(address)
        if name in named:
            raise ValueError(f"two pages would be the picture `{name}`: {named[name]} and {address}")
        named[name] = address
    return named


def _take_all(browser: Browser, url: str, link: str, samples: Samples) -> None:
    entering = browser.new_context(base_url=url)
    page = entering.new_page()
    _first_sign_in(page, link)
    state: Any = entering.storage_state()
    pictures = names(replace(samples, audit=_start_audit(page)))
    stranger = browser.new_context(base_url=url).new_page()
    inside = browser.new_context(base_url=url, storage_state=state).new_page()
    for name, address in pictures.items():
        shown = stranger if address.startswith("/signin") else inside
        shown.goto(address)
        _picture(shown, name)


def _first_sign_in(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("Retype the password").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    _enrol_app(page)
    page.get_by_role("button", name="Not now").click()


def _enrol_app(page: Page, look: Callable[[], None] = lambda: None) -> None:
    """Enrol an authenticator app where the sign-in asks for a device; `look` is called where its codes are asked for."""
    page.locator("#app-name").fill("phone")
    page.get_by_role("button", name="Set up an authenticator app").click()
    page.get_by_text("Show the secret key").wait_for()
    look()
    page.get_by_text("Show the secret key").click()
    app = pyotp.TOTP(page.locator(".seed").inner_text().replace(" ", ""))
    now = int(time.time())
    page.get_by_label("MFA code 1").fill(app.at(now - 30))
    page.get_by_label("MFA code 2").fill(app.at(now))
    page.get_by_role("button", name="Add MFA").click()


def _take_people(browser: Browser, url: str, directory: Any, samples: Samples) -> None:
    """Take the pages of a person of single sign-on, from the first sign-in on."""
    whose = {"IdentityStoreId": samples.start, "UserId": samples.person}
    given = directory.update_password(**whose, PasswordMode="OTP")["Password"]
    start = f"/start/{samples.start}"
    page = browser.new_context(base_url=url).new_page()
    page.goto(start)
    page.get_by_label("Username").fill("ines")
    page.get_by_label("Password").fill(given)
    page.get_by_role("button", name="Sign in").click()
    _picture(page, "portal-first-device")
    _enrol_app(page, lambda: _picture(page, "portal-first-app"))
    _picture(page, "portal-forced-change")
    page.get_by_label("Old password").fill(given)
    for label in ("New password", "Retype new password"):
        page.get_by_label(label, exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm password change").click()
    _picture(page, "portal-codes-offered")
    page.get_by_role("button", name="Make recovery codes").click()
    _picture(page, "portal-codes")
    page.get_by_role("link", name="I have kept them, go on").click()
    page.locator("[data-star]").first.click()
    _picture(page, "portal")
    page.get_by_role("button", name="Access keys of").last.click()
    _picture(page, "portal-keys")
    for name in ("security", "devices", "change-password", "device"):
        page.goto(f"{start}/{name}")
        _picture(page, f"portal-{name}")
    page.goto(_asked_by_program(url, start))
    _picture(page, "portal-device-code")
    page.get_by_role("button", name="Confirm and allow").click()
    _picture(page, "portal-device-allowed")


def _asked_by_program(url: str, start: str) -> str:
    """Return the address at which a program that asked for a device code is allowed."""
    oidc = boto3.client(
        "sso-oidc", region_name="us-east-1", endpoint_url=url, aws_access_key_id="none", aws_secret_access_key="none"
    )
    program = oidc.register_client(clientName="aws-cli", clientType="public", scopes=["sso:account:access"])
    known = {"clientId": program["clientId"], "clientSecret": program["clientSecret"]}
    asked: str = oidc.start_device_authorization(**known, startUrl=f"{url}{start}")["verificationUriComplete"]
    return asked


def _picture(page: Page, name: str) -> None:
    """Take the page that is shown, in every look, and leave it as it is."""
    page.wait_for_load_state("networkidle")
    for scheme in SCHEMES:
        for size, (width, height) in SIZES.items():
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=PICTURES / f"{name}-{scheme}-{size}.png", full_page=True)
            if name in (*SHOWN, *SHOWN_OF_PEOPLE) and (scheme, size) == ("light", "wide"):
                page.screenshot(path=ROOT / "docs/pictures" / f"{name}-light-wide.png")


def _furnished(answer: dict[str, Any], url: str) -> Samples:
    iam, contacts, trail = (_client(service, answer["admin"], url) for service in ("iam", "account", "cloudtrail"))
    samples = furnished.furnish(iam, contacts, str(answer["account_id"]))
    samples = furnished.organize(_client("organizations", answer["admin"], url), samples)
    samples = furnished.sign_on(lambda service: _client(service, answer["admin"], url), samples)
    return replace(samples, event=trail.lookup_events(MaxResults=1)["Events"][0]["EventId"])


def _start_audit(page: Page) -> str:
    page.goto("/console/credential-audits")
    page.get_by_label("Name").fill("2026-Q4")
    page.get_by_role("button", name="Start audit").click()
    return urlsplit(page.url).path.rpartition("/")[2]


def _client(service: str, key: dict[str, str], url: str) -> Any:
    os.environ["AWS_DATA_PATH"] = str(models.OWN_FOLDER)
    secrets = {"aws_access_key_id": key["access_key_id"], "aws_secret_access_key": key["secret_access_key"]}
    return boto3.client(service, region_name="us-east-1", endpoint_url=url, **secrets)


def _account(data: str, url: str) -> dict[str, Any]:
    options = ["--email", "root@acme.example", "--name", "acme", "--admin-user", "admin-user", "--json", "--data", data]
    done = subprocess.run([COMMAND, "account", "create", *options], capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.replace("http://localhost:4747", url))
    return answer


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"{url}/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"no server answers at {url}")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
