"""What only the whole table shows: amounts repeated on every line of an invoice, totals, codes that nobody knows.

Invariant: an amount that the file repeats is counted once and every line says so; it is only taken for repeated when
the file itself proves it (a return of the whole invoice, its total, or the invoice's value), else a person is told.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from radica.glosas.lectura.formato import Contexto
from radica.glosas.lectura.lineas import ANTES_DE_RADICAR, EXCESO, FUTURA, FUTURA_OTRA, NEGATIVO, SIN_MANUAL
from radica.glosas.lectura.tipos import LineaLeida, TipoLinea
from radica.kernel.money import format_cop

DEVOLUCION_REPETIDA = "el valor de la devolución es de toda la factura y ya está contado en la fila {fila}"
CABECERA_REPETIDA = "el valor es el total de la factura y ya está contado en la fila {fila}"
_SUBTOTAL, _GRAND = "SUBTOTAL", ("GRANTOTAL", "TOTALGENERAL")
_NAMED = 5

_TELL = {
    FUTURA: "{n} líneas traen una notificación posterior a hoy.",
    FUTURA_OTRA: "{n} líneas traen una fecha de factura o de radicación posterior a hoy.",
    ANTES_DE_RADICAR: "{n} líneas traen una notificación anterior a la radicación.",
    EXCESO: "{n} líneas objetan más que el valor de la factura: se cargan como vinieron.",
    NEGATIVO: "{n} líneas traen valor negativo: parecen reversos y las decide una persona.",
}


def total_declarado(totals: Sequence[tuple[int, str, int]]) -> int | None:
    """Return what the rows of totals say: the grand total, else the sum of the partial ones; None without any."""
    if not totals:
        return None
    for _, words, amount in reversed(totals):
        if words.startswith(_GRAND):
            return amount
    partial = [amount for _, words, amount in totals if words.startswith(_SUBTOTAL)]
    whole = [amount for _, words, amount in totals if not words.startswith(_SUBTOTAL)]
    if len(whole) == 1:
        return whole[0]
    if not whole:
        return sum(partial)
    # A total per invoice, and perhaps one more that sums them.
    return whole[-1] if whole[-1] == sum(whole[:-1]) else sum(whole)


def contar_una_vez(lines: list[LineaLeida], declared: int | None, context: Contexto) -> list[LineaLeida]:
    """Count once what the file repeats on each line of an invoice; return the lines in their order."""
    lines = _returns(lines, context)
    groups = _equal_groups(lines)
    if not groups:
        return lines
    repeated = [group for group in groups if _whole_invoice(group)]
    total = sum(line.valor for line in lines)
    if declared is not None and declared != total:
        extra = sum(line.valor for group in groups for line in group[1:])
        if total - extra == declared:
            repeated = groups
    if repeated:
        context.avisar(
            f"En {_invoices(repeated)} el valor de la factura se repite en cada línea: se contó una sola vez."
        )
        return _once(lines, repeated, CABECERA_REPETIDA)
    several = sum(times > 1 for times in Counter(line.factura for line in lines).values())
    if declared != total and len(groups) * 2 > several:
        context.avisar(
            f"En {_invoices(groups)} todas las líneas traen el mismo valor: compruebe que no sea el total de la factura."
        )
    return lines


def _returns(lines: list[LineaLeida], context: Contexto) -> list[LineaLeida]:
    groups: dict[str, list[LineaLeida]] = defaultdict(list)
    kind = TipoLinea.DEVOLUCION
    for line in lines:
        if line.tipo is kind and line.valor:
            groups[line.factura].append(line)
    repeated = []
    for group in groups.values():
        same = [line for line in group if line.valor == group[0].valor]
        if len(same) > 1:
            repeated.append(same)
    if not repeated:
        return lines
    context.avisar(f"En {_invoices(repeated)} el valor de la devolución viene en varias líneas: se contó una sola vez.")
    return _once(lines, repeated, DEVOLUCION_REPETIDA)


def _equal_groups(lines: Iterable[LineaLeida]) -> list[list[LineaLeida]]:
    """Return the glosas of each invoice that has several, all of one amount and not of one repeated service."""
    groups: dict[str, list[LineaLeida]] = defaultdict(list)
    kind = TipoLinea.GLOSA
    for line in lines:
        if line.tipo is kind and line.valor > 0:
            groups[line.factura].append(line)
    return [group for group in groups.values() if len(group) > 1 and len({line.valor for line in group}) == 1]


def _whole_invoice(group: list[LineaLeida]) -> bool:
    """Say whether each line objects the whole invoice: not possible twice."""
    return all(line.valor_factura is not None and line.valor == line.valor_factura for line in group)


def _once(lines: list[LineaLeida], groups: Iterable[list[LineaLeida]], words: str) -> list[LineaLeida]:
    first = {id(line): group[0].fila for group in groups for line in group[1:]}
    return [
        line._replace(valor=0, avisos=(*line.avisos, words.format(fila=first[id(line)]))) if id(line) in first else line
        for line in lines
    ]


def _invoices(groups: Sequence[list[LineaLeida]]) -> str:
    names = ", ".join(group[0].factura for group in groups[:_NAMED])
    more = f" y {len(groups) - _NAMED} más" if len(groups) > _NAMED else ""
    return f"la factura {names}" if len(groups) == 1 else f"las facturas {names}{more}"


def avisos_de_lineas(lines: Iterable[LineaLeida]) -> list[str]:
    """Say once for the file what many lines say."""
    counts: Counter[str] = Counter()
    unknown: dict[str, None] = {}
    for line in lines:
        if not line.avisos:
            continue
        counts.update(line.avisos)
        if SIN_MANUAL in line.avisos:
            unknown[line.codigo_original] = None
    told = [words.format(n=counts[note]) for note, words in _TELL.items() if counts[note]]
    if unknown:
        shown = ", ".join(list(unknown)[: _NAMED * 2])
        told.append(f"Códigos que no están en ningún manual (las líneas se conservan): {shown}.")
    return told


def comparar(read: int, declared: int | None) -> str:
    """Return the warning of a control total that is not what was read; "" when it is, or there is none."""
    if declared is None or declared == read:
        return ""
    return (
        f"El total del archivo ({format_cop(declared)}) no es la suma de lo leído ({format_cop(read)}): "
        f"diferencia de {format_cop(abs(declared - read))}."
    )
