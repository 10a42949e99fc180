"""A real Chromium, and what a person does in it: enter, follow a link, wait for the next page to stand.

Invariant: a page that complains (an exception, an error of the console, its policy broken) fails the test that opened it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright
from waitress.server import create_server

from radica.kernel.config import load_settings
from tests.plugins.web import PASSWORD

# A page shares two cores with a worker that judges and a browser: what must come comes, though not always in 5 s.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield the browser; without one nothing is walked, and in CI that is a failure."""
    executable = load_settings(os.environ).chromium
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: the pages are not walked")
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an application by its own server and give the address."""
    server = create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(5)


@contextmanager
def entered(browser: Browser, url: str, mail: str) -> Iterator[Page]:
    """Give the page of a person who logged in, in a browser of their own; its pages may not complain."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="es-CO", accept_downloads=True)
    page = context.new_page()
    complaints: list[str] = []

    def heard(line: ConsoleMessage) -> None:
        refused = "status of 422" in line.text  # a form that was not taken: the page says why
        if (line.type == "error" and not refused) or "Content Security Policy" in line.text:
            complaints.append(f"{page.url}: {line.text}")

    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", heard)
    page.goto(url)
    page.get_by_label("Correo").fill(mail)
    page.get_by_label("Contraseña").fill(PASSWORD)
    page.get_by_role("button", name="Entrar").click()
    page.wait_for_url("**/hoy*")
    try:
        yield page
    finally:
        context.close()
    assert complaints == []


@contextmanager
def leaving(page: Page) -> Iterator[None]:
    """Do what leads to another page, and wait until that one stands with its keys.

    Not `expect_navigation`: htmx rewrites the history of a page that has just loaded, and that counts as one.
    """
    page.evaluate("document.documentElement.dataset.vieja = 'si'")
    yield
    expect(page.locator("html[data-vieja]")).to_have_count(0)
    page.wait_for_load_state()


def follow(page: Page, link: Locator) -> None:
    """Click what leads to another page."""
    with leaving(page):
        link.click()
