"""Imports on both databases: every real file accounted for, any order, any number of times, any tenant."""

from __future__ import annotations

import io
import json
import random
import threading
import zipfile
from collections import Counter
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import func, select

from radica.app.demo_data import build_set
from radica.audit.models import Transition
from radica.custodia.models import Blob
from radica.custodia.store import FolderStore
from radica.entidades.models import EstadoPrestador, Prestador
from radica.facturas.intake import Summary, import_paths
from radica.facturas.models import Carga, CargaArchivo, Documento, Factura, Hallazgo, NoReconocido
from radica.facturas.tray import Scope, open_rows, operator_scope, person_scope
from radica.kernel.clock import fixed_clock
from radica.kernel.db import Database
from radica.users.models import Usuario
from tests import factories

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
serial = count(1)
PDF = b"%PDF-1.4\n%s\nstartxref\n0\n%%EOF\n"

# What each real document must become: result and invoice.
LOADED = {
    "caso01": "CN309317", "caso03": "CN311708", "caso05": "FECE214626", "caso07": "A01E5687", "caso10": "PDD0019",
    "caso11": "SETP990000103", "caso13": "SETP990070004", "caso15": "SETP9900001023", "caso22": "CON001",
    "caso24": "FE1825", "caso26": "URG001", "caso28": "00003074044", "caso30": "AWAS1283591", "caso35": "25117687",
    "caso36": "CTFE226713", "caso40": "SETP990000002", "caso46": "SETP990000001", "caso48": "1157",
    "caso51": "SETT0349", "caso70": "CME443346",
}  # fmt: skip
WAITING = {
    "caso18_rips_nota_debito_ND.json": "COR176187",
    "caso20_consultarcuv_respuesta.json": "de este CUV",
    "caso42_creditnote_signed.xml": "SETP990000015",
    "caso45_debitnote_unsigned.xml": "SETP990000015",
    "caso52_creditnote.xml": "TEC08755",
}
TRAY = {
    "INDICE.csv": "desconocido",
    "LEEME.md": "desconocido",
    "caso11_muv_respuesta_rechazo.json": "ambiguo",
    "caso16_muv_respuesta_400_camelcase.json": "sin_numero",
    "caso16_muv_respuesta_aceptado.json": "sin_factura",
    "caso16_rips_sin_factura_RS.json": "rips_sin_factura",
    "caso33_rips_farmacia.json": "numero_incompleto",
    "caso60_muv_manual_NotaDebito.json": "sin_factura",
    "caso62_muv_manual_RipsSinFactura.json": "sin_factura",
    "caso64_muv_manual_CapitaInicial.json": "sin_factura",
    "caso80_evento_030_sintetico.xml": "sin_prestador",
}


