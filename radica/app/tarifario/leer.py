"""A price list out of whatever table came (Excel, CSV): which columns mean what, and each row as a price or a reason.

Invariant: nothing is guessed: a title that fits twice, an amount with two readings or a code given twice with other
prices is refused by name, and the other rows are read; formulas are never computed. The way in which a column writes
thousands is settled by the whole column. Norm: none; lists are what the parties annex to their agreement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from radica.entidades.tarifarios import FilaPrecio
from radica.entidades.tarifas import codigo_normal
from radica.facturas.xmlsafe import Unreadable
from radica.glosas.lectura.dinero import EstiloDinero, dinero
from radica.glosas.lectura.filas import UNCOMPUTED
from radica.glosas.lectura.hojas import Fila, Hoja, hojas
from radica.glosas.lectura.titulos import clave_celda
from radica.glosas.lectura.valores import Celda, Duda, factura, texto, vacio

MAX_FILAS = 200_000
MAX_BYTES = 30_000_000
TITULOS_HASTA = 40
"""Rows in which the titles are looked for."""
MAX_RECHAZOS = 20_000
_CODE_MAX, _TEXT_MAX = 40, 300
_CUPS_DIGITS = 6
COLUMNAS = {
    "cups": "CUPS CODIGOCUPS CODCUPS CUPSCODIGO COD_CUPS CODIGODELCUPS CUPSRIPS",
    "codigo": "CODIGO COD CODIGOINTERNO CODINTERNO CODIGOPROPIO CODIGOIPS CODIGODELAIPS CODIGOSERVICIO CODSERVICIO"
    " CODIGODELSERVICIO CODIGOPROCEDIMIENTO CODPROCEDIMIENTO CODIGOTARIFARIO CODTARIFARIO CODIGOSOAT CODSOAT"
    " CODIGOISS CODISS CODIGOMANUAL CUM CODIGOCUM CODCUM IUM CODIGOPRODUCTO CODPRODUCTO CODIGOMEDICAMENTO"
    " CODIGOTECNOLOGIA REFERENCIA ITEM",
    "descripcion": "DESCRIPCION NOMBRE SERVICIO PROCEDIMIENTO DETALLE NOMBRESERVICIO NOMBREDELSERVICIO"
    " DESCRIPCIONSERVICIO DESCRIPCIONDELSERVICIO DESCRIPCIONCUPS NOMBRECUPS DESCRIPCIONDELPROCEDIMIENTO"
    " DESCRIPCIONPROCEDIMIENTO NOMBREPROCEDIMIENTO PRODUCTO MEDICAMENTO DESCRIPCIONPRODUCTO TECNOLOGIA CONCEPTO",
    "valor": "VALOR TARIFA PRECIO VALORPACTADO TARIFAPACTADA PRECIOPACTADO VALORCONTRATADO TARIFACONTRATADA"
    " VALORUNITARIO VRUNITARIO VLRUNITARIO PRECIOUNITARIO VALORTARIFA VRTARIFA TARIFAPROPIA VALORCOP VALORPESOS"
    " VALORSOAT TARIFASOAT VALORISS TARIFAISS VALORSERVICIO VALORDELSERVICIO VALORACTIVIDAD VR VLR COSTO"
    " VALORCONVENIO TARIFACONVENIO VALORNEGOCIADO TARIFANEGOCIADA",
}
"""Titles, as `clave` writes them; the earlier one of a kind wins over the later."""
_TITULOS = {name: tuple(words.split()) for name, words in COLUMNAS.items()}


@dataclass(frozen=True)
class Rechazo:
    """A row that was not read: sheet, its number in the file from 1, and why."""

    hoja: str
    fila: int
    motivo: str


@dataclass
class Leido:
    """What a file says. `rechazados` counts all rows refused, `rechazos` shows at most MAX_RECHAZOS."""

    filas: list[FilaPrecio] = field(default_factory=list)
    rechazos: list[Rechazo] = field(default_factory=list)
    rechazados: int = 0
    avisos: list[str] = field(default_factory=list)
    columnas: dict[str, str] = field(default_factory=dict)

    def rechazar(self, hoja: str, fila: int, motivo: str) -> None:
        """Count a row that was not read."""
        self.rechazados += 1
        if len(self.rechazos) < MAX_RECHAZOS:
            self.rechazos.append(Rechazo(hoja, fila, motivo))


@dataclass(frozen=True)
class _Columnas:
    fila: int
    donde: dict[str, int]
    titulos: dict[str, str]


def leer_tarifario(path: Path) -> Leido:
    """Read a list. Raises Unreadable when it is no table, too big, or its titles are not found."""
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable("La lista pasa de 30 MB.", todo="Divídala por grupos de servicios.", code="demasiado_grande")
    read = Leido()
    seen: dict[tuple[str, str | None], list[tuple[str, int, FilaPrecio]]] = {}
    for sheet in hojas(path):
        read.avisos += sheet.avisos
        columns = _titulos(sheet)
        if columns is None:
            if sheet.nombre and not sheet.avisos:
                read.avisos.append(f"La hoja «{sheet.nombre[:60]}» no tiene títulos de código y valor: no se leyó.")
            continue
        read.columnas = read.columnas or columns.titulos
        for number, row in _precios(sheet, columns, read):
            seen.setdefault((row.codigo, row.cups), []).append((sheet.nombre, number, row))
            if len(seen) > MAX_FILAS:
                raise Unreadable(f"La lista pasa de {MAX_FILAS} códigos.", todo="Divídala.", code="demasiado_grande")
    if not read.columnas:
        raise Unreadable(
            "No se encontró la fila de títulos: hacen falta una columna de código (o CUPS) y una de valor (o tarifa).",
            todo="Ponga esos títulos sobre los datos y cárguela de nuevo.",
            code="sin_titulos",
        )
    _unir(read, seen)
    read.rechazos.sort(key=lambda one: (one.hoja, one.fila))
    return read


def _titulos(sheet: Hoja) -> _Columnas | None:
    """Find the row of titles and what each column is. Raises Unreadable when two columns could be the price."""
    for at, (number, cells) in enumerate(sheet.filas()):
        if at >= TITULOS_HASTA:
            return None
        keys = [clave_celda(cell) for cell in cells]
        found = {name: place for name in _TITULOS if (place := _columna(name, keys)) is not None}
        if "valor" in found and ("codigo" in found or "cups" in found):
            titles = {name: texto(cells[place])[:60] for name, place in found.items()}
            return _Columnas(number, found, titles)
    return None


def _columna(name: str, keys: Sequence[str]) -> int | None:
    exact = [(order, at) for order, known in enumerate(_TITULOS[name]) for at, key in enumerate(keys) if key == known]
    if exact:
        best = min(exact)
        twins = [keys[at] for order, at in exact if order == best[0]]
        if name == "valor" and len(twins) > 1:
            raise _two_prices()
        return best[1]
    if name == "valor":
        loose = [at for at, key in enumerate(keys) if key.startswith(("TARIFA", "VALOR", "PRECIO", "VLR"))]
        if len(loose) > 1:
            raise _two_prices()
        return loose[0] if loose else None
    starts = {"cups": ("CUPS", "CODIGOCUPS"), "codigo": ("CODIGO",), "descripcion": ("DESCRIP", "NOMBRE")}[name]
    return next((at for at, key in enumerate(keys) if key.startswith(starts)), None)


def _two_prices() -> Unreadable:
    return Unreadable(
        "La lista tiene varias columnas de valor y no se sabe cuál es la pactada.",
        todo="Llame «Valor pactado» a la que rige, o deje una sola, y cárguela de nuevo.",
        code="dos_valores",
    )


def _precios(sheet: Hoja, columns: _Columnas, read: Leido) -> Iterator[tuple[int, FilaPrecio]]:
    """Yield number and price of each good row under the titles; refuse the others."""
    style, place = EstiloDinero(), columns.donde
    for _, cells in _cuerpo(sheet, columns):
        style.ver(_en(cells, place["valor"]))
    sign = style.signo
    for number, cells in _cuerpo(sheet, columns):
        if number in sheet.sin_calcular:
            read.rechazar(sheet.nombre, number, UNCOMPUTED)
            continue
        made = _fila(cells, place, sign)
        if isinstance(made, str):
            read.rechazar(sheet.nombre, number, made)
        elif made is not None:
            yield number, made


def _cuerpo(sheet: Hoja, columns: _Columnas) -> Iterator[Fila]:
    return ((number, cells) for number, cells in sheet.filas() if number > columns.fila)


def _en(cells: Sequence[Celda], at: int | None) -> Celda:
    return cells[at] if at is not None and at < len(cells) else None


def _fila(cells: Sequence[Celda], place: dict[str, int], sign: str | None) -> FilaPrecio | str | None:
    """Return a row as a price, why it is none, or None for a row of nothing."""
    raw = {name: _en(cells, place.get(name)) for name in _TITULOS}
    if all(vacio(texto(cell)) for cell in raw.values()):
        return None
    codes = {name: _codigo(raw[name], cups=name == "cups") for name in ("codigo", "cups")}
    for made in codes.values():
        if isinstance(made, Duda):
            return made.motivo
    own, cups = str(codes["codigo"]), str(codes["cups"])
    name = texto(raw["descripcion"])
    amount = dinero(raw["valor"], sign)
    if not own and not cups:
        return None if amount is None or _total(name) else "falta el código"
    if clave_celda(own).startswith("TOTAL"):
        return None
    if amount is None:
        return "falta el valor"
    if isinstance(amount, Duda):
        return amount.motivo
    if amount < 0:
        return "el valor es negativo"
    if amount == 0:
        return "el valor es cero: lo que no se cobra no va en la lista"
    return FilaPrecio(own or cups, (cups if own and cups != own else None) or None, name[:_TEXT_MAX], amount)


def _total(name: str) -> bool:
    return clave_celda(name).startswith(("TOTAL", "SUBTOTAL"))


def _codigo(cell: Celda, *, cups: bool) -> str | Duda:
    """Return a code normalised, "" when there is none; a CUPS that lost its zero to Excel has it back."""
    found = factura(cell)
    if isinstance(found, Duda):
        return Duda("el código llegó como otra cosa (una fecha, una marca o un número que perdió cifras)")
    code = codigo_normal(found)
    if len(code) > _CODE_MAX:
        return Duda("el código es demasiado largo")
    if code and not any(one.isalnum() for one in code):
        return Duda("el código no tiene letras ni cifras")
    if cups and isinstance(cell, int | float) and len(code) < _CUPS_DIGITS:
        return code.zfill(_CUPS_DIGITS)
    return code


def _unir(read: Leido, seen: dict[tuple[str, str | None], list[tuple[str, int, FilaPrecio]]]) -> None:
    """Keep each code once; equal repetitions are named, different prices of one code are all refused."""
    for (code, _), rows in seen.items():
        first = rows[0]
        if len({row.valor for *_, row in rows}) > 1:
            where = ", ".join(str(number) for _, number, _ in rows[:5])
            for sheet, number, _ in rows:
                read.rechazar(
                    sheet, number, f"el código {code} tiene precios distintos en las filas {where}: ninguno se cargó"
                )
            continue
        read.filas.append(first[2])
        for sheet, number, _ in rows[1:]:
            read.rechazar(sheet, number, f"el código {code} repite la fila {first[1]}; se cargó una vez")
