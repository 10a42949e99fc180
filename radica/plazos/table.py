"""The table of legal terms: `data/terms.csv` and `data/lecturas.csv`, typed and validated when loaded.

Invariant: every row names its norm, its validity and how sure we are of it (V read in the norm, V-sec in a secondary
source, M from memory); two versions of a term never overlap; a row without a countable term says why in Spanish.
Norms: row by row, columns `norma` and `articulo`. Descriptions are our own words.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files

from radica.entidades.catalogue import TipoPagador
from radica.kernel.errors import BadInput
from radica.plazos.calendar import CalendarDataError


class Unidad(StrEnum):
    """What a term counts. DIAS is a norm that says "days" without more: both readings are computed."""

    DIAS_HABILES = "dias_habiles"
    DIAS_CALENDARIO = "dias_calendario"
    DIAS = "dias"
    MESES = "meses"
    ANOS = "años"
    HORAS = "horas"
    HORAS_HABILES = "horas_habiles"
    INMEDIATO = "inmediato"
    FECHA = "fecha"
    NINGUNO = "ninguno"


class Evento(StrEnum):
    """What starts a term. The first five belong to invoices and filing (no term starts at the CUV itself); the others to later rooms."""

    PRESTACION_SERVICIO = "prestacion_servicio"
    EXPEDICION_FEV = "expedicion_fev"
    CUV = "cuv"
    ENVIO = "envio"
    RADICACION = "radicacion"
    CUV_NOTA = "cuv_nota"
    PERIODO_SIN_FACTURA = "periodo_sin_factura"
    INICIO_CAPITACION = "inicio_capitacion"
    RECEPCION_DEVOLUCION = "recepcion_devolucion"
    RESPUESTA_DEVOLUCION = "respuesta_devolucion"
    REITERACION_DEVOLUCION = "reiteracion_devolucion"
    RECEPCION_GLOSA = "recepcion_glosa"
    RESPUESTA_GLOSA = "respuesta_glosa"
    DECISION_GLOSA = "decision_glosa"
    LEVANTAMIENTO_GLOSA = "levantamiento_glosa"
    SUBSANACION_GLOSA = "subsanacion_glosa"
    GLOSA_DEFINITIVA = "glosa_definitiva"
    ACTUACION = "actuacion"
    PAGO = "pago"
    CONTRATO = "contrato"
    CONTRATO_MODIFICADO = "contrato_modificado"
    REPORTE_SIIFA = "reporte_siifa"
    SOLICITUD_CONCILIACION = "solicitud_conciliacion"
    REQUERIMIENTO_CONCILIACION = "requerimiento_conciliacion"
    ADMISION_DEMANDA = "admision_demanda"
    NOTIFICACION_SENTENCIA = "notificacion_sentencia"
    NOTIFICACION_MANDAMIENTO = "notificacion_mandamiento"
    NOTIFICACION_AUTO = "notificacion_auto"
    RECIBO_BIEN = "recibo_bien"
    VENCIMIENTO_FACTURA = "vencimiento_factura"
    EXIGIBILIDAD = "exigibilidad"
    CORTE_CARTERA = "corte_cartera"
    CORTE_SEMESTRAL = "corte_semestral"
    SOLICITUD_DATOS = "solicitud_datos"
    ULTIMA_ATENCION = "ultima_atencion"
    ULTIMO_ASIENTO = "ultimo_asiento"


MARKS = ("V", "V-sec", "M")
UNCOUNTED = frozenset({Unidad.FECHA, Unidad.NINGUNO})


class UnknownTerm(BadInput):
    """No term has this id; `near` lists ids that look alike."""

    def __init__(self, term_id: str, near: tuple[str, ...]) -> None:
        todo = f"¿Quiso decir {', '.join(near)}?" if near else "Revise la lista de términos."
        super().__init__(f"No existe el término «{term_id[:40]}».", todo=todo, code="termino_desconocido")
        self.near = near


@dataclass(frozen=True)
class Criterio:
    """One reading of an ambiguous term. `segunda` says that it counts from the second date of the event."""

    cantidad: int
    unidad: Unidad
    segunda: bool
    texto: str


@dataclass(frozen=True)
class Termino:
    """One version of a legal term. Validity bounds are inclusive; None means not known or still in force."""

    id: str
    version: int
    etapa: str
    asunto: str
    actor: str
    cantidad: int | None
    fecha: date | None
    unidad: Unidad
    ancla: str
    evento: Evento | None
    inicio: str
    efecto: str
    norma: str
    articulo: str
    vigente_desde: date | None
    vigente_hasta: date | None
    vigencia_marca: str
    marca: str
    confianza: str
    sin_termino_para: frozenset[str]
    motivo: str
    nota: str
    criterios: tuple[Criterio, ...]

    def vigente(self, day: date) -> bool:
        """Say whether this version was in force on `day`."""
        after_start = self.vigente_desde is None or self.vigente_desde <= day
        return after_start and (self.vigente_hasta is None or day <= self.vigente_hasta)

    @property
    def computable(self) -> bool:
        """Say whether the norm gives something to count."""
        return self.unidad not in UNCOUNTED


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _termino(row: Mapping[str, str], criterios: tuple[Criterio, ...]) -> Termino:
    unit = Unidad(row["unidad"])
    counted = unit not in UNCOUNTED
    if counted != bool(row["cantidad"]) and unit is not Unidad.FECHA:
        raise ValueError("amount and unit do not fit")
    if (unit is Unidad.NINGUNO) != bool(row["motivo"]):
        raise ValueError("a reason is for rows without a countable term")
    if not all(row[name] for name in ("id", "asunto", "actor", "norma", "etapa")):
        raise ValueError("id, subject, actor, stage or norm is missing")
    if row["marca"] not in MARKS or row["confianza"] not in ("alta", "media", "baja"):
        raise ValueError("certainty mark")
    since, until = _day(row["vigente_desde"]), _day(row["vigente_hasta"])
    if bool(since or until) != bool(row["vigencia_marca"]) or row["vigencia_marca"] not in ("", *MARKS):
        raise ValueError("a validity date needs its own mark")
    if since and until and until < since:
        raise ValueError("validity ends before it begins")
    if row["ancla"] not in ("", "mes_siguiente"):
        raise ValueError("anchor")
    return Termino(
        id=row["id"],
        version=int(row["version"]),
        etapa=row["etapa"],
        asunto=row["asunto"],
        actor=row["actor"],
        cantidad=int(row["cantidad"]) if counted else None,
        fecha=date.fromisoformat(row["cantidad"]) if unit is Unidad.FECHA else None,
        unidad=unit,
        ancla=row["ancla"],
        evento=Evento(row["evento"]) if row["evento"] else None,
        inicio=row["inicio"],
        efecto=row["efecto"],
        norma=row["norma"],
        articulo=row["articulo"],
        vigente_desde=since,
        vigente_hasta=until,
        vigencia_marca=row["vigencia_marca"],
        marca=row["marca"],
        confianza=row["confianza"],
        sin_termino_para=frozenset(TipoPagador(kind) for kind in row["sin_termino_para"].split("|") if kind),
        motivo=row["motivo"],
        nota=row["nota"],
        criterios=criterios,
    )


def _criterios(text: str) -> dict[tuple[str, int], tuple[Criterio, ...]]:
    found: dict[tuple[str, int], tuple[Criterio, ...]] = {}
    for line, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            if row["fecha"] not in ("primera", "segunda") or not row["criterio"]:
                raise ValueError("which date, or criterion")
            key = row["id"], int(row["version"])
            one = Criterio(int(row["cantidad"]), Unidad(row["unidad"]), row["fecha"] == "segunda", row["criterio"])
            if int(row["orden"]) != len(found.get(key, ())) + 1 or one.unidad in UNCOUNTED or one.cantidad < 0:
                raise ValueError("order, unit or amount")
        except (KeyError, ValueError) as wrong:
            raise CalendarDataError(f"lecturas.csv line {line}: {wrong}") from wrong
        found[key] = (*found.get(key, ()), one)
    return found


def parse_terms(terms: str, readings: str) -> tuple[Termino, ...]:
    """Read and validate both tables (CSV with header). Raises CalendarDataError naming file and line."""
    criterios = _criterios(readings)
    found: list[Termino] = []
    for line, row in enumerate(csv.DictReader(terms.splitlines()), start=2):
        try:
            found.append(_termino(row, criterios.pop((row["id"], int(row["version"])), ())))
        except (KeyError, ValueError, TypeError) as wrong:
            raise CalendarDataError(f"terms.csv line {line}: {wrong}") from wrong
    if criterios:
        raise CalendarDataError(f"lecturas.csv names terms that do not exist: {sorted(criterios)}")
    _check_versions(found)
    return tuple(found)


def _check_versions(found: Iterable[Termino]) -> None:
    seen: dict[str, Termino] = {}
    for term in found:
        before = seen.get(term.id)
        if before is not None:
            ordered = before.vigente_hasta and term.vigente_desde and before.vigente_hasta < term.vigente_desde
            if term.version != before.version + 1 or not ordered:
                raise CalendarDataError(f"terms.csv: the versions of {term.id} overlap or are out of order")
        elif term.version != 1:
            raise CalendarDataError(f"terms.csv: {term.id} has no version 1")
        seen[term.id] = term


@lru_cache(maxsize=1)
def all_terms() -> tuple[Termino, ...]:
    """Return every version of every term, in the order of the table."""
    folder = files("radica.plazos").joinpath("data")
    return parse_terms(
        folder.joinpath("terms.csv").read_text(encoding="utf-8"),
        folder.joinpath("lecturas.csv").read_text(encoding="utf-8"),
    )


@lru_cache(maxsize=1)
def _by_id() -> Mapping[str, tuple[Termino, ...]]:
    grouped: dict[str, tuple[Termino, ...]] = {}
    for term in all_terms():
        grouped[term.id] = (*grouped.get(term.id, ()), term)
    return grouped


def term_ids() -> tuple[str, ...]:
    """Return every term id once, in the order of the table."""
    return tuple(_by_id())


def versions(term_id: str) -> tuple[Termino, ...]:
    """Return all versions of a term, oldest first. Raises UnknownTerm, which lists near ids."""
    wanted = term_id.strip().upper()
    found = _by_id().get(wanted)
    if found is None:
        close = difflib.get_close_matches(wanted, list(_by_id()), n=5, cutoff=0.6)
        family = [known for known in _by_id() if wanted[:3] and known.startswith(wanted[:3])]
        raise UnknownTerm(term_id, tuple(dict.fromkeys([*close, *family]))[:8])
    return found