class House:
    """A database, a store and a clock, and imports into them."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.db, self.store, self.work = db, FolderStore(folder / "custodia"), folder

    def load(self, *paths: Path, scope: Scope | None = None, names: list[str] | None = None) -> Summary:
        return import_paths(
            self.db,
            self.store,
            paths,
            scope or operator_scope("prueba"),
            clock=fixed_clock(NOW),
            workdir=self.work,
            names=names,
        )

    def facturas(self) -> dict[str, Factura]:
        with self.db.read() as session:
            return {row.numero: row for row in session.scalars(select(Factura).order_by(Factura.id))}

    def documentos(self, numero: str | None = None) -> list[Documento]:
        with self.db.read() as session:
            query = select(Documento).order_by(Documento.id)
            if numero is not None:
                query = query.join(Factura, Factura.id == Documento.factura_id).where(Factura.numero == numero)
            return list(session.scalars(query))

    def hallazgos(self, numero: str) -> set[str]:
        with self.db.read() as session:
            query = select(Hallazgo.codigo).join(Factura, Factura.id == Hallazgo.factura_id)
            return set(session.scalars(query.where(Factura.numero == numero)))

    def bandeja(self) -> dict[str, NoReconocido]:
        with self.db.read() as session:
            return {row.nombre: row for row in session.scalars(select(NoReconocido).order_by(NoReconocido.id))}

    def counts(self) -> dict[str, int]:
        with self.db.read() as session:
            tables = (Factura, Documento, NoReconocido, Hallazgo, Prestador, Transition, Blob)
            return {t.__name__: session.scalar(select(func.count()).select_from(t)) or 0 for t in tables}


@pytest.fixture
def house(db: Database, tmp_path: Path) -> House:
    return House(db, tmp_path)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """One right package of the demonstration set, in a folder of its own."""
    made = build_set(tmp_path / "demo", seed=3, packages=1, hoy=TODAY, defects=False)
    return tmp_path / "demo" / made.packages[0].files[0].parent


def results(summary: Summary) -> Counter[str]:
    return Counter(one.resultado.value for one in summary.archivos)


def provider(house: House, nit: str) -> int:
    with house.db.write() as session:
        return factories.prestador(session, nit=nit).id


def test_every_real_file_is_accounted_for(house: House, muestras: Path):
    done = {Path(one.ruta).name: one for one in house.load(muestras).archivos}
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
    tray = house.bandeja()
    assert {name: row.codigo for name, row in tray.items()} == TRAY
    assert all(
        row.sha256 and house.store.read(row.sha256) == (muestras / name).read_bytes() for name, row in tray.items()
    )
    assert len(house.facturas()) == 20  # SETP990000103 is of two providers
    with house.db.read() as session:
        assert set(session.scalars(select(Prestador.estado))) == {EstadoPrestador.POR_CONFIRMAR}


def test_loading_again_creates_nothing_and_says_so(house: House, muestras: Path):
    first = house.load(muestras)
    before = house.counts()
    again = house.load(muestras)
    assert (again.facturas_nuevas, again.facturas_completadas) == (0, 0)
    assert results(again) == Counter(duplicado=42, no_reconocido=11)
    assert house.counts() == before
    assert (first.facturas_nuevas, first.facturas_completadas) == (21, 0)
    with house.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Carga)) == 2
        assert session.scalar(select(func.count()).select_from(CargaArchivo)) == 2 * 53


def test_the_json_of_the_command_line(house: House, muestras: Path):
    told = house.load(muestras / "caso05_muv_request.json").as_json()
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


def test_figures_of_an_invoice(house: House, muestras: Path):
    house.load(*sorted(muestras.glob("caso07_*")))
    row = house.facturas()["A01E5687"]
    assert (row.valor, row.valor_bruto, row.pago_moderador, row.usuarios) == (105560000, 112000000, 6440000, 4)
    assert (row.servicio_desde, row.servicio_hasta) == (date(2025, 7, 1), date(2025, 7, 9))
    assert (row.expedida_at, row.vence_radicar) == (datetime(2025, 7, 9, 16, 47, 14, tzinfo=UTC), date(2025, 8, 11))
    assert row.cufe is not None
    assert row.cuv is not None
    assert row.estado == "no_lista"
    assert {"RAD01-VENCIDO", "SOPORTES-NINGUNO"} <= house.hallazgos("A01E5687")


def test_the_demonstration_set_ends_as_it_was_meant(house: House, tmp_path: Path):
    made = build_set(tmp_path / "demo", seed=11, packages=40, hoy=TODAY, mixed_delivery=True)
    summary = house.load(tmp_path / "demo")
    assert summary.facturas_nuevas == 40
    rows = house.facturas()
    wrong = {p.number for p in made.packages if p.expected == "no_lista"}
    assert {numero for numero, row in rows.items() if row.estado != "lista"} == wrong
    assert len(wrong) == 11
    assert all(rows[p.number].valor == int(p.value * 100) for p in made.packages if p.defect != "xml_truncado")


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_files_does_not_matter(house: House, package: Path, seed: int):
    files = sorted(package.iterdir())
    random.Random(seed).shuffle(files)
    for one in files:  # one import per file: everything must find its invoice later
        house.load(one)
    (row,) = house.facturas().values()
    assert row.estado == "lista", house.hallazgos(row.numero)
    assert len(house.documentos(row.numero)) == len(files)
    assert all(waiting.resuelto_at is not None for waiting in house.bandeja().values())


def test_a_cuv_that_came_first_leaves_the_tray_with_its_invoice(house: House, package: Path):
    cuv = next(p for p in package.iterdir() if "CUV" in p.name)
    first = house.load(cuv)
    assert results(first) == Counter(no_reconocido=1)
    assert next(iter(house.bandeja().values())).codigo == "sin_factura"
    rest = house.load(*(p for p in package.iterdir() if p != cuv))
    assert rest.facturas_nuevas == 1
    (row,) = house.facturas().values()
    assert row.cuv is not None
    (waited,) = house.bandeja().values()
    assert waited.resolucion == f"Se unió a la factura {row.numero}"


def rips(nit: str, number: str, value: int = 1000) -> bytes:
    service = {"codPrestador": f"{nit}01", "vrServicio": value, "valorPagoModerador": 0}
    users = [{"servicios": {"consultas": [service]}}]
    return json.dumps({"numDocumentoIdObligado": nit, "numFactura": number, "usuarios": users}).encode()


def invoice(nit: str, number: str) -> bytes:
    return f"""<Invoice><ID>{number}</ID><UUID>{"a" * 96}</UUID><IssueDate>2026-11-10</IssueDate>
    <AccountingSupplierParty><Party><PartyTaxScheme><RegistrationName>IPS</RegistrationName>
    <CompanyID schemeName="31">{nit}</CompanyID></PartyTaxScheme></Party></AccountingSupplierParty></Invoice>""".encode()


def put(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def test_a_number_without_prefix_joins_the_only_invoice_that_fits(house: House, tmp_path: Path):
    house.load(put(tmp_path, "r.json", rips("900111222", "0001234")))
    assert list(house.facturas()) == ["0001234"]
    house.load(put(tmp_path, "f.xml", invoice("900111222", "FE1234")))
    (row,) = house.facturas().values()
    assert (row.numero, row.numero_clave, row.numero_digitos) == ("FE1234", "FE1234", "1234")
    assert "RIPS-NUMERO-SIN-PREFIJO" in house.hallazgos("FE1234")
    house.load(put(tmp_path, "g.xml", invoice("900111222", "FV1234")))
    assert set(house.facturas()) == {"FE1234", "FV1234"}
    again = house.load(put(tmp_path, "s.json", rips("900111222", "1234", 5)))
    assert again.archivos[0].motivo == "El número 1234 puede ser de FE1234, FV1234."
    assert house.bandeja()["s.json"].codigo == "ambiguo"


def test_equal_numbers_of_two_providers_are_two_invoices(house: House, tmp_path: Path):
    house.load(put(tmp_path, "a.json", rips("900111222", "FE1")), put(tmp_path, "b.json", rips("900333444", "FE1")))
    with house.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Factura)) == 2


def test_a_corrected_document_replaces_and_stays(house: House, package: Path, tmp_path: Path):
    house.load(package)
    (row,) = house.facturas().values()
    old = next(d for d in house.documentos(row.numero) if d.tipo == "RIPS")
    data = json.loads(house.store.read(old.sha256))
    next(iter(data["usuarios"][0]["servicios"].values()))[0]["vrServicio"] = 1
    summary = house.load(put(tmp_path, "corregido.json", json.dumps(data).encode()))
    assert (summary.facturas_nuevas, summary.facturas_completadas) == (0, 1)
    found = {d.sha256: d.vigente for d in house.documentos(row.numero) if d.tipo == "RIPS"}
    assert sorted(found.values()) == [False, True]
    assert found[old.sha256] is False
    assert house.facturas()[row.numero].estado == "no_lista"
    assert "RIPS-TOTAL" in house.hallazgos(row.numero)


def test_a_refused_answer_does_not_replace_the_accepted_one(house: House, package: Path, tmp_path: Path):
    house.load(package)
    (row,) = house.facturas().values()
    refused = {
        "ResultState": False, "NumFactura": row.numero, "CodigoUnicoValidacion": "-",
        "ResultadosValidacion": [{"Clase": "RECHAZADO", "Codigo": "RVG01"}],
    }  # fmt: skip
    house.load(put(tmp_path, "viejo.json", json.dumps(refused).encode()))
    assert house.facturas()[row.numero].estado == "lista"
    assert [d.vigente for d in house.documentos(row.numero) if d.tipo == "CUV"] == [True, False]


def test_one_pdf_may_support_many_invoices(house: House, tmp_path: Path):
    nit = "900111222"
    house.load(*(put(tmp_path, f"{n}.json", rips(nit, f"FE{n}")) for n in (1, 2)))
    prices = PDF.replace(b"%s", b"lista de precios")
    done = house.load(*(put(tmp_path, f"LDP_{nit}_FE{n}.pdf", prices) for n in (1, 2)))
    assert results(done) == Counter(cargado=2)
    assert [one.factura for one in done.archivos] == ["FE1", "FE2"]
    assert results(house.load(tmp_path / f"LDP_{nit}_FE1.pdf")) == Counter(duplicado=1)
    with house.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Blob)) == 3


def test_a_zip_gives_a_row_for_each_entry(house: House, package: Path, tmp_path: Path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as z:
        z.writestr("x.xml", "<a/>")
    bundle = tmp_path / "lote.zip"
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as z:
        for path in sorted(package.iterdir()):
            z.write(path, f"carpeta/{path.name}")
        z.writestr("../fuera.xml", "<a/>")
        z.writestr("dentro.zip", inner.getvalue())
        z.writestr("bomba.json", bytes(40 * 1024 * 1024))
        z.writestr("HEV_900111222_FE1.pdf", b"no es un pdf")
    (tmp_path / "roto.zip").write_bytes(b"PK\x03\x04 nada")
    with zipfile.ZipFile(tmp_path / "vacio.zip", "w"):
        pass
    done = {one.ruta: one for one in house.load(bundle, tmp_path / "roto.zip", tmp_path / "vacio.zip").archivos}
    refused = {Path(r).name: one.motivo for r, one in done.items() if one.resultado.value == "no_reconocido"}
    assert set(refused) == {"fuera.xml", "dentro.zip", "bomba.json", "HEV_900111222_FE1.pdf", "roto.zip", "vacio.zip"}
    assert all(refused.values())
    assert results_of(done.values())["cargado"] == len(list(package.iterdir()))
    (row,) = house.facturas().values()
    assert row.estado == "lista"
    assert list(tmp_path.glob("carga-*")) == []


def results_of(rows: object) -> Counter[str]:
    return Counter(one.resultado.value for one in rows)  # type: ignore[attr-defined]


def test_links_and_missing_files_have_a_reason(house: House, tmp_path: Path, package: Path):
    (tmp_path / "enlace.xml").symlink_to(next(iter(package.iterdir())))
    done = house.load(tmp_path / "enlace.xml", tmp_path / "no_esta.xml")
    assert [one.motivo for one in done.archivos] == [
        "Es un enlace a otro lugar; no se sigue.",
        "No existe o no es un archivo.",
    ]
    assert house.counts()["Factura"] == 0


def test_only_one_provider_may_be_asked_for(house: House, tmp_path: Path):
    files = [put(tmp_path, "a.json", rips("900111222", "FE1")), put(tmp_path, "b.json", rips("900333444", "FE1"))]
    done = house.load(*files, scope=operator_scope("prueba", only_nit="900111222"))
    assert [one.resultado.value for one in done.archivos] == ["cargado", "no_reconocido"]
    assert house.bandeja()["b.json"].codigo == "otro_prestador"
    with house.db.read() as session:
        assert list(session.scalars(select(Prestador.nit))) == ["900111222"]


def person(house: House, *granted: int) -> Scope:
    """Add a person and return the scope of their uploads."""
    with house.db.write() as session:
        row = Usuario(correo=f"p{next(serial)}@ejemplo.co", nombre="Persona", clave_hash="x", creado_at=NOW)
        session.add(row)
        session.flush()
        return person_scope(row.id, granted)


def test_an_upload_of_a_provider_not_granted_creates_nothing(house: House, tmp_path: Path):
    mine, other = provider(house, "900111222"), provider(house, "900333444")
    house.load(put(tmp_path, "suyo.json", rips("900333444", "FE1")))
    before = house.counts()
    scope = person(house, mine)
    files = [
        put(tmp_path, "suyo.json", rips("900333444", "FE1")),  # the same bytes that the other provider has
        put(tmp_path, "nadie.json", rips("900555666", "FE1")),
        put(tmp_path, "HEV_900333444_FE1.pdf", PDF),
        put(tmp_path, "mio.json", rips("900111222", "FE9")),
        put(tmp_path, "basura.txt", b"hola"),
    ]
    done = {Path(one.ruta).name: one for one in house.load(*files, scope=scope).archivos}
    words = {done[name].motivo for name in ("suyo.json", "nadie.json", "HEV_900333444_FE1.pdf")}
    assert words == {"El documento es de un prestador que usted no tiene asignado."}
    assert done["mio.json"].resultado.value == "cargado"
    after = house.counts()
    assert (after["Factura"], after["Documento"], after["Prestador"]) == (
        before["Factura"] + 1, before["Documento"] + 1, before["Prestador"],
    )  # fmt: skip
    rows = house.bandeja()
    assert {row.duenio for row in rows.values()} == {scope.owner}
    assert all(row.prestador_id is None and row.usuario_id == scope.usuario_id for row in rows.values())
    with house.db.read() as session:
        seen = open_rows(session, usuario_id=scope.usuario_id, prestador_ids=[mine])
        assert {row.nombre for row in seen} == {"suyo.json", "nadie.json", "HEV_900333444_FE1.pdf", "basura.txt"}
        assert open_rows(session, prestador_ids=[mine, other]) == []


def test_a_hash_tells_nothing_to_another_tenant(house: House, tmp_path: Path):
    prices = PDF.replace(b"%s", b"lista")
    one, two = provider(house, "900111222"), provider(house, "900333444")
    for nit, scope in (("900111222", person(house, one)), ("900333444", person(house, two))):
        folder = tmp_path / nit
        folder.mkdir()
        files = [put(folder, "r.json", rips(nit, "FE1")), put(folder, f"LDP_{nit}_FE1.pdf", prices)]
        assert results(house.load(*files, scope=scope)) == Counter(cargado=2)


def test_a_cuv_joins_only_among_the_granted(house: House, tmp_path: Path):
    one, two = provider(house, "900111222"), provider(house, "900333444")
    house.load(put(tmp_path, "r.json", rips("900111222", "FE1")))
    answer = {"ResultState": True, "NumFactura": "FE1", "CodigoUnicoValidacion": "b" * 96, "ResultadosValidacion": []}
    cuv = put(tmp_path, "cuv.json", json.dumps(answer).encode())
    assert results(house.load(cuv, scope=person(house, two))) == Counter(no_reconocido=1)
    assert results(house.load(cuv, scope=person(house, one))) == Counter(cargado=1)


def test_two_imports_at_once_make_one_of_everything(house: House, tmp_path: Path):
    build_set(tmp_path / "demo", seed=7, packages=12, hoy=TODAY, defects=False)
    files = sorted(path for path in (tmp_path / "demo").rglob("*") if path.is_file())
    failures: list[BaseException] = []

    def work(order: list[Path]) -> None:
        try:
            house.load(*order)
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(order,)) for order in (files, files[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    rows = house.facturas()
    assert len(rows) == 12
    assert {row.estado.value for row in rows.values()} == {"lista"}
    assert len(house.documentos()) == len(files)


def test_no_patient_in_the_database(house: House, muestras: Path):
    path = muestras / "caso05_muv_request.json"
    user = json.loads(path.read_bytes())["rips"]["usuarios"][0]
    house.load(path)
    kept = "".join(json.dumps(doc.datos, ensure_ascii=False) + doc.nombre for doc in house.documentos())
    assert user["numDocumentoIdentificacion"] not in kept
