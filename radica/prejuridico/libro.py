"""The book under way: chapters write their documents and gaps into it, and it gives them back in the track's order.

Invariant: the order is the track's (data/documentos.csv), then the invoice's, then what the chapter says; a kind that
the track leaves out is counted, not included, and the dossier says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePosixPath

from radica.custodia.models import Pieza
from radica.kernel.clock import civil_date
from radica.prejuridico.contenido import Capitulo, DocumentoExpediente, Hueco, Origen
from radica.prejuridico.tabla import capitulos, clases

Avance = Callable[[str, int, int], None]
"""Told what is done, how many are done, of how many."""
EXTENSIONES = {
    "application/pdf": ".pdf",
    "application/xml": ".xml",
    "application/json": ".json",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "text/html": ".html",
    "text/csv": ".csv",
    "text/plain": ".txt",
    "message/rfc822": ".eml",
    "multipart/related": ".mhtml",
    "application/zip": ".zip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}


@dataclass(frozen=True)
class _Puesto:
    orden: tuple[int, ...]
    documento: DocumentoExpediente


@dataclass
class Libro:
    """What the chapters of one dossier have written so far."""

    via: str
    corte: date
    orden_facturas: dict[str, int]  # number of the invoice → its place
    huecos: list[Hueco] = field(default_factory=list)
    omitidos: Counter[str] = field(default_factory=Counter)  # kinds left out by the track
    _puestos: dict[str, list[_Puesto]] = field(default_factory=dict)

    def hueco(self, codigo: str, capitulo: str, texto: str, que_hacer: str, *, factura: str | None = None) -> None:
        """Declare something that the dossier does not have or does not prove."""
        self.huecos.append(Hueco(codigo, capitulo, factura, texto, que_hacer))

    def generado(
        self,
        clave: str,
        titulo: str,
        datos: bytes,
        media_type: str,
        *,
        creado: date | None = None,
        factura: str | None = None,
        salud: bool = False,
        redactado: bool = False,
        nota: str = "",
        capitulo: str | None = None,
        lugar: tuple[int, ...] = (),
        caso: str = "",
    ) -> None:
        """Add a document that we make from facts; its day of incorporation is the dossier's."""
        kind = clases()[clave]
        document = DocumentoExpediente(
            titulo=titulo,
            nombre_base=kind.nombre_base,
            extension=EXTENSIONES[media_type],
            tipologia=kind.tipologia,
            fecha_creacion=creado or self.corte,
            fecha_incorporacion=self.corte,
            media_type=media_type,
            datos=datos,
            bytes=len(datos),
            factura=factura,
            salud=salud,
            redactado=redactado,
            nota=nota,
            caso=caso,
        )
        self._put(clave, document, capitulo, lugar)

    def guardado(
        self,
        clave: str,
        titulo: str,
        sha256: str,
        tamano: int,
        media_type: str,
        *,
        creado: date,
        incorporado: date,
        caso: str,
        nombre: str = "",
        base: str = "",
        factura: str | None = None,
        salud: bool = False,
        nota: str = "",
        digitalizado: bool = False,
        capitulo: str | None = None,
        lugar: tuple[int, ...] = (),
    ) -> None:
        """Add a document that stands in custody."""
        kind = clases()[clave]
        suffix = EXTENSIONES.get(media_type) or PurePosixPath(nombre).suffix.lower()[:6] or ".bin"
        document = DocumentoExpediente(
            titulo=titulo,
            nombre_base=base or kind.nombre_base,
            extension=suffix,
            tipologia=kind.tipologia,
            fecha_creacion=creado,
            fecha_incorporacion=incorporado,
            media_type=media_type,
            origen=Origen.DIGITALIZADO if digitalizado else Origen.ELECTRONICO,
            sha256=sha256,
            bytes=tamano,
            factura=factura,
            caso=caso,
            salud=salud,
            nota=nota,
        )
        self._put(clave, document, capitulo, lugar)

    def pieza(
        self,
        clave: str,
        titulo: str,
        pieza: Pieza,
        *,
        creado: date | None = None,
        factura: str | None = None,
        salud: bool = False,
        nota: str = "",
        digitalizado: bool = False,
        capitulo: str | None = None,
        lugar: tuple[int, ...] = (),
    ) -> None:
        """Add a sealed piece."""
        sealed = civil_date(pieza.sellada_at)
        self.guardado(
            clave, titulo, pieza.sha256, pieza.bytes, pieza.media_type, creado=creado or sealed, incorporado=sealed,
            caso=pieza.case_key, nombre=pieza.nombre, factura=factura, salud=salud, nota=nota,
            digitalizado=digitalizado, capitulo=capitulo, lugar=lugar,
        )  # fmt: skip

    def quitar(self, huellas: Collection[str]) -> None:
        """Take out the documents of these hashes: their bytes are not there."""
        for key, rows in self._puestos.items():
            self._puestos[key] = [one for one in rows if one.documento.sha256 not in huellas]

    def tiene(self, capitulo: str, huella: str) -> bool:
        """Say whether a chapter already holds these bytes."""
        return any(one.documento.huella == huella for one in self._puestos.get(capitulo, ()))

    def capitulos(self) -> tuple[Capitulo, ...]:
        """Return the chapters of the track with what was written, in order."""
        return tuple(
            Capitulo(
                number,
                key,
                title,
                tuple(one.documento for one in sorted(self._puestos.get(key, ()), key=lambda one: one.orden)),
            )
            for number, (key, title) in enumerate(capitulos(self.via), 1)
        )

    def _put(self, clave: str, document: DocumentoExpediente, capitulo: str | None, lugar: tuple[int, ...]) -> None:
        kind = clases()[clave]
        if self.via not in kind.orden:
            self.omitidos[kind.tipologia] += 1
            return
        # By invoice first, so that a reader has one invoice together; what is of all stands before them.
        invoice = self.orden_facturas.get(document.factura or "", 0)
        rows = self._puestos.setdefault(capitulo or kind.capitulo, [])
        rows.append(_Puesto((invoice, *(lugar or (0,)), kind.orden[self.via], len(rows)), document))
