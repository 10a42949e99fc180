"""Judging while something else happens: another worker, a corrected document, a new table, a new price list, two clocks."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from radica.app.handlers.juzgar import judge, order_judging
from radica.app.house import House as Hands
from radica.app.tarifario.cargar import cargar_archivo
from radica.entidades.contratos import crear
from radica.entidades.contratos_models import Precio, Tarifario
from radica.entidades.tarifarios import Condiciones
from radica.facturas.catalogos import cargar_catalogo
from radica.facturas.intake import import_paths
from radica.facturas.juicio import Encargo, encargos
from radica.facturas.models import Factura, Hallazgo, OrigenHallazgo
from radica.facturas.states import EstadoFactura
from radica.facturas.tray import operator_scope
from radica.facturas.validacion_models import CatalogoCargado, HuellaServicio, Validacion
from radica.jobs.models import Job
from tests.acciones_seed import import_ready, right_packages, write_package
from tests.integration.test_juzgar import hands_of, store_of
from tests.plugins.web import House

CUPS = "Codigo,Nombre,Habilitado,Extra_I:UsoCodigoCUP,Extra_IX:Cobertura,Fecha_Actualizacion\n"


def waiting(house: House) -> list[Encargo]:
    with house.database.read() as session:
        return encargos(session, limit=10)


def count(house: House, what: Any, *where: Any) -> int:
    with house.database.read() as session:
        return session.scalar(select(func.count()).select_from(what).where(*where)) or 0


def met(house: House, look: int) -> Hands:
    """Return hands whose two users wait for each other at that look at the clock (1: before opening, 2: recording)."""
    barrier, mine = threading.Barrier(2), threading.local()

    def clock() -> datetime:
        mine.looks = getattr(mine, "looks", 0) + 1
        if mine.looks == look:
            barrier.wait(60)
        return house.clock()

    return replace(hands_of(house), clock=clock)


def meanwhile(house: House, happens: Callable[[], object]) -> Hands:
    """Return hands with which something happens once, when the errand is read and its documents are about to be opened."""
    done: list[bool] = []

    def clock() -> datetime:
        if not done:
            done.append(True)
            happens()
        return house.clock()

    return replace(hands_of(house), clock=clock)


def test_two_workers_that_judge_one_invoice_at_once_leave_one_verdict(any_house: House, tmp_path: Path):
    import_ready(any_house.database, store_of(any_house), any_house.clock, tmp_path, 1)
    (errand,) = waiting(any_house)
    hands = met(any_house, 1)
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(lambda _: judge(hands, errand), range(2))) == [False, True]
    assert (count(any_house, Validacion), count(any_house, Validacion, Validacion.primera)) == (1, 1)
    with any_house.database.read() as session:
        query = select(Hallazgo.codigo, Hallazgo.lugar, Hallazgo.mensaje, Hallazgo.linea)
        found = session.execute(query.where(Hallazgo.origen == OrigenHallazgo.VALIDADOR.value)).all()
    assert len(found) == len(set(found)) > 0


def twin_of(house: House, folder: Path) -> None:
    """Load a package and a copy of its FEV and RIPS under another number: the same services twice."""
    (built,) = right_packages(1)
    number = built.package.number
    other = number[:-1] + str((int(number[-1]) + 1) % 10)
    paths = [path for path in write_package(built, folder / "una") if path.suffix in (".xml", ".json")]
    (folder / "otra").mkdir()
    for path in list(paths):
        if not path.name.startswith("ResultadosMSPS"):
            copy = folder / "otra" / path.name.replace(number, other)
            copy.write_bytes(path.read_bytes().replace(number.encode(), other.encode()))
            paths.append(copy)
    import_paths(
        house.database, store_of(house), paths, operator_scope("prueba"), clock=house.clock,
        workdir=house.settings.incoming,
    )  # fmt: skip


def test_one_service_in_two_invoices_judged_at_once_is_seen_by_one_of_them(any_house: House, tmp_path: Path):
    twin_of(any_house, tmp_path)
    first, second = waiting(any_house)
    hands = met(any_house, 1)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda one: judge(hands, one), (first, second)))
    assert sorted(done) in ([False, True], [True, True])
    for one in waiting(any_house):
        assert judge(hands_of(any_house), one)
    assert waiting(any_house) == []
    assert count(any_house, Hallazgo, Hallazgo.codigo == "DUP-SERVICIO") == 1
    assert count(any_house, HuellaServicio) > 0


def test_a_document_corrected_while_it_is_judged_is_judged_again(any_house: House, tmp_path: Path):
    store = store_of(any_house)
    (built,) = right_packages(1)
    paths = [path for path in write_package(built, tmp_path) if path.suffix in (".xml", ".json")]
    scope = operator_scope("prueba")
    house, work = any_house, any_house.settings.incoming
    import_paths(house.database, store, paths, scope, clock=house.clock, workdir=work)
    (errand,) = waiting(house)
    (rips,) = [path for path in paths if path.name.startswith("RIPS")]
    rips.write_bytes(rips.read_bytes() + b"\n")
    hands = meanwhile(
        house, lambda: import_paths(house.database, store, [rips], scope, clock=house.clock, workdir=work)
    )
    assert judge(hands, errand) is False
    assert count(house, Validacion) == 0
    (again,) = waiting(house)
    assert again.huella != errand.huella
    assert judge(hands_of(house), again)
    with house.database.read() as session:
        assert session.scalars(select(Validacion.huella)).all() == [again.huella]


def table(folder: Path, *codes: str) -> Path:
    path = folder / "cups.csv"
    rows = "".join(f"{code},CONSULTA,SI,AC,01,2026-05-03 01:47:52 PM\n" for code in codes)
    path.write_text(CUPS + rows, encoding="utf-8")
    return path


def test_a_table_loaded_while_an_invoice_is_judged_or_after_it_has_it_judged_again(any_house: House, tmp_path: Path):
    house, store = any_house, store_of(any_house)
    import_ready(house.database, store, house.clock, tmp_path, 2)
    errand, other = waiting(house)
    path = table(tmp_path, "890201")

    def load(one: Path) -> None:
        cargar_catalogo(house.database, store, "cups", one, actor="ana", at=house.clock())

    assert judge(meanwhile(house, lambda: load(path)), errand) is False
    assert [one.factura_id for one in waiting(house)] == [errand.factura_id, other.factura_id]
    house.clock.forward(minutes=1)
    for one in waiting(house):
        assert judge(hands_of(house), one)
    load(path)  # the same again
    assert waiting(house) == []
    with house.database.write() as session:
        session.execute(
            update(Factura).where(Factura.id == other.factura_id).values(estado=EstadoFactura.EN_RADICACION.value)
        )
    house.clock.forward(minutes=1)
    load(table(tmp_path, "890201", "890202"))
    assert [one.factura_id for one in waiting(house)] == [errand.factura_id]


def priced(house: House, folder: Path) -> tuple[int, int, Path]:
    """Write a contract with the payer of the first invoice; return both ids and a list of prices."""
    with house.database.write() as session:
        invoice = session.scalars(select(Factura).order_by(Factura.id)).first()
        assert invoice is not None
        assert invoice.pagador_id is not None
        contract = crear(
            session, prestador_id=invoice.prestador_id, pagador_id=invoice.pagador_id, numero="CT-1", modalidad="04",
            desde=date(2026, 1, 1), actor="prueba", at=house.clock(),
        )  # fmt: skip
        path = folder / "lista.csv"
        path.write_text("CUPS;VALOR\n890201;90000\n", encoding="utf-8")
        return invoice.id, contract.id, path


def load_prices(house: House, contract_id: int, path: Path, at: datetime) -> bool:
    with house.database.read() as session:
        provider = session.scalars(select(Factura.prestador_id).order_by(Factura.id)).first()
    assert provider is not None
    return cargar_archivo(
        house.database, store_of(house), path, Condiciones(date(2026, 1, 1)), prestador_id=provider,
        contrato_id=contract_id, nombre=path.name, actor="prueba", at=at,
    ).nueva  # fmt: skip


def test_prices_loaded_while_or_after_judging_are_compared_with(any_house: House, tmp_path: Path):
    house = any_house
    import_ready(house.database, store_of(house), house.clock, tmp_path, 2)
    mine, contract, path = priced(house, tmp_path)
    errand = next(one for one in waiting(house) if one.factura_id == mine)
    assert judge(meanwhile(house, lambda: load_prices(house, contract, path, house.clock())), errand) is False
    house.clock.forward(minutes=1)
    for one in waiting(house):
        assert judge(hands_of(house), one)
    assert waiting(house) == []
    house.clock.forward(minutes=1)
    path.write_text("CUPS;VALOR\n890201;80000\n", encoding="utf-8")
    load_prices(house, contract, path, house.clock())
    found = waiting(house)
    assert mine in [one.factura_id for one in found]
    assert {one.pagador_id for one in found} == {errand.pagador_id}


def test_two_loads_of_one_table_and_of_one_list_at_once_are_one_version(any_house: House, tmp_path: Path):
    house, store = any_house, store_of(any_house)
    import_ready(house.database, store, house.clock, tmp_path, 1)
    _, contract, path = priced(house, tmp_path)
    cups, barrier = table(tmp_path, "890201"), threading.Barrier(4)

    def load(number: int) -> bool:
        mine = tmp_path / f"copia{number}.csv"
        shutil.copy(cups if number % 2 else path, mine)
        barrier.wait(60)
        if number % 2:
            return cargar_catalogo(house.database, store, "cups", mine, actor="ana", at=house.clock()).nueva
        return load_prices(house, contract, mine, house.clock())

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(load, range(4))) == [False, False, True, True]
    assert [count(house, one) for one in (CatalogoCargado, Tarifario, Precio)] == [1, 1, 1]


def test_two_clocks_order_one_job(any_house: House, tmp_path: Path):
    import_ready(any_house.database, store_of(any_house), any_house.clock, tmp_path, 1)
    barrier = threading.Barrier(2)

    def tick(at: datetime) -> int:
        barrier.wait(60)
        return order_judging(any_house.database, at)

    now = any_house.clock()
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(tick, (now, now))) == [0, 1]
        list(pool.map(tick, (now, now + timedelta(minutes=1))))  # clocks that do not agree, while the job still waits
    assert count(any_house, Job, Job.kind == "juzgar_facturas") == 1
