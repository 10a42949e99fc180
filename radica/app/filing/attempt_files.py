"""The folder of one attempt: the files to hand in, what we say about them, and the evidence that comes out.

Invariant: files are copied out of custody (a bot never touches the store), the package manifest and its lineage are
written before the bot starts, and everything a bot announced or left behind is sealed by the worker, not by the bot
(reference evidencia.md E.3, artefacts 1, 2 and 13).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bots import contract
from radica import __version__
from radica.app.house import House
from radica.custodia.services import Candidate, Kept, keep_files
from radica.custodia.store import Store
from radica.radicacion.package import PackageFile

LINEAGE, OPERATION = "linaje.json", "operacion.json"
FILES_FOLDER = "archivos"
ANNEX = "anexo-"
"""How the names of annexes begin: made for one answer, they are in no custody before they are sealed with the evidence."""
PRIVATE = frozenset({"bot.log", contract.RESULT_FILE + ".tmp"})
"""Left in the folder on purpose: a technical log is no evidence of a filing."""


def copy_out(store: Store, files: Sequence[PackageFile], folder: Path) -> dict[str, Path]:
    """Copy the package's files into `folder/archivos`; returns path by name. Raises NotFound on a missing blob."""
    target = folder / FILES_FOLDER
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = {}
    for item in files:
        path = target / item.name
        with store.open(item.sha256) as source, path.open("wb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
        paths[item.name] = path
    return paths


def write_manifest(
    folder: Path,
    packages: dict[str, list[PackageFile]],
    pages: dict[str, int | None],
    lineage: Mapping[str, Sequence[Mapping[str, Any]]],
) -> None:
    """Write what will be sent (artefact 1) and how each file came to be (artefact 2).

    `lineage` by SHA-256 of what is sent, for the files that had to be changed.
    """
    content = {
        "formato": "radica/manifiesto/1",
        "facturas": {
            numero: [
                {
                    "rol": item.role,
                    "sigla": item.sigla or None,
                    "nombre": item.name,
                    "sha256": item.sha256,
                    "bytes": item.bytes,
                    "paginas": pages.get(item.sha256),
                    # What a bot must change for its portal (joining PDFs, say) stands in its own manifest, beside this.
                    "linaje": [
                        *lineage.get(item.sha256, ()),
                        {"original_sha256": item.sha256, "operacion": "copia entregada al bot", "version": __version__},
                    ],
                }
                for item in files
            ]
            for numero, files in packages.items()
        },
    }
    _write_json(folder / LINEAGE, content)


def write_operation(folder: Path, house: House, facts: dict[str, Any]) -> None:
    """Write who ordered, which program on which machine, and when (artefact 13)."""
    content = {
        "formato": "radica/operacion/1",
        "programa": f"radica {__version__}",
        "equipo": house.host,
        "proceso": house.owner,
        "escrito_at": house.clock().isoformat(),
        "desfase_ntp_ms": None,
        "desfase_ntp_motivo": "Este equipo no consulta un servidor de hora; la hora del pagador está en su respuesta.",
        **facts,
    }
    _write_json(folder / OPERATION, content)


def gather(store: Store, folder: Path, announced: Iterable[tuple[str, str]]) -> tuple[list[Kept], list[str]]:
    """Bring the attempt's evidence into the store. `announced`: (name, kind) pairs that the bot spoke of.

    Returns what was kept and the names that were refused. Works the same for a bot that died half-way.
    """
    annexes = {path.name: "annex" for path in folder.glob(f"{ANNEX}*.pdf")}
    ours = {LINEAGE: "lineage", OPERATION: "operation", contract.RESULT_FILE: "result"}
    kinds = {**ours, **annexes, **dict(announced)}
    present = [path for path in sorted(folder.iterdir()) if path.name in kinds and path.name not in PRIVATE]
    candidates = [Candidate(path, path.name, kinds[path.name]) for path in present]
    kept, refused = keep_files(store, candidates, folder=folder)
    missing = [name for name in kinds if not (folder / name).exists() and name != contract.RESULT_FILE]
    return kept, refused + missing


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")
