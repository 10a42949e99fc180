"""Forms of glosas and conciliación with one value nobody would type, the rest as a page sends it; and bulk acts."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import select

from radica.entidades.models import Pagador
from radica.glosas.bandeja.work_models import ReglaAsignacion, Respuesta
from radica.glosas.models import Acto, Glosa, RegistroSiifa, TipoActo
from radica.users.models import ClaseTarea, Rol, Tarea
from tests import factories
from tests import glosas_seed as seed
from tests.functional.navigators import Browser
from tests.functional.things import things_of
from tests.plugins.web import House

HOSTILE = ["", "   ", "9" * 30, "9" * 18, "-1", "0001-01-01", "9999-12-31", "0001-01-01T00:00", "9999-12-31T23:59",
           "²", "y" * 30_000]  # fmt: skip
WHEN = "2026-11-20T09:30"


def token_of(browser: Browser) -> str:
    browser.open("/mi-cuenta")
    token: str = browser.tree().xpath("//input[@name='csrf_token']/@value")[0]
    return token


def forms(things: Mapping[str, int | str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Give every form of these rooms as its page would send it."""
    g, d = (f"/glosas/glosa/{things['glosa.objecion_id']}", f"/glosas/devolucion/{things['devolucion.objecion_id']}")
    act = {"fecha": WHEN, "motivo": "Consta", "version": "1", "resultado": "parcial", "levantado": "100"}
    for one in (g, d):
        yield f"{one}/respuesta", {
            "version": "1", "visto": "", "plantilla": "1", "decision": "aceptar_parte", "valor_aceptado": "100",
            "texto": "Se responde", "soportes": "a" * 64, "motivo": "x", "hacer": "terminar",
        }  # fmt: skip
        for acto in ("decision", "anular", "reabrir", "definitiva", "aceptar", "fecha"):
            yield f"{one}/acto/{acto}", {f"{acto}-{name}": value for name, value in act.items()}
        yield f"{one}/respuesta", {"usar": "plantilla:1", "version": "1"}
        yield f"{one}/asignar", {"usuario_id": "1"}
        yield f"{one}/pendiente", {"hasta": "2026-11-25", "motivo": "Espera"}
        yield f"{one}/comentar", {"texto": "@de1 mire"}
    line = str(things["glosa.objecion_id"])
    bulk = {"ids": line, "decision": "aceptar_parte", "porcentaje": "10", "texto": "{factura}", "motivo": "x"}
    bulk |= {f"version-{line}": "1", f"visto-{line}": "", "hacer": "terminar"}
    yield "/glosas/glosas/masiva", {"ids": line, "hacer": "responder", "usuario_id": "1"}
    yield "/glosas/glosas/masiva", {"ids": line, "hacer": "asignar", "usuario_id": "1"}
    yield "/glosas/devoluciones/masiva", {"ids": line, "hacer": "responder", "usuario_id": "1"}
    yield "/glosas/masiva/vista", bulk
    yield "/glosas/masiva/guardar", bulk
    yield "/glosas/presentar", {"conjuntos": f"{things['factura_id']}:glosa:1", "canal": "mano"}
    yield "/glosas/siifa", {"actos": "1", "referencia": "R-1", "cuando": WHEN}
    p = things["prestador_id"]
    yield f"/glosas/reglas/{p}", {"usuario_id": "1", "familia": "FA", "desde": "1", "hasta": "2", "pagador_id": "1"}
    yield f"/glosas/reglas/{p}/ajustes", {"escalar_dias": "2", "escalar_a_id": "", "cuatro_ojos_desde": "1"}
    loose = f"/glosas/lineas/{things['linea_id']}"
    yield f"{loose}/cruzar", {"factura": "FE1", "motivo": "x"}
    yield f"{loose}/aceptar", {"notificada": "2026-11-20", "motivo": "x"}
    yield f"{loose}/descartar", {"motivo": "x"}
    yield f"/glosas/respuestas/{things['respuesta_id']}/aprobar", {"version": "0"}
    yield f"/glosas/respuestas/{things['respuesta_id']}/devolver", {"version": "0", "motivo": "x"}
    yield f"/correos/{things['correo_id']}/clase", {"clase": "otro"}
    yield f"/tareas/{things['tarea_id']}/cerrar", {"resultado": "x"}
    yield from meeting_forms(things)


