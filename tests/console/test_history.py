"""What a browser keeps: after signing out nobody sees a page again by its back button, and no other site shows one in a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Page, expect
from tests.console.members import Served
from tests.fixtures.process import Process

Visit = Callable[..., Page]
PAGES = ("/console/users", "/console/users/carol?tab=security", "/console/trail", "/console")


@pytest.fixture
def other_site(tmp_path: Path, served: Process) -> Iterator[str]:
    """Another site, with a page that shows our console in a frame."""
    frames = "".join(f'<iframe src="http://localhost:{served.port}{path}" width="600" height="400"></iframe>' for path in PAGES)
    (tmp_path / "index.html").write_text(f"<!doctype html><title>Win a prize</title>{frames}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(tmp_path)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_history_the_back_button_shows_nothing_after_signing_out(visit: Visit, served: Process):
    page, account = visit(), Served(served)
    account.enter(page)
    for path in PAGES:
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()

    for _ in PAGES:
        page.go_back()

        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.locator(".menu, table")).to_have_count(0)


def test_clickjacking_another_site_s_frames_stay_empty(visit: Visit, served: Process, other_site: str):
    page, account = visit(), Served(served)
    account.enter(page)

    page.goto(other_site)
    page.wait_for_timeout(500)

    shown = [frame.content() for frame in page.frames if frame is not page.main_frame]
    assert len(PAGES) == len(shown)
    assert not any("carol" in content or "Crownkeep" in content for content in shown)
