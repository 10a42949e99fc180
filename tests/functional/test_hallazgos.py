"""Findings of the checker on the screens: by who mends them, opened at their place, accepted with a reason, counted."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sqlalchemy import event, select

from radica.audit.models import Apunte, Transition
from radica.custodia.store import FolderStore
from radica.entidades.models import Prestador
from radica.facturas.aceptar import fijar_limite
from radica.facturas.juicio import encargo_de, registrar
from radica.facturas.models import Factura
from radica.facturas.validacion.modelo import Clase, Fuente, Hallazgo, Quien
from radica.facturas.validacion_models import HallazgoAceptado
from radica.jobs.models import Job
from radica.users.models import ClaseTarea, Rol, Tarea
from tests.acciones_seed import import_ready
from tests.functional.navigators import Browser
from tests.plugins.web import House

PLACE = "usuarios[0].servicios.consultas[0].codConsulta"
WHY = "El pagador lo autorizó por escrito"


def finding(codigo: str, clase: Clase, ruta: str = "", *, quien: Quien = Quien.FACTURACION, **more: object) -> Hallazgo:
    fuente = Fuente.RIPS if ruta.startswith("usuarios") else Fuente.FEV
    words = {"mensaje": f"Palabras de {codigo}.", "arreglo": f"Qué hacer con {codigo}."}
    return Hallazgo(codigo, clase, ruta, quien=quien, fuente=fuente, **words, **more)  # type: ignore[arg-type]


FOUND = [
    finding("RVC900", Clase.RECHAZO, PLACE, quien=Quien.ASISTENCIAL),
    finding("FED900", Clase.NOTIFICACION, quien=Quien.PROVEEDOR_TECNOLOGICO),
    finding("TAR-900", Clase.AVISO, "usuarios[0].servicios.consultas[1].vrServicio", dinero=5_000_000),
    finding("TAR-900", Clase.AVISO, "usuarios[0].servicios.consultas[2].vrServicio", dinero=1_000_000),
    finding("XSD-900", Clase.AVISO, "Invoice/ID", quien=Quien.PROVEEDOR_TECNOLOGICO, linea=3),
    finding("RVC901", Clase.NO_DECIDIBLE),
]


def judged(house: House, folder: Path, *roles: Rol) -> tuple[Browser, int]:
    """Return a person of some roles and an invoice with findings of every kind."""
    (factura_id,) = import_ready(house.database, FolderStore(house.settings.store), house.clock, folder)
    with house.database.write() as session:
        row = session.get_one(Factura, factura_id)
        assert registrar(session, encargo_de(session, row), FOUND, at=house.clock())
        provider = row.prestador_id
    return house.entered("ana@norte.example", *(roles or (Rol.FACTURACION,)), provider=provider), factura_id


def act(browser: Browser, factura_id: int, codigo: str, what: str) -> str:
    return f"/facturas/{factura_id}/hallazgos/{codigo}/{what}"


def test_findings_stand_under_who_can_mend_them(any_house: House, tmp_path: Path):
    ana, factura = judged(any_house, tmp_path)
    ana.open(f"/facturas/{factura}")
    for words in ("Lo aclara quien atendió", "Lo arregla el proveedor tecnológico", "Lo arregla facturación"):
        assert words in ana.text
    assert "en 2 lugares" in ana.text
    assert "en riesgo $ 60.000" in ana.text
    assert "1 regla que nadie decide sin conexión" in ana.text
    links = {a.get("href") for a in ana.tree().xpath("//a[contains(@href, 'lugar=') or contains(@href, 'linea=')]")}
    assert any("lugar=usuarios%5B0%5D.servicios.consultas%5B0%5D" in link for link in links)
    assert any("linea=3" in link for link in links)


def test_the_place_opens_marked_in_its_document(house: House, tmp_path: Path):
    ana, factura = judged(house, tmp_path)
    ana.open(f"/facturas/{factura}")
    tree = ana.tree()
    service = next(a for a in tree.xpath("//a[@hx-get]") if "codConsulta" in a.get("hx-get"))
    line = next(a for a in tree.xpath("//a[@hx-get]") if "linea=3" in a.get("hx-get"))
    ana.open(service.get("hx-get"))
    assert len(ana.tree().xpath("//tr[@id='senalado']")) == 1
    ana.open(line.get("hx-get"))
    (inside,) = (div.get("hx-get") for div in ana.tree().xpath("//div[@hx-trigger='load']"))
    ana.open(inside)
    assert ana.tree().xpath("//*[@id='senalado']/*[@class='renglon-numero']")[0].text == "3"


def test_a_notice_is_accepted_with_a_reason_in_the_history(any_house: House, tmp_path: Path):
    ana, factura = judged(any_house, tmp_path)
    path = act(ana, factura, "TAR-900", "aceptar")
    ana.open(f"/facturas/{factura}")
    ana.fill(path, motivo="corto")
    assert ana.status == 422
    ana.open(f"/facturas/{factura}")
    ana.fill(path, motivo=WHY)
    ana.open(f"/facturas/{factura}")
    assert "Lo aceptó Ana" in ana.text
    assert WHY in ana.text
    with any_house.database.read() as session:
        (link,) = session.scalars(select(Transition).where(Transition.event == Apunte.ACEPTAR_HALLAZGO.value))
    assert link.facts["cuantos"] == 2
    ana.fill(act(ana, factura, "TAR-900", "retirar"))
    ana.open(f"/facturas/{factura}")
    assert "Lo aceptó" not in ana.text


def test_two_who_accept_the_same_at_once_are_one_acceptance(any_house: House, tmp_path: Path):
    ana, factura = judged(any_house, tmp_path)
    with any_house.database.read() as session:
        provider = session.get_one(Factura, factura).prestador_id
    luz = any_house.entered("luz@norte.example", Rol.FACTURACION, provider=provider)
    both, meet = (ana, luz), threading.Barrier(2)

    def wait(*_: object) -> None:
        """Let both write at once; whoever is kept out until the first has ended never comes here."""
        with suppress(threading.BrokenBarrierError):
            meet.wait(1)

    for one in both:
        one.open(f"/facturas/{factura}")
    event.listen(HallazgoAceptado, "before_insert", wait)
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda one: one.fill(act(one, factura, "TAR-900", "aceptar"), motivo=WHY), both))
    finally:
        event.remove(HallazgoAceptado, "before_insert", wait)
    assert max(one.status for one in both) == 409
    with any_house.database.read() as session:
        assert len(session.scalars(select(HallazgoAceptado)).all()) == 2
        assert (
            len(session.scalars(select(Transition).where(Transition.event == Apunte.ACEPTAR_HALLAZGO.value)).all()) == 1
        )


def test_what_the_ministry_rejects_or_passes_the_limit_needs_direccion(house: House, tmp_path: Path):
    ana, factura = judged(house, tmp_path)
    with house.database.write() as session:
        owner = session.get_one(Prestador, session.get_one(Factura, factura).prestador_id)
        fijar_limite(session, owner, 2_000_000)
        provider = owner.id
    ana.open(f"/facturas/{factura}")
    assert not ana.tree().xpath(f"//form[@action='{act(ana, factura, 'RVC900', 'aceptar')}']")
    assert not ana.tree().xpath(f"//form[@action='{act(ana, factura, 'TAR-900', 'aceptar')}']")
    luz = house.entered("luz@norte.example", Rol.DIRECCION, provider=provider)
    luz.open(f"/facturas/{factura}")
    luz.fill(act(luz, factura, "RVC900", "aceptar"), motivo=WHY)
    luz.open(f"/facturas/{factura}")
    assert "Lo aceptó" in luz.text


def test_a_stale_page_says_so(house: House, tmp_path: Path):
    ana, factura = judged(house, tmp_path)
    ana.open(f"/facturas/{factura}")
    with house.database.write() as session:
        row = session.get_one(Factura, factura)
        row.por_juzgar = 1
        assert registrar(session, encargo_de(session, row), [], at=house.clock())
    ana.fill(act(ana, factura, "TAR-900", "aceptar"), motivo=WHY)
    assert ana.status == 409


def test_what_the_page_did_not_show_is_not_accepted(house: House, tmp_path: Path):
    ana, factura = judged(house, tmp_path)
    ana.open(f"/facturas/{factura}")
    more = finding("TAR-900", Clase.AVISO, "usuarios[0].servicios.consultas[3].vrServicio", dinero=90_000_000)
    with house.database.write() as session:
        row = session.get_one(Factura, factura)
        row.por_juzgar = 1
        assert registrar(session, encargo_de(session, row), [*FOUND, more], at=house.clock())
    ana.fill(act(ana, factura, "TAR-900", "aceptar"), motivo=WHY)
    assert ana.status == 409
    ana.open(f"/facturas/{factura}")
    assert "Lo aceptó" not in ana.text


def test_a_finding_asks_for_a_credit_note_once(house: House, tmp_path: Path):
    ana, factura = judged(house, tmp_path)
    for _ in range(2):
        ana.open(f"/facturas/{factura}")
        form = ana.form(act(ana, factura, "TAR-900", "aceptar"))
        button = form.xpath(".//button[@formaction]")[0].get("formaction")
        token = form.xpath(".//input[@name='csrf_token']")[0].get("value")
        seen = form.xpath(".//input[@name='visto']")[0].get("value")
        data = {"csrf_token": token, "motivo": WHY, "visto": seen}
        ana.client.post(button, data=data, follow_redirects=True).close()
    with house.database.read() as session:
        tasks = session.scalars(select(Tarea).where(Tarea.clase == ClaseTarea.EMITIR_NOTA_CREDITO)).all()
    assert len(tasks) == 1


def test_checking_again_orders_one_job(house: House, tmp_path: Path):
    ana, factura = judged(house, tmp_path)
    for _ in range(2):
        ana.open(f"/facturas/{factura}")
        ana.fill(f"/facturas/{factura}/comprobar")
    assert "se están comprobando" in ana.text or ana.open(f"/facturas/{factura}").status_code == 200
    with house.database.read() as session:
        assert len(session.scalars(select(Job).where(Job.kind == "juzgar_facturas")).all()) == 1
        assert session.get_one(Factura, factura).por_juzgar == 1


def test_first_pass_rate_and_limit(any_house: House, tmp_path: Path):
    luz, _ = judged(any_house, tmp_path, Rol.ADMINISTRACION, Rol.FACTURACION)
    luz.open("/comprobaciones")
    assert "Limpieza 1 0 %" in luz.text
    assert "RVC900" in luz.text
    assert "RVC901" not in luz.text
    action = next(form.get("action") for form in luz.tree().xpath("//main//form[@method='post']"))
    luz.fill(action, limite="1.500.000")
    luz.open("/comprobaciones")
    assert luz.tree().xpath("//input[@name='limite']/@value") == ["1500000"]


def test_many_small_sums_are_no_way_around_the_limit(house: House, tmp_path: Path):
    """Two places of TAR-900, $ 50.000 and $ 10.000: each under a limit of $ 55.000, together over it."""
    ana, factura = judged(house, tmp_path)
    with house.database.write() as session:
        owner = session.get_one(Prestador, session.get_one(Factura, factura).prestador_id)
        fijar_limite(session, owner, 5_500_000)
    ana.open(f"/facturas/{factura}")
    assert not ana.tree().xpath(f"//form[@action='{act(ana, factura, 'TAR-900', 'aceptar')}']")


def remedies(browser: Browser) -> dict[str, str]:
    """Return, by its words, what the button of each row of TAR-900 says was seen."""
    rows = browser.tree().xpath("//ul[@class='hallazgos']/li[.//input[@name='visto'] and contains(., 'TAR-900')]")
    return {
        li.xpath("string(.//*[@class='hallazgo-hacer'])"): li.xpath(".//input[@name='visto']/@value")[0] for li in rows
    }


def send(browser: Browser, path: str, **fields: str) -> int:
    """Post to an address with the page's own token, as an open page would; return the status."""
    browser.open("/mi-cuenta")
    token = browser.tree().xpath("//input[@name='csrf_token']/@value")[0]
    return browser.raw("POST", path, data={"csrf_token": token, **fields}).status_code