def meeting_forms(things: Mapping[str, int | str]) -> Iterator[tuple[str, dict[str, str]]]:
    c = f"/conciliacion/{things['conciliacion_id']}"
    yield "/conciliacion/nueva", {
        "prestador": str(things["prestador_id"]), "pagador": "1", "corte": "2026-11-20", "codigos": "FA", "facturas": "FE1",
        "desde": "1", "glosas": "y", "devoluciones": "y", "anterior": "", "hacer": "ver",
    }  # fmt: skip
    meeting = {"reunion-citada": WHEN, "reunion-lugar": "Aquí", "reunion-notas": "n", "visto": "x"}
    yield f"{c}/reunion", meeting | {"nombre": "Ana", "cargo": "x", "por": "prestador"}
    yield f"{c}/lineas", {"facturas": "FE1"}
    yield f"{c}/quitar", {"linea": "1"}
    yield f"{c}/celebrar", {"version": "0"}
    yield f"{c}/reabrir", {"reabrir-version": "0", "reabrir-motivo": "x"}
    yield f"{c}/fracasar", {"fracasar-version": "0", "fracasar-motivo": "x"}
    yield f"{c}/mesa", {"vio-1": "0:0:1", "lev-1": "1", "ace-1": "", "sig-1": "", "vionota-1": "", "nota-1": "x"}
    yield f"{c}/mesa/codigo", {"codigo": "FA0201", "acepta": "1", "levanta": "2", "vio": "0:0:1", "todas": "1"}
    yield f"{c}/simulador", {"a-FA0201": "1", "l-FA0201": "2"}
    yield f"{c}/compromisos", {"compromiso-fecha": "2026-12-01", "compromiso-valor": "1", "compromiso-nota": "x"}
    promise = f"/conciliacion/compromisos/{things['compromiso_id']}"
    yield f"{promise}/llego", {"llego-fecha": "2026-11-20", "llego-valor": "1", "llego-nota": "x"}
    yield f"{promise}/desistir", {"desistir-nota": "x"}


def test_no_single_value_breaks_a_form(any_house: House) -> None:
    provider = any_house.provider()
    things = things_of(any_house, provider)
    browser = any_house.entered("ana@norte.example", *Rol, provider=provider)
    token = token_of(browser)
    wrong = []
    for address, good in forms(things):
        for name in good:
            for value in HOSTILE:
                status = browser.raw("POST", address, data={**good, name: value, "csrf_token": token}).status_code
                if status >= 500:
                    wrong.append(f"{status} {address} {name}={value[:20]!r}")
    assert wrong == []


def test_a_form_of_nothing_but_words_without_lines_is_said(house: House) -> None:
    provider = house.provider()
    browser = house.entered("ana@norte.example", Rol.GLOSAS, provider=provider)
    token = token_of(browser)
    for address in ("/glosas/glosas/masiva", "/glosas/masiva/vista", "/glosas/masiva/guardar"):
        data = {"ids": "x", "hacer": "responder", "decision": "defender", "texto": "x", "csrf_token": token}
        assert browser.raw("POST", address, data=data).status_code in (404, 422), address


def objections(house: House, provider: int, payer: int | None = None, **more: Any) -> list[int]:
    with house.database.write() as session:
        held = session.get(Pagador, payer) if payer else None
        return [seed.objected(session, seed.filed_invoice(session, provider, held), **more).id]


def test_ids_of_two_providers_change_none(any_house: House) -> None:
    mine, theirs = any_house.provider(), any_house.provider("IPS del Sur")
    browser = any_house.entered("ana@norte.example", *Rol, provider=mine)
    ids = [*objections(any_house, mine), *objections(any_house, theirs)]
    token = token_of(browser)
    data = {"ids": [str(one) for one in ids], "csrf_token": token, "decision": "defender", "texto": "No procede"}
    for address, more in (
        ("/glosas/glosas/masiva", {"hacer": "asignar", "usuario_id": ""}),
        ("/glosas/glosas/masiva", {"hacer": "responder"}),
        ("/glosas/masiva/vista", {}),
        ("/glosas/masiva/guardar", {"hacer": "terminar"}),
    ):
        assert browser.raw("POST", address, data={**data, **more}).status_code == 404, address
    with any_house.database.read() as session:
        assert session.scalars(select(Respuesta)).all() == []
        assert all(one.responsable_id is None for one in session.scalars(select(Glosa)))


def test_what_an_objection_says_opens_only_at_the_provider_of_the_role(house: House) -> None:
    """Glosas here and administración there: lines of both in one form show no words of the second."""
    here, there = house.provider(), house.provider("IPS del Sur")
    house.person("ana@norte.example", {here: (Rol.GLOSAS,), there: (Rol.ADMINISTRACION,)})
    with house.database.write() as session:
        payer = factories.pagador(session).id
    ids = [*objections(house, here, payer), *objections(house, there, payer, motivo="Es lo que no se dice")]
    browser = house.entered("ana@norte.example")
    token = token_of(browser)
    data = {
        "ids": [str(one) for one in ids],
        "csrf_token": token,
        "decision": "defender",
        "texto": "No procede {motivo}",
    }
    for address in ("/glosas/glosas/masiva", "/glosas/masiva/vista"):
        browser.raw("POST", address, data={**data, "hacer": "responder"})
        assert browser.status < 500
        assert "lo que no se dice" not in browser.text, address


