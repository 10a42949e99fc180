"""What the simulated MUV was sent, line by line, and which packages have their CUV: the oracle of the tests.

Invariant: a reception is written and synced before the answer leaves, so that what a test kills cannot hide it; an
approved document is approved once. No patient stands in it: only provider, number, hash and verdict.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from bots.simulador.muv_juicio import Verdict

COLOMBIA = timedelta(hours=5)
"""The query tells the hour of Colombia without a zone; the answer of a package tells UTC."""


@dataclass(frozen=True)
class Received:
    """One package that came in. `resultado`: aprobado, rechazado, ya_aprobado."""

    n: int
    metodo: str
    numero: str
    nit: str
    huella: str
    resultado: str
    cuv: str | None
    gzip: bool
    bytes: int


class Book:
    """The ledger of one simulated MUV, in a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, Lock()
        self._received: list[Received] = []
        self._approved: dict[str, dict[str, Any]] = {}
        if path.exists():
            for text in path.read_text("utf-8").splitlines():
                row = json.loads(text)
                approval = row.pop("aprobacion", None)
                self._received.append(Received(**row))
                if approval:
                    self._approved[approval["clave"]] = approval

    def write(self, call: str, verdict: Verdict, *, at: datetime, gzip: bool, size: int) -> tuple[str, dict[str, Any]]:
        """Write a reception and return its result with the approval (empty when refused)."""
        with self._lock:
            approval = self._approved.get(verdict.key) if verdict.accepted else None
            result = "ya_aprobado" if approval else "aprobado" if verdict.accepted else "rechazado"
            if result == "aprobado":
                approval = self._approve(verdict, at)
            row = Received(
                len(self._received) + 1, call, verdict.number, verdict.nit, verdict.huella, result,
                approval["cuv"] if approval else None, gzip, size,
            )  # fmt: skip
            self._received.append(row)
            kept = asdict(row) | ({"aprobacion": approval} if result == "aprobado" else {})
            with self._path.open("a", encoding="utf-8") as out:
                out.write(json.dumps(kept, ensure_ascii=False) + "\n")
                out.flush()
                os.fsync(out.fileno())
            return result, dict(approval or {})

    def by_cuv(self, cuv: str) -> dict[str, Any] | None:
        """Return the approval that gave a CUV."""
        with self._lock:
            return next((dict(one) for one in self._approved.values() if one["cuv"] == cuv.lower()), None)

    @property
    def received(self) -> list[Received]:
        """Everything that came in, in order."""
        with self._lock:
            return list(self._received)

    @property
    def approved(self) -> list[dict[str, Any]]:
        """The packages that have a CUV, in the order in which they got it."""
        with self._lock:
            return [dict(one) for one in self._approved.values()]

    def _approve(self, verdict: Verdict, at: datetime) -> dict[str, Any]:
        approval = {
            "clave": verdict.key,
            "cuv": verdict.cuv,
            "proceso": len(self._approved) + 1,
            "modulo": verdict.module,
            "numero": verdict.number,
            "nit": verdict.nit,
            "fecha": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}7",
            "fecha_colombia": f"{at - COLOMBIA:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}7",
            "emision": f"{verdict.issued}T00:00:00" if verdict.issued else "",
            "total": str(verdict.total),
            "servicios": str(verdict.services),
            "usuarios": verdict.users,
            "atenciones": verdict.count,
            "adquiriente": verdict.buyer,
            "periodo": list(verdict.period),
            "lineas": [line.as_json() for line in verdict.lines],
        }
        self._approved[verdict.key] = approval
        return approval
