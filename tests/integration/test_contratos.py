"""Contracts, versions of lists, frozen tariffs and the agreed term of payment, on both databases."""

from __future__ import annotations

import io
import json
import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from radica.app.handlers.tarifas_congelar import congelar_ahora, order_freezing, por_congelar
from radica.audit.chain import link_hash
from radica.audit.models import AccessLog, Transition
from radica.audit.services import link_content
from radica.cartera.caso import TipoConcepto
from radica.cartera.liquidar import liquidar_factura
from radica.custodia.services import record_blobs
from radica.custodia.store import FolderStore
from radica.entidades.contratos import acuerdos_con, cerrar, crear, listar
from radica.entidades.contratos_models import Contrato, Precio, TarifaAplicada, Tarifario
from radica.entidades.models import TipoPagador
from radica.entidades.tarifarios import Condiciones, FilaPrecio, base_del_dia, cargar, filas_de, listas_de, precios_de
from radica.entidades.tarifas import ReglaAutorizacion
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.facturas.tarifa_factura import comparar_factura, congelar_tarifa, huella_lineas
from radica.jobs.models import Job
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, StalePage
from tests import factories
from tests.plugins.glosas import day, filed, glosa

YEAR = date(2026, 1, 1)
AT = day(1, 2)
SHA = "a" * 64
RIPS: dict[str, Any] = {
    "numDocumentoIdObligado": "900123456", "numFactura": "FV1",
    "usuarios": [{"consecutivo": 1, "numDocumentoIdentificacion": "1020304050", "servicios": {"consultas": [
        {"codConsulta": "890201", "vrServicio": 90600, "fechaInicioAtencion": "2026-05-20 10:00", "consecutivo": 1},
    ]}}],
}  # fmt: skip


def bill(session: Session, **more: Any) -> Factura:
    """Add a filed invoice."""
    return filed(session, **more)


def deal(session: Session, invoice: Factura, **more: Any) -> Contrato:
    """Add a contract with the payer of an invoice."""
    values = {"numero": "CT-1", "modalidad": "04", "desde": YEAR, **more}
    assert invoice.pagador_id is not None
    return crear(
        session, prestador_id=invoice.prestador_id, pagador_id=invoice.pagador_id, actor="prueba", at=AT, **values
    )


def loaded(session: Session, contract: Contrato, price: int = 9_000_000, **more: Any) -> tuple[Tarifario, bool]:
    """Load a list of one price."""
    terms = {"desde": YEAR, **{key: more.pop(key) for key in tuple(more) if key in Condiciones.__dataclass_fields__}}
    rows = [FilaPrecio("C1", "890201", "Consulta", price)]
    return cargar(
        session,
        contract,
        Condiciones(**terms),
        rows,
        prestador_id=contract.prestador_id,
        sha256=more.get("sha256", SHA),
        actor="prueba",
        at=AT,
    )


def test_a_number_names_one_contract_a_day_and_others_may_run_beside(db: Database) -> None:
    with db.write() as session:
        invoice = bill(session)
        first = deal(session, invoice)
        deal(session, invoice, numero="CT-2", modalidad="01")
        with pytest.raises(BadInput, match="ya rige"):
            deal(session, invoice, numero="ct 1", desde=date(2026, 6, 1))
        cerrar(session, first, date(2026, 5, 31), visto=None, actor="prueba", at=AT)
        deal(session, invoice, numero="CT-1", desde=date(2026, 6, 1))
        with pytest.raises(BadInput, match="ya rige"):
            cerrar(session, first, None, visto=date(2026, 5, 31), actor="prueba", at=AT)
        with pytest.raises(StalePage):
            cerrar(session, first, date(2026, 4, 30), visto=None, actor="prueba", at=AT)
        assert [row.numero for row in listar(session, [invoice.prestador_id])] == ["CT-1", "CT-2", "CT-1"]
        acts = session.scalars(select(AccessLog.action).where(AccessLog.prestador_id == invoice.prestador_id)).all()
    assert [one for one in acts if "contrato" in one] == ["crear_contrato"] * 2 + [
        "cerrar_contrato:2026-05-31",
        "crear_contrato",
    ]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"numero": " - "}, "contrato_numero"),
        ({"numero": "9" * 81}, "contrato_numero"),
        ({"modalidad": "05"}, "contrato_modalidad"),
        ({"hasta": date(2025, 12, 31)}, "contrato_hasta"),
        ({"desde": date(1900, 1, 1)}, "contrato_desde"),
        ({"cucon": "g" * 64}, "contrato_cucon"),
        ({"dias_pago": 0}, "contrato_dias_pago"),
        ({"dias_pago": 366}, "contrato_dias_pago"),
    ],
)
def test_a_contract_that_cannot_be_is_refused(db: Database, values: dict[str, Any], code: str) -> None:
    with db.write() as session:
        invoice = bill(session)
        with pytest.raises(BadInput) as refusal:
            deal(session, invoice, **values)
        assert refusal.value.code == code
        assert session.scalar(select(func.count()).select_from(Contrato)) == 0


