"""What payers sent: loading it in the browser, how far it is, what became of each line."""

from __future__ import annotations

import io
import threading

import pytest
from sqlalchemy import select

from radica.app.handlers.glosas_importar import HANDLERS, KIND_LOAD, order_sharing, subject_of
from radica.app.house import make_house
from radica.app.worker import run_worker
from radica.glosas.bandeja.work_models import AjusteGlosas, ReglaAsignacion
from radica.glosas.models import Glosa, Notificacion
from radica.jobs.models import Job, JobState
from radica.users.models import Rol
from tests import factories
from tests import glosas_seed as seed
from tests.functional.navigators import Browser
from tests.plugins.web import House


@pytest.fixture
def ips(house: House) -> int:
    return house.provider()


@pytest.fixture
def ana(house: House, ips: int) -> Browser:
    return house.entered("ana@norte.example", Rol.GLOSAS, provider=ips)


def test_nothing_arrived_yet(ana: Browser) -> None:
    ana.open("/glosas/notificaciones")
    assert "Todavía no llega ninguna notificación" in ana.text
    ana.open("/glosas/lineas")
    assert "No hay líneas sin cruzar" in ana.text


def upload(browser: Browser, *files: tuple[str, bytes], **values: str) -> None:
    browser.open("/glosas/cargar")
    form = browser.form()
    data = {**dict(form.form_values()), **values, "archivos": [(io.BytesIO(data), name) for name, data in files]}
    browser.raw("POST", "/glosas/cargar", data=data, content_type="multipart/form-data", follow_redirects=True)


def test_an_upload_is_kept_and_ordered_once(house: House, ips: int, ana: Browser) -> None:
    for _ in range(2):
        upload(ana, ("glosas.txt", b"una cosa"), ("otra.txt", b"otra cosa"), prestador=str(ips))
        assert "2 archivos quedaron en custodia" in ana.text
    assert "espera su turno" in ana.text
    with house.database.read() as session:
        jobs = session.scalars(select(Job).where(Job.kind == KIND_LOAD)).all()
        assert [one.subject for one in jobs] == [subject_of(ips)] * 2


@pytest.mark.parametrize(
    ("files", "values", "words"),
    [
        ((), {}, "No eligió ningún archivo"),
        ((("a.txt", b"x"),), {"recibida": "2031-01-01T10:00"}, "todavía no llega"),
        ((("a.txt", b"x"),), {"recibida": "ayer"}, "corregir un campo"),
    ],
)
def test_an_upload_that_cannot_be_says_why(
    house: House, ips: int, ana: Browser, files: tuple[tuple[str, bytes], ...], values: dict[str, str], words: str
) -> None:
    upload(ana, *files, prestador=str(ips), **values)
    assert ana.status == 422
    assert words in ana.text
    with house.database.read() as session:
        assert session.query(Job).count() == 0


def test_nobody_loads_for_a_provider_that_is_not_theirs(house: House, ana: Browser) -> None:
    theirs = house.provider("IPS del Sur")
    upload(ana, ("a.txt", b"x"), prestador=str(theirs))
    assert ana.status == 422
    with house.database.read() as session:
        assert session.query(Job).count() == 0


def work(house: House) -> None:
    """Do the jobs that wait, as the worker does."""
    worker = make_house(house.settings, house.database, environ={"RADICA_HOST": "prueba"}, clock=house.clock)
    run_worker(worker, HANDLERS, stop=threading.Event(), until_empty=True)


def test_what_cannot_be_read_is_said_and_may_be_read_again(house: House, ips: int, ana: Browser) -> None:
    upload(ana, ("raro.bin", b"\x00\x01\x02 nada de esto es una glosa"), prestador=str(ips))
    work(house)
    ana.open("/glosas/notificaciones")
    with house.database.read() as session:
        jobs = session.scalars(select(Job)).all()
        notices = session.scalars(select(Notificacion)).all()
    assert notices or [one.state for one in jobs] == [JobState.DEAD]
    if notices:
        assert "no leída" in ana.text.lower() or "todo cargado" in ana.text
    else:
        assert "No se pudo leer" in ana.text


def test_a_line_that_was_not_matched_is_shown_with_its_reason(house: House, ips: int, ana: Browser) -> None:
    with house.database.write() as session:
        notice, _ = seed.notice(session, ips)
    ana.open("/glosas/notificaciones")
    assert "1 sin cruzar" in ana.text
    ana.open(f"/glosas/notificaciones/{notice.id}")
    assert "La factura FE999 no está entre las suyas." in ana.text
    assert "1020304050" not in ana.text
    ana.open("/glosas/lineas")
    assert "1 línea espera a una persona · $ 10.000" in ana.text
    ana.open("/glosas/lineas?destino=no_leida")
    assert "Ninguna línea cumple el filtro" in ana.text


def test_free_lines_go_to_whom_the_rules_say_and_late_ones_up(house: House, ips: int) -> None:
    luis = house.person("luis@norte.example", {ips: (Rol.GLOSAS,)})
    boss = house.person("jefa@norte.example", {ips: (Rol.DIRECCION,)})
    with house.database.write() as session:
        payer = factories.pagador(session)
        soon = seed.objected(
            session,
            seed.filed_invoice(session, ips, payer, filed=factories.NOW.replace(month=10, day=15)),
            noticed=factories.NOW.replace(month=10, day=29),
        ).id
        far = seed.objected(session, seed.filed_invoice(session, ips, payer), codigo="FA0202").id
        other = seed.objected(session, seed.filed_invoice(session, ips), codigo="SO0101").id
        session.add(ReglaAsignacion(prestador_id=ips, orden=1, pagador_id=payer.id, usuario_id=luis))
        session.add(AjusteGlosas(prestador_id=ips, escalar_a_id=boss, escalar_dias=2, grupo_manual=""))
    assert order_sharing(house.database, house.clock()) == 1
    assert order_sharing(house.database, house.clock()) == 0, "once for its due time"
    work(house)
    with house.database.read() as session:
        owners = {one.id: one.responsable_id for one in session.query(Glosa)}
    assert owners == {soon: boss, far: luis, other: None}
