"""A filing by the bot with all its evidence, beside the same filing with nothing but Playwright.

Both file a package of the same make (FEV, RIPS, CUV, three PDFs of 100 KB) on the same simulated EPS portal, which
answers every page after 300 ms; both in a fresh process with a fresh browser, in turn, so that whatever else the
machine does weighs on both. Seconds run from the start of the process to its end.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bots import contract
from radica.app.cli.children import start, stop_all
from radica.app.demo.casa import CLAVE_PORTALES
from radica.app.demo.catalog import P2, PROVIDERS
from radica.app.demo.check import read_ledger
from radica.app.demo.data import BuiltPackage, generate
from radica.app.demo.servicios import CONSULTA
from radica.app.demo.show import portal_address
from radica.app.filing.child_process import Child
from radica.kernel.clock import civil_date, system_clock
from radica.kernel.config import find_chromium

PAIRS = 5
LATENCY_MS = 300
GOAL_RATIO = 1.6
CONTRACT = "EVENTO-2026"
LIMIT_S = 120
EVIDENCE = {
    *("manifest", "form_values", "screenshot_before", "screenshot_after", "acuse_shot", "acuse_dom"),
    *("submit_response", "tls", "acuse_document", "radicado", "context"),
}


def run() -> dict[str, Any]:
    """Measure PAIRS pairs after one that only warms the disk cache; `cumple` says whether the ratio is small enough."""
    with tempfile.TemporaryDirectory(prefix="radica-bench-") as name:
        folder = Path(name)
        packages = iter(_packages(folder, 2 * (PAIRS + 1)))
        with _portal(folder) as url:
            pairs = [_pair(url, folder, packages, bot_first=number % 2 == 0) for number in range(PAIRS + 1)][1:]
            filed = [row for row in read_ledger(url) if row["accepted"]]
    if len(filed) != 2 * (PAIRS + 1):
        raise SystemExit(f"the portal holds {len(filed)} filings, not {2 * (PAIRS + 1)}")
    bot, bare = median(p["bot"] for p in pairs), median(p["suelo"] for p in pairs)
    return {
        "segundos": round(bot, 2),
        "suelo_segundos": round(bare, 2),
        "razon": round(bot / bare, 2),
        "meta_razon": GOAL_RATIO,
        "rondas": [{name: round(value, 2) for name, value in pair.items()} for pair in pairs],
        # Where the bot's time goes; and the bare flow without the start of its process, against which nobody can say
        # that the floor was made high.
        "suelo_solo_navegador": round(median(p["suelo_navegador"] for p in pairs), 2),
        "razon_contra_solo_navegador": round(bot / median(p["suelo_navegador"] for p in pairs), 2),
        "hasta_listo": round(median(p["hasta_listo"] for p in pairs), 2),
        "hasta_resultado": round(median(p["hasta_resultado"] for p in pairs), 2),
        "evidencias": len(EVIDENCE),
        "cumple": bot <= GOAL_RATIO * bare,
    }


def _pair(url: str, folder: Path, packages: Iterator[contract.Filing], *, bot_first: bool) -> dict[str, float]:
    for_bot, for_bare = next(packages), next(packages)
    if bot_first:
        return {**_by_bot(url, folder, for_bot), **_bare(url, for_bare)}
    floor = _bare(url, for_bare)
    return {**_by_bot(url, folder, for_bot), **floor}


@contextmanager
def _portal(folder: Path) -> Iterator[str]:
    """The portal in a process of its own: it must not share an interpreter with whom it answers."""
    users = [{"usuario": p.nit, "clave": CLAVE_PORTALES, "nit": p.nit, "nombre": p.name} for p in PROVIDERS]
    config = json.dumps({"latency_ms": LATENCY_MS, "users": users})
    words = ["bots.simulador", "p2", "--ledger", str(folder / "libro.sqlite"), "--config", config]
    child = start("portal", words, environ=os.environ, log=folder / "portal.log", read_output=True)
    try:
        yield portal_address(child)
    finally:
        stop_all([child], patience_s=5)


def _packages(folder: Path, count: int) -> list[contract.Filing]:
    store = folder / "almacen"
    store.mkdir()
    made = generate(
        seed=7,
        packages=count,
        hoy=civil_date(system_clock()),
        defects=False,
        pdf_kb=100,
        archetypes={P2},
        scenario=CONSULTA,
    )
    return [_filing(store, built) for built in made]


def _filing(store: Path, built: BuiltPackage) -> contract.Filing:
    package = built.package
    files = tuple(_stored(store, path.name, data) for path, data in built.contents.items())
    factura = contract.Factura(
        numero=package.number,
        valor=str(package.value),
        cufe=package.cufe,
        cuv=package.cuv,
        fecha_expedicion=package.issued.isoformat(),
        files=files,
    )
    return contract.Filing("radicacion", 1, package.provider_nit, "IPS", (factura,), {"contrato": CONTRACT})


def _stored(store: Path, name: str, data: bytes) -> contract.FilingFile:
    digest = hashlib.sha256(data).hexdigest()
    path = store / digest / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    if name.endswith(".pdf"):
        return contract.FilingFile("SOPORTE", name[:3], name, str(path), digest, len(data))
    role = "FEV" if name.endswith(".xml") else "CUV" if name.startswith("ResultadosMSPS") else "RIPS"
    return contract.FilingFile(role, None, name, str(path), digest, len(data))


def _sandbox() -> bool:
    return os.geteuid() != 0  # Chromium refuses its own sandbox as root


def _by_bot(url: str, folder: Path, filing: contract.Filing) -> dict[str, float]:
    marker = uuid.uuid4().hex
    where = folder / marker
    where.mkdir()
    message = contract.Start(
        operation=contract.Operation.RADICAR,
        attempt=contract.Attempt(1, 1, marker),
        portal=contract.Portal(P2, url, {}, "2026-11", LIMIT_S),
        credentials=contract.Credentials(filing.provider_nit, CLAVE_PORTALES),
        filing=filing,
        folder=str(where),
        browser=contract.Browser(find_chromium(os.environ), _sandbox()),
        deadline_s=LIMIT_S,
    )
    begun = time.monotonic()
    child = Child(marker, where, os.environ)
    child.send(message)
    ready = answered = 0.0
    result: contract.Result | None = None
    while result is None:
        said = child.receive(LIMIT_S)
        if isinstance(said, contract.ReadyToSubmit):
            ready = time.monotonic()
            child.send(contract.Go("medida"))
        elif isinstance(said, contract.Result):
            result, answered = said, time.monotonic()
        elif said is None:
            raise SystemExit("the bot ended without a result")
    child.end(patience_s=30)
    ended = time.monotonic()
    missing = EVIDENCE - {item.kind for item in result.evidence}
    if result.outcome is not contract.Outcome.ACCEPTED or not result.radicado or missing or not ready:
        raise SystemExit(f"the bot did not file with all its evidence: {result.outcome} {result.code} {missing}")
    return {"bot": ended - begun, "hasta_listo": ready - begun, "hasta_resultado": answered - begun}


def _bare(url: str, filing: contract.Filing) -> dict[str, float]:
    (factura,) = filing.facturas
    paths = {role: [f.path for f in factura.files if f.role == role] for role in ("FEV", "RIPS", "CUV", "SOPORTE")}
    what = {
        "url": url,
        "chromium": find_chromium(os.environ),
        "sandbox": _sandbox(),
        "usuario": filing.provider_nit,
        "clave": CLAVE_PORTALES,
        "periodo": (factura.fecha_expedicion or "")[:7],
        "contrato": CONTRACT,
        "cuv": factura.cuv,
        "fev": paths["FEV"],
        "rips": paths["RIPS"],
        "cuv_archivo": paths["CUV"],
        "soportes": paths["SOPORTE"],
    }
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "bench.bare"],
        input=json.dumps(what),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=LIMIT_S,
    )
    ended = time.monotonic()
    told = json.loads(done.stdout)
    if "RAD-" not in told["texto"] or told["bytes"] < 500:
        raise SystemExit(f"the bare flow did not file: {told}")
    return {"suelo": ended - begun, "suelo_navegador": told["segundos"]}
