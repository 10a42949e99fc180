"""The payer's own ledger out of its Excel: columns found by their headings, amounts read without guessing.

Invariant: a file whose columns are not plain is refused whole with what it lacks; a row that cannot be read keeps its
number and its reason; a total row of the file is compared and never counted. Without database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from radica.conciliacion.ledger import FilaLibro
from radica.glosas.lectura.dinero import EstiloDinero, dinero
from radica.glosas.lectura.hojas import Hoja, hojas
from radica.glosas.lectura.titulos import clave, clave_celda, igual
from radica.glosas.lectura.valores import Celda, Duda, texto, vacio
from radica.glosas.lectura.valores import factura as numero_factura
from radica.kernel.errors import BadInput
from radica.kernel.money import format_cop

MAX_FILAS = 20_000
HEADER_WITHIN = 40
"""Rows of a sheet among which its headings are looked for."""
TITULOS = {
    "factura": "FACTURA NUMEROFACTURA NUMERODEFACTURA NROFACTURA NOFACTURA NUMFACTURA NFACTURA FACTURANO FACTURANUMERO"
    " NODEFACTURA NRODEFACTURA NUMERODELAFACTURA",
    "valor": "VALORFACTURA VALORDEFACTURA VALORDELAFACTURA VRFACTURA VLRFACTURA VALORTOTALFACTURA TOTALFACTURA"
    " VALORFACTURADO VRFACTURADO VLRFACTURADO",
    "pendiente": "GLOSAPENDIENTE VALORGLOSAPENDIENTE VALORPENDIENTE SALDOGLOSA VALORENDISPUTA ENDISPUTA"
    " VALORRATIFICADO VALORGLOSARATIFICADA GLOSARATIFICADA VALORPORCONCILIAR PENDIENTEPORCONCILIAR"
    " VALORPENDIENTEPORCONCILIAR GLOSADEFINITIVA VALORGLOSADEFINITIVA VLRRATIFICADO",
    "glosa": "VALORGLOSA VALORGLOSADO VALORDEGLOSA VALORDELAGLOSA VRGLOSA VLRGLOSA VRGLOSADO VLRGLOSADO GLOSA"
    " TOTALGLOSA VALORGLOSAINICIAL GLOSAINICIAL",
    "estado": "ESTADO ESTADOGLOSA ESTADODELAGLOSA ESTADODEGLOSA ESTADOACTUAL",
}  # fmt: skip
_KNOWN = {role: frozenset(words.split()) for role, words in TITULOS.items()}
_AMOUNTS = ("valor", "pendiente", "glosa")


@dataclass(frozen=True)
class Libro:
    """What was read: rows, the columns as the file calls them by role, and what a person should know."""

    filas: Sequence[FilaLibro]
    columnas: dict[str, str]
    avisos: Sequence[str]


def leer_libro(path: Path) -> Libro:
    """Read the payer's ledger. Raises BadInput (code `libro_ilegible`) saying what the file lacks, Unreadable when it
    is no table at all.
    """
    found: list[tuple[str, Libro]] = []
    seen: list[str] = []
    for sheet in hojas(path):
        header = _header(sheet, seen)
        if header is None:
            continue
        at, columns = header
        found.append((sheet.nombre, _read(sheet, at, columns)))
    if not found:
        titles = ", ".join(f"«{one}»" for one in seen[:12])
        raise BadInput(
            "No se halló en el archivo una fila de títulos con el número de factura y el valor de la factura o de la"
            " glosa; no se cargó nada." + (f" Se leyeron estos títulos: {titles}." if titles else ""),
            todo="Ponga en la primera fila, por ejemplo: Factura, Valor factura, Valor glosa, Estado.",
            code="libro_ilegible",
        )
    if len(found) > 1:
        names = ", ".join(f"«{name}»" for name, _ in found)
        raise BadInput(
            f"Varias hojas parecen el libro del pagador: {names}; no se cargó nada.",
            todo="Deje en el archivo solo la hoja que se va a comparar.",
            code="libro_ilegible",
        )
    return found[0][1]


def _header(sheet: Hoja, seen: list[str]) -> tuple[int, dict[str, int]] | None:
    """Return the row of the headings and which column has each role."""
    for row, cells in sheet.filas():
        if row > HEADER_WITHIN:
            return None
        keys = [clave_celda(cell) for cell in cells]
        columns = {role: [at for at, key in enumerate(keys) if _is(key, role)] for role in _KNOWN}
        if not columns["factura"] or not any(columns[role] for role in _AMOUNTS):
            if len([key for key in keys if key]) >= 2 and not seen:
                seen += [texto(cell)[:40] for cell in cells if clave_celda(cell)]
            continue
        twice = [role for role, ones in columns.items() if len(ones) > 1]
        if twice:
            names = ", ".join(f"«{texto(cells[at])[:40]}»" for at in columns[twice[0]])
            raise BadInput(
                f"Varias columnas podrían ser la misma cosa: {names}; no se cargó nada.",
                todo="Deje solo la que se va a comparar.",
                code="libro_ilegible",
            )
        return row, {role: ones[0] for role, ones in columns.items() if ones}
    return None


def _is(key: str, role: str) -> bool:
    return bool(key) and (key in _KNOWN[role] or ("\ufffd" in key and any(igual(key, one) for one in _KNOWN[role])))


def _read(sheet: Hoja, header: int, columns: dict[str, int]) -> Libro:
    amount = columns.get("pendiente", columns.get("glosa"))
    signs = _signs(sheet, header, [at for at in (columns.get("valor"), amount) if at is not None])
    rows: list[FilaLibro] = []
    warnings = list(sheet.avisos)
    names: dict[str, str] = {}
    for number, cells in sheet.filas():
        if number == header:
            names = {role: texto(cells[at])[:60] for role, at in columns.items()}
        if number <= header or all(vacio(texto(cell)) for cell in cells):
            continue
        number_cell = numero_factura(_at(cells, columns["factura"]))
        invoice = texto(_at(cells, columns["factura"])) if isinstance(number_cell, Duda) else number_cell
        if _is(clave(invoice), "factura"):
            continue  # the headings again, on a later page
        value = _money(cells, columns.get("valor"), signs)
        objected = _money(cells, amount, signs)
        if clave(invoice).startswith("TOTAL") or (vacio(invoice) and _says_total(cells)):
            warnings += _check_total(rows, objected)
            continue
        doubts = number_cell.motivo if isinstance(number_cell, Duda) else ""
        rows.append(_row(number, invoice, doubts, value, objected, texto(_at(cells, columns.get("estado")))))
        if len(rows) > MAX_FILAS:
            raise BadInput(f"El libro tiene más de {MAX_FILAS} filas.", todo="Divídalo.", code="libro_ilegible")
    if not rows:
        raise BadInput("El archivo tiene títulos y ninguna fila.", todo="Revise qué recibió.", code="libro_ilegible")
    return Libro(rows, names, warnings)


def _row(
    number: int, invoice: str, doubts: str, value: int | Duda | None, objected: int | Duda | None, state: str
) -> FilaLibro:
    problem = f"{doubts[:1].upper()}{doubts[1:]}." if doubts else ""
    if vacio(invoice):
        problem = "La fila no dice la factura."
    for cell in (value, objected):
        if isinstance(cell, Duda):
            problem = problem or f"{cell.motivo[:1].upper()}{cell.motivo[1:]}."
        elif cell is not None and cell < 0:
            problem = problem or "Un valor es negativo."
    if problem:
        return FilaLibro(number, invoice[:60], motivo=problem)
    assert not isinstance(value, Duda)
    assert not isinstance(objected, Duda)
    return FilaLibro(number, invoice[:60], value, objected, state[:60])


def _signs(sheet: Hoja, header: int, columns: Sequence[int]) -> dict[int, str | None]:
    """Learn from each column of money which sign divides its decimals."""
    styles = {at: EstiloDinero() for at in columns}
    for number, cells in sheet.filas():
        if number > header:
            for at, style in styles.items():
                style.ver(_at(cells, at))
    return {at: style.signo for at, style in styles.items()}


def _money(cells: Sequence[Celda], at: int | None, signs: dict[int, str | None]) -> int | Duda | None:
    return None if at is None else dinero(_at(cells, at), signs[at])


def _at(cells: Sequence[Celda], at: int | None) -> Celda:
    return cells[at] if at is not None and at < len(cells) else None


def _says_total(cells: Sequence[Celda]) -> bool:
    return any(clave_celda(cell).startswith(("TOTAL", "SUBTOTAL", "GRANTOTAL")) for cell in cells)


def _check_total(rows: Sequence[FilaLibro], declared: int | Duda | None) -> list[str]:
    read = sum(one.glosa or 0 for one in rows)
    if not isinstance(declared, int) or declared == read:
        return []
    return [f"El total de glosa que trae el archivo es {format_cop(declared)} y sus filas suman {format_cop(read)}."]
