"""The checker over invoices of the house: verdicts are recorded for the documents that were judged, and only added."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from radica.facturas.juicio import Encargo, dictaminar, encargos, olvidar_juicio, registrar
from radica.facturas.models import Documento, Factura, Hallazgo, OrigenHallazgo
from radica.facturas.validacion.modelo import Hallado, Paquete
from radica.facturas.validacion.tablas import VACIOS
from radica.facturas.validacion_models import Validacion
from tests.plugins.intake import NOW, Importer

pytestmark = pytest.mark.usefixtures("muestras")


def judge_all(importer: Importer) -> list[bool]:
    """Judge what waits, as the job does."""
    with importer.db.read() as session:
        waiting = encargos(session, limit=100)
    done = []
    for one in waiting:
        found = dictaminar(one, importer.store, ahora=NOW, catalogos=VACIOS, key_for=None)
        with importer.db.write() as session:
            done.append(registrar(session, one, found, at=NOW))
    return done


def verdicts(importer: Importer) -> list[Validacion]:
    with importer.db.read() as session:
        return list(session.scalars(select(Validacion).order_by(Validacion.id)))


def test_each_invoice_gets_one_verdict_and_waits_no_more(importer: Importer, package: Path):
    importer.load(package)
    assert judge_all(importer) == [True]
    assert judge_all(importer) == []
    (verdict,) = verdicts(importer)
    assert (verdict.completa, verdict.primera, verdict.facturador) == (True, True, "prueba")
    with importer.db.read() as session:
        rows = list(session.scalars(select(Hallazgo).where(Hallazgo.origen == OrigenHallazgo.VALIDADOR)))
    assert {row.clase for row in rows} <= {"rechazo", "notificacion", "aviso", "no_decidible"}
    assert verdict.rechazos == sum(row.clase == "rechazo" for row in rows)


def test_a_corrected_document_is_judged_anew_and_the_first_verdict_stays(importer: Importer, package: Path):
    importer.load(package)
    judge_all(importer)
    with importer.db.write() as session:
        session.execute(update(Documento).where(Documento.tipo == "SOPORTE").values(vigente=False))
        (factura,) = session.scalars(select(Factura))
        factura.huella_documentos, factura.por_juzgar = "0" * 64, 1
    assert judge_all(importer) == [True]
    assert [one.primera for one in verdicts(importer)] == [True, False]


def test_documents_that_change_while_they_are_judged_leave_the_invoice_waiting(importer: Importer, package: Path):
    importer.load(package)
    with importer.db.read() as session:
        (one,) = encargos(session, limit=10)
    found = dictaminar(one, importer.store, ahora=NOW, catalogos=VACIOS, key_for=None)
    with importer.db.write() as session:
        session.execute(update(Factura).values(huella_documentos="1" * 64))
    with importer.db.write() as session:
        assert registrar(session, one, found, at=NOW + timedelta(minutes=1)) is False
    with importer.db.read() as session:
        assert [row.factura_id for row in encargos(session, limit=10)] == [one.factura_id]
    assert verdicts(importer) == []


def test_a_document_that_custody_lost_is_a_finding_and_no_failure(importer: Importer, package: Path):
    importer.load(package)
    with importer.db.read() as session:
        rips = session.scalars(select(Documento).where(Documento.tipo == "RIPS")).one()
    importer.store.path(rips.sha256).unlink()
    assert judge_all(importer) == [True]
    with importer.db.read() as session:
        assert session.scalars(select(Hallazgo.codigo).where(Hallazgo.codigo == "DOC-ILEGIBLE")).all()


def test_a_person_can_ask_again(importer: Importer, package: Path):
    importer.load(package)
    judge_all(importer)
    with importer.db.write() as session:
        assert olvidar_juicio(session, list(session.scalars(select(Factura.id)))) == 1
    assert judge_all(importer) == [True]
    assert len(verdicts(importer)) == 2


def test_what_breaks_the_checker_costs_one_invoice_its_checks_and_says_so(importer: Importer, package: Path):
    importer.load(package)
    with importer.db.read() as session:
        (one,) = encargos(session, limit=10)

    def broken(_: Encargo, __: Paquete) -> list[Hallado]:
        raise ValueError("un texto que nadie debe ver")

    found = dictaminar(one, importer.store, ahora=NOW, catalogos=VACIOS, key_for=None, aparte=(broken,))
    (told,) = [finding for finding in found if finding.codigo == "COMPROBADOR-FALLO"]
    assert "ValueError" in told.mensaje
    assert "un texto" not in told.mensaje
    with importer.db.write() as session:
        assert registrar(session, one, found, at=NOW)
    assert [verdict.completa for verdict in verdicts(importer)] == [False]
