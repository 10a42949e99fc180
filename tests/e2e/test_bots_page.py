"""The one click, against a server that cuts connections: Chromium must not repeat it, nor press late, nor twice."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import BrowserContext, Request

from bots import contract
from bots.browser import browser
from bots.page import Tab
from bots.portals.base import Halt
from tests.plugins import bots as rig

PAGE = b"""<!doctype html><html><body><form method="post" action="/guardar"><input name="a" value="1">
<button id="b">Radicar</button></form></body></html>"""


@dataclass
class Cutter:
    """Serves one page over keep-alive connections and cuts each POST without an answer."""

    obeys: bool = True
    posts: int = 0
    server: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            while line := lines.readline():
                headers = {}
                while head := lines.readline().strip():
                    name, _, value = head.decode().partition(":")
                    headers[name.lower()] = value.strip()
                lines.read(int(headers.get("content-length", 0)))
                if line.startswith(b"POST"):
                    self.posts += 1
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                closes = self.obeys and headers.get("connection") == "close"
                said = b"Connection: close\r\n" if closes else b""
                size = b"Content-Length: %d\r\n\r\n" % len(PAGE)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + said + size + PAGE)
                if closes:
                    return


@dataclass
class Pilot:
    """A pilot whose permission is good for `fresh_s` seconds from now."""

    fresh_s: float = 5
    steps: list[str] = field(default_factory=list)

    def progress(self, step: str, n: int, of: int) -> None:
        """Nothing to tell."""

    def remaining(self) -> float:
        """Enough."""
        return 10.0

    def click_limit(self) -> float:
        """Until then the page lets the click through."""
        return time.time() + self.fresh_s

    def cross(self) -> None:
        """Note it."""
        self.steps.append("cross")

    def cross_back(self) -> None:
        """Note it."""
        self.steps.append("back")

    def clicked(self) -> None:
        """Note it."""
        self.steps.append("clicked")


@pytest.fixture
def cutter() -> Iterator[Cutter]:
    made = Cutter()
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    yield made
    made.server.shutdown(socket.SHUT_RDWR)
    made.server.close()
    thread.join(10)


@pytest.fixture
def context() -> Iterator[BrowserContext]:
    with browser(contract.Browser(rig.CHROMIUM, sandbox=os.geteuid() != 0)) as made:
        yield made


def _posts(request: Request) -> bool:
    return request.method == "POST"


def _tab(context: BrowserContext, cutter: Cutter, pilot: Pilot) -> Tab:
    tab = Tab(context.new_page(), cutter.url, pilot)
    tab.open("/")
    tab.open("/otra")  # a second request is what makes a connection a used one
    return tab


def test_a_cut_connection_is_one_request(context: BrowserContext, cutter: Cutter) -> None:
    pilot = Pilot()
    tab = _tab(context, cutter, pilot)
    watch = tab.press_once("#b", "Radicar", _posts)
    assert tab.wait_answer({"never": "#nunca"}, watch, message_limit_s=2) is None
    assert watch.failed
    assert cutter.posts == 1
    assert pilot.steps == ["cross", "clicked"]


def test_a_portal_that_keeps_its_connections_is_not_pressed(context: BrowserContext, cutter: Cutter) -> None:
    cutter.obeys = False
    pilot = Pilot()
    tab = _tab(context, cutter, pilot)
    with pytest.raises(Halt, match="conexion_reutilizada"):
        tab.press_once("#b", "Radicar", _posts)
    assert cutter.posts == 0
    assert pilot.steps == []


def test_the_page_itself_refuses_a_click_that_comes_too_late(context: BrowserContext, cutter: Cutter) -> None:
    pilot = Pilot(fresh_s=-0.001)
    tab = _tab(context, cutter, pilot)
    watch = tab.press_once("#b", "Radicar", _posts)
    with pytest.raises(Halt, match="go_tardio"):
        tab.check_clicked(watch)
    assert pilot.steps == ["cross", "clicked", "back"]
    tab.page.click("#b")
    assert tab.wait_any({"never": "#nunca"}, limit_s=1) is None
    assert cutter.posts == 0


def test_a_second_click_does_not_go_through(context: BrowserContext, cutter: Cutter) -> None:
    tab = _tab(context, cutter, Pilot())
    tab.page.evaluate(
        "document.forms[0].addEventListener('submit', e => { e.preventDefault(); fetch('/x', {method: 'POST'}); })"
    )
    watch = tab.press_once("#b", "Radicar", _posts)
    tab.page.click("#b")
    tab.page.click("#b")
    assert tab.wait_any({"never": "#nunca"}, limit_s=1) is None
    assert watch.sent == 1
    assert cutter.posts == 1


def test_a_field_that_the_page_erases_is_noticed(context: BrowserContext, cutter: Cutter) -> None:
    tab = _tab(context, cutter, Pilot())
    tab.page.evaluate("document.querySelector('input').addEventListener('input', e => { e.target.value = ''; })")
    with pytest.raises(Halt, match="campo_no_conserva"):
        tab.fill("input[name=a]", "FE1", "factura")
