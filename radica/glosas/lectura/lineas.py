"""From a row's fields to a line: its code, what kind of act it is, its money, and what a person should be told.

Invariant: no money is lost and none is made up: a code that no manual has stays on its line as written; a decision
whose amounts do not say who keeps what is refused with its reason. Norm: return of the whole invoice and objection of
a line are two acts (Res. 2284 de 2023, annex 3); a DE code makes the first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from radica.facturas.texts import fold
from radica.glosas import codes
from radica.glosas.lectura.formato import Contexto, Datos, ReglaCodigo
from radica.glosas.lectura.tipos import LineaLeida, TipoLinea
from radica.glosas.lectura.titulos import clave
from radica.glosas.lectura.valores import Duda, unir_prefijo, vacio

# Their names in the enumeration cost a fifth of a microsecond each time, and every row asks.
_GLOSA, _DEVOLUCION = TipoLinea.GLOSA, TipoLinea.DEVOLUCION
FUTURA = "la fecha de notificación es posterior a hoy"
FUTURA_OTRA = "trae una fecha posterior a hoy"
ANTES_DE_RADICAR = "la notificación es anterior a la radicación"
EXCESO = "el valor objetado es mayor que el de la factura"
NEGATIVO = "el valor es negativo: parece un reverso"
GENERAL = "trae solo el concepto general, sin código específico"
DE_RESPUESTA = "el código es de respuesta a una glosa, no de glosa"
SIN_HEREDERO = "el código numérico puede ser varios del Manual Único: se conservó el anterior"
SIN_MANUAL = "el código no está en ningún manual"
_CODE_HEAD = re.compile(r"\s*\(?([A-Za-z]{2}[ ./_-]?\d{2,4}|\d{3,4})(?:\.0+)?\)?\s*(?:[-–:.]\s*|\s+|$)")
# «39145-Procedimientos-3202- texto»: element, kind and causal in one cell; or the causal with its text.
_ADRES_INSIDE = re.compile(r"-\s?[^\W\d][^\W\d ]{3,}[^\d-]*-\s?([1-6]\d{3})\s?-")
_ADRES_HEAD = re.compile(r"\s*([1-6]\d{3})(?!\d)")
_DIGITS = re.compile(r"\d")
_QUANTITY = re.compile(r"[0-9]{1,7}")


@dataclass(frozen=True, slots=True)
class CodigoLeido:
    """A code cell understood. `codigo` None: no manual has it, or the cell is empty (`original` too)."""

    codigo: str | None
    original: str
    tipo: str
    aviso: str = ""
    resto: str = ""


_NO_CODE = CodigoLeido(None, "", "")


def leer_codigo(text: str, rule: ReglaCodigo) -> CodigoLeido:
    """Return what a code cell says. A code followed by its description gives both (`TA0801 - Apoyo…`)."""
    if vacio(text):
        return _NO_CODE
    if rule is ReglaCodigo.ADRES:
        return _adres(text)
    whole = codes.normalizar(text)
    if whole is not None and whole.nivel != "general":
        return _known(whole, text, "", rule)
    if whole is not None and whole.codigo.isalpha():
        return CodigoLeido(whole.codigo, text, whole.tipo, GENERAL)
    first = codes.primer_codigo(text)
    head = _CODE_HEAD.match(text)
    rest = text[head.end() :].strip() if head else ""
    if first is not None:
        return _known(first, head.group(1) if head else first.codigo, rest, rule)
    written = head.group(1) if head else text[:40]
    kind = "devolucion" if written[:2].upper() == "DE" and _DIGITS.search(written) else "glosa"
    return CodigoLeido(None, written, kind, SIN_MANUAL, rest)


def _known(found: codes.Codigo, written: str, rest: str, rule: ReglaCodigo) -> CodigoLeido:
    if rule is ReglaCodigo.HOMOLOGAR and found.manual is codes.Manual.ANTERIOR:
        heirs = [one for one in codes.homologar(found.codigo) if len(one.codigo) == 6]
        if heirs and heirs[0].confianza != "baja" and all(one.confianza != heirs[0].confianza for one in heirs[1:]):
            note = f"el código numérico se leyó como {heirs[0].codigo} por la costumbre de este pagador"
            return CodigoLeido(heirs[0].codigo, written, found.tipo, note, rest)
        if heirs:
            return CodigoLeido(found.codigo, written, found.tipo, SIN_HEREDERO, rest)
    return CodigoLeido(found.codigo, written, found.tipo, "", rest)


def _adres(text: str) -> CodigoLeido:
    found = _ADRES_INSIDE.search(text) or _ADRES_HEAD.match(text)
    if found is None:
        return CodigoLeido(None, "", "glosa", "la fila no trae causal de la ADRES", text)
    rest = text[found.end() :].strip(" -")
    return CodigoLeido(found.group(1), found.group(1), "glosa", "", "" if rest == ".0" else rest)


@dataclass(frozen=True, slots=True)
class Decision:
    """The payer's word on a line: what stays objected, what it lifts, what the provider accepted."""

    tipo: TipoLinea
    valor: int
    levantado: int | None
    aceptado: int | None
    aviso: str = ""


