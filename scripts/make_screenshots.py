"""Take pictures of the pages: a server of its own, a fresh account, and a real Chromium that looks.

    make screenshots

Every page of the list is taken in light and in dark, narrow and wide, into screenshots/; what the documents show goes to
docs/pictures.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import pyotp
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "screenshots"
SHOWN = ("sign-in-light-wide", "dashboard-light-wide")
COMMAND = str(Path(sys.executable).parent / "crownkeep")
PASSWORD = "Plum-Lantern-Quartz-47!"
SIZES = {"wide": (1440, 900), "narrow": (360, 740)}
SCHEMES = ("light", "dark")
PAGES = {
    "dashboard": "/console",
    "users": "/console/users",
    "policies": "/console/policies",
    "trail": "/console/trail",
    "password-policy": "/console/password-policy",
    "security-credentials": "/console/security",
}


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
            link = str(_account(data, url)["set_password_url"])
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
                _take_all(browser, url, link)
                browser.close()
        finally:
            server.terminate()
            server.wait(timeout=30)
    for name in SHOWN:
        shutil.copy(PICTURES / f"{name}.png", ROOT / "docs/pictures" / f"{name}.png")
    print(PICTURES)
    return 0


def _take_all(browser: Browser, url: str, link: str) -> None:
    entering = browser.new_context(base_url=url)
    page = entering.new_page()
    _first_sign_in(page, link)
    state: Any = entering.storage_state()
    for scheme in SCHEMES:
        for size, (width, height) in SIZES.items():
            looks: Any = {"color_scheme": scheme, "viewport": {"width": width, "height": height}, "base_url": url}
            stranger = browser.new_context(**looks).new_page()
            stranger.goto("/signin")
            _take(stranger, f"sign-in-{scheme}-{size}")
            inside = browser.new_context(storage_state=state, **looks).new_page()
            for name, path in PAGES.items():
                inside.goto(path)
                _take(inside, f"{name}-{scheme}-{size}")


def _first_sign_in(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("Retype the password").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    page.locator("#app-name").fill("phone")
    page.get_by_role("button", name="Set up an authenticator app").click()
    page.get_by_text("Show the secret key").click()
    app = pyotp.TOTP(page.locator(".seed").inner_text().replace(" ", ""))
    now = int(time.time())
    page.get_by_label("MFA code 1").fill(app.at(now - 30))
    page.get_by_label("MFA code 2").fill(app.at(now))
    page.get_by_role("button", name="Add MFA").click()
    page.get_by_role("link", name="Not now").click()


def _take(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def _account(data: str, url: str) -> Any:
    options = ["--email", "root@acme.example", "--name", "acme", "--admin-user", "admin-user", "--json", "--data", data]
    done = subprocess.run([COMMAND, "account", "create", *options], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.replace("http://127.0.0.1:4747", url))


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
