"""Which invoice and which service of its RIPS a payer's line means, and how sure that is.

Invariant: never a silent guess. A number without prefix is an invoice only when it is the single one that fits; two
that fit equally are none; what the file says besides (payer, value, dates, radicado) confirms or is said as a doubt.
Norm: Anexo Técnico 3 num. 2.2 (an objection is anchored to invoice, user and consecutive of the service).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from radica.facturas.numbers import InvoiceNumber, Match, parse_invoice_number, same_invoice
from radica.glosas.fingerprint import bare, document, words
from radica.glosas.lectura.tipos import LineaLeida
from radica.glosas.models import Confianza
from radica.kernel.money import format_cop

MAX_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class FacturaRef:
    """An invoice of the provider as matching needs it. Amounts in centavos, days of Colombian civil time."""

    id: int
    numero: str
    clave: str
    digitos: str
    pagador_id: int | None
    valor: int | None
    valor_bruto: int | None
    expedida: date | None
    radicada: date | None
    radicado: str | None
    estado: str

    @property
    def number(self) -> InvoiceNumber:
        """The number, split as its keys are."""
        return _kept_number(self.numero, self.clave, self.digitos)


@lru_cache(maxsize=4_096)  # asked for every line of a file, which has few invoices
def _kept_number(numero: str, clave: str, digitos: str) -> InvoiceNumber:
    return InvoiceNumber(numero, clave.removesuffix(digitos), digitos)


class CruceFactura(NamedTuple):
    """The invoice of a line, or the coded reason why none: `razon` for programs, `motivo` for the person."""

    factura: FacturaRef | None
    confianza: Confianza
    razon: str = ""
    motivo: str = ""
    candidatos: tuple[FacturaRef, ...] = ()
    avisos: tuple[str, ...] = ()


class ItemRef(NamedTuple):
    """A service of an invoice's RIPS. `valor` in centavos; `paciente` is health data."""

    id: int
    codigo: str
    descripcion: str
    paciente: str | None
    valor: int


class CruceItem(NamedTuple):
    """The service of a line, or none with the reason."""

    item: ItemRef | None
    confianza: Confianza
    motivo: str = ""


def line_number(line: LineaLeida) -> InvoiceNumber | None:
    """Return the number that the line names; None when it names none that could be one."""
    return _written_number(line.factura)


@lru_cache(maxsize=4_096)
def _written_number(text: str) -> InvoiceNumber | None:
    number = parse_invoice_number(text)
    return number if number is not None and number.digits and len(number.key) <= 40 else None


def match_invoice(line: LineaLeida, candidates: Sequence[FacturaRef], pagador_id: int | None) -> CruceFactura:
    """Match a line among the provider's invoices with the same digits; `pagador_id` is the notice's payer if known.

    An invoice of another payer is still the invoice: whoever decides the line's fate compares payers.
    """
    number = line_number(line)
    if number is None:
        written = line.factura.strip()[:40]
        why = f"«{written}» no es un número de factura." if written else "La línea no dice de qué factura es."
        return _none("sin_numero", why)
    verdicts = [(same_invoice(one.number, number), one) for one in candidates]
    same = [one for verdict, one in verdicts if verdict is Match.SAME]
    possible = [one for verdict, one in verdicts if verdict is Match.POSSIBLE]
    if same:
        rivals = _of(possible, pagador_id)
        if pagador_id is not None and same[0].pagador_id not in (None, pagador_id) and rivals:
            why = f"{same[0].numero} es de otro pagador, y el número sin prefijo también sirve para {_names(rivals)}."
            return _none("factura_ambigua", why, (*same, *rivals))
        doubts = _doubts(line, same[0])
        return CruceFactura(same[0], Confianza.ALTA if doubts else Confianza.EXACTA, avisos=doubts)
    if not possible:
        return _none("factura_desconocida", f"No hay ninguna factura {number.text[:40]} de este prestador.")
    return _without_prefix(line, number, possible, pagador_id)


def _without_prefix(
    line: LineaLeida, number: InvoiceNumber, possible: Sequence[FacturaRef], pagador_id: int | None
) -> CruceFactura:
    """Match by digits alone: only when one invoice is left, by payer or by what the file confirms."""
    pool = list(possible)
    if len(pool) > 1:
        pool = _of(pool, pagador_id) or pool
    if len(pool) > 1:
        pool = [one for one in pool if _confirms(line, one) and not _doubts(line, one)] or pool
    if len(pool) > 1:
        why = f"El número {number.text[:40]} sirve para {_names(pool)}."
        return _none("factura_ambigua", why, tuple(pool))
    found = pool[0]
    confirmed, doubts = _confirms(line, found), _doubts(line, found)
    if doubts and not confirmed:
        why = f"El número sin prefijo {number.text[:40]} podría ser {found.numero}, pero {doubts[0].lower()}"
        return _none("factura_dudosa", why, (found,))
    note = f"Se cruzó sin prefijo con {found.numero}" + (
        f", por {confirmed[0]}." if confirmed else ", la única que hay."
    )
    sure = Confianza.ALTA if confirmed and not doubts and len(possible) == 1 else Confianza.MEDIA
    return CruceFactura(found, sure, avisos=(note, *doubts))


