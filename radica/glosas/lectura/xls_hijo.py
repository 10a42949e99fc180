"""The process that tries a workbook of Excel 97 first: some damaged ones make their reader ask for gigabytes or crash.

Invariant: it has limits of memory and time, says how it went only by its exit code, and writes nothing: what the
reader prints when it crashes may quote a cell. Run as `python -m radica.glosas.lectura.xls_hijo PATH`.
"""

from __future__ import annotations

import resource
import sys

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

GOOD, LOCKED, DAMAGED = 0, 3, 4
MEMORY_BYTES = 1536 * 1024 * 1024
CPU_S = 60


def main(path: str) -> int:
    """Read every sheet of a workbook; return GOOD, LOCKED or DAMAGED."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    try:
        with CalamineWorkbook.from_path(path) as book:
            for name in book.sheet_names:
                for _ in book.get_sheet_by_name(name).iter_rows():
                    pass
    except PasswordError:
        return LOCKED
    except (CalamineError, OSError, MemoryError):
        return DAMAGED
    return GOOD


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
