"""Bad input of payers' files: each kind has one clear outcome, and none changes money in silence."""

from __future__ import annotations

from datetime import date

import pytest

from radica.audit.services import advance
from radica.entidades.services import register_payer
from radica.facturas.states import EventoFactura
from radica.glosas.codes import Manual
from radica.glosas.models import DestinoLinea, Devolucion
from radica.glosas.states import EstadoDevolucion, EventoDevolucion
from tests import factories
from tests.plugins.glosas import day, filed
from tests.plugins.notices import Notices, row


def reasons(notices: Notices) -> list[str | None]:
    return [razon for _, razon in notices.tray()]


def test_wrong_payer_chosen(notices: Notices) -> None:
    with notices.db.write() as session:
        other = factories.pagador(session, nombre="EPS Otra")
    notices.invoice("FV501")
    found = notices.one([row("FV501")], pagador_nit=other.nit)
    assert (found.nuevas, found.por_decidir) == (0, 1)
    assert reasons(notices) == ["otro_pagador"]
    assert notices.money() == (0, 0)


def test_a_file_that_looks_like_another_payers_says_so_and_the_invoice_decides(notices: Notices) -> None:
    with notices.db.write() as session:
        sanitas = register_payer(session, "800251440", "EPS Sanitas")
        filed(session, prestador=notices.prestador, pagador=sanitas, numero="FV501")
    titles = (
        "NUMERO_FACTURA;CODIGO_GLOSA_DEV;VALOR_GLOSA_DEV;VALOR_TOTAL_FACTURA;FECHA_HORA_GLOSA;FECHA_HORA_RADICACION;"
        "NUMERO_GLOSA_DEV;NUMERO_RADICACION"
    )
    line = "FV501;TA0801;1000;100000;2026-06-16;2026-06-01;77;R1"
    found = notices.one(f"{titles}\n{line}\n".encode(), "Registro_Inforamcion.csv", pagador_nit=sanitas.nit)
    assert found.formato == "nueva_eps"
    assert any("Nueva EPS" in text for text in found.avisos)
    assert found.nuevas == 1


@pytest.mark.parametrize("code", ["PE1234", "SC01", "99"])
def test_a_code_of_no_manual_is_loaded_as_it_came_and_said(notices: Notices, code: str) -> None:
    notices.invoice("FV501")
    rows = [row("FV501", codigo=code), *(row("FV501", str(n), servicio=str(n)) for n in range(1, 6))]
    assert notices.one(rows).nuevas == 6
    glosa = next(one for one in notices.glosas() if one.codigo == code)
    assert (glosa.manual, glosa.familia, glosa.codigo_original) == (Manual.OTRO, "", code)
    line = next(one for one in notices.lineas() if one.glosa_id == glosa.id)
    assert "no está en ningún manual" in (line.motivo or "")


def test_value_above_the_invoice_is_loaded_and_counts_up_to_the_invoice(notices: Notices) -> None:
    notices.invoice("FV501", valor=90_000)
    assert notices.one([row("FV501", "5000"), row("FV501", "100", "SO3401")]).nuevas == 2
    first, second = notices.glosas()
    assert (first.valor_objetado, first.valor, first.exceso) == (500_000, 90_000, 1)
    assert (second.valor_objetado, second.valor, second.exceso) == (10_000, 0, 1)


def test_notice_before_filing(notices: Notices) -> None:
    notices.invoice("FV501", at=day(6, 20))
    found = notices.one([row("FV501")])
    assert (found.nuevas, reasons(notices)) == (0, ["notificada_antes"])


def test_a_payers_date_before_filing_is_a_doubt_though_the_mail_came_later(notices: Notices) -> None:
    notices.invoice("FV501", at=day(6, 20))
    notices.one([row("FV501")], origen="correo", recibida_at=day(6, 25))
    assert reasons(notices) == ["notificada_antes"]


def test_future_date(notices: Notices) -> None:
    notices.invoice("FV501")
    found = notices.one([row("FV501", fecha="2027-03-01")])
    assert found.nuevas == 0
    assert found.por_decidir + found.no_leidas == 1
    assert notices.money() == (0, 0)


def test_the_same_glosa_at_a_higher_or_lower_value(notices: Notices) -> None:
    notices.invoice("FV501")
    notices.invoice("FV502")
    notices.one([row("FV501", "100"), row("FV502", "100")])
    found = notices.one([row("FV501", "150"), row("FV502", "60")])
    assert (found.nuevas, reasons(notices)) == (0, ["mayor_valor", "menor_valor"])
    assert notices.money() == (2, 20_000)
    waiting = [one for one in notices.lineas() if one.destino is DestinoLinea.POR_DECIDIR]
    assert [one.glosa_id for one in waiting] == [one.id for one in notices.glosas()]
    assert "$ 100" in (waiting[0].motivo or "")
    assert "$ 150" in (waiting[0].motivo or "")


def test_a_decision_for_a_line_never_glossed(notices: Notices) -> None:
    notices.invoice("FV501")
    found = notices.one([row("FV501", ratificado="100")])
    assert (found.nuevas, found.aplicadas, reasons(notices)) == (0, 0, ["sin_glosa"])


