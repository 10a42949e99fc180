"""Reads whatever a payer sent, from one file to mails with nested ZIPs, and returns what each inner file says.

Invariant: every inner file comes back as a `Lectura`, read or refused with its reason; a file twice in one delivery is
read once and said so. A payer that was chosen and that the file contradicts is told, never replaced.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from radica.entidades.catalogue import known_payers, payer_by_nit
from radica.facturas.archive import Entrada
from radica.facturas.xmlsafe import Unreadable
from radica.glosas.lectura.cierre import avisos_de_lineas, comparar, contar_una_vez, total_declarado
from radica.glosas.lectura.contenedor import CUERPO_HTML, es_cuerpo, expandir
from radica.glosas.lectura.filas import Tabla, leer_detalle, leer_tabla, total_impreso
from radica.glosas.lectura.formato import Contexto, Detalle, Formato
from radica.glosas.lectura.formatos import FORMATOS
from radica.glosas.lectura.formatos.coosalud_correo import DETALLE
from radica.glosas.lectura.hojas import Hoja, hojas
from radica.glosas.lectura.pdf import es_carta, leer_pdf
from radica.glosas.lectura.registro import NoReconocida, Reconocida, reconocer
from radica.glosas.lectura.tablas_html import hojas_html
from radica.glosas.lectura.tipos import Lectura, LineaLeida, NoLeida

_FC = re.compile(r"\bFC\s?0*(\d+)", re.IGNORECASE)
_CHUNK = 1024 * 1024
_NITS = {
    "800251440": "EPS Sanitas",
    "900156264": "Nueva EPS",
    "800088702": "EPS Sura",
    "800130907": "Salud Total EPS",
    "806008394": "Mutual Ser EPS",
    "900604350": "Savia Salud EPS",
    "901037916": "ADRES",
}
"""NITs not read in a document (M): enough to doubt a payer that was chosen, never to choose one."""
_DOUBT_OF_PAYER = 40
"""Confidence of a file that contradicts the payer chosen for it never passes this."""


@dataclass(slots=True)
class _Entrega:
    """What the files of one delivery share: the day, the payer chosen, and the companion files read so far."""

    hoy: date
    pagador_nit: str | None
    detalles: dict[str, dict[str, Detalle]] = field(default_factory=dict)


@dataclass(slots=True)
class _Parte:
    """The sheets of one file that have the same layout."""

    formato: Formato
    confianza: int
    hojas: list[str]
    tabla: Tabla
    contexto: Contexto
    declarado: int | None = None


def leer_archivo(path: Path, *, nombre: str | None = None, pagador_nit: str | None = None, hoy: date) -> list[Lectura]:
    """Read a file; return one `Lectura` for each file inside (and for each layout of a workbook that has two).

    `nombre` is how the file is called outside; `pagador_nit` the payer that a person chose; `hoy` the civil day that
    tells future dates. Nothing that the file holds raises: what cannot be read is a `Lectura` with `formato` "" and
    the reason in `avisos`. Raises OSError when the file cannot be opened or the disk is full.
    """
    delivery = _Entrega(hoy, pagador_nit)
    readings: list[Lectura] = []
    with tempfile.TemporaryDirectory(prefix="radica-lectura-") as folder:
        entries = list(expandir(path, nombre or path.name, carpeta=Path(folder)))
        # What others need to be joined with comes first.
        entries.sort(key=lambda one: "DETALLE" not in one.name.rsplit("/", 1)[-1].upper())
        seen: dict[str, str] = {}
        twice: list[tuple[str, str]] = []
        for entry in entries:
            if not isinstance(entry, Entrada):
                if entry.code != "decorativo":
                    readings.append(_refused(entry.name, f"{entry.reason} {entry.todo}".strip(), delivery))
                continue
            digest = _sha256(entry.path) if len(entries) > 1 else ""
            if digest and digest in seen:
                twice.append((seen[digest], entry.name))
                continue
            seen[digest] = entry.name
            readings.extend(_read_file(entry.path, entry.name, delivery))
    if not readings:
        note = "No trae ningún archivo de glosas. Revise si el pagador lo envió aparte o en un enlace."
        return [_refused(nombre or path.name, note, delivery)]
    return [_told_twice(one, twice) for one in readings]


def _told_twice(reading: Lectura, twice: list[tuple[str, str]]) -> Lectura:
    notes = tuple(
        f"El archivo {other} es el mismo con otro nombre: se leyó una sola vez."
        for first, other in twice
        if first == reading.archivo.split("#", 1)[0]
    )
    return replace(reading, avisos=(*reading.avisos, *notes)) if notes else reading


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _refused(name: str, reason: str, delivery: _Entrega) -> Lectura:
    return Lectura(name, "", 0, delivery.pagador_nit, (), (), 0, None, (reason,))


def _read_file(path: Path, name: str, delivery: _Entrega) -> list[Lectura]:
    with path.open("rb") as stream:
        head = stream.read(1024)
    if es_carta(head):
        return [_with_payer(leer_pdf(path, name, hoy=delivery.hoy), delivery, "")]
    try:
        return _tables(path, name, delivery)
    except Unreadable as refused:
        if es_cuerpo(name):
            return []  # a mail's own words are no file that somebody sent to be read
        return [_refused(name, f"{refused.message} {refused.todo}".strip(), delivery)]


def _tables(path: Path, name: str, delivery: _Entrega) -> list[Lectura]:
    parts: dict[str, _Parte] = {}
    others: list[str] = []
    sheets = hojas_html(path) if es_cuerpo(name) and name.endswith(CUERPO_HTML) else hojas(path)
    for sheet in sheets:
        others.extend(sheet.avisos)
        found = reconocer(sheet, name, FORMATOS)
        if isinstance(found, NoReconocida):
            if found.motivo != "no tiene filas":
                where = f"La hoja «{sheet.nombre[:60]}»" if sheet.nombre else "El archivo"
                others.append(f"{where} no se reconoció: {found.motivo}.")
            continue
        if not _add(parts, sheet, found, name, delivery):
            others.append(
                f"La hoja «{sheet.nombre[:60]}» solo trae fórmulas sin calcular: ábrala en Excel, guárdela y cárguela."
            )
    if not parts:
        if es_cuerpo(name):
            return []
        return [_refused(name, " ".join(others) or "El archivo no tiene filas.", delivery)]
    readings = [_reading(part, name, delivery, several=len(parts) > 1) for part in parts.values()]
    readings[0] = replace(readings[0], avisos=(*readings[0].avisos, *others))
    return readings


def _add(parts: dict[str, _Parte], sheet: Hoja, found: Reconocida, name: str, delivery: _Entrega) -> bool:
    """Read a recognised sheet into the part of its layout; False when formulas left nothing to read in it."""
    layout = found.formato
    context = Contexto(name, sheet.nombre, delivery.hoy, found.previo, _details(name, delivery))
    if layout.preparar:
        layout.preparar(context)
    if layout.nombre == DETALLE:
        _learn(sheet, found, name, delivery)
        table = Tabla()
        context.avisar("Es el detalle que acompaña al archivo GLOSAS: se usa para saber el servicio de cada glosa.")
    else:
        table = leer_tabla(sheet, found, context)
        if sheet.sin_calcular and not table.lineas:
            return False
    if layout.cerrar:
        table.lineas, table.no_leidas = layout.cerrar(table.lineas, table.no_leidas, context)
    declared = total_declarado(table.totales)
    if declared is None:
        declared = total_impreso(found.previo)
    table.lineas = contar_una_vez(table.lineas, declared, context)
    if table.sin_objecion:
        context.avisar(f"{table.sin_objecion} filas con valor 0 y sin código no objetan nada y no se cargaron.")
    part = parts.get(layout.nombre)
    if part is None:
        parts[layout.nombre] = _Parte(layout, found.confianza, [sheet.nombre], table, context, declared)
        return True
    if table.lineas and _same_lines(table.lineas, part.tabla.lineas):
        part.contexto.avisar(f"La hoja «{sheet.nombre[:60]}» repite la anterior: se contó una sola vez.")
        part.tabla.no_leidas.extend(table.no_leidas)
        return True
    part.hojas.append(sheet.nombre)
    part.confianza = min(part.confianza, found.confianza)
    part.tabla.lineas.extend(table.lineas)
    part.tabla.no_leidas.extend(table.no_leidas)
    # A total is the file's only when each of its sheets says one.
    part.declarado = part.declarado + declared if part.declarado is not None and declared is not None else None
    for words in context.avisos:
        part.contexto.avisar(words)
    return True


def _same_lines(lines: Sequence[LineaLeida], before: Sequence[LineaLeida]) -> bool:
    """Say whether a sheet is a copy of one read before: the same lines in the same rows, all of them."""
    first = lines[0]
    near = (index for index, one in enumerate(before) if one.fila == first.fila and one.factura == first.factura)
    at = next((index for index in near if before[index]._replace(hoja=first.hoja) == first), -1)
    held = before[at : at + len(lines)] if at >= 0 else []
    whole = len(held) == len(lines) and len({one.hoja for one in held}) == 1
    after = before[at + len(lines)] if whole and at + len(lines) < len(before) else None
    if not whole or (at and before[at - 1].hoja == held[0].hoja) or (after and after.hoja == held[0].hoja):
        return False
    return all(one._replace(hoja=first.hoja) == line for one, line in zip(held, lines, strict=True))


def _details(name: str, delivery: _Entrega) -> dict[str, Detalle]:
    """Return the companion file of the same number, or the only one there is."""
    match = _FC.search(name.rsplit("/", 1)[-1])
    if match and match[1] in delivery.detalles:
        return delivery.detalles[match[1]]
    if len(delivery.detalles) == 1 and not (match and "" not in delivery.detalles):
        return next(iter(delivery.detalles.values()))
    return {}


def _learn(sheet: Hoja, found: Reconocida, name: str, delivery: _Entrega) -> None:
    match = _FC.search(name.rsplit("/", 1)[-1])
    known = delivery.detalles.setdefault(match[1] if match else "", {})
    for row in leer_detalle(sheet, found):
        if row.enlace:
            known[row.enlace] = Detalle(row.servicio, row.descripcion_servicio, row.valor_servicio)


def _reading(part: _Parte, name: str, delivery: _Entrega, *, several: bool) -> Lectura:
    lines: tuple[LineaLeida, ...] = tuple(part.tabla.lineas)
    unread: tuple[NoLeida, ...] = tuple(part.tabla.no_leidas)
    total = sum(line.valor for line in lines)
    notes = [*part.contexto.avisos, *avisos_de_lineas(lines)]
    if unread:
        notes.insert(0, f"{len(unread)} filas no se leyeron: están en la bandeja con su motivo.")
    if part.formato.acumulado:
        notes.append("Es un archivo acumulado: repite glosas de entregas anteriores.")
    if not lines and not unread and part.formato.nombre != DETALLE:
        notes.append("El archivo tiene los títulos pero ninguna fila de datos.")
    if mismatch := comparar(total, part.declarado):
        notes.insert(0, mismatch)
    shown = f"{name}#{part.hojas[0]}" if several and part.hojas[0] else name
    reading = Lectura(
        shown,
        part.formato.nombre,
        part.confianza,
        None,
        lines,
        unread,
        total,
        part.declarado,
        tuple(notes),
    )
    return _with_payer(reading, delivery, part.formato.pagador)


def _with_payer(reading: Lectura, delivery: _Entrega, payer: str) -> Lectura:
    """Put the payer on a reading: the one chosen, else the one that the layout is known to be of.

    `payer` is a name of the catalogue; a letter brings the NIT that it prints.
    """
    known = next((one for one in known_payers() if one.nombre == payer), None)
    own = reading.pagador_nit or (known.nit if known else "") or None
    chosen = delivery.pagador_nit
    if not chosen:
        return replace(reading, pagador_nit=own)
    picked = payer_by_nit(chosen)
    bare = picked.nit if picked else _bare(chosen)
    picked_name = picked.nombre if picked else _NITS.get(bare, "")
    if not (bool(own) and own != bare) and not (payer and picked_name and picked_name != payer):
        return replace(reading, pagador_nit=bare)
    name = payer or f"el pagador con NIT {own}"
    note = f"El archivo parece de {name} y se eligió el pagador con NIT {bare}: compruébelo antes de cargarlo."
    return replace(
        reading,
        pagador_nit=bare,
        confianza=min(reading.confianza, _DOUBT_OF_PAYER),
        avisos=(note, *reading.avisos),
    )


def _bare(nit: str) -> str:
    """Return a NIT without dots and check digit."""
    return nit.split("-", 1)[0].replace(".", "").replace(" ", "")
