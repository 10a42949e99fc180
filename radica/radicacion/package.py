"""Which files of an invoice are handed in, under which names and in which order. Pure.

Invariant: the package is a function of the documents and the payer's profile; two files never have the same name,
and no file is left out silently. Norm: Res. 2284/2023 Anexo 1 (names `SIGLA_NIT_FACTURA.pdf`), Res. 948/2026 art. 3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

ORDER = ("FEV", "RIPS", "CUV", "SOPORTE")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
MAX_STEM = 120
"""Characters of a support's own name that are kept: a file system takes 255 bytes, and portals take fewer."""


@dataclass(frozen=True)
class Source:
    """A document of the invoice that may be handed in. `tipo` as in facturas.TipoDocumento."""

    tipo: str
    sigla: str
    nombre: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class PackageFile:
    """One file of the package: its role for the portal, its name there, and the address of its bytes."""

    role: str
    sigla: str
    name: str
    sha256: str
    bytes: int


def build_package(numero: str, nit: str, sources: Sequence[Source]) -> list[PackageFile]:
    """Return the files in filing order: FEV, RIPS, CUV, supports by sigla."""
    files: list[PackageFile] = []
    taken: set[str] = set()
    for source in sorted(sources, key=lambda one: (_rank(one.tipo), one.sigla, one.nombre, one.sha256)):
        role = _role(source.tipo)
        if role is None:
            continue
        name = _unique(_name(role, source, numero, nit), taken)
        files.append(PackageFile(role, source.sigla, name, source.sha256, source.bytes))
    return files


def zip_name(numero: str, nit: str) -> str:
    """Name of the package that a person downloads to file by hand."""
    return f"{safe(nit)}_{safe(numero)}.zip"


def safe(text: str) -> str:
    """Reduce a text to what every portal takes in a file name."""
    return _UNSAFE.sub("-", text).strip("-.") or "sin-nombre"


def _role(tipo: str) -> str | None:
    if tipo in ("FEV", "INVOICE"):
        return "FEV"
    return tipo if tipo in ORDER else None


def _rank(tipo: str) -> int:
    role = _role(tipo)
    return ORDER.index(role) if role else len(ORDER)


def _name(role: str, source: Source, numero: str, nit: str) -> str:
    stem = f"{safe(nit)}_{safe(numero)}"
    if role == "FEV":
        return f"FEV_{stem}.xml"
    if role == "RIPS":
        return f"RIPS_{stem}.json"
    if role == "CUV":
        return f"CUV_{stem}.json"
    # A support keeps its own name when it is one that portals take; only the extension is made lowercase (AXA).
    base, dot, extension = source.nombre.rpartition(".")
    kept = f"{safe((base if dot else source.nombre)[:MAX_STEM])}.{extension.lower() if dot else 'pdf'}"
    return kept if kept.lower().endswith(".pdf") else f"{safe(source.sigla or 'SOPORTE')}_{stem}.pdf"


def _unique(name: str, taken: set[str]) -> str:
    candidate, n = name, 1
    while candidate.lower() in taken:
        n += 1
        base, _, extension = name.rpartition(".")
        candidate = f"{base}_{n}.{extension}"
    taken.add(candidate.lower())
    return candidate
