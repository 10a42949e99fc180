"""`radica`: the command line. Finds the command, loads only its module, runs it, and turns refusals into words.

Invariant: exit 0 done, 1 findings, 2 could not; under `--json` standard output carries one JSON document and nothing
else; nobody ever sees a traceback: what was not foreseen becomes a number, and its places in the code go to
`DATOS/logs/incidentes.log` without what a person typed.
"""

from __future__ import annotations

import errno
import importlib
import io
import json
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from radica import __version__
from radica.app.cli.parse import COULD_NOT, DONE, INTERRUPTED, Parser, UsageProblem
from radica.kernel.config import Settings, load_settings
from radica.kernel.errors import Ambiguous, BadInput, RadicaError, Unavailable
from radica.kernel.logs import describe

COMMANDS: dict[str, tuple[str, str]] = {
    "importar": ("importar", "carga archivos, carpetas y ZIP con facturas, RIPS, CUV y soportes"),
    "validar": ("validar", "revisa facturas, RIPS, CUV y soportes antes de enviarlos; no guarda nada"),
    "radicar": ("facturas", "ordena la radicación de facturas listas"),
    "estado": ("facturas", "muestra cómo va una factura"),
    "muv": ("muv", "validador de MinSalud: cuenta, prueba, validar una factura, consultar un CUV"),
    "glosas": ("glosas", "glosas y devoluciones: códigos, lectura de archivos"),
    "cartera": ("cartera", "pagos, intereses de mora y prescripción"),
    "catalogo": ("catalogo", "tablas que cambian con el tiempo: tasas de usura"),
    "contrato": ("contratos", "contratos con los pagadores: crear, listar, cerrar"),
    "tarifario": ("contratos", "listas de precios: cargar, comparar una factura con lo pactado"),
    "expediente": ("expediente", "expediente judicial: armarlo, y los documentos que aporta una persona"),
    "plazos": ("plazos", "calcula términos legales"),
    "usuarios": ("usuarios", "personas y sus accesos"),
    "prestadores": ("entidades", "prestadores: listar, confirmar, carpeta vigilada"),
    "portales": ("entidades", "cuentas en los portales de los pagadores"),
    "custodia": ("custodia", "lo guardado: llaves, verificación, sellos y expedientes"),
    "respaldo": ("respaldo", "copia de toda la casa: crear, restaurar"),
    "bd": ("sistema", "base de datos: migrar"),
    "doctor": ("sistema", "dice qué le falta a esta máquina y cómo arreglarlo"),
    "web": ("procesos", "sirve la aplicación web"),
    "worker": ("procesos", "hace los trabajos de la cola: radicar, consultar, importar"),
    "reloj": ("procesos", "pone en la cola lo que toca a cada hora"),
    "demo": ("demo", "el trabajo principal a la vista, con datos de muestra"),
    "ensayo": ("ensayo", "ensayos de resistencia: caos"),
}