def test_two_people_write_the_same_contract_at_once_and_one_stands(db: Database) -> None:
    with db.write() as session:
        invoice = bill(session)
        provider, payer = invoice.prestador_id, invoice.pagador_id
        assert payer is not None
    gate, refused = threading.Barrier(2), []

    def write() -> None:
        gate.wait()
        try:
            with db.write() as session:
                crear(
                    session,
                    prestador_id=provider,
                    pagador_id=payer,
                    numero="CT-1",
                    modalidad="04",
                    desde=YEAR,
                    actor="p",
                    at=AT,
                )
        except BadInput as wrong:
            refused.append(wrong.code)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert refused == ["contrato_repetido"]
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(Contrato)) == 1


def test_versions_are_added_never_changed_and_the_same_adds_nothing(db: Database) -> None:
    with db.write() as session:
        contract = deal(session, bill(session))
        first, new = loaded(session, contract)
        assert new
        assert loaded(session, contract) == (first, False)
        second, new = loaded(session, contract, 9_500_000, desde=date(2026, 7, 1), sha256="b" * 64)
        assert (second.version, new) == (2, True)
        assert loaded(session, contract)[1] is False, "the first again, under its own day, is still there"
        corrected, new = loaded(session, contract, 9_100_000, sha256="c" * 64)
        assert (corrected.version, new) == (3, True)
        other, _ = loaded(session, contract, nombre="Medicamentos")
        assert other.version == 1
        assert [row.valor for row in session.scalars(select(Precio).where(Precio.tarifario_id == first.id))] == [
            9_000_000
        ]
    with pytest.raises(DBAPIError), db.write() as session:
        session.execute(update(Precio).values(valor=1))


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"factor": 1_000}, "tarifario_factor"),
        ({"base": "SOAT", "factor": -10_000}, "tarifario_factor"),
        ({"base": "OTRA"}, "tarifario_base"),
        ({"redondeo": "mil"}, "tarifario_redondeo"),
        ({"hasta": date(2025, 1, 1)}, "tarifario_hasta"),
        ({"nombre": "x" * 121}, "tarifario_nombre"),
    ],
)
def test_a_list_that_cannot_be_is_refused(db: Database, terms: dict[str, Any], code: str) -> None:
    with db.write() as session:
        contract = deal(session, bill(session))
        with pytest.raises(BadInput) as refusal:
            loaded(session, contract, **terms)
        assert refusal.value.code == code
        assert session.scalar(select(func.count()).select_from(Tarifario)) == 0


def test_a_list_over_a_base_keeps_it_beside_each_price(db: Database) -> None:
    with db.write() as session:
        contract = deal(session, bill(session))
        terms = Condiciones(YEAR, nombre="SOAT 2026", base="SOAT", redondeo="centena")
        rows = [FilaPrecio("39145", "890201", "", 5_123_400), FilaPrecio("39145", "890301", "", 5_123_400)]
        cargar(session, None, terms, rows, prestador_id=contract.prestador_id, sha256=SHA, actor="p", at=AT)
        base = base_del_dia(session, contract.prestador_id, "SOAT", date(2026, 3, 1))
        less = Condiciones(date(2026, 3, 1), base="SOAT", factor=-1_000, redondeo="centena")
        row, _ = cargar(
            session, contract, less, filas_de(session, base), prestador_id=contract.prestador_id, sha256=base.sha256,
            origen_id=base.id, actor="p", at=AT,
        )  # fmt: skip
        prices = session.execute(
            select(Precio.cups, Precio.base, Precio.valor).where(Precio.tarifario_id == row.id).order_by(Precio.cups)
        ).all()
        assert [tuple(one) for one in prices] == [("890201", 5_120_000, 4_610_000), ("890301", 5_120_000, 4_610_000)]
        with pytest.raises(BadInput, match="No hay lista base ISS"):
            base_del_dia(session, contract.prestador_id, "ISS", YEAR)
        found = precios_de(session, listas_de(session, [contract.id]), ["39145", "890301"])
        assert [price.cups for price in found[row.id]["39145"]] == ["890201", "890301"]
        assert [price.valor for price in found[row.id]["890301"]] == [4_610_000]


def test_a_frozen_tariff_is_in_the_chain_only_added_and_never_twice(db: Database) -> None:
    with db.write() as session:
        invoice = bill(session)
        contract = deal(session, invoice, autorizacion=ReglaAutorizacion(todos=True))
        loaded(session, contract)
        found = comparar_factura(session, invoice.id, RIPS, None)
        row, new = congelar_tarifa(session, invoice, found, actor="prueba", at=AT)
        assert new
        assert congelar_tarifa(session, invoice, found, actor="prueba", at=AT) == (row, False)
        assert (row.contrato_id, row.de_mas, row.hash) == (contract.id, 60_000, huella_lineas(row.lineas))
        assert "1020304050" not in json.dumps(row.lineas)
        link = session.scalars(select(Transition).where(Transition.event == "congelar_tarifa")).one()
        assert (link.facts["hash"], link.facts["tarifa"], link.evidence) == (row.hash, row.id, [SHA])
        assert link.hash == link_hash(link_content(link))
        loaded(session, contract, 9_060_000, sha256="d" * 64)
        again, new = congelar_tarifa(
            session, invoice, comparar_factura(session, invoice.id, RIPS, None), actor="p", at=AT
        )
        assert (new, again.de_mas, row.de_mas) == (True, 0, 60_000)
    for change in (update(TarifaAplicada).values(de_mas=0), TarifaAplicada.__table__.delete()):  # type: ignore[attr-defined]
        with pytest.raises(DBAPIError), db.write() as session:
            session.execute(change)


