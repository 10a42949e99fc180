"""``python -m bots.simulador p1|p2``: one simulated portal in the foreground until SIGINT or SIGTERM.

Invariant: standard output carries exactly one line, ``{"url": …}``, once the portal listens.
"""

import argparse
import json
import signal
import sys
from pathlib import Path
from types import FrameType

from bots.simulador.config import ConfigError
from bots.simulador.server import KINDS, start


def main(argv: list[str] | None = None) -> int:
    """Run the portal; 0 when it was ended, 2 when it could not start."""
    parser = argparse.ArgumentParser(prog="python -m bots.simulador", description="Portal simulado de un pagador.")
    parser.add_argument("portal", choices=sorted(KINDS), help="p2: cuentas médicas de una EPS; p1: formulario SOAT")
    parser.add_argument("--host", default="127.0.0.1", help="dirección en la que escucha (por defecto 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="puerto; 0 elige uno libre")
    parser.add_argument("--ledger", type=Path, required=True, help="archivo SQLite con lo recibido")
    parser.add_argument("--config", default="{}", help="ajustes en JSON (vea bots.simulador.config)")
    options = parser.parse_args(argv)
    try:
        handle = start(options.portal, options.ledger, options.port, json.loads(options.config), options.host)
    except (ConfigError, OSError, ValueError, TypeError) as error:
        sys.stderr.write(f"No se pudo iniciar el portal simulado: {error}\n")
        return 2

    def _end(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    sys.stdout.write(json.dumps({"url": handle.url, "portal": handle.kind}) + "\n")
    sys.stdout.flush()
    with handle:
        handle.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
