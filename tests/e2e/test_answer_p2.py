"""A worker answers glosas through the real child and Chromium at the simulated EPS, whatever dies on the way.

The portal's ledger is the oracle: it counts every answer and every closing that it receives, also those it had already.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bots.faults import ENV_FAULTS
from bots.simulador.answers import Account
from bots.simulador.p2_glosas import put_account
from bots.simulador.server import Handle, start
from radica.app.chaos.timing import PREPARE_S, QUERY_LAG_S, SETTLE_S, SUBMIT_S
from radica.app.demo.catalog import P2
from radica.app.house import House
from radica.app.worker import run_worker
from radica.custodia.models import Pieza
from radica.custodia.services import record_blobs
from radica.entidades.models import Prestador
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.glosas.acts import decide
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.models import Glosa
from radica.glosas.respuesta.presenting import order_answers
from radica.glosas.states import EstadoGlosa, EstadoRespuesta
from radica.jobs.models import Job, Lane
from radica.kernel.clock import bogota
from radica.kernel.money import plain
from radica.portales.services import create_account
from radica.radicacion.models import Envio, Intento
from radica.radicacion.states import EstadoEnvio, EstadoIntento
from tests.plugins import filing
from tests.plugins import glosas as casos
from tests.plugins.bots import ROOT, pdf

LONG = "La tarifa es la pactada en el acuerdo vigente. " * 20
LINES = ((1_000_000, "FA0201", "No procede."), (250_050, "TA0801", LONG), (70_000, "FA0201", "No procede."))


@dataclass
class Scene:
    """A house, a portal with an objected account in its bag, and the approved answers to its items."""

    house: House
    portal: Handle
    factura_id: int
    account: Account

    def order(self) -> Envio:
        with self.house.db.write() as session:
            approved = select(Respuesta.id).where(Respuesta.estado == EstadoRespuesta.APROBADA)
            ordered = order_answers(session, list(session.scalars(approved)), actor="persona:1", at=self.house.clock())
        assert ordered.rechazos == ()
        return ordered.envios[0]

    def work(self) -> None:
        """Let one worker work until nothing is left to do."""
        run_worker(self.house, stop=threading.Event(), until_empty=True)

    def presented(self) -> bool:
        with self.house.db.read() as session:
            states = set(session.scalars(select(Respuesta.estado)))
        return states == {EstadoRespuesta.PRESENTADA}

    def counts(self) -> tuple[int, int, int, int]:
        """Answers that came again, answers kept, closings kept, closings that came again."""
        found = self.portal.portal.desk.ledger.counts()
        return found["answers_again"], found["answers_kept"], found["closings_kept"], found["closings_again"]


def _build(house: House, folder: Path) -> Iterator[Scene]:
    with house.db.write() as session:
        factura = casos.filed(session)
        sha = _support(house, session, factura)
        for n, (valor, codigo, texto) in enumerate(LINES):
            row = casos.glosa(
                session, factura, valor, codigo=codigo, codigo_original=codigo, servicio="890201",
                numero_glosa=f"90{n}" if n else None,
            )  # fmt: skip
            answer = casos.answer(session, row, estado=EstadoRespuesta.APROBADA)
            answer.texto, answer.soportes = texto, [sha]
        session.flush()
        nit = session.get_one(Prestador, factura.prestador_id).nit
        number, filed, radicado = factura.numero, factura.fecha_radicacion, factura.radicado
        factura_id = factura.id
    users = filing.portal_users({nit})
    config = {"users": users, "query_lag_s": QUERY_LAG_S, "detect_duplicates": False}
    with start("p2", folder / "libro.sqlite", config=config) as portal:
        with house.db.write() as session:
            factura = session.get_one(Factura, factura_id)
            assert factura.pagador_id is not None
            create_account(
                session,
                house.vault,
                prestador_id=factura.prestador_id,
                pagador_id=factura.pagador_id,
                arquetipo=P2,
                base_url=portal.url,
                usuario=nit,
                clave=filing.CLAVE,
                perfil={"message_limit_s": 3, "step_limit_s": 8, "reintento_s": 1, "readback_limit_s": 4},
                limite_preparar_s=PREPARE_S,
                limite_enviar_s=SUBMIT_S,
                asentamiento_s=SETTLE_S,
            )
        items = [
            {"id_glosa": f"90{n}", "servicio": "890201", "codigo": codigo, "valor": plain(valor)}
            for n, (valor, codigo, _) in enumerate(LINES)
        ]
        assert filed is not None
        raw = {"nit": nit, "factura": number, "radicado": radicado, "items": items}
        raw["fecha_radicacion"] = bogota(filed).replace(tzinfo=None).isoformat()
        yield Scene(house, portal, factura_id, put_account(portal.portal, raw))


def _support(house: House, session: Session, factura: Factura) -> str:
    stored = house.store.put(io.BytesIO(pdf("Historia clínica")))
    record_blobs(session, [stored], at=house.clock())
    session.add(
        Documento(
            prestador_id=factura.prestador_id, factura_id=factura.id, sha256=stored.sha256, bytes=stored.bytes,
            nombre="Historia clínica.PDF", tipo=TipoDocumento.SOPORTE, sigla="HEV", media_type="application/pdf",
            datos={}, cargado_at=house.clock(), cargado_por="prueba",
        )
    )  # fmt: skip
    session.flush()
    return stored.sha256


@pytest.fixture
def scene(database_url: str, tmp_path: Path) -> Iterator[Scene]:
    house = filing.house_on(database_url, tmp_path)
    yield from _build(house, tmp_path)
    house.db.dispose()


@pytest.fixture
def plain_scene(sqlite_url: str, tmp_path: Path) -> Iterator[Scene]:
    house = filing.house_on(sqlite_url, tmp_path)
    yield from _build(house, tmp_path)
    house.db.dispose()


def test_answered_and_closed_once_with_sealed_evidence(scene: Scene) -> None:
    envio = scene.order()
    scene.work()
    assert scene.presented()
    assert scene.counts() == (0, 3, 1, 0)
    with scene.house.db.read() as session:
        row = session.get_one(Envio, envio.id)
        assert (row.estado, row.nivel_prueba) == (EstadoEnvio.RECIBIDO_SIN_NUMERO, 1)
        lines = session.scalars(select(Glosa).order_by(Glosa.id)).all()
        assert {line.estado for line in lines} == {EstadoGlosa.RESPONDIDA}
        closed = scene.account.closings[0].at
        assert {bogota(line.respondida_at).replace(tzinfo=None) for line in lines if line.respondida_at} == {closed}
        pieces = session.scalars(select(Pieza).where(Pieza.case_key == row.case_key)).all()
    kinds = {piece.clase for piece in pieces}
    assert {"answers", "items_before", "items_after", "annex", "manifest", "acuse_dom", "submit_response"} <= kinds
    drafts = {item.id_glosa: item.answer for item in scene.account.items}
    long = drafts["901"]
    assert long is not None
    assert long.text.endswith("CONTINÚA EN EL ANEXO.")
    assert len(long.text) <= 500
    (annex,) = [piece for piece in pieces if piece.clase == "annex"]
    assert long.file_name == annex.nombre
    assert long.file_sha256 != annex.sha256  # one PDF a portal: annex and support were joined
    short = drafts["900"]
    assert short is not None
    assert (short.text, short.file_name) == ("NO PROCEDE.", "Historia-clinica.pdf")


@pytest.mark.parametrize("mode", ["502_after_save", "cut_connection_after_save", "close_not_kept", "502_before_save"])
def test_a_closing_in_doubt_is_settled_by_the_query_and_never_pressed_blindly(plain_scene: Scene, mode: str) -> None:
    plain_scene.portal.configure(errors={mode: {"next": 1}})
    plain_scene.order()
    plain_scene.work()
    assert plain_scene.presented()
    assert plain_scene.counts() == (0, 3, 1, 0)
    with plain_scene.house.db.read() as session:
        states = list(session.scalars(select(Intento.estado).order_by(Intento.numero)))
    held = mode in ("502_after_save", "cut_connection_after_save")
    assert states == [EstadoIntento.HALLADO] if held else states == [EstadoIntento.AUSENTE, EstadoIntento.TERMINADO]


def test_a_colleague_in_the_portal_leaves_it_to_a_person(plain_scene: Scene) -> None:
    plain_scene.portal.configure(answer_account_taken=1)
    envio = plain_scene.order()
    plain_scene.work()
    with plain_scene.house.db.read() as session:
        assert session.get_one(Envio, envio.id).estado is EstadoEnvio.PREPARADO
        assert set(session.scalars(select(Respuesta.estado))) == {EstadoRespuesta.EN_ENVIO}
        codes = list(session.scalars(select(Intento.codigo)))
    assert codes == ["cuenta_tomada"]
    assert plain_scene.counts() == (0, 0, 0, 0)


POINTS = [
    "worker.began",
    "worker.after_go",
    "worker.got_result",
    "child.drafted",
    "child.before_click",
    "child.after_click",
    "child.after_result",
]


@pytest.mark.parametrize("where", POINTS)
def test_whoever_dies_no_item_is_answered_twice_and_no_account_closed_twice(
    plain_scene: Scene, where: str, tmp_path: Path
) -> None:
    envio = plain_scene.order()
    _work_until_killed(plain_scene, where, tmp_path)
    _lapse(plain_scene)
    plain_scene.work()
    assert plain_scene.presented(), _story(plain_scene, envio.id)
    assert plain_scene.counts() == (0, 3, 1, 0)


def _work_until_killed(scene: Scene, where: str, folder: Path) -> None:
    """Run a worker in a process of its own that dies, or whose bot dies, at a named point; then kill it too."""
    log = folder / "fallos.jsonl"
    plan = {"seed": 1, "log": str(log), "points": {where: [["kill", 1.0]]}}
    settings = scene.house.settings
    environ = {**os.environ, "RADICA_DATABASE_URL": settings.database_url, "RADICA_HOST": scene.house.host}
    environ |= {ENV_FAULTS: json.dumps(plan), "PYTHONPATH": str(ROOT)}
    with (folder / "trabajador.log").open("wb") as said:
        worker = subprocess.Popen(
            [sys.executable, "-m", "radica.app.chaos.worker", str(settings.datos)],
            stdin=subprocess.PIPE, stdout=said, stderr=said, env=environ, start_new_session=True,
        )  # fmt: skip
        assert worker.stdin is not None
        try:
            _wait(lambda: (log.exists() and log.stat().st_size > 0) or worker.poll() is not None)
            if where.startswith("child."):
                time.sleep(1.0)  # the worker hears of its bot's death, or not: both must do
            worker.send_signal(signal.SIGKILL)
            worker.wait(timeout=10)
        finally:
            worker.kill()
            worker.wait(timeout=10)
            worker.stdin.close()
    assert log.exists(), (folder / "trabajador.log").read_text()[-2000:]


def _lapse(scene: Scene) -> None:
    """Let the dead worker's lease run out now."""
    with scene.house.db.write() as session:
        session.execute(update(Job).where(Job.state == "running").values(lease_until_ms=1))
        session.execute(update(Job).where(Job.state == "ready").values(run_after_ms=0))
        session.execute(update(Lane).values(next_at_ms=0))


