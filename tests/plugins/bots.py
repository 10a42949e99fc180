"""A rig for bots: a package that a simulated payer accepts, and a real child process spoken to over its pipe.

Not a pytest plugin by itself: the tests of the bots import what they need.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import queue
import subprocess
import sys
import threading
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from reportlab.pdfgen.canvas import Canvas

from bots import contract
from bots.portals.reading import BOGOTA
from bots.simulador.server import Handle

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("RADICA_CHROMIUM") or next(
    (p for p in ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium") if Path(p).exists()), None
)
NIT, CLAVE = "900000001", "clave-p2-demo"

_FEV = """<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:ID>{number}</cbc:ID><cbc:UUID>{cufe}</cbc:UUID><cbc:IssueDate>{issued}</cbc:IssueDate>
<cac:AccountingSupplierParty><cac:Party><cac:PartyTaxScheme><cbc:RegistrationName>IPS</cbc:RegistrationName>
<cbc:CompanyID>{nit}</cbc:CompanyID></cac:PartyTaxScheme></cac:Party></cac:AccountingSupplierParty>
<cac:LegalMonetaryTotal><cbc:PayableAmount currencyID="COP">{value}</cbc:PayableAmount></cac:LegalMonetaryTotal>
</Invoice>"""


def pdf(text: str) -> bytes:
    """A one-page PDF."""
    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.drawString(72, 720, text)
    canvas.save()
    return out.getvalue()


def factura(
    folder: Path, number: str, *, issued: str = "", value: str = "573480.00", furips: bool = False
) -> contract.Factura:
    """An invoice with FEV, RIPS, CUV and two supports, on disk under content names as the store keeps them."""
    issued = issued or datetime.now(BOGOTA).date().isoformat()
    cuv = hashlib.sha384(number.encode()).hexdigest()
    rips = {
        "numFactura": number,
        "numDocumentoIdObligado": NIT,
        "usuarios": [{"servicios": {"consultas": [{"vrServicio": float(value)}]}}],
    }
    fev = _FEV.format(number=number, cufe="c" * 96, nit=NIT, value=value, issued=issued)
    files = [
        _file(folder, "FEV", None, f"fv_{number}.xml", fev.encode()),
        _file(folder, "RIPS", None, f"rips_{number}.json", json.dumps(rips).encode()),
        _file(
            folder,
            "CUV",
            None,
            f"ResultadosMSPS_{number}.json",
            json.dumps({"NumFactura": number, "CodigoUnicoValidacion": cuv}).encode(),
        ),
        _file(folder, "SOPORTE", "HEV", f"HEV_{NIT}_{number}.pdf", pdf(f"Historia {number}")),
        _file(folder, "SOPORTE", "FVS", f"FVS_{NIT}_{number}.pdf", pdf(f"Factura {number}")),
    ]
    if furips:
        files.append(_file(folder, "SOPORTE", "FURIPS", f"FURIPS_{NIT}_{number}.pdf", pdf(f"FURIPS {number}")))
    return contract.Factura(number, value, "c" * 96, cuv, issued, tuple(files))


def answered_factura(folder: Path, number: str, *names: str) -> contract.Factura:
    """An invoice whose files are the annexes of an answer, one PDF per name."""
    files = [_file(folder, "RESPUESTA", None, name, pdf(name)) for name in names]
    return contract.Factura(number, "573480.00", None, None, None, tuple(files))


def _file(folder: Path, role: str, sigla: str | None, name: str, data: bytes) -> contract.FilingFile:
    sha = hashlib.sha256(data).hexdigest()
    path = folder / sha
    path.write_bytes(data)
    return contract.FilingFile(role, sigla, name, str(path), sha, len(data))


def start(
    portal: Handle | str,
    folder: Path,
    facturas: tuple[contract.Factura, ...],
    *,
    operation: contract.Operation = contract.Operation.RADICAR,
    archetype: str = "p2_cuentas_medicas",
    clave: str = CLAVE,
    **changes: Any,
) -> contract.Start:
    """A start message; `profile`, `fields`, `deadline_s`, `submit_limit_s`, `intent_not_before`, `answer`, `round` may be given."""
    url = portal if isinstance(portal, str) else portal.url
    profile = {"message_limit_s": 2, "step_limit_s": 8, **changes.pop("profile", {})}
    filing = contract.Filing(
        act="radicacion" if "answer" not in changes else "respuesta_glosa",
        round=changes.pop("round", 1),
        provider_nit=NIT,
        provider_name="IPS Clínica Demostración Uno S.A.S.",
        facturas=facturas,
        fields=changes.pop("fields", {"contrato": "EVENTO-2026", "usuario_registra": "facturación"}),
        intent_not_before=changes.pop("intent_not_before", None),
        answer=changes.pop("answer", None),
    )
    message = contract.Start(
        operation=operation,
        attempt=contract.Attempt(1, 1, uuid.uuid4().hex),
        portal=contract.Portal(archetype, url, profile, "2026-11", changes.pop("submit_limit_s", 60)),
        credentials=contract.Credentials(NIT, clave),
        filing=filing,
        folder=str(folder),
        browser=contract.Browser(CHROMIUM, sandbox=os.geteuid() != 0),
        deadline_s=changes.pop("deadline_s", 90),
    )
    return replace(message, **changes)


@dataclass
class Child:
    """A running `python -m bots.child` and everything it said."""

    folder: Path
    marker: str
    faults: dict[str, Any] | None = None
    said: list[contract.FromChild] = field(default_factory=list)
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        env = {**os.environ, "RADICA_INTENTO": self.marker, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
        if self.faults is not None:
            env["RADICA_FALLOS"] = json.dumps(
                {"seed": 1, "log": str(self.folder / "fallos.log"), "points": self.faults}
            )
        self.errors = (self.folder / "stderr.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bots.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=env,
            cwd=self.folder,
        )
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def say(self, message: contract.ToChild) -> None:
        """Write one line to the child."""
        assert self.process.stdin is not None
        self.process.stdin.write(contract.encode(message))
        self.process.stdin.flush()

    def hang_up(self) -> None:
        """Close the pipe towards the child."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def until(self, kind: type[contract.FromChild], limit_s: float = 90) -> contract.FromChild | None:
        """The next message of a kind, or None when the child ended first."""
        while (line := self._lines.get(timeout=limit_s)) is not None:
            message = contract.decode_from_child(line)
            self.said.append(message)
            if isinstance(message, kind):
                return message
        return None

    def end(self, limit_s: float = 30) -> int:
        """Wait for the end of the process; its exit code."""
        code = self.process.wait(timeout=limit_s)
        self.close()
        return code

    def close(self) -> None:
        """End the child if need be, and let go of pipes and log."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=10)
        self._reader.join(timeout=10)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()


def run(message: contract.Start, faults: dict[str, Any] | None = None) -> contract.Result:
    """One whole attempt with `go` given at once. The result the child spoke."""
    child = Child(Path(message.folder), message.attempt.marker, faults)
    try:
        child.say(message)
        if message.operation is not contract.Operation.LOOK_UP:
            ready = child.until(contract.ReadyToSubmit | contract.Result)  # type: ignore[arg-type]
            if isinstance(ready, contract.Result):
                child.end()
                return ready
            child.say(contract.Go("intento-1"))
        result = child.until(contract.Result)
        assert isinstance(result, contract.Result)
        child.end()
    finally:
        child.close()
    return result
