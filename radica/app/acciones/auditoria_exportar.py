"""A selection of invoices with all their documents, as a ZIP that opens without this software.

Invariant: every document is logged with its case, in a committed transaction, before the first byte leaves; the ZIP is
written while it is sent, so that its size costs no memory; the index tells the SHA-256 of each file, and a blob that is
missing is named, not left out in silence. Norm: Ley 1581/2012 art. 17; Ley 527/1999 art. 12 (accessible afterwards).
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.paginas.auditoria_papel import csv_list
from radica.app.paginas.auditoria_plano import READERS, blueprint
from radica.app.paginas.casos import case_of
from radica.app.paginas.comun import payer_names, provider_names, purpose_at, store
from radica.app.paginas.consultas_factura import class_name
from radica.app.paginas.frases import document_name
from radica.audit.services import record_reading
from radica.custodia.models import Pieza
from radica.custodia.store import Store
from radica.facturas.models import Documento, Factura
from radica.facturas.soportes import catalogue
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput
from radica.kernel.web import allow, current, now, person
from radica.kernel.web_format import cop, entero, fecha, fecha_hora, size
from radica.prejuridico.casos import cases_of_invoice
from radica.radicacion.package import safe
from radica.users.access import MAX_ID, load_for
from radica.users.purposes import purpose_name

MAX_INVOICES = 200
MAX_FILES = 2_000
MAX_BYTES = 500_000_000
_CHUNK = 1 << 18
_DATE = (1980, 1, 1, 0, 0, 0)
COLUMNS = ("Factura", "Prestador", "Pagador", "Documento", "Archivo", "SHA-256", "Bytes", "Fecha", "Estado")


@dataclass(frozen=True)
class Salida:
    """One file of the ZIP: its path in it, what it is, and the row behind it. `falta`: its bytes are not in custody."""

    ruta: str
    que: str
    cosa: Documento | Pieza
    falta: bool


@dataclass(frozen=True)
class Carpeta:
    """An invoice and its files."""

    factura: Factura
    archivos: Sequence[Salida]


@blueprint.post("/exportar")
@allow(*READERS)
def exportar() -> ResponseReturnValue:
    """Send the chosen invoices."""
    keeper, wanted = store(), _chosen()
    with current().database.read() as session:
        rows = [load_for(session, Factura, one, person(), roles=READERS) for one in wanted]
        purposes = {row.prestador_id: purpose_at(row.prestador_id) for row in rows}
        folders = [_folder(session, row, keeper) for row in rows]
        _check_size(folders)
        payers = payer_names(session, [row.pagador_id for row in rows])
        providers = provider_names(session, purposes)
    sheet = _sheet(folders, payers, providers)
    cover = render_template(
        "auditoria/exportado.html",
        carpetas=folders,
        pagadores=payers,
        prestadores=providers,
        propositos=sorted({purpose_name(one) for one in purposes.values()}),
        estados=Factura.MACHINE.labels,
    )
    _log(folders, purposes)
    name = f"auditoria_{civil_date(now()).isoformat()}_{len(rows)}_facturas.zip"
    answer = Response(stream({"indice.html": cover.encode(), "indice.csv": sheet}, folders, keeper))
    answer.mimetype = "application/zip"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _chosen() -> list[int]:
    typed = list(dict.fromkeys(request.form.getlist("factura_ids")))
    good = [int(one) for one in typed if one.isascii() and one.isdecimal() and len(one) < 20 and int(one) <= MAX_ID]
    if not good or len(good) != len(typed):
        raise BadInput("No eligió ninguna factura; no se exportó nada.", todo="Marque las facturas y repita.")
    if len(good) > MAX_INVOICES:
        raise BadInput(
            f"Son {entero(len(good))} facturas y se exportan hasta {entero(MAX_INVOICES)} de una vez; no se exportó nada.",
            todo="Hágalo por partes.",
        )
    return good


def _folder(session: Session, row: Factura, keeper: Store) -> Carpeta:
    supports = {sigla: one.nombre for sigla, one in catalogue().items()}
    papers = session.scalars(select(Documento).where(Documento.factura_id == row.id).order_by(Documento.id)).all()
    cases = cases_of_invoice(session, row.id)
    pieces = session.scalars(select(Pieza).where(Pieza.case_key.in_(cases)).order_by(Pieza.id)).all()
    mine = [one for one in pieces if one.prestador_id == row.prestador_id]
    files: list[Salida] = []
    things: list[Documento | Pieza] = [*papers, *mine]
    for place, thing in enumerate(things, 1):
        what = document_name(thing, supports) if isinstance(thing, Documento) else class_name(thing)
        path = f"documentos/{safe(row.numero)}_{row.id}/{place:03d}_{safe(thing.nombre)[-80:]}"
        files.append(Salida(path, what, thing, not keeper.exists(thing.sha256)))
    return Carpeta(row, files)


def _check_size(folders: Sequence[Carpeta]) -> None:
    count = sum(len(one.archivos) for one in folders)
    whole = sum(file.cosa.bytes for one in folders for file in one.archivos)
    if count > MAX_FILES or whole > MAX_BYTES:
        raise BadInput(
            f"La selección tiene {entero(count)} archivos y {size(whole)}; se exportan hasta {entero(MAX_FILES)} "
            f"archivos y {size(MAX_BYTES)} de una vez. No se exportó nada.",
            todo="Elija menos facturas y hágalo por partes.",
            code="seleccion_grande",
        )


def _sheet(folders: Sequence[Carpeta], payers: dict[int, str], providers: dict[int, str]) -> bytes:
    rows = [
        [
            one.factura.numero,
            providers[one.factura.prestador_id],
            payers.get(one.factura.pagador_id or 0, ""),
            file.que,
            "" if file.falta else file.ruta,
            file.cosa.sha256,
            str(file.cosa.bytes),
            fecha(_since(file.cosa)),
            "falta en custodia" if file.falta else "incluido",
        ]
        for one in folders
        for file in one.archivos
    ]
    facts = [("Exportado", f"{fecha_hora(now())} por {person().nombre}"), ("Facturas", entero(len(folders)))]
    facts.append(("Valor", cop(sum(one.factura.valor or 0 for one in folders))))
    return csv_list(facts, COLUMNS, rows)


def _since(thing: Documento | Pieza) -> datetime:
    return thing.cargado_at if isinstance(thing, Documento) else thing.sellada_at


def _log(folders: Sequence[Carpeta], purposes: dict[int, str]) -> None:
    with current().database.write() as session:
        for one in folders:
            for file in one.archivos:
                kind = "documento" if isinstance(file.cosa, Documento) else "evidencia"
                record_reading(
                    session,
                    prestador_id=one.factura.prestador_id,
                    actor=person().actor,
                    action="exportar",
                    purpose=purposes[one.factura.prestador_id],
                    object_=f"{kind}:{file.cosa.id}",
                    sha256=file.cosa.sha256,
                    case_key=case_of(file.cosa),
                    at=now(),
                )


class _Pipe:
    """What the ZIP is written to: gives back what came in since the last time."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nothing is held here."""

    def taken(self) -> bytes:
        whole, self._parts = b"".join(self._parts), []
        return whole


def stream(first: dict[str, bytes], folders: Sequence[Carpeta], keeper: Store) -> Iterator[bytes]:
    """Yield the bytes of the ZIP, file by file; a list of hashes for `sha256sum -c` comes last."""
    pipe = _Pipe()
    sums: list[str] = []
    with zipfile.ZipFile(pipe, "w") as archive:
        for name, data in first.items():
            archive.writestr(_entry(name), data)
            sums.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
        yield pipe.taken()
        for one in folders:
            for file in one.archivos:
                if file.falta:
                    continue
                sums.append(f"{file.cosa.sha256}  {file.ruta}\n")
                with keeper.open(file.cosa.sha256) as source, archive.open(_entry(file.ruta), "w") as out:
                    while chunk := source.read(_CHUNK):
                        out.write(chunk)
                        yield pipe.taken()
        archive.writestr(_entry("sha256.txt"), "".join(sums))
    yield pipe.taken()


def _entry(name: str) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name, _DATE)
    found.compress_type = zipfile.ZIP_DEFLATED
    return found