def _none(razon: str, motivo: str, candidates: Sequence[FacturaRef] = ()) -> CruceFactura:
    return CruceFactura(None, Confianza.NINGUNA, razon, motivo, tuple(candidates[:MAX_CANDIDATES]))


def _of(rows: Sequence[FacturaRef], pagador_id: int | None) -> list[FacturaRef]:
    return [one for one in rows if pagador_id is not None and one.pagador_id == pagador_id]


def _names(rows: Sequence[FacturaRef]) -> str:
    shown = ", ".join(one.numero for one in rows[:MAX_CANDIDATES])
    return shown if len(rows) <= MAX_CANDIDATES else f"{shown} y {len(rows) - MAX_CANDIDATES} más"


def _confirms(line: LineaLeida, one: FacturaRef) -> list[str]:
    """Name what the file says of the invoice and is so."""
    checks = (
        ("su radicado", line.radicado is not None and bare(line.radicado) == bare(one.radicado)),
        ("su valor", line.valor_factura is not None and line.valor_factura in (one.valor, one.valor_bruto)),
        ("su fecha", line.fecha_factura is not None and line.fecha_factura == one.expedida),
        ("su fecha de radicación", line.fecha_radicacion is not None and line.fecha_radicacion == one.radicada),
    )
    return [name for name, agrees in checks if agrees]


def _doubts(line: LineaLeida, one: FacturaRef) -> tuple[str, ...]:
    """Say what the file says of the invoice and is not so."""
    said = []
    if line.valor_factura and one.valor is not None and line.valor_factura not in (one.valor, one.valor_bruto):
        said.append(
            f"El archivo dice que la factura vale {format_cop(line.valor_factura)} y vale {format_cop(one.valor)}."
        )
    if line.fecha_factura and one.expedida and line.fecha_factura != one.expedida:
        said.append(f"El archivo dice que la factura es del {_day(line.fecha_factura)} y es del {_day(one.expedida)}.")
    if line.fecha_radicacion and one.radicada and line.fecha_radicacion != one.radicada:
        said.append(
            f"El pagador dice que se radicó el {_day(line.fecha_radicacion)}; el acuse es del {_day(one.radicada)}."
        )
    return tuple(said)


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def by_code(items: Sequence[ItemRef]) -> dict[str, list[ItemRef]]:
    """Return the services by their code in comparable form."""
    found: dict[str, list[ItemRef]] = {}
    for one in items:
        found.setdefault(bare(one.codigo), []).append(one)
    return found


def match_item(
    line: LineaLeida, items: Sequence[ItemRef], coded: Mapping[str, Sequence[ItemRef]] | None = None
) -> CruceItem:
    """Match a line among the services of its invoice: by code, else by name, narrowed by patient and value.

    `coded` are the same services `by_code`, when many lines of one invoice ask.

    EXACTA: code, patient and value agree. ALTA: code and one of them, the other unsaid. MEDIA: the only one of its
    code, or of its name and patient. BAJA: only patient and value. Two that fit equally are none.
    """
    code, name, patient = bare(line.servicio), words(line.descripcion_servicio), document(line.paciente_documento)
    if not (code or name or patient):
        return CruceItem(None, Confianza.NINGUNA, "La línea no dice qué servicio objeta.")
    if not items:
        return CruceItem(None, Confianza.NINGUNA, "La factura no tiene RIPS cargado con el cual cruzar el servicio.")
    worth = line.valor_servicio
    if code:
        pool = list((by_code(items) if coded is None else coded).get(code, ()))
        why = f"El servicio {line.servicio} no está en el RIPS de la factura."
        best = Confianza.EXACTA
    elif name:
        pool = [one for one in items if words(one.descripcion) == name]
        why, best = "Ningún servicio del RIPS se llama así.", Confianza.MEDIA
    else:
        pool = [one for one in items if worth is not None and one.valor == worth]
        why, best = "La línea no dice el servicio, y su valor no es el de ninguno del RIPS.", Confianza.BAJA
    if not pool:
        return CruceItem(None, Confianza.NINGUNA, why)
    if patient:
        pool = [one for one in pool if document(one.paciente) == patient]
        if not pool:
            return CruceItem(None, Confianza.NINGUNA, "El servicio está en el RIPS, pero de otro paciente.")
    exact = [one for one in pool if worth is not None and one.valor == worth]
    if len(exact or pool) > 1:
        count = len(exact or pool)
        return CruceItem(None, Confianza.NINGUNA, f"Hay {count} servicios iguales en el RIPS: falta decir cuál.")
    return CruceItem((exact or pool)[0], _sureness(best, bool(patient), bool(exact), worth is not None))


def _sureness(best: Confianza, patient: bool, value: bool, value_said: bool) -> Confianza:
    if best is not Confianza.EXACTA:
        return best
    if patient and value:
        return Confianza.EXACTA
    return Confianza.ALTA if (patient and not value_said) or value else Confianza.MEDIA
