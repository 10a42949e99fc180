"""What is about to prescribe becomes a task, and the command line of cartera, on both databases."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.cli.context import open_database
from radica.app.cli.program import main
from radica.app.handlers.prescripciones import KIND_PRESCRIPTION, check_prescription, order_prescription
from radica.cartera.prescripcion import alertas
from radica.facturas.models import Factura
from radica.jobs.models import Job
from radica.kernel.config import load_settings
from radica.kernel.db import Database
from radica.users.models import ClaseTarea, Tarea
from radica.users.tasks import close_tasks
from tests import factories
from tests.integration.test_cartera import VALUE, enter, served
from tests.plugins.glosas import day, filed


def old(session: Session, years: int = 3, **more: Any) -> Factura:
    return filed(session, at=day(12, 1, year=2026 - years), valor=VALUE, **more)


def tasks(session: Session) -> list[Tarea]:
    return list(session.scalars(select(Tarea).where(Tarea.clase == ClaseTarea.VIGILAR_PRESCRIPCION).order_by(Tarea.id)))


def test_what_is_about_to_prescribe_becomes_one_task_that_sharpens_and_closes(db: Database) -> None:
    with db.write() as session:
        invoice, paid = old(session), old(session)
        enter(session, paid, VALUE)
        filed(session, valor=VALUE)
        key = invoice.case_key
        near = alertas(session, date(2026, 11, 20))
        # Filed on 1 December 2023: five calendar days, then three years.
        assert [(one.factura_id, one.reloj.vence, one.umbral) for one in near] == [(invoice.id, date(2026, 12, 6), 30)]
        assert alertas(session, date(2026, 6, 1)) == []
    assert check_prescription(db, day(6, 20)) == 1
    assert check_prescription(db, day(6, 21)) == 1
    with db.write() as session:
        assert ["menos de 180 días" in one.titulo for one in tasks(session)] == [True]
        close_tasks(session, key, por="usuario:1", resultado="Se prepara la demanda", at=day(6, 22))
    check_prescription(db, day(6, 23))
    with db.read() as session:
        assert len(tasks(session)) == 1  # a person closed it: not again in the same step
    check_prescription(db, day(9, 10))
    check_prescription(db, day(11, 10))
    with db.write() as session:
        assert [("menos de 30 días" in one.titulo, one.cerrada_at is None) for one in tasks(session)[1:]] == [
            (True, True)
        ]
        enter(session, session.get_one(Factura, int(key[8:])), VALUE)
    check_prescription(db, day(11, 20))
    with db.read() as session:
        assert all(one.cerrada_at is not None for one in tasks(session))


def test_the_daily_look_is_ordered_once(db: Database) -> None:
    assert [order_prescription(db, day(6, 20)), order_prescription(db, day(6, 20, 15))] == [1, 0]
    with db.read() as session:
        assert [one.kind for one in session.scalars(select(Job))] == [KIND_PRESCRIPTION]


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--datos", str(tmp_path / "datos")]

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = main([*words, *where, "--json"])
        return code, json.loads(capsys.readouterr().out)

    house = load_settings({}, datos=str(tmp_path / "datos"))
    with open_database(house) as database, database.write() as session:
        number = served(filed(session, valor=VALUE)).numero
        factories.prestador(session)
    rates = tmp_path / "tasas.csv"
    rates.write_text("mes,tasa_ea_usura,fuente,verificacion\n2026-09,29.9,SFC,V\n2026-13,2,SFC,V\n", encoding="utf-8")
    assert run("catalogo", "cargar", "tasas", str(rates))[0] == 1
    assert run("catalogo", "cargar", "tasas")[1]["nuevas"] == []
    proof = tmp_path / "comprobante del giro.pdf"
    proof.write_bytes(b"%PDF-1.4 comprobante")
    entry = ("cartera", "pago", "registrar", "--factura", number, "--fecha", "2026-07-01", "--valor", "25000.50")
    code, made = run(*entry, "--soporte", str(proof), "--referencia", "TR1")
    assert (code, made["saldo"]) == (0, "74999.51")
    assert run(*entry, "--referencia", "TR1")[1]["error"]["codigo"] == "pago_repetido"
    code, listed = run("cartera", "pago", "listar", "--factura", number)
    assert (code, listed["pagos"][0]["valor"], listed["pagos"][0]["soporte"] is not None) == (0, "25000.50", True)
    target = tmp_path / "liquidacion.xlsx"
    code, found = run(
        "cartera", "liquidar", "--factura", number, "--corte", "2026-09-30", "--parametro", "divisor=365", "--excel",
        str(target), "--congelar",
    )  # fmt: skip
    assert (code, found["liquidacion"], found["meses_sin_tasa"]) == (0, 1, [])
    assert target.read_bytes()[:2] == b"PK"
    assert run("cartera", "liquidar", "--factura", number, "--corte", "2026-10-15")[0] == 1  # a month without rate
    assert (
        run("cartera", "liquidar", "--factura", number, "--parametro", "divisor=1")[1]["error"]["codigo"] == "parametro"
    )
    assert run("cartera", "pago", "anular", str(made["pago"]), "--motivo", "Era otra")[0] == 0
    assert run("cartera", "prescripcion", "--hoy", "2029-05-01")[1]["facturas"][0]["vence"] == "2029-06-06"