def test_an_invoice_of_another_tenant_reads_like_one_that_does_not_exist(notices: Notices) -> None:
    with notices.db.write() as session:
        stranger = factories.prestador(session, nombre="IPS Ajena")
        filed(session, prestador=stranger, pagador=notices.pagador, numero="FV777")
    found = notices.load([row("FV777"), row("FV778")]).notificaciones[0]
    assert (found.nuevas, found.sin_cruzar) == (0, 2)
    theirs, nobodys = notices.lineas()
    assert theirs.razon == nobodys.razon == "factura_desconocida"
    assert (theirs.motivo or "").replace("777", "778") == nobodys.motivo
    assert theirs.factura_id is None
    assert "Ajena" not in str(found)


def test_ambiguous_and_unknown_invoices_wait_with_their_candidates(notices: Notices) -> None:
    with notices.db.write() as session:
        two = [
            filed(session, prestador=notices.prestador, pagador=notices.pagador, numero=number)
            for number in ("F9", "V9")
        ]
    found = notices.one([row("9"), row("FV10"), row("FV1")])
    assert found.sin_cruzar == 3
    by_number = {one.contenido["factura"]: one for one in notices.lineas()}
    assert by_number["9"].razon == "factura_ambigua"
    assert by_number["9"].contenido["cruce"]["candidatos"] == [one.id for one in two]
    assert by_number["FV10"].razon == "factura_desconocida"


def test_an_invoice_that_is_not_filed_is_matched_and_said(notices: Notices) -> None:
    with notices.db.write() as session:
        factories.factura(session, notices.prestador, notices.pagador, numero="FE4001")
    assert notices.one([row("FE4001")]).nuevas == 1
    (glosa,) = notices.glosas()
    assert glosa.vence is not None
    assert glosa.dias_pagador is None
    assert "no consta radicada" in (notices.lineas()[0].motivo or "")


def test_an_annulled_invoice_is_not_glossed(notices: Notices) -> None:
    with notices.db.write() as session:
        invoice = factories.factura(session, notices.prestador, notices.pagador, numero="FE4001")
        for event in (EventoFactura.PEDIR_ANULACION, EventoFactura.ANULAR):
            advance(session, invoice, event, actor="prueba", at=day(6, 2), reason="orden_de_persona")
    notices.one([row("FE4001")])
    assert reasons(notices) == ["factura_anulada"]


def test_returns_and_glosas_are_never_mixed(notices: Notices) -> None:
    for number in ("FV501", "FV502", "FV503"):
        notices.invoice(number)
    notices.one([row("FV501", "1", "DE1601", "2026-06-04"), row("FV501", "5")])
    assert reasons(notices) == ["factura_devuelta"]
    notices.one([row("FV502")])
    notices.one([row("FV502", "9", "DE1601", "2026-06-17")])
    assert reasons(notices) == ["factura_devuelta", "factura_glosada"]
    notices.one([row("FV501", "7", "SO3401")])
    assert reasons(notices)[2] == "factura_devuelta"
    assert len(notices.rows(Devolucion)) == 1
    assert notices.money() == (1, 100_000)


def test_a_second_return_is_for_a_person(notices: Notices) -> None:
    notices.invoice("FV501")
    notices.one([row("FV501", "1", "DE1601", "2026-06-04")])
    with notices.db.write() as session:
        returned = session.get_one(Devolucion, notices.rows(Devolucion)[0].id)
        advance(session, returned, EventoDevolucion.LEVANTAR, actor="reloj", at=day(7, 1), reason="orden_de_persona")
    notices.one([row("FV501", "1", "DE5601", "2026-07-04")])
    assert reasons(notices) == ["segunda_devolucion"]
    (one,) = notices.rows(Devolucion)
    assert one.estado is EstadoDevolucion.LEVANTADA


def test_the_same_objection_told_with_other_columns_is_a_doubt_not_a_double(notices: Notices) -> None:
    notices.invoice("FV501")
    notices.one([row("FV501", numero="G7", servicio="890201")])
    notices.one([row("FV501", fecha="2026-06-16")])
    assert reasons(notices) == ["posible_repetida"]
    assert notices.money() == (1, 100_000)


def test_without_any_payer_nobody_is_guessed(notices: Notices) -> None:
    notices.invoice("FV501")
    with notices.db.write() as session:
        invoice = filed(session, prestador=notices.prestador, pagador=notices.pagador, numero="FV900")
        invoice.pagador_id = None
    notices.one([row("FV900"), row("FV501")], pagador_nit=None)
    assert reasons(notices) == ["sin_pagador"]
    assert notices.money() == (1, 100_000)


def test_a_negative_value_is_no_glosa(notices: Notices) -> None:
    notices.invoice("FV501")
    found = notices.one([row("FV501", "(1000)"), row("FV501", "10")])
    assert found.nuevas == 1
    assert found.por_decidir + found.no_leidas == 1
    assert date(2026, 6, 16) == notices.glosas()[0].fecha_segun_pagador