def test_the_clock_freezes_what_was_filed_since_the_list_or_is_objected_by_tariff(db: Database, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "custodia")
    stored = store.put(io.BytesIO(json.dumps(RIPS).encode()))
    with db.write() as session:
        old = bill(session, at=day(1, 1))
        provider, payer = old.prestador_id, old.pagador_id
        contract = deal(session, old)
        loaded(session, contract)
        again = session.get_one(Factura, old.id)
        new = bill(
            session, prestador=session.get_one(type(factories.prestador(session)), provider), pagador=None, at=day(6, 1)
        )
        new.pagador_id = payer
        other = bill(session, at=day(6, 1))
        record_blobs(session, [stored], at=AT)
        session.flush()
        session.add(
            Documento(
                prestador_id=provider, factura_id=new.id, sha256=stored.sha256, bytes=1, nombre="r", sigla="",
                tipo=TipoDocumento.RIPS, media_type="application/json", datos={}, cargado_at=AT, cargado_por="p",
            )
        )  # fmt: skip
        ids = again.id, new.id, other.id
    with db.read() as session:
        assert por_congelar(session, limit=10) == [ids[1]]
    assert order_freezing(db, day(6, 2)) == 1
    assert order_freezing(db, day(6, 2)) == 0, "once while it waits"
    with db.write() as session:
        glosa(
            session,
            session.get_one(Factura, ids[0]),
            codigo="TA0201",
            familia="TA",
            notificada_at=day(1, 8),
            at=day(6, 2),
        )
    with db.read() as session:
        assert por_congelar(session, limit=10) == [ids[0], ids[1]]
        assert session.scalar(select(func.count()).select_from(Job).where(Job.kind == "congelar_tarifas")) == 1
    assert congelar_ahora(db, store, ids[1], actor="reloj", at=day(6, 2))
    with db.read() as session:
        assert por_congelar(session, limit=10) == [ids[0]]
        assert session.scalars(select(TarifaAplicada)).one().lineas[0]["fallo"] == "de_mas"


@pytest.mark.parametrize(
    ("days", "begins", "agreed", "warned"),
    [
        (None, date(2026, 7, 18), False, False),
        (15, date(2026, 6, 17), True, False),
        (90, date(2026, 7, 18), False, True),
    ],
)
def test_the_agreed_term_counts_where_it_is_shorter_than_the_law(
    db: Database, days: int | None, begins: date, agreed: bool, warned: bool
) -> None:
    with db.write() as session:
        invoice = bill(session, valor=10_000_000, at=day(6, 1))
        invoice.servicio_desde = invoice.servicio_hasta = date(2026, 5, 20)
        deal(session, invoice, dias_pago=days)
        session.flush()
        found = liquidar_factura(session, invoice, corte=date(2026, 8, 31), parametros={"dias": "habiles"})
        (long,) = [one for one in found.saldos if one.concepto.tipo is TipoConcepto.NO_OBJETADO_LARGO]
        (short,) = [one for one in found.saldos if one.concepto.tipo is TipoConcepto.NO_OBJETADO_CORTO]
        assert long.inicio is not None
        assert short.inicio is not None
        assert (long.inicio.desde, long.inicio.termino == "CONTRATO") == (begins, agreed)
        assert short.inicio.termino == "PAG-02", "five days of the law are less than any term agreed here"
        assert any("más que la ley" in one for one in found.caso.avisos) is warned


def test_where_the_law_gives_no_term_the_agreed_one_counts(db: Database) -> None:
    with db.write() as session:
        invoice = bill(session, tipo=TipoPagador.SOAT, at=day(6, 1))
        invoice.servicio_desde = invoice.servicio_hasta = date(2026, 5, 20)
        deal(session, invoice, dias_pago=30)
        session.flush()
        found = liquidar_factura(session, invoice, corte=date(2026, 8, 31), parametros={})
        assert {one.inicio.termino for one in found.saldos if one.inicio} == {"CONTRATO"}
        assert {one.inicio.desde for one in found.saldos if one.inicio} == {date(2026, 7, 2)}


def test_which_contract_of_two_is_told_by_what_the_invoice_says(db: Database) -> None:
    with db.write() as session:
        invoice = bill(session)
        loaded(session, deal(session, invoice))
        deal(session, invoice, numero="CT-2")
        assert len(acuerdos_con(session, invoice.prestador_id, invoice.pagador_id)) == 2
        found = comparar_factura(session, invoice.id, RIPS, None)
        assert [one.fallo.value for one in found.lineas] == ["sin_tarifario"]
        assert "2 contratos vigentes" in found.avisos[0]
