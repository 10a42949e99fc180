"""Imports on both databases: every real file accounted for, any order, any number of times, any tenant."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from radica.app.demo.data import build_set
from radica.custodia.models import Blob
from radica.entidades.models import EstadoPrestador, Prestador
from radica.facturas.models import Carga, CargaArchivo, Factura
from tests.plugins.intake import (
    LOADED,
    PDF,
    TODAY,
    TRAY,
    WAITING,
    Importer,
    invoice,
    put,
    results,
    rips,
)


def test_every_real_file_is_accounted_for(importer: Importer, muestras: Path):
    done = {Path(one.ruta).name: one for one in importer.load(muestras).archivos}
    assert set(done) == {path.name for path in muestras.iterdir()}
    expected = {}
    for name in done:
        if name in TRAY:
            expected[name] = ("no_reconocido", None)
        elif name in WAITING:
            expected[name] = ("cargado", None)
        else:
            same = "duplicado" if name == "caso05_rips.json" else "cargado"
            expected[name] = (same, LOADED[name[:6]])
    assert {name: (one.resultado.value, one.factura) for name, one in done.items()} == expected
    assert all(done[name].motivo for name in [*TRAY, *WAITING])
    assert all(words in (done[name].motivo or "") for name, words in WAITING.items())
    tray = importer.bandeja()
    assert {name: row.codigo for name, row in tray.items()} == TRAY
    assert all(
        row.sha256 and importer.store.read(row.sha256) == (muestras / name).read_bytes() for name, row in tray.items()
    )
    assert len(importer.facturas()) == 20  # SETP990000103 is of two providers
    with importer.db.read() as session:
        assert set(session.scalars(select(Prestador.estado))) == {EstadoPrestador.POR_CONFIRMAR}


def test_loading_again_creates_nothing_and_says_so(importer: Importer, muestras: Path):
    first = importer.load(muestras)
    before = importer.counts()
    again = importer.load(muestras)
    assert (again.facturas_nuevas, again.facturas_completadas) == (0, 0)
    assert results(again) == Counter(duplicado=42, no_reconocido=11)
    assert importer.counts() == before
    assert (first.facturas_nuevas, first.facturas_completadas) == (21, 0)
    with importer.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Carga)) == 2
        assert session.scalar(select(func.count()).select_from(CargaArchivo)) == 2 * 53


def test_the_json_of_the_command_line(importer: Importer, muestras: Path):
    told = importer.load(muestras / "caso05_muv_request.json").as_json()
    assert told == {
        "archivos": [
            {
                "ruta": str(muestras / "caso05_muv_request.json"),
                "resultado": "cargado",
                "tipo": "RIPS+FEV",
                "factura": "FECE214626",
                "motivo": None,
            }
        ],
        "facturas_nuevas": 1,
        "facturas_completadas": 0,
    }
    json.dumps(told)


def test_figures_of_an_invoice(importer: Importer, muestras: Path):
    importer.load(*sorted(muestras.glob("caso07_*")))
    row = importer.facturas()["A01E5687"]
    assert (row.valor, row.valor_bruto, row.pago_moderador, row.usuarios) == (105560000, 112000000, 6440000, 4)
    assert (row.servicio_desde, row.servicio_hasta) == (date(2025, 7, 1), date(2025, 7, 9))
    assert (row.expedida_at, row.vence_radicar) == (datetime(2025, 7, 9, 16, 47, 14, tzinfo=UTC), date(2025, 8, 11))
    assert row.cufe is not None
    assert row.cuv is not None
    assert row.estado == "no_lista"
    assert {"RAD01-VENCIDO", "SOPORTES-NINGUNO"} <= importer.hallazgos("A01E5687")


def test_the_demonstration_set_ends_as_it_was_meant(importer: Importer, tmp_path: Path):
    made = build_set(tmp_path / "demo", seed=11, packages=40, hoy=TODAY, mixed_delivery=True)
    summary = importer.load(tmp_path / "demo")
    assert summary.facturas_nuevas == 40
    rows = importer.facturas()
    wrong = {p.number for p in made.packages if p.expected == "no_lista"}
    assert {numero for numero, row in rows.items() if row.estado != "lista"} == wrong
    assert len(wrong) == 11
    assert all(rows[p.number].valor == int(p.value * 100) for p in made.packages if p.defect != "xml_truncado")


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_files_does_not_matter(importer: Importer, package: Path, seed: int):
    files = sorted(package.iterdir())
    random.Random(seed).shuffle(files)
    for one in files:  # one import per file: everything must find its invoice later
        importer.load(one)
    (row,) = importer.facturas().values()
    assert row.estado == "lista", importer.hallazgos(row.numero)
    assert len(importer.documentos(row.numero)) == len(files)
    assert all(waiting.resuelto_at is not None for waiting in importer.bandeja().values())


def test_a_cuv_that_came_first_leaves_the_tray_with_its_invoice(importer: Importer, package: Path):
    cuv = next(p for p in package.iterdir() if "CUV" in p.name)
    first = importer.load(cuv)
    assert results(first) == Counter(no_reconocido=1)
    assert next(iter(importer.bandeja().values())).codigo == "sin_factura"
    rest = importer.load(*(p for p in package.iterdir() if p != cuv))
    assert rest.facturas_nuevas == 1
    (row,) = importer.facturas().values()
    assert row.cuv is not None
    (waited,) = importer.bandeja().values()
    assert waited.resolucion == f"Se unió a la factura {row.numero}"


def test_a_number_without_prefix_joins_the_only_invoice_that_fits(importer: Importer, tmp_path: Path):
    importer.load(put(tmp_path, "r.json", rips("900111222", "0001234")))
    assert list(importer.facturas()) == ["0001234"]
    importer.load(put(tmp_path, "f.xml", invoice("900111222", "FE1234")))
    (row,) = importer.facturas().values()
    assert (row.numero, row.numero_clave, row.numero_digitos) == ("FE1234", "FE1234", "1234")
    assert "RIPS-NUMERO-SIN-PREFIJO" in importer.hallazgos("FE1234")
    importer.load(put(tmp_path, "g.xml", invoice("900111222", "FV1234")))
    assert set(importer.facturas()) == {"FE1234", "FV1234"}
    again = importer.load(put(tmp_path, "s.json", rips("900111222", "1234", 5)))
    assert again.archivos[0].motivo == "El número 1234 puede ser de FE1234, FV1234."
    assert importer.bandeja()["s.json"].codigo == "ambiguo"


def test_equal_numbers_of_two_providers_are_two_invoices(importer: Importer, tmp_path: Path):
    importer.load(put(tmp_path, "a.json", rips("900111222", "FE1")), put(tmp_path, "b.json", rips("900333444", "FE1")))
    with importer.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Factura)) == 2


def test_a_corrected_document_replaces_and_stays(importer: Importer, package: Path, tmp_path: Path):
    importer.load(package)
    (row,) = importer.facturas().values()
    old = next(d for d in importer.documentos(row.numero) if d.tipo == "RIPS")
    data = json.loads(importer.store.read(old.sha256))
    next(iter(data["usuarios"][0]["servicios"].values()))[0]["vrServicio"] = 1
    summary = importer.load(put(tmp_path, "corregido.json", json.dumps(data).encode()))
    assert (summary.facturas_nuevas, summary.facturas_completadas) == (0, 1)
    found = {d.sha256: d.vigente for d in importer.documentos(row.numero) if d.tipo == "RIPS"}
    assert sorted(found.values()) == [False, True]
    assert found[old.sha256] is False
    assert importer.facturas()[row.numero].estado == "no_lista"
    assert "RIPS-TOTAL" in importer.hallazgos(row.numero)


def test_a_refused_answer_does_not_replace_the_accepted_one(importer: Importer, package: Path, tmp_path: Path):
    importer.load(package)
    (row,) = importer.facturas().values()
    refused = {
        "ResultState": False, "NumFactura": row.numero, "CodigoUnicoValidacion": "-",
        "ResultadosValidacion": [{"Clase": "RECHAZADO", "Codigo": "RVG01"}],
    }  # fmt: skip
    importer.load(put(tmp_path, "viejo.json", json.dumps(refused).encode()))
    assert importer.facturas()[row.numero].estado == "lista"
    assert [d.vigente for d in importer.documentos(row.numero) if d.tipo == "CUV"] == [True, False]


def test_one_pdf_may_support_many_invoices(importer: Importer, tmp_path: Path):
    nit = "900111222"
    importer.load(*(put(tmp_path, f"{n}.json", rips(nit, f"FE{n}")) for n in (1, 2)))
    prices = PDF.replace(b"%s", b"lista de precios")
    done = importer.load(*(put(tmp_path, f"LDP_{nit}_FE{n}.pdf", prices) for n in (1, 2)))
    assert results(done) == Counter(cargado=2)
    assert [one.factura for one in done.archivos] == ["FE1", "FE2"]
    assert results(importer.load(tmp_path / f"LDP_{nit}_FE1.pdf")) == Counter(duplicado=1)
    with importer.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Blob)) == 3
