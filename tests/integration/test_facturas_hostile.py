"""Files made to break an import, beside a right package, on both databases: the package comes in, each of them says why not."""

from __future__ import annotations

import json
import os
import re
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from radica.custodia.store import FolderStore
from radica.facturas.intake import Summary, import_paths
from radica.facturas.models import Documento, Factura, NoReconocido, ResultadoArchivo
from radica.facturas.tray import operator_scope
from radica.kernel.clock import fixed_clock
from radica.kernel.db import Database
from tests.acciones_seed import right_packages, write_package
from tests.factories import NOW
from tests.full_disk import small_files

(BUILT,) = right_packages(1)
XML = next(data for path, data in BUILT.contents.items() if path.suffix == ".xml")
RIPS = next(json.loads(data) for path, data in BUILT.contents.items() if path.name.startswith("RIPS"))
BODY = XML[XML.index(b"?>") + 2 :]
ENTITY = '<?xml version="1.0" encoding="{0}"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + BODY.decode()


def _spoilt(value: Any, letters: str) -> Any:
    if isinstance(value, dict):
        return {key: _spoilt(one, letters) for key, one in value.items()}
    if isinstance(value, list):
        return [_spoilt(one, letters) for one in value]
    return value + letters if isinstance(value, str) and len(value) > 3 else value


LARGE = 20_000_000
BAD: dict[str | bytes, bytes] = {
    "cortado.xml": XML[: len(XML) // 2],
    "dtd8.xml": ENTITY.format("UTF-8").encode(),
    "dtd16.xml": ENTITY.format("UTF-16").encode("utf-16"),
    "dtd16le.xml": ENTITY.format("UTF-16LE").encode("utf-16-le"),
    "dtd32.xml": ENTITY.format("UTF-32").encode("utf-32"),
    "dos.xml": XML + XML,
    "corchetes.json": b"[" * 200_000,
    "corchetes-cerrados.json": b"[" * 200_000 + b"]" * 200_000,
    "llaves.json": b'{"a":' * 200_000,
    "medio.json": json.dumps(_spoilt(RIPS, "\ud800")).encode(),
    "nulo.json": json.dumps(_spoilt(RIPS, "\x00")).encode(),
    "infinito.json": json.dumps({**RIPS, "x": float("inf")}).encode(),
    "no-es.pdf": b"GIF89a nada",
    "HEV_900123456_FE1.pdf": b"%PDF-1.7 nada",
    b"nombre-\xff\xfe.xml": b"<a/>",
    "salto\nde-linea.xml": b"<a/>",
    "\u202egnp.xml": b"<a/>",
    "=1+1.xml": b"<a/>",
}


def _load(db: Database, folder: Path, paths: list[Path]) -> Summary:
    store = FolderStore(folder / "custodia")
    return import_paths(db, store, paths, operator_scope("prueba"), clock=fixed_clock(NOW), workdir=folder)


def _write(folder: Path, files: dict[str | bytes, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / (name if isinstance(name, str) else os.fsdecode(name))).write_bytes(data)


def test_what_breaks_stays_alone_and_the_package_comes_in(db: Database, tmp_path: Path) -> None:
    box = tmp_path / "lote"
    _write(box, BAD)
    write_package(BUILT, box)
    summary = _load(db, tmp_path, [box])
    assert len(summary.archivos) == len(BAD) + len(BUILT.contents)
    lost = [one for one in summary.archivos if one.resultado is ResultadoArchivo.NO_RECONOCIDO]
    assert len(lost) == len(BAD)
    assert all(one.motivo and one.motivo[0].isupper() and one.motivo.endswith(".") for one in lost)
    json.dumps(summary.as_json(), ensure_ascii=False).encode()
    with db.read() as session:
        assert session.scalars(select(Factura.estado)).one().value == "lista"
        tray = session.scalars(select(NoReconocido)).all()
        assert len({row.sha256 for row in tray}) == len(set(BAD.values()))
        assert None not in {row.sha256 for row in tray}, "what was not understood is in custody as it came"
    again = _load(db, tmp_path, [box])
    assert (again.facturas_nuevas, len(again.archivos)) == (0, len(summary.archivos))
    with db.read() as session:
        assert len(session.scalars(select(NoReconocido)).all()) == len(tray)


@pytest.mark.parametrize("day", ["0001-01-01", "0033-04-03", "9999-12-31"])
def test_a_day_that_no_invoice_has_is_a_finding_and_the_invoice_can_be_read_again(
    db: Database, tmp_path: Path, day: str
) -> None:
    path = tmp_path / "fev.xml"
    path.write_bytes(re.sub(rb"(<cbc:IssueDate>)[^<]*", rb"\g<1>" + day.encode(), XML))
    _load(db, tmp_path, [path])
    with db.read() as session:
        row = session.scalars(select(Factura)).one()
        assert row.expedida_at is None or row.expedida_at.year > date(1990, 1, 1).year


@pytest.mark.parametrize("value", ["1e999999999", "NaN", "-Infinity", "9" * 40, "١٢٣"])
def test_an_impossible_amount_is_a_finding(db: Database, tmp_path: Path, value: str) -> None:
    path = tmp_path / "fev.xml"
    path.write_bytes(re.sub(rb"(<cbc:PayableAmount[^>]*>)[^<]*", rb"\g<1>" + value.encode(), XML))
    summary = _load(db, tmp_path, [path])
    assert summary.facturas_nuevas == 1
    with db.read() as session:
        assert session.scalars(select(Factura.valor)).one() is None


def test_a_zip_with_names_that_leave_links_and_bombs_gives_what_is_right(db: Database, tmp_path: Path) -> None:
    box = tmp_path / "lote.zip"
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("../../fuera.xml", "/absoluto.xml", "..\\..\\fuera.xml", "C:\\fuera.xml"):
            archive.writestr(name, "<a/>")
        link = zipfile.ZipInfo("enlace.xml")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        with archive.open("bomba.json", "w", force_zip64=True) as bomb:
            for _ in range(300):
                bomb.write(b" " * 1_048_576)
        for path, data in BUILT.contents.items():
            archive.writestr(path.name, data)
    assert box.stat().st_size < 2_000_000
    summary = _load(db, tmp_path, [box])
    assert summary.facturas_nuevas == 1
    assert sum(one.resultado is ResultadoArchivo.NO_RECONOCIDO for one in summary.archivos) == 6
    assert not list(tmp_path.parent.glob("fuera.xml"))
    with db.read() as session:
        assert len(session.scalars(select(Documento)).all()) == len(BUILT.contents)


def test_a_file_that_does_not_fit_on_the_disk_says_so_and_comes_in_later(db: Database, tmp_path: Path) -> None:
    paths = write_package(BUILT, tmp_path / "lote")
    biggest = tmp_path / "lote" / "HEV_900123456_FE1.pdf"
    biggest.write_bytes(b"%PDF-1.7\n" + b"%" * LARGE + b"\n%%EOF\n")
    paths.append(biggest)
    with small_files(LARGE):  # the database has room
        summary = _load(db, tmp_path, paths)
    lost = [one for one in summary.archivos if one.resultado is ResultadoArchivo.NO_RECONOCIDO]
    assert [Path(one.ruta).name for one in lost] == [biggest.name]
    assert "El disco está lleno" in (lost[0].motivo or "")
    assert list((tmp_path / "custodia" / "tmp").iterdir()) == []
    again = _load(db, tmp_path, paths)
    assert "disco" not in " ".join(one.motivo or "" for one in again.archivos)
    with db.read() as session:
        assert session.scalars(select(Factura.estado)).one().value == "lista"