_PENDING = frozenset(
    {
        "", "GLOSA", "GLOSADA", "GLOSAINICIAL", "INICIAL", "NOTIFICADA", "FORMULADA", "REGISTRADA", "ENVIADA", "RADICADA",
        "ABIERTA", "ACTIVA", "ACTIVO", "PENDIENTE", "PENDIENTERESPUESTA", "SINRESPUESTA", "ENTRAMITE",
    }
)  # fmt: skip
"""What a column of states says while the payer has decided nothing."""
_WORD = re.compile(r"[a-z0-9]+")
_FILLERS = frozenset(
    {
        "glosa", "glosas", "objecion", "devolucion", "estado", "total", "totalmente", "totalidad", "la", "el", "en", "su",
        "se", "fue", "por", "eps", "erp", "pagador", "del",
    }
)  # fmt: skip
_LIFTED = frozenset(
    {
        "levantada", "levantado", "levanta", "levantadas", "levantamiento", "subsanada", "subsanado", "subsana",
        "subsanadas",
    }
)  # fmt: skip
_RATIFIED = frozenset({("ratificada",), ("ratificado",), ("ratifica",), ("ratificadas",), ("ratificacion",)}) | {
    ("no", one) for one in _LIFTED
}
"""What the words of a state say when nothing else is said besides: anything more is a doubt."""
_DECIDING = ("LEVANT", "SUBSAN", "RATIFIC")
_OVER = (
    "ANULAD",
    "CONCILIAD",
    "CERRAD",
    "PAGAD",
    "RECHAZAD",
    "ELIMINAD",
    "REVERSAD",
    "RETIRAD",
    "DESISTI",
    "FINALIZAD",
)
"""Words after which an objection is not what it was: taken for a first one, its money would be claimed twice."""


def decidir(row: Datos, forced: bool = False) -> Decision | Duda | None:
    """Return the payer's decision that a row holds, None when it is a first objection, or a Duda."""
    if row.levantado is not None or row.ratificado is not None:
        return _by_amounts(row)
    if not row.situacion and not forced:
        return None
    state = clave(row.situacion)
    if state in _PENDING:
        if forced and state == "":
            return Duda("es de un archivo de decisiones pero no dice qué se levantó ni qué se ratificó")
        return None
    return _by_word(state, row)


def _by_amounts(row: Datos) -> Decision | Duda | None:
    lifted, kept, accepted = row.levantado or 0, row.ratificado, row.aceptado or 0
    if lifted < 0 or accepted < 0 or (kept or 0) < 0:
        return Duda("lo levantado, lo ratificado o lo aceptado es negativo")
    if kept is None:
        if row.valor is None:
            return Duda("trae valor levantado pero no el glosado ni el ratificado")
        kept = row.valor - lifted - accepted
        if kept < 0:
            return Duda("lo levantado y aceptado pasan de lo glosado")
    if not kept and not lifted and not accepted:
        return None
    note = ""
    if row.valor is not None and row.levantado is not None and row.valor != lifted + kept + accepted:
        note = "glosado no es igual a levantado + ratificado + aceptado"
    kind = TipoLinea.RATIFICACION if kept and not lifted and not accepted else TipoLinea.DECISION
    return Decision(kind, kept, row.levantado, row.aceptado, note)


def _by_word(state: str, row: Datos) -> Decision | Duda | None:
    if "PARCIAL" in state:
        return Duda("la decisión es parcial y no dice los valores")
    if "ACEPT" in state:
        return Duda("el estado «aceptada» no dice quién aceptó: el pagador la levantó o el prestador la aceptó")
    if row.valor is None:
        return Duda("no trae el valor de la decisión")
    said = tuple(one for one in _WORD.findall(fold(row.situacion)) if one not in _FILLERS)
    if said in _RATIFIED:
        return Decision(TipoLinea.RATIFICACION, row.valor, None, None)
    if len(said) == 1 and said[0] in _LIFTED:
        return Decision(TipoLinea.DECISION, 0, row.valor, None)
    if any(stem in state for stem in _DECIDING):
        return Duda("el estado no dice con claridad si el pagador la levantó o la ratificó")
    if any(stem in state for stem in _OVER):
        return Duda("el estado es de una glosa que ya terminó y no dice cómo")
    return None