def test_two_remedies_of_one_code_are_accepted_apart(any_house: House, tmp_path: Path):
    """Even in the same place: who took one remedy for good has not taken the other."""
    ana, factura = judged(any_house, tmp_path)
    place = "usuarios[0].servicios.consultas[1].vrServicio"
    lower, other = finding("TAR-900", Clase.AVISO, place), finding("TAR-900", Clase.AVISO, place)
    other = replace(other, mensaje="Otra cosa.", arreglo="Otro remedio.")
    with any_house.database.write() as session:
        row = session.get_one(Factura, factura)
        row.por_juzgar = 1
        assert registrar(session, encargo_de(session, row), [lower, other], at=any_house.clock())
    ana.open(f"/facturas/{factura}")
    seen = remedies(ana)
    assert len(seen) == 2
    assert send(ana, act(ana, factura, "TAR-900", "aceptar"), motivo=WHY, visto=seen["Otro remedio."]) == 303
    ana.open(f"/facturas/{factura}")
    assert ana.text.count("Lo aceptó") == 1
    (accepted,) = ana.tree().xpath("//li[@class='aceptado']")
    assert "Otro remedio." in accepted.text_content()
    assert send(ana, act(ana, factura, "TAR-900", "retirar"), visto=seen["Qué hacer con TAR-900."]) == 409
    assert send(ana, act(ana, factura, "TAR-900", "aceptar"), motivo=WHY, visto=seen["Qué hacer con TAR-900."]) == 303
    assert send(ana, act(ana, factura, "TAR-900", "retirar"), visto=seen["Otro remedio."]) == 303
    ana.open(f"/facturas/{factura}")
    (accepted,) = ana.tree().xpath("//li[@class='aceptado']")
    assert "Qué hacer con TAR-900." in accepted.text_content()


