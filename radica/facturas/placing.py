"""A file on its way through an import: what it holds when it comes in, what became of it when it goes out."""

from __future__ import annotations

from dataclasses import dataclass

from radica.custodia.store import Stored
from radica.facturas.models import ResultadoArchivo
from radica.facturas.recognise import Pieza


@dataclass(frozen=True)
class Arrived:
    """One document whose bytes are in the store."""

    piece: Pieza
    stored: Stored
    name: str


@dataclass(frozen=True)
class FileIn:
    """One file: its documents, or the code and reason why there are none. `stored` None: its bytes were not kept."""

    route: str
    name: str
    stored: Stored | None
    documents: tuple[Arrived, ...] = ()
    code: str = ""
    reason: str = ""


@dataclass(frozen=True)
class FileOut:
    """What became of a file, in the words of the CLI's JSON."""

    ruta: str
    resultado: ResultadoArchivo
    tipo: str | None
    factura: str | None
    factura_id: int | None
    motivo: str | None
