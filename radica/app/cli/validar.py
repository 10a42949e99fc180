"""`radica validar`: judge invoices, RIPS, CUV and supports in files, folders and ZIPs, without storing anything.

Invariant: every file that was given has its result, in the order given; no database is opened. Ends with 2 when a file
could not be read or is no document of billing, else with 1 when something would be refused, else with 0.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from radica.app.cli.bar import Bar
from radica.app.cli.parse import COULD_NOT, DONE, FINDINGS, day, leaf, positive
from radica.app.cli.words import note
from radica.app.validar.carpeta_propia import carpeta_propia
from radica.app.validar.carpetas import Avance, Balance, validar
from radica.facturas.validacion.resultado import CON_HALLAZGOS, ILEGIBLE, VALIDO, VERSION, Encargo
from radica.facturas.validacion.tablas import VACIOS, catalogos_de
from radica.kernel.clock import bogota, system_clock
from radica.kernel.config import Settings
from radica.kernel.web_format import plural

SHOWN = 8
"""Rules told of each file to a person, each once with its first place; the JSON has every finding."""
MAX_PROCESSES = 64
_STATES = {VALIDO: "válido", CON_HALLAZGOS: "con hallazgos", ILEGIBLE: "ilegible"}
_KINDS = {
    "fev": "factura con la respuesta de la DIAN",
    "factura": "factura",
    "nota_credito": "nota crédito",
    "nota_debito": "nota débito",
    "application_response": "respuesta de la DIAN",
    "rips": "RIPS",
    "muv_request": "solicitud al MUV",
    "cuv": "respuesta del MUV",
    "soporte": "soporte",
    "desconocido": "no reconocido",
}
_WEIGHTS = {"rechazo": "RECHAZO", "notificacion": "NOTIFICACIÓN", "aviso": "AVISO"}


def configure(_name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("rutas", nargs="+", metavar="RUTA", help="archivo, carpeta o ZIP; lo de una factura se cruza")
    parser.add_argument(
        "--catalogos", type=Path, metavar="DIR", help="carpeta con las tablas CUPS y CIE-10 de SISPRO (cups*, cie10*)"
    )
    parser.add_argument(
        "--fecha", type=day, metavar="AAAA-MM-DD", help="reglas vigentes ese día; si no, el del CUV, la factura o hoy"
    )
    parser.add_argument("-j", dest="procesos", type=positive, metavar="N", help="procesos a la vez (todos los núcleos)")
    leaf(parser)
    parser.set_defaults(run=_validate)


def _validate(options: argparse.Namespace, settings: Settings) -> int:
    catalogues = catalogos_de(options.catalogos) if options.catalogos is not None else VACIOS
    errand = Encargo(bogota(system_clock()), catalogues, options.fecha, secrets.token_bytes(32))
    processes = min(options.procesos or len(os.sched_getaffinity(0)), MAX_PROCESSES)
    with carpeta_propia("radica-validar-") as folder, _progress() as show:
        balance = validar(
            options.rutas,
            errand,
            carpeta=folder,
            procesos=processes,
            palabras=words_of,
            avance=show,
            incidente=lambda places: _incident(settings.datos, places),
        )
    with balance.sink:
        _write(balance, as_json=options.json)
    if not balance.places:
        note("No hay ningún archivo que revisar en lo que se indicó.")
    if balance.estados[ILEGIBLE] or balance.desconocidos or not balance.places:
        return COULD_NOT
    return FINDINGS if balance.severidades["rechazo"] else DONE


def _write(balance: Balance, *, as_json: bool) -> None:
    """Write the answer: one JSON document, or the words for a person and the totals."""
    out = sys.stdout
    if as_json:
        out.write(f'{{"version":{VERSION},"resultados":[')
        for at, text in enumerate(balance.texts(words=False)):
            out.write(("," if at else "") + text)
        out.write("]}\n")
    else:
        for text in balance.texts(words=True):
            out.write(text + "\n")
        out.write(_totals(balance) + "\n")
    out.flush()


def words_of(result: dict[str, Any]) -> str:
    """Tell one result to a person: a line, and under it what weighs most."""
    findings = [one for one in result["hallazgos"] if one["severidad"] in _WEIGHTS]
    number = result["factura"]["numero"]
    whose = f" {number}" if number else ""
    lines = [f"{result['ruta']}: {_KINDS[result['tipo']]}{whose}, {_STATES[result['estado']]}"]
    rules: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in findings:
        rules.setdefault((one["severidad"], one["codigo"]), []).append(one)
    for (weight, code), (one, *alike) in islice(rules.items(), SHOWN):
        place = f" en {one['ruta']}" if one["ruta"] else ""
        more = f" (y {plural(len(alike), 'vez', 'veces')} más la misma regla)" if alike else ""
        lines.append(f"  {_WEIGHTS[weight]} {code}{place}: {one['mensaje']} {one['arreglo']}{more}")
    if len(rules) > SHOWN:
        lines.append(f"  … y {plural(len(rules) - SHOWN, 'regla', 'reglas')} más (--json da todos los hallazgos).")
    return "\n".join(map(_harmless, lines))


def _harmless(line: str) -> str:
    """Return a line without what would command a terminal: names and codes come from strangers."""
    return "".join(char if char.isprintable() or char == "\xa0" else "?" for char in line)


def _totals(balance: Balance) -> str:
    states, weights = balance.estados, balance.severidades
    unknown = weights["no_decidible"]
    return (
        f"{plural(len(balance.places), 'archivo', 'archivos')}: {plural(states[VALIDO], 'válido', 'válidos')}, "
        f"{states[CON_HALLAZGOS]} con hallazgos, "
        f"{plural(states[ILEGIBLE], 'ilegible o no reconocido', 'ilegibles o no reconocidos')}. "
        f"{plural(weights['rechazo'], 'rechazo', 'rechazos')}, "
        f"{plural(weights['notificacion'], 'notificación', 'notificaciones')}, "
        f"{plural(weights['aviso'], 'aviso', 'avisos')}; "
        f"{plural(unknown, 'regla no se decide', 'reglas no se deciden')} sin los registros del Ministerio."
    )


@contextmanager
def _progress() -> Iterator[Avance]:
    """Yield what shows how far the work is: a bar for each stage, on standard error."""
    bars: dict[str, Bar] = {}

    def show(stage: str, done: int, of: int) -> None:
        if stage not in bars:
            for other in bars.values():
                other.__exit__(None, None, None)
            bars.clear()
            bars[stage] = Bar(stage)
        bars[stage].show(done, of)

    yield show
    for last in bars.values():
        last.__exit__(None, None, None)


def _incident(datos: Path, places: str) -> str:
    """Keep a defect for support: its places in the code, never what the document says."""
    number = secrets.token_hex(4).upper()
    path = datos / "logs" / "incidentes.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("a", encoding="utf-8") as out:
            out.write(f"incidente {number}\n{places}\n")
    except OSError:
        return number
    return number
