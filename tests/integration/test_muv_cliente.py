"""The client of the MUV against the simulated API over real HTTPS: what leaves, what is refused, what is waited for."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path

import pytest

from bots.simulador.muv import Handle, start
from radica.facturas.muv.cliente import Credencial, Limites, Muv
from radica.facturas.muv.llamadas import MAX_XML
from radica.facturas.muv.prueba import probar
from radica.facturas.muv.transporte import MuvProblem, Puerta, huella_de, leer_certificado, preguntar
from radica.facturas.validacion.modelo import Modulo
from tests.plugins.validating_muv import CLAVE, NUMERO, built_packages

WHO = Credencial("990000113", "CC", NUMERO, CLAVE)
LIMITS = Limites(entrar_s=60, enviar_s=60, consultar_s=60)
QUICK = Limites(entrar_s=60, enviar_s=1, consultar_s=60)
"""For who runs into the limit of sending."""


@pytest.fixture
def papers() -> tuple[bytes, bytes]:
    """RIPS and XML of a right package."""
    contents = built_packages(1)[0].contents
    xml = next(data for path, data in contents.items() if path.suffix == ".xml")
    rips = next(data for path, data in contents.items() if path.suffix == ".json" and "CUV" not in path.name)
    return rips, xml


def client(muv: Handle, limits: Limites = LIMITS, who: Credencial = WHO) -> Muv:
    return Muv(Puerta(muv.url, muv.certificate), who, limits)


def refused(muv: Muv, papers: tuple[bytes, bytes]) -> MuvProblem:
    with pytest.raises(MuvProblem) as told:
        muv.cargar(Modulo.FEV, *papers)
    return told.value


def test_a_package_its_recovery_and_its_register(muv: Handle, papers: tuple[bytes, bytes]):
    talk = client(muv)
    assert "DockerProd" in talk.salud()
    first = talk.cargar(Modulo.FEV, *papers)
    assert first.dice.accepted
    second = talk.cargar(Modulo.FEV, *papers)
    assert (second.ya_aprobado, second.cuv_citado) == (True, first.dice.cuv)
    assert first.dice.cuv is not None
    again = talk.recuperar(first.dice.cuv).dice
    assert (again.accepted, again.number, again.at) == (True, first.dice.number, first.dice.at)
    register = talk.consultar(first.dice.cuv).dice
    assert (register.accepted, register.at, register.issuer and register.issuer.number) == (
        True,
        first.dice.at,
        "990000113",
    )
    assert talk.descargar(first.dice.cuv).status == 200
    assert not talk.consultar("0" * 96).dice.accepted
    assert muv.state.logins == 1


def test_a_query_needs_no_login(muv: Handle):
    assert not Muv(Puerta(muv.url, muv.certificate), None, LIMITS).consultar("0" * 96).dice.accepted
    assert muv.state.logins == 0


def test_a_large_body_travels_compressed(muv: Handle, papers: tuple[bytes, bytes]):
    client(muv, replace(LIMITS, gzip_desde=1000)).cargar(Modulo.FEV, *papers)
    client(muv, replace(LIMITS, gzip_desde=10**9)).cargar(Modulo.FEV, *papers)
    packed, plain = muv.book.received
    assert (packed.gzip, plain.gzip, packed.huella) == (True, False, plain.huella)
    assert packed.bytes < plain.bytes


def test_what_is_too_large_never_leaves(muv: Handle, papers: tuple[bytes, bytes]):
    problem = refused(client(muv), (papers[0], b" " * (MAX_XML + 1)))
    assert (problem.code, problem.again) == ("GI008", False)
    assert (muv.book.received, muv.state.logins) == ([], 0)


def test_nothing_is_said_to_a_server_with_another_certificate(tmp_path: Path, muv: Handle, papers: tuple[bytes, bytes]):
    with start(tmp_path / "otro") as other:
        problem = refused(Muv(Puerta(muv.url, other.certificate), WHO, QUICK), papers)
    assert (problem.code, problem.again) == ("certificado", False)
    assert refused(Muv(Puerta(muv.url), WHO, QUICK), papers).code == "certificado"
    assert muv.state.logins == 0
    shown = leer_certificado(muv.url, timeout_s=20)
    assert huella_de(shown) == huella_de(muv.certificate)


@pytest.mark.parametrize(
    ("fault", "code", "again"),
    [
        ("timeout_after", "muv_demorado", True),
        ("drip", "muv_demorado", True),
        ("reset_after", "muv_cortado", True),
        ("redirect", "muv_redirige", False),
        ("error_500_after", "http_500", True),
        ("bad_json_after", "respuesta_ilegible", True),
        ("bad_request", "http_400", False),
    ],
)
def test_each_fault_has_its_code(muv: Handle, papers: tuple[bytes, bytes], fault: str, code: str, again: bool):
    muv.configure(**{fault: 1})
    problem = refused(client(muv, QUICK if code == "muv_demorado" else LIMITS), papers)
    assert (problem.code, problem.again) == (code, again)


DRIPS: dict[str, Iterator[bytes]] = {
    "header": chain([b"HTTP/1.1 200 OK\r\nX-A: "], repeat(b"a")),
    "go_on": repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunk": chain([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"], repeat(b"0")),
    "no_length": chain([b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"], repeat(b" ")),
}
"""What a server may say byte by byte, always sooner than the limit of one reading."""


@pytest.mark.parametrize("kind", DRIPS)
def test_who_drips_what_is_no_body_holds_nobody(kind: str):
    over = threading.Event()

    def drip() -> None:
        with listening.accept()[0] as talk:
            try:
                talk.recv(65_536)
                for piece in DRIPS[kind]:
                    talk.sendall(piece)
                    if over.wait(0.1):
                        return
            except OSError:
                return  # they hung up, as they should

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=drip, daemon=True)
        server.start()
        door = Puerta(f"http://127.0.0.1:{listening.getsockname()[1]}")
        end = threading.Timer(30, over.set)
        end.start()
        try:
            with pytest.raises(MuvProblem) as told:
                preguntar(door, "POST", "/x", b"{}", headers={}, timeout_s=1)
            assert not over.is_set()
        finally:
            end.cancel()
            over.set()
            server.join()
    assert (told.value.code, told.value.again) == ("muv_demorado", True)


def test_who_sips_a_large_body_holds_nobody(tmp_path: Path):
    """Over TLS a body goes out record by record; each would have its own limit."""
    over = threading.Event()
    with start(tmp_path) as known:
        door = Puerta(known.url, known.certificate)
    keys = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    keys.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")

    def sip() -> None:
        try:
            with keys.wrap_socket(listening.accept()[0], server_side=True) as talk:
                while talk.recv(16_384) and not over.wait(0.2):
                    pass
        except OSError:
            return  # they hung up, as they should

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=sip, daemon=True)
        server.start()
        door = Puerta(f"https://127.0.0.1:{listening.getsockname()[1]}", door.certificado)
        end = threading.Timer(30, over.set)
        end.start()
        try:
            with pytest.raises(MuvProblem) as told:
                preguntar(door, "POST", "/x", b" " * 20_000_000, headers={}, timeout_s=1)
            assert not over.is_set()
        finally:
            end.cancel()
            over.set()
            server.join()
    assert (told.value.code, told.value.again) == ("muv_demorado", True)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"Content-Type: text/html\r\nContent-Length: 22\r\n\r\n<html>Error 500</html>", "respuesta_ilegible"),
        (b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b" " * 200_000_000, 9), "respuesta_ilegible"),
        (b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{}", "muv_cortado"),
        (b"Content-Length: 99999999999\r\n\r\n{", "respuesta_ilegible"),
        (b"Content-Length: 2\r\n\r\n[]", "respuesta_ilegible"),
        (b"\r\n" + b'{"ResultState":true}', "respuesta_ilegible"),
    ],
    ids=["page", "bomb", "chunk", "length", "list", "half"],
)
def test_two_hundred_with_something_else_is_no_answer(papers: tuple[bytes, bytes], said: bytes, code: str):
    """A page of error, a bomb that is not unpacked, lengths that lie, half an approval: none is taken for a verdict."""
    login = b'{"login":true,"token":"a.b.c"}'

    def serve() -> None:
        for answer in (b"Content-Length: %d\r\n\r\n%s" % (len(login), login), said):
            with listening.accept()[0] as talk:
                wanted = 0
                received = b""
                while b"\r\n\r\n" not in received:
                    received += talk.recv(65_536)
                head, _, body = received.partition(b"\r\n\r\n")
                for line in head.split(b"\r\n"):
                    if line.lower().startswith(b"content-length:"):
                        wanted = int(line.split(b":")[1])
                while len(body) < wanted:
                    body += talk.recv(65_536)
                talk.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        problem = refused(Muv(Puerta(f"http://127.0.0.1:{listening.getsockname()[1]}"), WHO, LIMITS), papers)
        server.join()
    assert problem.code == code


def test_an_answer_has_a_bound(muv: Handle, papers: tuple[bytes, bytes]):
    muv.configure(huge=1)
    assert refused(client(muv, replace(LIMITS, max_respuesta=100_000)), papers).code == "respuesta_grande"


def test_a_login_that_fails_is_said_by_its_body(muv: Handle, papers: tuple[bytes, bytes]):
    wrong = Credencial("990000113", "CC", NUMERO, "otra")
    problem = refused(client(muv, who=wrong), papers)
    assert (problem.code, problem.again, problem.status) == ("credenciales", False, 200)
    assert "otra" not in str(problem)
    assert repr(wrong).count("otra") == 0


def test_a_token_that_is_never_good_ends(muv: Handle, papers: tuple[bytes, bytes]):
    muv.configure(expired_token=9)
    assert refused(client(muv), papers).code == "sin_permiso"
    assert muv.state.logins == 2


def test_a_try_says_whether_it_would_work(muv: Handle):
    assert probar(Puerta(muv.url, muv.certificate), WHO).bien
    stranger = probar(Puerta(muv.url), WHO)
    assert (stranger.bien, stranger.codigo, stranger.huella) == (False, "certificado", huella_de(muv.certificate))
    muv.stop()
    assert probar(Puerta(muv.url, muv.certificate), WHO).codigo == "muv_apagado"


def test_the_simulator_runs_as_a_program_and_remembers(tmp_path: Path, papers: tuple[bytes, bytes]):
    words = [sys.executable, "-m", "bots.simulador.muv", "--folder", str(tmp_path / "muv")]
    seen = []
    for _ in range(2):
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        talk = Muv(Puerta(told["url"], Path(told["certificado"]).read_text("ascii")), WHO, Limites())
        answer = talk.cargar(Modulo.FEV, *papers)
        seen.append((answer.dice.accepted, answer.cuv_citado))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert seen == [(True, seen[0][1]), (False, seen[0][1])]
