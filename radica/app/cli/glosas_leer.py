"""`radica glosas leer`: read what a payer sent and say what it holds, without a database.

Invariant: reading stores nothing; exit 0 when every row was read, 1 when rows or the total need a person, 2 when the
file was not recognised. Amounts go out as text with two decimals, dates as ISO.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from radica.app.cli.parse import COULD_NOT, DONE, FINDINGS, leaf
from radica.app.cli.words import answer, table
from radica.glosas.lectura.leer import leer_archivo
from radica.glosas.lectura.tipos import Lectura, LineaLeida
from radica.kernel.clock import civil_date, system_clock
from radica.kernel.config import Settings
from radica.kernel.errors import BadInput
from radica.kernel.money import format_cop, plain

SEVERAL = "varios"
_SHOWN = 10


def add_leer(verbs: argparse._SubParsersAction[Any]) -> None:
    """Add the verb."""
    read = verbs.add_parser("leer", help="lee un archivo de glosas del pagador y dice qué trae, sin guardar nada")
    read.add_argument("fichero", metavar="FICHERO", type=Path, help="Excel, TXT, CSV, PDF, imagen, ZIP o correo")
    read.add_argument("--pagador", metavar="NIT", help="el pagador que lo envió, si se sabe")
    leaf(read)
    read.set_defaults(run=_read)


def _read(options: argparse.Namespace, _settings: Settings) -> int:
    path: Path = options.fichero
    if not path.is_file():
        raise BadInput(f"No existe el archivo {path}.", todo="Revise la ruta.", code="no_existe")
    found = leer_archivo(path, pagador_nit=options.pagador, hoy=civil_date(system_clock()))
    answer(document(found, path.name), _words(found), as_json=options.json)
    return exit_code(found)


def exit_code(readings: Sequence[Lectura]) -> int:
    """Return 0 all read, 1 something needs a person, 2 nothing was recognised."""
    known = [one for one in readings if one.formato]
    if not known:
        return COULD_NOT
    whole = all(not one.no_leidas and one.total_declarado in (None, one.total_leido) for one in known)
    return DONE if whole and len(known) == len(readings) else FINDINGS


def document(readings: Sequence[Lectura], name: str) -> dict[str, Any]:
    """Return the JSON document of a file; of several inside, the same keys over all of them, and each one's summary."""
    if len(readings) == 1:
        return lectura_json(readings[0])
    known = [one for one in readings if one.formato]
    # A file that only accompanies others (the items of Coosalud) does not make the delivery one of several formats.
    known = [one for one in known if one.lineas or one.no_leidas] or known
    formats = {one.formato for one in known}
    payers = {one.pagador_nit for one in known}
    declared = [one.total_declarado for one in known]
    total = sum(one.total_leido for one in readings)
    return {
        "archivo": name,
        "formato": next(iter(formats), "") if len(formats) < 2 else SEVERAL,
        "confianza": min((one.confianza for one in known), default=0),
        "pagador_nit": next(iter(payers)) if len(payers) == 1 else None,
        "lineas": [{**linea_json(line), "archivo": one.archivo} for one in readings for line in one.lineas],
        "no_leidas": [{**row, "archivo": one.archivo} for one in readings for row in _unread(one)],
        "total_leido": plain(total),
        "total_declarado": (
            plain(sum(amount for amount in declared if amount is not None))
            if declared and None not in declared
            else None
        ),
        "avisos": [f"{one.archivo}: {note}" for one in readings for note in one.avisos],
        "lecturas": [
            {key: value for key, value in lectura_json(one).items() if key not in {"lineas", "no_leidas"}}
            | {"lineas": len(one.lineas), "no_leidas": len(one.no_leidas)}
            for one in readings
        ],
    }


def lectura_json(one: Lectura) -> dict[str, Any]:
    """Return one reading as its JSON document."""
    return {
        "archivo": one.archivo,
        "formato": one.formato,
        "confianza": one.confianza,
        "pagador_nit": one.pagador_nit,
        "lineas": [linea_json(line) for line in one.lineas],
        "no_leidas": _unread(one),
        "total_leido": plain(one.total_leido),
        "total_declarado": plain(one.total_declarado) if one.total_declarado is not None else None,
        "avisos": list(one.avisos),
    }


def _unread(one: Lectura) -> list[dict[str, Any]]:
    return [{"fila": row.fila, "motivo": row.motivo, "hoja": row.hoja} for row in one.no_leidas]


def linea_json(line: LineaLeida) -> dict[str, Any]:
    """Return one line as JSON: money as text with two decimals, dates ISO."""
    return {
        "fila": line.fila,
        "hoja": line.hoja,
        "factura": line.factura,
        "tipo": line.tipo.value,
        "codigo": line.codigo,
        "codigo_original": line.codigo_original,
        "valor": plain(line.valor),
        "fecha_notificacion": _day(line.fecha_notificacion),
        "fecha_radicacion": _day(line.fecha_radicacion),
        "fecha_factura": _day(line.fecha_factura),
        "radicado": line.radicado,
        "numero_glosa": line.numero_glosa,
        "servicio": line.servicio,
        "descripcion_servicio": line.descripcion_servicio,
        "valor_servicio": _money(line.valor_servicio),
        "valor_factura": _money(line.valor_factura),
        "motivo": line.motivo,
        "paciente_documento": line.paciente_documento,
        "levantado": _money(line.levantado),
        "aceptado": _money(line.aceptado),
        "avisos": list(line.avisos),
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _money(cents: int | None) -> str | None:
    return plain(cents) if cents is not None else None


def _words(readings: Sequence[Lectura]) -> str:
    blocks = [_reading_words(one) for one in readings]
    return "\n\n".join(blocks) if blocks else "El archivo no trae nada que leer."


def _reading_words(one: Lectura) -> str:
    """Say a reading to a person; patients' data stay out of the screen."""
    if not one.formato:
        return f"{one.archivo}: no se leyó.\n" + "\n".join(f"  {note}" for note in one.avisos)
    head = f"{one.archivo}: formato {one.formato}, confianza {one.confianza} %"
    total = f"  {len(one.lineas)} líneas por {format_cop(one.total_leido)}"
    if one.total_declarado is not None:
        total += f"; el archivo dice {format_cop(one.total_declarado)}"
    lines = [head, total]
    if one.lineas:
        rows = [
            (
                str(line.fila),
                line.factura,
                line.tipo.value,
                line.codigo or line.codigo_original or "—",
                format_cop(line.valor),
            )
            for line in one.lineas[:_SHOWN]
        ]
        shown = table(("fila", "factura", "acto", "código", "valor"), rows)
        lines += [f"    {row}" for row in shown.splitlines()]
        if len(one.lineas) > _SHOWN:
            lines.append(f"    … y {len(one.lineas) - _SHOWN} más (--json las muestra todas)")
    lines += [f"  No se leyó la fila {row.fila}: {row.motivo}." for row in one.no_leidas[:_SHOWN]]
    if len(one.no_leidas) > _SHOWN:
        lines.append(f"  … y {len(one.no_leidas) - _SHOWN} filas más sin leer")
    lines += [f"  Aviso: {note}" for note in one.avisos]
    return "\n".join(lines)
