"""Judges many files with several processes: describe all, group them by invoice, judge the groups.

Invariant: every file that was given has its result, in the order given; what a hostile file does to the process that
reads it costs the files of its group only. Results wait on disk when they are many. No database. Norm: Res. 948 de 2026.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from radica.app.validar.repartir import Perdida, repartir
from radica.facturas.sources import Source, sources
from radica.facturas.validacion.grupos import agrupar
from radica.facturas.validacion.leer import CON_XML, Archivo, Problema, Tipo, describir
from radica.facturas.validacion.lote import Huellas, entre_huellas
from radica.facturas.validacion.modelo import Hallado
from radica.facturas.validacion.resultado import (
    FALLOS,
    Encargo,
    agregar,
    juzgados,
    pacientes_de_lote,
    sin_revisar,
)
from radica.kernel.logs import describe

DE_HALLAZGO = ("codigo", "severidad", "ruta", "mensaje", "arreglo")
LOTE = 32
"""Files that one process describes at a time."""
_IN_MEMORY = 32 * 1024 * 1024
_READ_S, _S_PER_MB, _S_PER_PDF = 60.0, 2.0, 50.0
_WHY = {
    Perdida.MURIO: " (el proceso que lo leía terminó)",
    Perdida.TARDO: " (tardó demasiado)",
}

_OF_CODE: dict[str, tuple[Tipo, ...]] = {"DUP-CUFE": (*CON_XML, Tipo.SOLICITUD), "DUP-CUV": (Tipo.CUV,)}
"""In which kind of file a finding between invoices is told; the others are of services."""

Avance = Callable[[str, int, int], None]
"""Called with what is done, files done and files known."""
Incidente = Callable[[str], str]
"""Keeps the places in the code of a defect (never its text) and returns the number to quote."""


@dataclass(frozen=True)
class Fila:
    """One result: its JSON text, its words for a person, and what the totals need."""

    texto: str
    palabras: str
    estado: str
    tipo: str
    severidades: Mapping[str, int]
    huellas: Huellas | None = field(repr=False, default=None)
    """Of the whole group, in the row of its first file."""


@dataclass
class Balance:
    """The results of a batch, in the order given; the texts wait in a file that goes to disk when it grows."""

    sink: IO[bytes]
    places: list[tuple[int, int, int]] = field(default_factory=list)
    """Offset, bytes of the JSON text and bytes of the words, by position."""
    estados: Counter[str] = field(default_factory=Counter)
    severidades: Counter[str] = field(default_factory=Counter)
    desconocidos: int = 0

    def keep(self, at: int, row: Fila) -> None:
        """Keep the result of the file at a position."""
        text, words = row.texto.encode("utf-8"), row.palabras.encode("utf-8")
        self.sink.seek(0, 2)
        self.places[at] = (self.sink.tell(), len(text), len(words))
        self.sink.write(text + words)
        self.estados[row.estado] += 1
        self.severidades.update(row.severidades)
        self.desconocidos += row.tipo == Tipo.DESCONOCIDO

    def replace(self, at: int, change: Callable[[dict[str, Any]], Fila]) -> None:
        """Keep another result in the place of the one at a position."""
        offset, length, _ = self.places[at]
        self.sink.seek(offset)
        old = json.loads(self.sink.read(length))
        self.estados[old["estado"]] -= 1
        self.severidades.subtract(one["severidad"] for one in old["hallazgos"])
        self.desconocidos -= old["tipo"] == Tipo.DESCONOCIDO
        self.keep(at, change(old))

    def texts(self, *, words: bool) -> Iterator[str]:
        """Yield the JSON texts, or the words, in the order given."""
        for offset, length, told in self.places:
            self.sink.seek(offset + (length if words else 0))
            yield self.sink.read(told if words else length).decode("utf-8")


def validar(
    rutas: Sequence[str],
    encargo: Encargo,
    *,
    carpeta: Path,
    procesos: int,
    palabras: Callable[[dict[str, Any]], str],
    avance: Avance,
    incidente: Incidente,
) -> Balance:
    """Judge files, folders and ZIPs. `carpeta` takes what comes out of the ZIPs; `palabras` tells one result."""
    given = sources([_meant(one) for one in rutas], list(rutas), carpeta, None)
    files = _describe(given, procesos=procesos, avance=avance)
    groups = [tuple((at, files[at]) for at in group) for group in agrupar(files)]
    if len(groups) > 1 and any(one.tipo is Tipo.SOPORTE for one in files):
        encargo = replace(encargo, pacientes=_patients(files, procesos=procesos))
    with ExitStack() as undone:
        sink = undone.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY))
        balance = Balance(sink, [(0, 0, 0)] * len(files))
        errand = encargo if len(groups) > 1 else replace(encargo, clave=None)
        work = partial(_judged, encargo=errand, palabras=palabras)
        seen: list[tuple[tuple[tuple[int, Archivo], ...], Huellas]] = []
        done = 0
        again: list[tuple[tuple[int, Archivo], ...]] = []
        for turn in (groups, again):
            for group, rows in repartir(work, list(turn), processes=procesos, allowed_s=_allowed):
                if isinstance(rows, list):
                    kept = rows
                elif len(group) > 1:  # one of them did it: the others are judged each by itself
                    again.extend((one,) for one in group)
                    continue
                else:
                    detail = _WHY[rows] if isinstance(rows, Perdida) else f" (incidente {incidente(rows)})"
                    kept = [_row(one, palabras) for one in sin_revisar([file for _, file in group], detail, encargo)]
                for (at, _), row in zip(group, kept, strict=True):
                    balance.keep(at, row)
                    if row.huellas is not None:
                        seen.append((group, row.huellas))
                done += len(group)
                avance("Validando", done, len(files))
        seen.sort(key=lambda pair: pair[0][0][0])
        between: defaultdict[int, list[Hallado]] = defaultdict(list)
        for at, one in entre_huellas(prints for _, prints in seen):
            between[habla_de(seen[at][0], one)].append(one)
        for place, some in between.items():
            balance.replace(place, lambda old, some=some: _row(agregar(old, some, errand), palabras))  # type: ignore[misc]
        undone.pop_all()  # the caller's from here on
    return balance


def habla_de(group: Sequence[tuple[int, Archivo]], one: Hallado) -> int:
    """Return the position of the file of a group in which a finding between invoices lands."""
    kinds = _OF_CODE.get(one.codigo, (Tipo.RIPS, Tipo.SOLICITUD))
    return next((at for at, file in group if file.tipo in kinds), group[0][0])


def _meant(ruta: str) -> Path:
    """Return the path that a person means: a link that is named is its target; those inside a folder stay links."""
    return Path(os.path.realpath(ruta))


def _describe(given: Iterator[Source], *, procesos: int, avance: Avance) -> list[Archivo]:
    """Describe all files, in the order given."""
    found: dict[int, Archivo] = {}
    numbered = enumerate(given)
    again: list[list[tuple[int, Source]]] = []
    for turn in (iter(lambda: list(islice(numbered, LOTE)), []), again):
        for lot, read in repartir(_described, turn, processes=procesos, allowed_s=_allowed_lot):
            if isinstance(read, list):
                found.update((at, one) for (at, _), one in zip(lot, read, strict=True))
            elif len(lot) > 1:
                again.extend([one] for one in lot)
            else:
                at, source = lot[0]
                why = Problema(f"El archivo no se pudo leer{_WHY[read]}.", "Ábralo aparte; puede estar dañado.")
                found[at] = Archivo(source.route, None, Tipo.DESCONOCIDO, problema=why)
            avance("Leyendo", len(found), len(found))
    return [found[at] for at in sorted(found)]


def _patients(files: Sequence[Archivo], *, procesos: int) -> frozenset[str]:
    """Return the documents of the patients of the batch; what cannot be read says so when it is judged."""
    records = [one for one in files if one.tipo in (Tipo.RIPS, Tipo.SOLICITUD)]
    lots = [records[start : start + LOTE] for start in range(0, len(records), LOTE)]
    found: set[str] = set()
    for _, read in repartir(pacientes_de_lote, lots, processes=procesos, allowed_s=_allowed_files):
        if not isinstance(read, Perdida):
            found |= read
    return frozenset(found)


def _described(lot: list[tuple[int, Source]]) -> list[Archivo]:
    return [describir(source) for _, source in lot]


def _judged(
    group: tuple[tuple[int, Archivo], ...], *, encargo: Encargo, palabras: Callable[[dict[str, Any]], str]
) -> list[Fila] | str:
    """Judge one group in a process of the batch; a defect comes back as its places in the code."""
    try:
        results, prints = juzgados([file for _, file in group], encargo)
        rows = [_row(one, palabras) for one in results]
        return [replace(rows[0], huellas=prints), *rows[1:]]
    except FALLOS as defect:
        return describe(defect)


def _row(result: dict[str, Any], palabras: Callable[[dict[str, Any]], str]) -> Fila:
    return Fila(
        texto=json.dumps(_public(result), ensure_ascii=False, separators=(",", ":")),
        palabras=palabras(result),
        estado=result["estado"],
        tipo=result["tipo"],
        severidades=Counter(one["severidad"] for one in result["hallazgos"]),
    )


def _public(result: dict[str, Any]) -> dict[str, Any]:
    """Return the result in the shape that is promised: the screen is told more of each finding."""
    findings = [{name: one[name] for name in DE_HALLAZGO} for one in result["hallazgos"]]
    return {**result, "hallazgos": findings}


def _allowed(group: tuple[tuple[int, Archivo], ...]) -> float:
    """Return the seconds that a group may take: far more than it needs, by its bytes and its PDFs."""
    return _allowed_files([file for _, file in group])


def _allowed_files(files: Sequence[Archivo]) -> float:
    pdfs = sum(one.tipo is Tipo.SOPORTE for one in files)
    return _READ_S + _S_PER_MB * sum(one.bytes_ for one in files) / 1024**2 + _S_PER_PDF * pdfs


def _allowed_lot(lot: list[tuple[int, Source]]) -> float:
    size = 0
    for _, source in lot:
        try:
            size += source.path.stat().st_size if source.path is not None else 0
        except OSError:
            continue
    return _READ_S + _S_PER_MB * size / 1024**2
