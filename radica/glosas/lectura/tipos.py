"""What reading a payer's file gives: lines, rows that were not read, totals. Values only; no database, no web.

Invariant: a line holds what the file says, nothing guessed: what could not be read without doubt is a `NoLeida` with
its row and its reason, never a line with a hole filled in. Amounts are integer centavos.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple


class TipoLinea(StrEnum):
    """What a line is: a first objection, the return of a whole invoice, or the payer's later word on one."""

    GLOSA = "glosa"
    DEVOLUCION = "devolucion"
    RATIFICACION = "ratificacion"
    DECISION = "decision"


class LineaLeida(NamedTuple):
    """One objection as the file says it; a tuple, because a file has 100,000 of them and it is made in a third of the time.

    `fila` is the row or text line in the file (1-based; of the sheet `hoja` in a workbook). `factura` as written.
    `codigo` is the code in the form of its manual (TA0801; 302), None when the file gives none; `codigo_original` as
    written. `valor`: centavos objected (of a decision: what stays objected). `aceptado`/`levantado`: centavos, only
    in decisions that say them. `paciente_documento` is health data.
    """

    fila: int
    factura: str
    tipo: TipoLinea
    codigo: str | None
    codigo_original: str
    valor: int
    hoja: str = ""
    fecha_notificacion: date | None = None
    fecha_radicacion: date | None = None
    fecha_factura: date | None = None
    radicado: str | None = None
    numero_glosa: str | None = None
    servicio: str | None = None
    descripcion_servicio: str | None = None
    valor_servicio: int | None = None
    valor_factura: int | None = None
    motivo: str | None = None
    paciente_documento: str | None = None
    levantado: int | None = None
    aceptado: int | None = None
    avisos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoLeida:
    """A row that was not read: where it stands, why, and its text (health data may be in it: for the tray only)."""

    fila: int
    motivo: str
    texto: str = ""
    hoja: str = ""


@dataclass(frozen=True, slots=True)
class Lectura:
    """One file read. `confianza` 0–100; `formato` names the layout (`sanitas`), "" when none fits.

    `total_leido` is the sum of the lines' `valor`; `total_declarado` what the file itself says (TOTAL row, letter's
    total), None when it says none. `avisos` are for the person who loads it.
    """

    archivo: str
    formato: str
    confianza: int
    pagador_nit: str | None
    lineas: tuple[LineaLeida, ...]
    no_leidas: tuple[NoLeida, ...]
    total_leido: int
    total_declarado: int | None
    avisos: tuple[str, ...] = ()
