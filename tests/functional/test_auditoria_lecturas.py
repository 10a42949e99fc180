"""Reading is an act: every opening has its case and purpose; an auditor changes nothing; exceptions are reasoned and seen."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from werkzeug.routing import AnyConverter, IntegerConverter

from radica.entidades.models import Prestador
from radica.facturas.models import Documento, TipoDocumento
from radica.kernel.web import SAFE_METHODS
from radica.users.models import AccesoExcepcional, ClaseTarea, Rol, Tarea
from tests import factories
from tests.functional.navigators import Browser
from tests.plugins.web import House
from tests.plugins.web_auditing import Audited

REASON = "Responder hoy el requerimiento de la Superintendencia"
OWN = {
    "auditoria.abrir",
    "auditoria.buscar",
    "auditoria.decir_proposito",
    "auditoria.exportar",
    "auditoria.muestra_archivo",
    "auditoria.paciente_informe",
    "auditoria.revisar",
    "buscar.buscar",
    "custodia.verificar",  # asks for a verification: nothing of a case changes
    "prejuridico.vista_previa",  # a draft is drawn and its readings are logged
    "validar.comprobar",  # files of the person's own are judged and nothing of them is kept
    "validar.excel",
    "users.clave",
    "users.cambiar_prestador",
    "users.salir",
    "users.quitar_segundo_factor",
    "users.segundo_factor",
}
"""What an auditor may send: their own searches, reviews and account; nothing of a case."""


def say_purpose(browser: Browser, said: str = "auditoria") -> None:
    browser.open("/auditoria/proposito")
    browser.fill(proposito=said)


def test_an_auditor_changes_nothing_but_what_is_theirs(house: House) -> None:
    auditor = house.entered("aura@norte.example", Rol.AUDITORIA)
    auditor.open("/mi-cuenta")
    token = auditor.tree().xpath("//input[@name='csrf_token']/@value")[0]
    adapter = house.app.url_map.bind("localhost")
    accepted = set()
    for rule in house.app.url_map.iter_rules():
        view = house.app.view_functions[rule.endpoint]
        if getattr(view, "radica_public", False) or rule.endpoint == "users.salir":
            continue
        values = {
            name: 1
            if isinstance(rule._converters[name], IntegerConverter)
            else min(rule._converters[name].items)
            if isinstance(rule._converters[name], AnyConverter)
            else "x"
            for name in rule.arguments
        }
        for method in (rule.methods or set()) - SAFE_METHODS:
            address = adapter.build(rule.endpoint, values, method=method)
            if auditor.raw(method, address, headers={"X-CSRFToken": token}).status_code != 403:
                accepted.add(rule.endpoint)
    assert accepted <= OWN
    assert "auditoria.decir_proposito" in accepted


def test_every_opening_is_logged_with_case_and_purpose(audited: Audited) -> None:
    ana = audited.enter("ana@norte.example", Rol.FACTURACION)
    support, rips = audited.documentos[TipoDocumento.SOPORTE], audited.documentos[TipoDocumento.RIPS]
    for path in (
        f"/documento/{support}",
        f"/documento/{rips}/texto",
        f"/documento/{rips}/descargar",
        f"/documento/{support}/pagina/1",
        f"/evidencia/{audited.pieza}",
        f"/facturas/{audited.factura}?evidencia={audited.pieza}",
    ):
        before = len(audited.log())
        ana.open(path)
        assert ana.status == 200, path
        added = audited.log()[before:]
        assert [(row.case_key, row.purpose) for row in added] == [(f"factura:{audited.factura}", "facturacion")], path


def test_an_auditor_says_the_purpose_before_anything_opens(audited: Audited) -> None:
    aura = audited.enter("aura@norte.example", Rol.AUDITORIA)
    rips = audited.documentos[TipoDocumento.RIPS]
    aura.open(f"/documento/{rips}/descargar")
    assert aura.status == 403
    assert "para qué" in aura.text
    aura.open(f"/documento/{rips}")
    assert audited.paciente not in aura.text
    assert audited.log() == []
    say_purpose(aura, "requerimiento de autoridad")
    aura.open(f"/documento/{rips}")
    assert audited.paciente in aura.text
    assert [row.purpose for row in audited.log()] == ["requerimiento de autoridad"]
    say_purpose(aura, "consulta del titular")
    aura.open(f"/documento/{rips}")
    assert [row.purpose for row in audited.log()][-1] == "consulta del titular"


def test_a_purpose_ends_with_the_login(audited: Audited) -> None:
    aura = audited.enter("aura@norte.example", Rol.AUDITORIA)
    say_purpose(aura)
    aura.log_out()
    aura.log_in("aura@norte.example", "cuatro palabras que nadie junta")
    aura.open(f"/documento/{audited.documentos[TipoDocumento.RIPS]}/descargar")
    assert aura.status == 403


def test_without_the_role_a_case_opens_by_exception_for_half_an_hour(audited: Audited) -> None:
    caro = audited.enter("caro@norte.example", Rol.CARTERA)
    support = audited.documentos[TipoDocumento.SOPORTE]
    asking = f"/auditoria/acceso-excepcional/factura/{audited.factura}"
    caro.open(f"/documento/{support}")
    assert asking in caro.tree().xpath("//a/@href")
    caro.open(asking)
    caro.fill(motivo="lo necesito ya ya ya")
    assert caro.status == 200 or caro.status == 422
    caro.open(asking)
    caro.fill(motivo="corto")
    assert caro.status == 422
    caro.open(f"/documento/{support}/descargar")
    caro.open(asking)
    caro.fill(motivo=REASON)
    assert caro.status == 200
    assert "Acceso excepcional a datos de salud" in caro.text
    caro.open(f"/documento/{support}/descargar")
    assert caro.status == 200
    last = audited.log()[-1]
    assert (last.purpose, last.case_key, last.action) == (
        "acceso excepcional",
        f"factura:{audited.factura}",
        "descargar",
    )
    audited.house.clock.forward(minutes=29, seconds=59)
    caro.open(f"/documento/{support}/descargar")
    assert caro.status == 200
    audited.house.clock.forward(seconds=1)
    caro.open(f"/documento/{support}/descargar")
    assert caro.status == 403
    caro.open("/mi-cuenta")
    assert "Acceso excepcional a datos de salud" not in caro.text


def test_an_exception_opens_one_case_of_one_person(audited: Audited) -> None:
    caro = audited.enter("caro@norte.example", Rol.CARTERA)
    asking = f"/auditoria/acceso-excepcional/factura/{audited.factura}"
    caro.open(asking)
    caro.fill(motivo=REASON)
    support = audited.documentos[TipoDocumento.SOPORTE]
    dario = audited.enter("dario@norte.example", Rol.DIRECCION)
    dario.open(f"/documento/{support}/descargar")
    assert dario.status == 403
    with audited.house.database.write() as session:
        owner, paper = session.get_one(Prestador, audited.prestador), session.get_one(Documento, support)
        other = factories.factura(session, owner, factories.pagador(session))
        copy = {one.name: getattr(paper, one.name) for one in Documento.__table__.c if one.name != "id"}
        session.add(row := Documento(**{**copy, "factura_id": other.id}))
        session.flush()
        theirs = row.id
    caro.open(f"/documento/{support}/descargar")
    assert caro.status == 200
    caro.open(f"/documento/{theirs}/descargar")
    assert caro.status == 403


def test_a_stranger_to_the_provider_asks_for_nothing(audited: Audited) -> None:
    other = audited.house.entered("otro@sur.example", provider=audited.house.provider("IPS del Sur"))
    other.open(f"/auditoria/acceso-excepcional/factura/{audited.factura}")
    assert other.status == 404


def test_the_auditor_reviews_each_exception_and_nobody_their_own(audited: Audited) -> None:
    caro = audited.enter("caro@norte.example", Rol.CARTERA)
    asking = f"/auditoria/acceso-excepcional/factura/{audited.factura}"
    caro.open(asking)
    caro.fill(motivo=REASON)
    caro.open(f"/evidencia/{audited.pieza}/texto")
    assert caro.status == 200
    aura = audited.enter("aura@norte.example", Rol.AUDITORIA)
    aura.open("/auditoria/excepcionales")
    assert REASON in aura.text
    assert "1 documento" in aura.text
    with audited.house.database.read() as session:
        row = session.scalars(select(AccesoExcepcional)).one()
        task = session.scalars(select(Tarea).where(Tarea.clase == ClaseTarea.REVISAR_ACCESO)).one()
        assert REASON not in task.titulo + task.detalle
    address = f"/auditoria/excepcionales/{row.id}/revisar"
    aura.fill(address, resultado="El requerimiento existe y se abrió solo lo pedido")
    assert "revisado" in aura.text
    own = audited.house.person("caro@norte.example", {audited.prestador: (Rol.AUDITORIA,)})
    assert own
    caro.open("/auditoria/excepcionales")
    assert caro.tree().xpath(f"//form[@action='{address}']") == []


@pytest.mark.parametrize("role", [Rol.CARTERA, Rol.DIRECCION, Rol.ADMINISTRACION])
def test_no_page_shows_a_patient_to_a_role_without_health_data(audited: Audited, role: Rol) -> None:
    person = audited.enter("sin@norte.example", role)
    person.open("/mi-cuenta")
    adapter = audited.house.app.url_map.bind("localhost")
    ids = {
        "factura_id": audited.factura,
        "thing_id": 1,
        "prestador_id": audited.prestador,
        "number": 1,
        "caso_id": audited.factura,
    }
    seen = 0
    things = [*(("documento", one) for one in audited.documentos.values()), ("evidencia", audited.pieza)]
    paths = [f"/{kind}/{id_}{tail}" for kind, id_ in things for tail in ("", "/texto", "/descargar")]
    paths += [
        adapter.build(rule.endpoint, {name: ids[name] for name in rule.arguments})
        for rule in audited.house.app.url_map.iter_rules()
        if "GET" in (rule.methods or set()) and rule.arguments <= ids.keys() and rule.endpoint != "static"
    ]
    for path in paths:
        answer = person.raw("GET", path)
        seen += answer.status_code == 200
        body = answer.get_data()
        assert audited.paciente.encode() not in body, path
        assert "Ágata".encode() not in body, path
    assert seen > 20


def test_the_log_is_filtered_by_person_case_day_and_purpose(audited: Audited) -> None:
    ana = audited.enter("ana@norte.example", Rol.FACTURACION)
    ana.open(f"/documento/{audited.documentos[TipoDocumento.SOPORTE]}/descargar")
    dario = audited.enter("dario@norte.example", Rol.DIRECCION)
    dario.open("/auditoria/accesos")
    assert f"Factura {audited.numero}" in dario.text
    for query, found in (
        (f"caso={audited.numero}", True),
        ("caso=ZZ999", False),
        ("proposito=facturacion", True),
        ("proposito=cartera", False),
        ("desde=2026-11-20&hasta=2026-11-20", True),
        ("hasta=2026-11-19", False),
        ("accion=descargar", True),
        ("accion=ver", False),
        ("persona=999", False),
    ):
        dario.open(f"/auditoria/accesos?{query}")
        assert (f"Factura {audited.numero}" in dario.text) is found, query


def test_the_pages_of_auditoria_are_for_who_may(audited: Audited) -> None:
    ana = audited.enter("ana@norte.example", Rol.FACTURACION)
    for path in ("/auditoria", "/auditoria/accesos", "/auditoria/excepcionales", "/auditoria/proposito"):
        ana.open(path)
        assert ana.status == 403, path
