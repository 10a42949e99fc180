"""The simulators as programs: controls, a ledger that survives, TLS nobody signed, the command line, a clean end."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from bots.simulador.config import ConfigError
from bots.simulador.server import start
from tests.simulador_client import AtEps, AtInsurer, Visitor

if TYPE_CHECKING:
    from pathlib import Path

FAST = {"validation_s": 0.0}


def _controls(visitor: Visitor, path: str) -> Any:
    return visitor.get_json(f"/__sim/{path}")


def test_the_controls_tell_set_and_reset(tmp_path: Path) -> None:
    with start("p2", tmp_path / "l.sqlite", config=FAST) as portal:
        person = AtEps(portal.url)
        person.log_in()
        assert person.post_json("/__sim/config", {"errors": {"reject": 1}, "query_lag_s": 5})[0] == 200
        settings = _controls(person, "config")
        assert (settings["query_lag_s"], settings["errors"]["reject"]["next"]) == (5, 1)
        assert "clave" not in settings["users"][0]
        status, _, body = person.post_json("/__sim/config", {"nada": 1})
        assert (status, "nada" in body.decode()) == (400, True)
        person.file(person.upload("FE1"))
        assert _controls(person, "ledger")["counts"] == portal.ledger.counts()
        assert person.post_json("/__sim/reset", {})[0] == 200
        assert _controls(person, "ledger")["rows"] == []
        assert _controls(person, "config")["query_lag_s"] == 0
        assert person.get("/app/inicio")[0] == 302


def test_the_controls_answer_while_the_portal_is_down(tmp_path: Path) -> None:
    with start("p2", tmp_path / "l.sqlite", config={"maintenance": True}) as portal:
        visitor = AtEps(portal.url)
        assert visitor.get("/app")[0] == 503
        assert visitor.post_json("/__sim/config", {"maintenance": None})[0] == 200
        assert visitor.get("/app")[0] == 200
        portal.configure(error_500=1)
        assert [visitor.get("/app")[0] for _ in range(2)] == [500, 200]


@pytest.mark.parametrize("kind", ["p1", "p2"])
def test_nothing_a_page_needs_comes_from_elsewhere(tmp_path: Path, kind: str) -> None:
    with start(kind, tmp_path / "l.sqlite") as portal:
        page = Visitor(portal.url).get("/" if kind == "p1" else "/app")[2].decode()
        assert "https://" not in page
        assert "http://" not in page


def test_the_ledger_survives_and_no_number_is_given_twice(tmp_path: Path) -> None:
    numbers = []
    for _ in range(3):
        with start("p2", tmp_path / "l.sqlite", config={**FAST, "detect_duplicates": False}) as portal:
            person = AtEps(portal.url)
            person.log_in()
            person.file(person.upload("FE1"))
            numbers.append(portal.ledger.rows()[-1]["radicado"].split("_")[0])
            assert len(portal.ledger.rows()) == len(numbers)
    assert len(set(numbers)) == 3


def test_at_once_from_many_people_one_of_them_files(tmp_path: Path) -> None:
    with start("p2", tmp_path / "l.sqlite", config=FAST) as portal:
        people = [AtEps(portal.url) for _ in range(8)]
        accounts = []
        for person in people:
            person.log_in()
            accounts.append(person.upload("FE1"))
        with ThreadPoolExecutor(8) as pool:
            answers = list(
                pool.map(lambda pair: json.loads(pair[0].file(pair[1])[2]), zip(people, accounts, strict=True))
            )
        assert sorted(answer["estado"] for answer in answers) == ["ok"] + ["rechazada"] * 7
        assert portal.ledger.counts() | {"submits": 8, "accepted": 1} == portal.ledger.counts()


def test_the_certificate_is_one_that_nobody_signed(tmp_path: Path) -> None:
    with start("p1", tmp_path / "l.sqlite", config={"tls": True}) as portal:
        parts = urlsplit(portal.url)
        address = (parts.hostname or "", parts.port or 0)
        assert parts.scheme == "https"
        with (
            socket.create_connection(address, timeout=10) as plain,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            ssl.create_default_context().wrap_socket(plain, server_hostname=address[0])
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(address, timeout=10) as plain:
            secure = trusting.wrap_socket(plain, server_hostname=address[0])
            secure.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert secure.recv(15) == b"HTTP/1.1 200 OK"
            secure.close()
    with pytest.raises(ConfigError):
        start("p1", tmp_path / "l.sqlite", config={"tls": True}, host="0.0.0.0")


def test_stopping_leaves_nothing_behind_even_with_a_request_that_hangs(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    portal = start("p1", tmp_path / "l.sqlite", config={"hang_after_save": True})
    person = AtInsurer(portal.url)
    person.log_in()
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(person.file, "FE1")
        while not portal.ledger.rows():
            time.sleep(0.01)
        portal.stop()
        assert hanging.exception(timeout=30) is not None
    portal.stop()
    assert {thread for thread in threading.enumerate() if thread.is_alive()} <= before
    parts = urlsplit(portal.url)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5)


def test_as_a_program_it_says_where_it_listens_and_ends_when_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bots.simulador", "p2", "--ledger", str(tmp_path / "l.sqlite")]
    with subprocess.Popen([*command, "--config", '{"layout": "v2"}'], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        assert b"codPrestador" in Visitor(url).get("/app")[2]
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == ""
        assert process.wait(20) == 0
    wrong = subprocess.run([*command, "--config", '{"nada": 1}'], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "nada" in wrong.stderr
    assert "Traceback" not in wrong.stderr
