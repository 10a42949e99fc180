"""Edits that leave every chain, hash and file whole, and yet lie: another filing date, number or level, proofs that
changed places, a dossier that gives out another bag. Each is named; what nobody touched is clean, dossier and all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from radica.cartera import pagos
from radica.cartera.models import PagoFactura
from radica.custodia.models import Pieza
from radica.custodia.store import FolderStore
from radica.entidades.tarifas import Cobrada, Comparacion, Comparada, Fallo
from radica.facturas.models import Factura
from radica.facturas.tarifa_factura import congelar_tarifa
from radica.kernel.db import Database
from tests.expediente_seed import Caso, make_caso
from tests.factories import NOW
from tests.plugins import filing
from tests.plugins.custody import Custody

Tamper = Callable[[Custody, Caso], set[str]]


@pytest.fixture
def caso(db: Database, tmp_path: Path) -> Iterator[Caso]:
    house = filing.house_on(db.url, tmp_path)
    made = make_caso(house, story=False)
    made.order()
    made.work()
    yield made
    house.db.dispose()


def hands_on(caso: Caso) -> Custody:
    assert isinstance(caso.house.store, FolderStore)
    return Custody(caso.house.db, caso.house.store, caso.prestador_id, caso.facturas, [])


def test_a_house_with_a_dossier_is_clean(caso: Caso) -> None:
    ended, found = hands_on(caso).verify()
    assert found == []
    assert ended.cuentas["hechos"] == 5  # two invoices, two envíos, one dossier


def back_dated(house: Custody, caso: Caso) -> set[str]:
    assert house.by_hand("UPDATE facturas SET fecha_radicacion = ? WHERE id = ?", *_day(house), caso.facturas[0])
    return {f"factura:{caso.facturas[0]}"}


def back_dated_filing(house: Custody, caso: Caso) -> set[str]:
    assert house.by_hand("UPDATE envios SET fecha_radicacion = ?", *_day(house))
    return {"envio:1", "envio:2"}


def another_number(house: Custody, caso: Caso) -> set[str]:
    assert house.by_hand("UPDATE facturas SET radicado = 'RAD-77777' WHERE id = ?", caso.facturas[0])
    return {f"factura:{caso.facturas[0]}"}


def higher_level(house: Custody, caso: Caso) -> set[str]:
    assert house.by_hand("UPDATE facturas SET nivel_prueba = 4 WHERE id = ?", caso.facturas[1])
    return {f"factura:{caso.facturas[1]}"}


def proofs_change_places(house: Custody, caso: Caso) -> set[str]:
    with house.db.read() as session:
        one, two = session.scalars(select(Pieza).where(Pieza.case_key.like("envio:%")).order_by(Pieza.id)).all()
    for row, other in ((one, two), (two, one)):
        assert house.by_hand("UPDATE piezas SET sha256 = ?, bytes = ? WHERE id = ?", other.sha256, other.bytes, row.id)
    return {f"blob:{one.sha256}", f"blob:{two.sha256}"}


def another_bag(house: Custody, caso: Caso) -> set[str]:
    assert house.by_hand("UPDATE expedientes SET bolsa_sha256 = pdf_sha256")
    return {"expediente:1"}


def a_payment_grows(house: Custody, caso: Caso) -> set[str]:
    return {f"pago:{_paid(house, caso)}"} if house.by_hand("UPDATE pagos_factura SET valor = valor + 1") else set()


def a_payment_comes_from_nowhere(house: Custody, caso: Caso) -> set[str]:
    number = _paid(house, caso)
    assert house.by_hand(
        "INSERT INTO pagos_factura (id, prestador_id, factura_id, fecha, valor, concepto, referencia, nota,"
        " registrado_at, registrado_por) SELECT id + 1, prestador_id, factura_id, fecha, valor, concepto, 'otra', nota,"
        " registrado_at, registrado_por FROM pagos_factura WHERE id = ?",
        number,
    )
    return {f"pago:{number + 1}"}


def a_tariff_changes(house: Custody, caso: Caso) -> set[str]:
    number = _frozen(house, caso)
    assert house.by_hand("UPDATE tarifas_aplicadas SET lineas = ?", '[{"codigo":"890202"}]')
    return {f"tarifa:{number}"}


def _frozen(house: Custody, caso: Caso) -> int:
    line = Comparada(
        Cobrada("usuarios[0].servicios.consultas[0]", "consultas", "890201", NOW.date()), Fallo.NO_COMPARADA
    )
    with house.db.write() as session:
        invoice = session.get_one(Factura, caso.facturas[0])
        return congelar_tarifa(session, invoice, Comparacion((line,)), actor="prueba", at=NOW)[0].id


def _paid(house: Custody, caso: Caso) -> int:
    with house.db.write() as session:
        invoice = session.get_one(Factura, caso.facturas[0])
        return pagos.enter(session, invoice, fecha=date(2026, 7, 1), valor=5_000_00, actor="prueba", at=NOW).id


def _day(house: Custody) -> tuple[str]:
    return ("2026-01-05T12:00:00.000000Z",)


@pytest.mark.parametrize(
    "tamper",
    [
        back_dated,
        back_dated_filing,
        another_number,
        higher_level,
        proofs_change_places,
        another_bag,
        a_payment_grows,
        a_payment_comes_from_nowhere,
        a_tariff_changes,
    ],
    ids=lambda one: one.__name__,
)
def test_each_lie_is_named(caso: Caso, tamper: Tamper) -> None:
    house = hands_on(caso)
    expected = tamper(house, caso)
    _, found = house.verify()
    assert {what for kind, gravity, what in found if (kind, gravity) == ("alterado", "grave")} == expected


def test_a_payment_that_is_gone_is_missed_and_one_undone_is_in_order(caso: Caso) -> None:
    house = hands_on(caso)
    number = _paid(house, caso)
    with house.db.write() as session:
        undone = pagos.reverse(session, session.get_one(PagoFactura, number), "De otra", actor="prueba", at=NOW)
        both = {f"pago:{number}", f"pago:{undone.id}"}
    assert house.verify()[1] == []
    assert house.by_hand("DELETE FROM pagos_factura WHERE anula_id IS NOT NULL")
    assert house.by_hand("DELETE FROM pagos_factura")
    assert {what for kind, _, what in house.verify()[1] if kind == "faltante"} == both


def test_a_frozen_tariff_that_is_gone_is_missed_and_one_that_stands_is_in_order(caso: Caso) -> None:
    house = hands_on(caso)
    number = _frozen(house, caso)
    assert house.verify()[1] == []
    assert house.by_hand("DELETE FROM tarifas_aplicadas")
    assert [what for kind, _, what in house.verify()[1] if kind == "faltante"] == [f"tarifa:{number}"]