def test_more_money_at_the_same_place_is_not_what_was_accepted(house: House, tmp_path: Path):
    """The documents are the same and a price list says another difference: the acceptance was of the other sum."""
    ana, factura = judged(house, tmp_path)
    ana.open(f"/facturas/{factura}")
    ana.fill(act(ana, factura, "TAR-900", "aceptar"), motivo=WHY)
    for money, accepted in ((5_000_000, True), (500_000_000, False)):
        found = [finding("TAR-900", Clase.AVISO, "usuarios[0].servicios.consultas[1].vrServicio", dinero=money)]
        with house.database.write() as session:
            row = session.get_one(Factura, factura)
            row.por_juzgar = 1
            assert registrar(session, encargo_de(session, row), found, at=house.clock())
        ana.open(f"/facturas/{factura}")
        assert ("Lo aceptó" in ana.text) is accepted


def test_parts_of_a_code_are_no_way_around_the_limit(house: House, tmp_path: Path):
    """Two remedies of TAR-900, $ 30.000 each, under a limit of $ 50.000: together over it."""
    ana, factura = judged(house, tmp_path)
    one = finding("TAR-900", Clase.AVISO, "usuarios[0]", dinero=3_000_000)
    with house.database.write() as session:
        row = session.get_one(Factura, factura)
        row.por_juzgar = 1
        found = [one, replace(one, arreglo="Otro remedio.")]
        assert registrar(session, encargo_de(session, row), found, at=house.clock())
        fijar_limite(session, session.get_one(Prestador, row.prestador_id), 5_000_000)
    ana.open(f"/facturas/{factura}")
    assert remedies(ana) == {}
