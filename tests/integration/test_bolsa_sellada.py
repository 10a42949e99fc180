"""A bag with the house's own seals and tokens: valid offline, and honest when the authority does not answer."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import bagit
import pytest
from sqlalchemy import select

from bots.simulador.tsa import Handle
from radica.audit.services import advance
from radica.custodia import sellos
from radica.custodia.seal_models import Hoja
from radica.custodia.tsa import ensure_sealed, stamp_pending
from radica.facturas.models import Factura
from radica.facturas.states import EventoFactura
from radica.kernel.clock import Clock, fixed_clock, system_clock
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.errors import NotFound
from radica.prejuridico.bolsa import HISTORIA, Bag, BagFile, BagPlan, add_proofs, write_bag
from radica.prejuridico.capitulos.integridad import links_of
from radica.prejuridico.pruebas import reunir_pruebas
from radica.prejuridico.verificador.verificar import ALTERADA, SIN_SELLO, VALIDA, verificar
from tests import factories
from tests.bolsa_muestra import CORTE, history


def invoices(db: Database, count: int) -> list[str]:
    with db.write() as session:
        provider, payer = factories.prestador(session), factories.pagador(session)
        return [factories.factura(session, provider, payer).case_key for _ in range(count)]


def move(db: Database, case: str, note: str) -> None:
    with db.write() as session:
        thing = session.get_one(Factura, int(case.split(":")[1]))
        event = next(one for one in EventoFactura if (thing.estado, one) in Factura.MACHINE.table)
        advance(session, thing, event, actor="ana", at=factories.NOW, reason="prueba", note=note)


def pack(db: Database, settings: Settings, folder: Path, cases: list[str], clock: Clock = system_clock) -> Bag:
    """Do what the export does: links → bag → leaf → seal and stamp → proofs."""
    with db.read() as session:
        chains = links_of(session, cases)
    bag = write_bag(folder, BagPlan([BagFile(HISTORIA, history(chains))], CORTE))
    with db.write() as session:
        leaf = sellos.add_manifest(session, expediente="expediente:1", seq=1, sha256=bag.manifiesto, at=clock())
        place = leaf.indice
    ensure_sealed(db, settings, clock=clock)
    with db.read() as session:
        manifest = session.scalars(select(Hoja).where(Hoja.indice == place)).one()
        add_proofs(bag, reunir_pruebas(session, manifest, {case: len(links) for case, links in chains.items()}))
    return bag


def test_a_bag_of_the_house_is_valid_offline(db: Database, stamped_house: Settings, tmp_path: Path) -> None:
    cases = invoices(db, 3)
    invoices(db, 20)  # leaves of others stand between
    ensure_sealed(db, stamped_house, clock=system_clock)
    move(db, cases[0], "Décima revisión «con acentos» 🏥 y e\u0301")
    ensure_sealed(db, stamped_house, clock=system_clock)
    move(db, cases[0], "otra")
    bag = pack(db, stamped_house, tmp_path / "bolsa", [*cases, "glosa:99"])
    report = verificar(bag.folder)
    assert (report.hallazgos, report.veredicto(), report.demostracion) == ([], VALIDA, True)
    assert report.expediente == "expediente:1"
    assert [(one["nombre"], one["eslabones"], one["sellado_hasta"]) for one in report.cadenas] == [
        (cases[0], 3, 3), (cases[1], 1, 1), (cases[2], 1, 1), ("glosa:99", 0, 0),
    ]  # fmt: skip
    proof = json.loads((bag.folder / "sellos/prueba.json").read_bytes())
    assert len(proof["sellos"]) == len(report.sellos) == 3
    assert len(proof["hojas"]) == 6
    assert proof["hojas"][0]["tipo"] == "manifiesto"
    assert sorted(one.name for one in bag.folder.glob("sellos/*.pem")) == [
        "autoridad-1.cadena.pem", "autoridad-1.raiz.pem",
    ]  # fmt: skip
    bagit.Bag(str(bag.folder)).validate()


def test_a_link_edited_in_the_database_is_named(db: Database, stamped_house: Settings, tmp_path: Path) -> None:
    case = invoices(db, 1)[0]
    ensure_sealed(db, stamped_house, clock=system_clock)
    with db.read() as session:
        chains = links_of(session, [case])
    chains[case][0]["actor"] = "otra persona"
    bag = write_bag(tmp_path / "bolsa", BagPlan([BagFile(HISTORIA, history(chains))], CORTE))
    with db.write() as session:
        place = sellos.add_manifest(
            session, expediente="expediente:1", seq=1, sha256=bag.manifiesto, at=system_clock()
        ).indice
    ensure_sealed(db, stamped_house, clock=system_clock)
    with db.read() as session:
        add_proofs(bag, reunir_pruebas(session, session.get_one(Hoja, place), {case: 1}))
    report = verificar(bag.folder)
    assert report.veredicto() == ALTERADA
    assert any(f"eslabón 1 de {case}" in one["que"] for one in report.hallazgos)


def test_without_an_answer_of_the_authority_there_is_no_time(
    db: Database, stamped_house: Settings, tsa: Handle, tmp_path: Path
) -> None:
    cases = invoices(db, 2)
    tsa.configure(mode="down")
    bag = pack(db, stamped_house, tmp_path / "bolsa", cases)
    report = verificar(bag.folder)
    assert report.veredicto() == SIN_SELLO
    assert {one["veredicto"] for one in report.hallazgos} == {SIN_SELLO}
    # When it answers again, the same bag gets its proofs: nothing that the leaf covers changes.
    tsa.configure(mode="ok")
    later = fixed_clock(system_clock() + timedelta(hours=1))
    stamp_pending(db, stamped_house, later, now=True)
    again = pack_again(db, bag, cases)
    assert verificar(again.folder).veredicto() == VALIDA


def pack_again(db: Database, bag: Bag, cases: list[str]) -> Bag:
    for path in [*bag.folder.glob("sellos/*"), *bag.folder.glob("tagmanifest-*")]:
        path.unlink()
    with db.read() as session:
        leaf = session.scalars(select(Hoja).where(Hoja.hash == bag.manifiesto)).one()
        add_proofs(bag, reunir_pruebas(session, leaf, dict.fromkeys(cases, 1)))
    return bag


def test_links_after_the_last_seal_are_under_the_leaf_of_the_bag(
    db: Database, stamped_house: Settings, tmp_path: Path
) -> None:
    case = invoices(db, 1)[0]
    ensure_sealed(db, stamped_house, clock=system_clock)
    move(db, case, "uno")
    with db.read() as session:
        chains = links_of(session, [case])
    move(db, case, "dos")  # while the bag is made: the next leaf of the chain is of a link that the bag has not
    bag = write_bag(tmp_path / "bolsa", BagPlan([BagFile(HISTORIA, history(chains))], CORTE))
    with db.write() as session:
        place = sellos.add_manifest(
            session, expediente="expediente:1", seq=1, sha256=bag.manifiesto, at=system_clock()
        ).indice
    ensure_sealed(db, stamped_house, clock=system_clock)
    with db.read() as session:
        add_proofs(bag, reunir_pruebas(session, session.get_one(Hoja, place), {case: 2}))
    report = verificar(bag.folder)
    assert report.veredicto() == VALIDA
    assert report.cadenas == [{"nombre": case, "eslabones": 2, "sellado_hasta": 1}]


def test_a_history_that_no_seal_covers_makes_no_proof(db: Database, stamped_house: Settings, tmp_path: Path) -> None:
    case = invoices(db, 1)[0]
    with db.write() as session:
        leaf = sellos.add_manifest(session, expediente="expediente:1", seq=1, sha256="ab" * 32, at=system_clock())
        place = leaf.indice
    with db.read() as session, pytest.raises(NotFound):
        reunir_pruebas(session, session.get_one(Hoja, place), {case: 1})
