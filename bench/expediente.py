"""The dossier of 40 invoices and 1,000 pages as one PDF, against the bare merge and save of the same files; then 10,000.

The floor is pikepdf alone in the same process, on plain files: open each PDF, add its pages, save. Ours reads them from
the encrypted custody, counts, draws cover, index, dividers, the sheets of 160 data files and the certificate, and writes
a folio on every sheet and a bookmark a document. Memory is that of a child process which makes the same dossier.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pikepdf
from reportlab.pdfgen.canvas import Canvas

from radica.custodia.backends import open_store
from radica.custodia.store import Store
from radica.kernel.config import load_settings
from radica.prejuridico.contenido import Capitulo, Contenido, DocumentoExpediente, FacturaExpediente, Parte
from radica.prejuridico.papel.armar import whole_pdf

INVOICES, PAGES = 40, 1_000
TIMES = 10
ROUNDS = 3
GOAL_S, GOAL_RATIO, GOAL_MB = 8, 3, 400
DAY = date(2026, 3, 9)
# Of each invoice: (chapter, title, extension, share of its pages).
KINDS = (
    ("Facturas", "Factura electrónica", ".xml", 0),
    ("Facturas", "Representación gráfica", ".pdf", 3),
    ("Facturas", "Respuesta de la DIAN", ".xml", 0),
    ("RIPS", "RIPS", ".json", 0),
    ("RIPS", "Resultado con CUV", ".json", 0),
    ("Soportes", "Historia clínica", ".pdf", 14),
    ("Soportes", "Autorización", ".pdf", 2),
    ("Radicación", "Acuse del pagador", ".pdf", 2),
    ("Glosas", "Respuesta a la glosa", ".pdf", 4),
)


def run() -> dict[str, Any]:
    """Measure; `cumple` says whether time, ratio, memory and the growth to ten times the pages are as promised."""
    with tempfile.TemporaryDirectory(prefix="radica-bench-") as name:
        folder = Path(name)
        small, large = _make(folder / "uno", INVOICES), _make(folder / "diez", INVOICES * TIMES)
        ours = min(_timed(small) for _ in range(ROUNDS))
        bare = min(_bare(small) for _ in range(ROUNDS))
        ten, ten_bare = min(_timed(large) for _ in range(2)), _bare(large)
        memory, memory_ten = _memory(folder / "uno", INVOICES), _memory(folder / "diez", INVOICES * TIMES)
        sheets = _sheets(small)
        size = (folder / "uno" / "entero.pdf").stat().st_size
    ratio, growth = ours / bare, ten / (ours * TIMES)
    return {
        "facturas": INVOICES,
        "paginas_de_documentos": PAGES,
        "folios": sheets,
        "segundos": round(ours, 2),
        "suelo_s": round(bare, 2),
        "razon": round(ratio, 2),
        "memoria_mb": memory,
        "bytes": size,
        "diez_veces_s": round(ten, 2),
        "diez_veces_suelo_s": round(ten_bare, 2),
        "diez_veces_memoria_mb": memory_ten,
        "crecimiento": round(growth, 2),  # 1: ten times the pages took ten times as long
        "carga_de_la_maquina": round(os.getloadavg()[0], 1),
        "cumple": ours < GOAL_S and ratio <= GOAL_RATIO and memory < GOAL_MB and growth < 1.5,
    }


def _timed(case: tuple[Contenido, Store, Path]) -> float:
    content, store, folder = case
    start = time.perf_counter()
    whole_pdf(content, store, folder / "entero.pdf", temporary=folder)
    return time.perf_counter() - start


def _bare(case: tuple[Contenido, Store, Path]) -> float:
    content, _, folder = case
    paths = [folder / "plano" / one.huella for _, one in content.documentos() if one.extension == ".pdf"]
    start = time.perf_counter()
    with pikepdf.new() as whole:
        opened = []
        for path in paths:
            opened.append(pikepdf.open(path))
            whole.pages.extend(opened[-1].pages)
        whole.save(folder / "desnudo.pdf")
        for one in opened:
            one.close()
    return time.perf_counter() - start


def _sheets(case: tuple[Contenido, Store, Path]) -> int:
    with pikepdf.open(case[2] / "entero.pdf") as whole:
        return len(whole.pages)


def _memory(folder: Path, invoices: int) -> int:
    """Return the highest resident memory in MB of a process that makes the dossier of a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.expediente", str(folder), str(invoices)],
        capture_output=True,
        check=False,
        timeout=900,
    )
    if done.returncode:
        raise SystemExit("no se pudo medir la memoria")
    return int(json.loads(done.stdout)["mb"])


def _make(folder: Path, invoices: int) -> tuple[Contenido, Store, Path]:
    """Return a dossier of `invoices` invoices of 25 pages each, its store and its folder."""
    settings = load_settings({}, datos=str(folder / "datos"))
    settings.ensure_folders()
    (folder / "plano").mkdir(exist_ok=True)
    store = open_store(settings)
    chapters: dict[str, list[DocumentoExpediente]] = {}
    for number in range(1, invoices + 1):
        for chapter, title, extension, pages in KINDS:
            data = _pdf(number, title, pages) if pages else f"<{extension}>{number} {title}</>".encode() * 200
            sha256 = hashlib.sha256(data).hexdigest()
            if not store.exists(sha256):
                store.put(io.BytesIO(data))
                (folder / "plano" / sha256).write_bytes(data)
            chapters.setdefault(chapter, []).append(
                DocumentoExpediente(
                    title, "".join(title.title().split()), extension, title, DAY, DAY, f"application/{extension[1:]}",
                    sha256=sha256, bytes=len(data), factura=f"FE{number}",
                )
            )  # fmt: skip
    content = Contenido(
        1, 1, "ejecutivo", DAY, Parte("IPS", "900000001"), Parte("EPS", "800000001"),
        tuple(_invoice(number) for number in range(1, invoices + 1)),
        tuple(Capitulo(place, key.lower(), key, tuple(chapters[key])) for place, key in enumerate(chapters, 1)),
        (), (), (), (),
    )  # fmt: skip
    return content, store, folder


def _invoice(number: int) -> FacturaExpediente:
    filed = datetime(2026, 1, 20, 15, tzinfo=UTC)
    return FacturaExpediente(
        number, f"FE{number}", None, None, DAY, 10**8, f"R{number}", filed, 3, 0, 10**7, 0, 10**7, 10**8, 10**6
    )


def _pdf(number: int, title: str, pages: int) -> bytes:
    """Return a document with text and a picture a page, as supports have them."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(612, 792), invariant=1, pageCompression=1)
    for page in range(pages):
        canvas.setFont("Helvetica", 9)
        for line in range(45):
            canvas.drawString(
                50, 740 - 15 * line, f"{title} {number}, hoja {page}, renglón {line}: {number * line * 7919}"
            )
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def main(folder: Path, invoices: int) -> None:
    """Make the dossier of a folder that is there, and print the memory that it took."""
    _timed(_make(folder, invoices))
    sys.stdout.write(json.dumps({"mb": _peak()}))


def _peak() -> int:
    """Return the highest resident memory of this process in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts the parent's, too, until the program is replaced
        line = next(one for one in status.read_text().splitlines() if one.startswith("VmHWM:"))
        return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1 << 20 if sys.platform == "darwin" else 1 << 10)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
