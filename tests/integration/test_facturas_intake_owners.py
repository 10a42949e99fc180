"""Whose a file is when it comes in: ZIPs, providers, uploaders, other tenants, two imports at once."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections import Counter
from pathlib import Path

from sqlalchemy import select

from radica.app.demo.data import build_set
from radica.entidades.models import Prestador
from radica.facturas.tray import open_rows, operator_scope
from tests.plugins.intake import (
    PDF,
    TODAY,
    Importer,
    person,
    provider,
    put,
    results,
    results_of,
    rips,
)


def test_a_zip_gives_a_row_for_each_entry(importer: Importer, package: Path, tmp_path: Path):
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
    done = {one.ruta: one for one in importer.load(bundle, tmp_path / "roto.zip", tmp_path / "vacio.zip").archivos}
    refused = {Path(r).name: one.motivo for r, one in done.items() if one.resultado.value == "no_reconocido"}
    assert set(refused) == {"fuera.xml", "dentro.zip", "bomba.json", "HEV_900111222_FE1.pdf", "roto.zip", "vacio.zip"}
    assert all(refused.values())
    assert results_of(done.values())["cargado"] == len(list(package.iterdir()))
    (row,) = importer.facturas().values()
    assert row.estado == "lista"
    assert list(tmp_path.glob("importa-*")) == []


def test_links_and_missing_files_have_a_reason(importer: Importer, tmp_path: Path, package: Path):
    (tmp_path / "enlace.xml").symlink_to(next(iter(package.iterdir())))
    done = importer.load(tmp_path / "enlace.xml", tmp_path / "no_esta.xml")
    assert [one.motivo for one in done.archivos] == [
        "Es un enlace a otro lugar; no se sigue.",
        "No existe o no es un archivo.",
    ]
    assert importer.counts()["Factura"] == 0


def test_only_one_provider_may_be_asked_for(importer: Importer, tmp_path: Path):
    files = [put(tmp_path, "a.json", rips("900111222", "FE1")), put(tmp_path, "b.json", rips("900333444", "FE1"))]
    done = importer.load(*files, scope=operator_scope("prueba", only_nit="900111222"))
    assert [one.resultado.value for one in done.archivos] == ["cargado", "no_reconocido"]
    assert importer.bandeja()["b.json"].codigo == "otro_prestador"
    with importer.db.read() as session:
        assert list(session.scalars(select(Prestador.nit))) == ["900111222"]


def test_an_upload_of_a_provider_not_granted_creates_nothing(importer: Importer, tmp_path: Path):
    mine, other = provider(importer, "900111222"), provider(importer, "900333444")
    importer.load(put(tmp_path, "suyo.json", rips("900333444", "FE1")))
    before = importer.counts()
    scope = person(importer, mine)
    files = [
        put(tmp_path, "suyo.json", rips("900333444", "FE1")),  # the same bytes that the other provider has
        put(tmp_path, "nadie.json", rips("900555666", "FE1")),
        put(tmp_path, "HEV_900333444_FE1.pdf", PDF),
        put(tmp_path, "mio.json", rips("900111222", "FE9")),
        put(tmp_path, "basura.txt", b"hola"),
    ]
    done = {Path(one.ruta).name: one for one in importer.load(*files, scope=scope).archivos}
    words = {done[name].motivo for name in ("suyo.json", "nadie.json", "HEV_900333444_FE1.pdf")}
    assert words == {"El documento es de un prestador que usted no tiene asignado."}
    assert done["mio.json"].resultado.value == "cargado"
    after = importer.counts()
    assert (after["Factura"], after["Documento"], after["Prestador"]) == (
        before["Factura"] + 1, before["Documento"] + 1, before["Prestador"],
    )  # fmt: skip
    rows = importer.bandeja()
    assert {row.duenio for row in rows.values()} == {scope.owner}
    assert all(row.prestador_id is None and row.usuario_id == scope.usuario_id for row in rows.values())
    with importer.db.read() as session:
        seen = open_rows(session, usuario_id=scope.usuario_id, prestador_ids=[mine])
        assert {row.nombre for row in seen} == {"suyo.json", "nadie.json", "HEV_900333444_FE1.pdf", "basura.txt"}
        assert open_rows(session, prestador_ids=[mine, other]) == []


def test_a_hash_tells_nothing_to_another_tenant(importer: Importer, tmp_path: Path):
    prices = PDF.replace(b"%s", b"lista")
    one, two = provider(importer, "900111222"), provider(importer, "900333444")
    for nit, scope in (("900111222", person(importer, one)), ("900333444", person(importer, two))):
        folder = tmp_path / nit
        folder.mkdir()
        files = [put(folder, "r.json", rips(nit, "FE1")), put(folder, f"LDP_{nit}_FE1.pdf", prices)]
        assert results(importer.load(*files, scope=scope)) == Counter(cargado=2)


def test_a_cuv_joins_only_among_the_granted(importer: Importer, tmp_path: Path):
    one, two = provider(importer, "900111222"), provider(importer, "900333444")
    importer.load(put(tmp_path, "r.json", rips("900111222", "FE1")))
    answer = {"ResultState": True, "NumFactura": "FE1", "CodigoUnicoValidacion": "b" * 96, "ResultadosValidacion": []}
    cuv = put(tmp_path, "cuv.json", json.dumps(answer).encode())
    assert results(importer.load(cuv, scope=person(importer, two))) == Counter(no_reconocido=1)
    assert results(importer.load(cuv, scope=person(importer, one))) == Counter(cargado=1)


def test_two_imports_at_once_make_one_of_everything(importer: Importer, tmp_path: Path):
    build_set(tmp_path / "demo", seed=7, packages=12, hoy=TODAY, defects=False)
    files = sorted(path for path in (tmp_path / "demo").rglob("*") if path.is_file())
    failures: list[BaseException] = []

    def work(order: list[Path]) -> None:
        try:
            importer.load(*order)
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(order,)) for order in (files, files[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    rows = importer.facturas()
    assert len(rows) == 12
    assert {row.estado.value for row in rows.values()} == {"lista"}
    assert len(importer.documentos()) == len(files)


def test_no_patient_in_the_database(importer: Importer, muestras: Path):
    path = muestras / "caso05_muv_request.json"
    user = json.loads(path.read_bytes())["rips"]["usuarios"][0]
    importer.load(path)
    kept = "".join(json.dumps(doc.datos, ensure_ascii=False) + doc.nombre for doc in importer.documentos())
    assert user["numDocumentoIdentificacion"] not in kept