_DISK = {
    errno.ENOSPC: (
        "El disco está lleno; lo anterior está intacto.",
        "Libere espacio e intente de nuevo.",
        "disco_lleno",
    ),
    errno.EACCES: ("No hay permiso sobre un archivo o carpeta.", "Revise quién ejecuta el programa.", "sin_permiso"),
    errno.EROFS: ("La carpeta es de solo lectura.", "Indique otra con --datos.", "solo_lectura"),
    errno.EADDRINUSE: ("Ese puerto ya está ocupado.", "Elija otro con --puerto.", "puerto_ocupado"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (0 done, 1 findings, 2 could not, 130 interrupted)."""
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in words
    _speak_anywhere(as_json=as_json)
    try:
        return _run(words)
    except RadicaError as error:
        return refuse(error, as_json)
    except OSError as error:
        known = _DISK.get(error.errno or 0)
        if known is None:
            raise
        message, todo, code = known
        return refuse(Unavailable(message, todo=todo, code=code), as_json)
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrumpido.\n")
        return INTERRUPTED


def _speak_anywhere(*, as_json: bool) -> None:
    """Let a terminal of any encoding be written to: a letter that it lacks is escaped; a JSON document is UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8" if as_json else None, errors="backslashreplace")


def _run(words: list[str]) -> int:
    datos, words = _global_options(words)
    if not words or words[0] in {"-h", "--help", "--ayuda", "help", "ayuda"}:
        sys.stdout.write(_help())
        return DONE if words else COULD_NOT
    if words[0] == "--version":
        sys.stdout.write(f"radica {__version__}\n")
        return DONE
    if words[0] not in COMMANDS:
        raise UsageProblem(f"No existe «{words[0][:40]}».", "Uso: radica COMANDO …  (radica --help los muestra)")
    # The one place where a module is loaded late: `radica plazos` must not wait for browser, web and queue.
    module = importlib.import_module(f"radica.app.cli.{COMMANDS[words[0]][0]}")
    parser = Parser(prog=f"radica {words[0]}", description=COMMANDS[words[0]][1].capitalize() + ".")
    module.configure(words[0], parser)
    options = parser.parse_args(words[1:])
    if datos is not None and not hasattr(options, "datos"):
        options.datos = datos
    settings = load_settings(os.environ, datos=getattr(options, "datos", None), running_as_root=_is_root())
    if words[0] != "doctor":
        _check_folder(settings.datos)
    sys.excepthook = incident_hook(settings, as_json=bool(getattr(options, "json", False)))
    code: int = options.run(options, settings)
    return code


def _global_options(words: list[str]) -> tuple[str | None, list[str]]:
    """Take `--datos DIR` off the front: it may stand before the command too."""
    datos = None
    while words and (words[0] == "--datos" or words[0].startswith("--datos=")):
        if words[0] == "--datos":
            if len(words) < 2:
                raise UsageProblem("--datos: falta la carpeta.", "Uso: radica --datos DIR COMANDO …")
            datos, words = words[1], words[2:]
        else:
            datos, words = words[0].split("=", 1)[1], words[1:]
    return datos, words


def _check_folder(folder: Path) -> None:
    """Refuse a data folder that cannot be one. Raises BadInput."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir() or (place == folder and not os.access(place, os.W_OK)):
        raise BadInput(
            f"No se puede usar la carpeta de datos {folder}.", todo="Indique otra con --datos.", code="carpeta_mala"
        )


def _help() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = "\n".join(f"  {name:<{width}}{text}" for name, (_, text) in COMMANDS.items())
    return (
        "Uso: radica [--datos DIR] COMANDO …\n\n"
        "Radica las facturas de un prestador de salud ante sus pagadores, con prueba.\n\n"
        f"Comandos («radica COMANDO --help» explica cada uno):\n{lines}\n\n"
        "  --datos DIR   carpeta de la base, los documentos y las llaves (o RADICA_DATOS; por defecto ./var)\n"
        "Termina con 0 si lo hizo, 1 si hay hallazgos, 2 si no pudo.\n"
    )


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def refuse(error: RadicaError, as_json: bool) -> int:
    """Say a refusal: words on stderr, or its JSON document on stdout; 2."""
    if as_json:
        body: dict[str, object] = {"codigo": error.code, "mensaje": error.message, "que_hacer": error.todo}
        if isinstance(error, Ambiguous):
            body["candidatas"] = error.candidates
        sys.stdout.write(json.dumps({"error": body}, ensure_ascii=False) + "\n")
        return COULD_NOT
    if isinstance(error, UsageProblem):
        sys.stderr.write(error.usage + "\n")
    sys.stderr.write(f"radica: {error}\n")
    if isinstance(error, Ambiguous):
        for one in error.candidates:
            sys.stderr.write("  " + " · ".join(f"{key} {value}" for key, value in one.items()) + "\n")
    return COULD_NOT


Hook = Callable[[type[BaseException], BaseException, TracebackType | None], None]


def incident_hook(settings: Settings, *, as_json: bool) -> Hook:
    """Return what is done with an error that nobody foresaw: a number for the person, its places for the log."""

    def hook(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        if isinstance(error, BrokenPipeError):
            # Whoever read our output went away; a second complaint at exit would be a traceback.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(COULD_NOT)
        number = secrets.token_hex(4).upper()
        kept = write_incident(settings.datos, number, error)
        where = f" Los detalles técnicos quedaron en {kept}." if kept else ""
        refusal = BadInput(
            f"Ocurrió un error que el programa no esperaba (incidente {number}); lo ya guardado está intacto.",
            todo=f"Informe ese número a soporte.{where}",
            code="incidente",
        )
        # Raised here, it becomes the exit code of the process.
        raise SystemExit(refuse(refusal, as_json))

    return hook


def write_incident(datos: Path, number: str, error: BaseException) -> Path | None:
    """Append an incident to the log, redacted; None when not even that can be written."""
    path = datos / "logs" / "incidentes.log"
    line = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} incidente {number}\n{describe(error)}\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("a", encoding="utf-8") as out:
            out.write(line)
    except OSError:
        return None
    return path


if __name__ == "__main__":
    raise SystemExit(main())