def test_a_date_that_is_none_registers_nothing_in_siifa(house: House) -> None:
    provider = house.provider()
    things_of(house, provider)
    browser = house.entered("ana@norte.example", Rol.GLOSAS, provider=provider)
    with house.database.write() as session:
        filed = seed.filed_invoice(session, provider)
        line = seed.objected(session, filed)
        row = Acto(
            prestador_id=provider, factura_id=filed.id, glosa_id=line.id, tipo=TipoActo.RESPUESTA, autor="ips",
            ocurrido_at=factories.NOW, registrado_at=factories.NOW, actor="prueba", siifa_vence=factories.NOW,
        )  # fmt: skip
        session.add(row)
        session.flush()
        act = row.id
    data = {"actos": [str(act)], "referencia": "R-1", "cuando": "ayer", "csrf_token": token_of(browser)}
    assert browser.raw("POST", "/glosas/siifa", data=data).status_code == 422
    with house.database.read() as session:
        assert session.scalars(select(RegistroSiifa)).all() == []
    assert browser.raw("POST", "/glosas/siifa", data={**data, "cuando": ""}).status_code == 303


def test_a_rule_names_a_payer_that_is(any_house: House) -> None:
    provider = any_house.provider()
    things = things_of(any_house, provider)
    browser = any_house.entered("ana@norte.example", *Rol, provider=provider)
    with any_house.database.read() as session:
        before = len(session.scalars(select(ReglaAsignacion)).all())
        owner = session.scalars(select(ReglaAsignacion.usuario_id)).first()
    data = {"usuario_id": str(owner), "pagador_id": "987654", "csrf_token": token_of(browser)}
    assert browser.raw("POST", f"/glosas/reglas/{things['prestador_id']}", data=data).status_code == 422
    with any_house.database.read() as session:
        assert len(session.scalars(select(ReglaAsignacion)).all()) == before


@pytest.mark.parametrize(
    "name", ["a\x00b.xlsx", "../../../etc/passwd", "C:\\x\\" + "y" * 300 + ".xlsx", "\u202egnp.pdf"]
)
@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04 no", b"%PDF-1.7 no", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600]
)
def test_no_file_breaks_an_upload(any_house: House, name: str, data: bytes) -> None:
    provider = any_house.provider()
    things = things_of(any_house, provider)
    browser = any_house.entered("ana@norte.example", *Rol, provider=provider)
    token = token_of(browser)
    g, c = f"/glosas/glosa/{things['glosa.objecion_id']}", f"/conciliacion/{things['conciliacion_id']}"
    decided = {"fecha": WHEN, "motivo": "Consta", "version": "1", "resultado": "ratificada"}
    for address, field, more in (
        ("/glosas/cargar", "archivos", {"prestador": str(provider)}),
        (f"{g}/acto/decision", "decision-pruebas", {f"decision-{key}": value for key, value in decided.items()}),
        (f"{c}/libro", "archivo", {}),
        (f"{c}/firmar", "firmar-pruebas", {"firmar-version": "0", "firmar-fecha": "2026-11-20"}),
        (f"{c}/fracasar", "fracasar-pruebas", {"fracasar-version": "9", "fracasar-motivo": "x"}),
    ):
        sent: dict[str, Any] = {**more, "csrf_token": token, field: (io.BytesIO(data), name)}
        status = browser.raw("POST", address, data=sent, content_type="multipart/form-data").status_code
        assert status < 500, address


def test_a_task_is_not_closed_with_blanks(house: House) -> None:
    provider = house.provider()
    browser = house.entered("ana@norte.example", Rol.GLOSAS, provider=provider)
    with house.database.write() as session:
        row = Tarea(
            prestador_id=provider, clase=ClaseTarea.REVISAR_SILENCIO, case_key="glosa:1", titulo="Mirar",
            creada_at=factories.NOW,
        )  # fmt: skip
        session.add(row)
        session.flush()
        number = row.id
    token = token_of(browser)
    browser.raw("POST", f"/tareas/{number}/cerrar", data={"resultado": "   ", "csrf_token": token})
    with house.database.read() as session:
        assert session.get_one(Tarea, number).cerrada_at is None
    browser.raw("POST", f"/tareas/{number}/cerrar", data={"resultado": "Se miró", "csrf_token": token})
    with house.database.read() as session:
        assert session.get_one(Tarea, number).cerrada_at is not None