@dataclass(slots=True)
class Constructor:
    """Makes the lines of one table; remembers codes, because a file repeats a few of them many times."""

    regla: ReglaCodigo
    contexto: Contexto
    codigos: dict[str, CodigoLeido]
    sin_objecion: int = 0

    def codigo(self, text: str) -> CodigoLeido:
        """Return a code cell understood."""
        known = self.codigos.get(text)
        if known is None:
            known = self.codigos[text] = leer_codigo(text, self.regla)
        return known

    def linea(self, row: Datos) -> LineaLeida | Duda | None:
        """Return the line of a row, why there is none, or None when the row objects to nothing."""
        factura = row.factura
        if row.prefijo:
            if row.prefijo.isdigit() and factura.startswith(row.prefijo):
                return Duda("no se sabe si el número de factura ya trae su prefijo de cifras")
            factura = unir_prefijo(row.prefijo, factura)
        if not factura:
            return Duda("no trae el número de factura")
        if not factura[-1].isdigit() and not _DIGITS.search(factura):
            return Duda("lo que trae como número de factura no lo es")
        code = self.codigo(row.codigo) if row.codigo else _NO_CODE
        if not code.original and row.codigo_general:
            code = self.codigo(row.codigo_general)
        decision = decidir(row, self.contexto.decision)
        if isinstance(decision, Duda):
            return decision
        tipo = row.tipo or (_DEVOLUCION if code.tipo == "devolucion" else _GLOSA)
        valor = row.valor
        if decision is not None:
            tipo, valor = decision.tipo, decision.valor
        elif valor is None:
            return Duda("no trae valor")
        elif valor == 0 and not code.original and tipo is _GLOSA:
            self.sin_objecion += 1
            return None
        return self._line(row, factura, code, tipo, valor, decision)

    def _line(
        self, row: Datos, factura: str, code: CodigoLeido, tipo: TipoLinea, valor: int, decision: Decision | None
    ) -> LineaLeida:
        notes = row.avisos
        if code.aviso:
            notes.append(code.aviso)
        if code.tipo == "respuesta":
            notes.append(DE_RESPUESTA)
        if decision is not None and decision.aviso:
            notes.append(decision.aviso)
        _check(row, valor, self.contexto.hoy, notes)
        reason = row.motivo or code.resto
        if row.observacion and row.observacion != reason:
            reason = f"{reason}. {row.observacion}" if reason else row.observacion
        return LineaLeida(
            fila=row.fila,
            factura=factura,
            tipo=tipo,
            codigo=code.codigo,
            codigo_original=code.original,
            valor=valor,
            hoja=self.contexto.hoja,
            fecha_notificacion=row.fecha_notificacion,
            fecha_radicacion=row.fecha_radicacion,
            fecha_factura=row.fecha_factura,
            radicado=row.radicado or None,
            numero_glosa=row.numero_glosa or None,
            servicio=row.servicio or None,
            descripcion_servicio=row.descripcion_servicio or None,
            valor_servicio=_service_value(row),
            valor_factura=row.valor_factura,
            motivo=reason or None,
            paciente_documento=row.paciente_documento or None,
            levantado=decision.levantado if decision is not None else None,
            aceptado=decision.aceptado if decision is not None else None,
            avisos=tuple(notes),
        )


def _service_value(row: Datos) -> int | None:
    if row.valor_servicio is None and row.valor_unitario is not None and _QUANTITY.fullmatch(row.cantidad):
        return row.valor_unitario * int(row.cantidad)
    return row.valor_servicio


def _check(row: Datos, valor: int, hoy: date, notes: list[str]) -> None:
    told, filed = row.fecha_notificacion, row.fecha_radicacion
    if told is not None:
        if told > hoy:
            notes.append(FUTURA)
        if filed is not None and told < filed:
            notes.append(ANTES_DE_RADICAR)
    if (filed is not None and filed > hoy) or (row.fecha_factura is not None and row.fecha_factura > hoy):
        notes.append(FUTURA_OTRA)
    if row.valor_factura is not None and valor > row.valor_factura:
        notes.append(EXCESO)
    if valor < 0:
        notes.append(NEGATIVO)
