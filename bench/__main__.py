"""`./run bench [NAME…]`: run the named measurements, or all, and print one JSON document on standard output.

A measurement is a module of this package with `run() -> dict`; exit code 1 when one misses its goal.
"""

from __future__ import annotations

import json
import os
import pkgutil
import platform
import sys
from importlib import import_module
from typing import Any

import bench


def measurements() -> list[str]:
    """Return the names of all modules of this package that measure something."""
    names = [module.name for module in pkgutil.iter_modules(bench.__path__) if module.name != "__main__"]
    return [name for name in names if hasattr(import_module(f"bench.{name}"), "run")]


def _load() -> float:
    return round(os.getloadavg()[0], 1)


def main(wanted: list[str]) -> int:
    """Run and print; 0 all goals met, 1 a goal missed, 2 no such measurement."""
    known = measurements()
    missing = sorted(set(wanted) - set(known))
    if missing:
        print(f"No hay medición «{missing[0]}». Hay: {', '.join(known)}", file=sys.stderr)
        return 2
    results: dict[str, Any] = {}
    loads = [_load()]
    for name in wanted or known:
        print(f"midiendo {name}…", file=sys.stderr)
        try:
            results[name] = import_module(f"bench.{name}").run()
        except SystemExit as stopped:  # it could not be measured; the others still can
            results[name] = {"error": str(stopped.code), "cumple": False}
        loads.append(_load())
    machine: dict[str, Any] = {
        "nucleos": os.cpu_count(),
        "python": platform.python_version(),
        "sistema": platform.platform(),
    }
    machine["carga"] = loads  # runnable processes before, and after each: beyond the cores, figures say little
    print(json.dumps({"maquina": machine, "mediciones": results}, ensure_ascii=False, indent=2))
    return 0 if all(result.get("cumple", True) for result in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
