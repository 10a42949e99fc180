"""Amendments of contracts: new terms from a day on, and what was in force before stays as it was."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from radica.entidades.contratos import acuerdos_de, cerrar, crear
from radica.entidades.contratos_models import Contrato, Otrosi
from radica.entidades.otrosies import Terminos, pactar, tramos
from radica.entidades.tarifarios import Condiciones, FilaPrecio, cargar
from radica.entidades.tarifas import Acuerdo, Dicho, Fallo, ReglaAutorizacion, elegir_acuerdo
from radica.facturas.tarifa_factura import comparar_factura, congelar_tarifa
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, StalePage
from tests import factories
from tests.integration.test_contratos import AT, RIPS, SHA, YEAR, bill, deal

CUCON = "a1" * 32
END = date(2026, 12, 31)
JULY = date(2026, 7, 1)


def amend(session: Session, row: Contrato, desde: date, *, visto: int = 0, nota: str = "", **more: Any) -> Otrosi:
    """Write an amendment that says what is given and keeps an end on the last day of the year."""
    terms = Terminos(desde, **{"hasta": END, **more})
    return pactar(session, row, terms, nota=nota, visto=visto, actor="prueba", at=AT)


def value(session: Session, row: Contrato) -> Acuerdo:
    (found,) = acuerdos_de(session, [row])
    return found


def test_each_day_has_the_terms_that_ruled_it(db: Database):
    with db.write() as session:
        row = deal(session, bill(session), hasta=END, dias_pago=30)
        amend(session, row, JULY, dias_pago=60, cucon=CUCON)
        amend(session, row, date(2026, 12, 1), visto=1, hasta=date(2027, 6, 30), dias_pago=60, cucon=CUCON)
        found = value(session, row)
    days = {date(2026, 6, 30): (30, ""), JULY: (60, CUCON), date(2027, 6, 30): (60, CUCON)}
    for day, told in days.items():
        assert (found.el(day).dias_pago, found.el(day).cucon) == told
        assert found.rige(day)
    assert not found.rige(date(2027, 7, 1))
    assert not found.rige(date(2025, 12, 31))
    assert [(one.desde, one.hasta, one.cambios) for one in tramos(found)] == [
        (YEAR, date(2026, 6, 30), ()),
        (JULY, date(2026, 11, 30), ("pago a 60 días (antes, 30 días)", "otro CUCON")),
        (date(2026, 12, 1), date(2027, 6, 30), ("termina el 30/06/2027 (antes, el 31/12/2026)",)),
    ]


def test_an_invoice_may_name_any_cucon_that_the_contract_had(db: Database):
    with db.write() as session:
        invoice = bill(session)
        row, other = deal(session, invoice, hasta=END, cucon="b2" * 32), deal(session, invoice, numero="CT-2")
        amend(session, row, JULY, cucon=CUCON)
        both = acuerdos_de(session, [row, other])
    for code in (CUCON, "b2" * 32):
        chosen, _ = elegir_acuerdo(both, date(2026, 8, 1), Dicho((code,)))
        assert chosen is not None
        assert (chosen.id, chosen.otrosi) == (row.id, 1)


def test_a_correction_with_the_same_first_day_stands_over_the_first(db: Database):
    with db.write() as session:
        row = deal(session, bill(session), hasta=END)
        amend(session, row, JULY, dias_pago=6)
        amend(session, row, JULY, visto=1, dias_pago=60)
        found = value(session, row)
    assert found.el(JULY).dias_pago == 60
    assert [one.reemplazado_por for one in tramos(found)] == [None, 2, None]


def test_a_frozen_tariff_and_earlier_days_stay_as_they_were(db: Database):
    """The service is of 20 May: an amendment from July and its list change neither its price nor its frozen tariff."""
    with db.write() as session:
        invoice = bill(session)
        row = deal(session, invoice, hasta=END)
        prices = [FilaPrecio("890201", None, "", 9_060_000)]
        cargar(session, row, Condiciones(YEAR), prices, prestador_id=row.prestador_id, sha256=SHA, actor="p", at=AT)
        frozen, _ = congelar_tarifa(
            session, invoice, comparar_factura(session, invoice.id, RIPS, None), actor="p", at=AT
        )
        amend(session, row, JULY, dias_pago=60, autorizacion=ReglaAutorizacion(todos=True))
        cheaper = [FilaPrecio("890201", None, "", 1_000_000)]
        cargar(session, row, Condiciones(JULY), cheaper, prestador_id=row.prestador_id, sha256=SHA, actor="p", at=AT)
        again = comparar_factura(session, invoice.id, RIPS, None)
        assert [one.fallo for one in again.lineas] == [Fallo.IGUAL]
        assert again.sin_autorizacion == 0
        same, new = congelar_tarifa(session, invoice, again, actor="p", at=AT)
        assert (same.id, new) == (frozen.id, False)


def test_a_list_may_begin_where_only_the_amendment_reaches(db: Database):
    with db.write() as session:
        row = deal(session, bill(session), hasta=END)
        amend(session, row, date(2027, 1, 1), hasta=date(2027, 12, 31))
        terms = Condiciones(date(2027, 1, 1))
        price = [FilaPrecio("890201", None, "", 1)]
        _, new = cargar(session, row, terms, price, prestador_id=row.prestador_id, sha256=SHA, actor="p", at=AT)
    assert new


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"desde": YEAR}, "otrosi_desde"),
        ({"desde": date.min}, "otrosi_desde"),
        ({"desde": date(2027, 1, 2), "hasta": date(2027, 6, 30)}, "otrosi_desde"),
        ({"desde": JULY, "hasta": date(2026, 6, 30)}, "otrosi_hasta"),
        ({"desde": JULY, "cucon": "xyz"}, "otrosi_cucon"),
        ({"desde": JULY, "dias_pago": 366}, "otrosi_dias_pago"),
        ({"desde": JULY}, "otrosi_nota"),
        ({"desde": JULY, "nota": "x" * 501}, "otrosi_nota"),
    ],
)
def test_what_is_no_amendment_is_refused_and_nothing_is_kept(db: Database, more: dict[str, Any], code: str):
    with db.write() as session:
        row = deal(session, bill(session), hasta=END)
        with pytest.raises(BadInput) as caught:
            amend(session, row, **more)
        assert caught.value.code == code
        assert value(session, row).otrosies == ()


def test_only_a_list_of_prices_needs_no_other_term(db: Database):
    with db.write() as session:
        row = deal(session, bill(session), hasta=END)
        assert amend(session, row, JULY, nota="Tarifas del segundo semestre").numero == 1


def test_what_somebody_else_wrote_meanwhile_is_seen_first(db: Database):
    with db.write() as session:
        row = deal(session, bill(session), hasta=END)
        amend(session, row, JULY, dias_pago=60)
        with pytest.raises(StalePage):
            amend(session, row, JULY, dias_pago=90)
        with pytest.raises(BadInput):
            cerrar(session, row, date(2026, 6, 1), visto=END, actor="prueba", at=AT)


def test_an_extension_does_not_run_over_the_next_contract(db: Database):
    with db.write() as session:
        invoice = bill(session)
        row = deal(session, invoice, hasta=END)
        deal(session, invoice, desde=date(2027, 1, 1))
        with pytest.raises(BadInput) as caught:
            amend(session, row, JULY, hasta=date(2027, 6, 30))
        assert caught.value.code == "contrato_repetido"


def test_a_renewal_waits_for_the_end_of_the_extension(db: Database):
    with db.write() as session:
        invoice = bill(session)
        row = deal(session, invoice, hasta=END)
        amend(session, row, JULY, hasta=date(2027, 6, 30))
        with pytest.raises(BadInput):
            deal(session, invoice, desde=date(2027, 1, 1))
        assert deal(session, invoice, desde=date(2027, 7, 1)).id


@pytest.mark.parametrize("act", [update(Otrosi).values(dias_pago=1), delete(Otrosi)])
def test_what_was_amended_is_never_rewritten(db: Database, act: Any):
    with db.write() as session:
        amend(session, deal(session, bill(session), hasta=END), JULY, dias_pago=60)
    with pytest.raises(DBAPIError, match="solo admite filas nuevas"), db.write() as session:
        session.execute(act)


def test_of_two_contracts_only_the_amended_one_changes(db: Database):
    with db.write() as session:
        owner, payer = factories.prestador(session), factories.pagador(session)
        rows = [
            crear(
                session, prestador_id=owner.id, pagador_id=payer.id, numero=f"CT-{number}", modalidad="04",
                desde=YEAR, hasta=END, actor="prueba", at=AT,
            )
            for number in (1, 2)
        ]  # fmt: skip
        amend(session, rows[1], JULY, dias_pago=60)
        assert [len(one.otrosies) for one in acuerdos_de(session, rows)] == [0, 1]