def _story(scene: Scene, envio_id: int) -> list[tuple[object, ...]]:
    with scene.house.db.read() as session:
        rows = session.scalars(select(Intento).where(Intento.envio_id == envio_id).order_by(Intento.numero)).all()
        return [(row.numero, row.estado, row.resultado, row.codigo, row.detalle) for row in rows]


def _wait(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 150
    while not done():
        assert time.monotonic() < end, "the fault did not strike"
        time.sleep(0.05)


def test_what_the_payer_ratifies_is_answered_again_in_a_second_envio(plain_scene: Scene) -> None:
    plain_scene.order()
    plain_scene.work()
    assert plain_scene.presented()
    plain_scene.portal.portal.desk.decide(plain_scene.account, {"902": "LEVANTADA"}, "RATIFICADA")
    at = plain_scene.house.clock()
    with plain_scene.house.db.write() as session:
        for line in session.scalars(select(Glosa).order_by(Glosa.id)).all():
            lifted = line.en_disputa if line.numero_glosa == "902" else 0
            decide(
                session, line, levantado=lifted, ratificado=not lifted, ocurrido_at=at, evidence=[casos.EVIDENCE],
                actor="persona:1", at=at, motivo="decision_del_pagador",
            )  # fmt: skip
            if not lifted:
                casos.answer(session, line, estado=EstadoRespuesta.APROBADA, ronda=2)
    envio = plain_scene.order()
    plain_scene.work()
    assert plain_scene.presented(), _story(plain_scene, envio.id)
    assert envio.ronda == 2
    assert plain_scene.counts() == (0, 5, 2, 0)
    assert [closing.round for closing in plain_scene.account.closings] == [1, 2]
