"""The ZIPs that a person downloads to file by hand: which there are, how they are named and what is in each. Pure.

Invariant: every file of the plan is in exactly one ZIP, and no two ZIPs have the same name. A payer without rules of its
own gets one ZIP for the envío, a folder per invoice when there are several; Res. 2284/2023 annex 2 wants no folders, so
a payer with rules gets a ZIP, or several, per invoice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from radica.radicacion.package import PackageFile, Plan, safe, zip_name
from radica.radicacion.perfil_paquete import COMUN


@dataclass(frozen=True)
class Contenido:
    """One file in a ZIP: its path there, and the invoice that it is of."""

    ruta: str
    factura_id: int
    item: PackageFile


@dataclass(frozen=True)
class Caja:
    """One ZIP: its name and its files."""

    nombre: str
    archivos: tuple[Contenido, ...]

    @property
    def bytes(self) -> int:
        """What is in it, before it is packed."""
        return sum(one.item.bytes for one in self.archivos)


def cajas(planes: Sequence[tuple[int, str, Plan]], *, nit: str, envio_id: int) -> list[Caja]:
    """Return the ZIPs of an envío; `planes` as (invoice, its number, its plan). None is empty."""
    found: list[Caja] = []
    taken: set[str] = set()
    if all(plan.perfil == COMUN for _, _, plan in planes):
        return [one for one in (_one(planes, nit, envio_id),) if one.archivos]
    for factura_id, numero, plan in planes:
        for n, parte in enumerate(plan.partes, 1):
            own = zip_name(numero if len(plan.partes) == 1 else f"{numero}_{n}", nit)
            files = tuple(Contenido(item.name, factura_id, item) for item in parte.files)
            if files:
                found.append(Caja(_distinct(parte.zip or own, taken), files))
    return found


def _one(planes: Sequence[tuple[int, str, Plan]], nit: str, envio_id: int) -> Caja:
    alone = len(planes) == 1
    files = tuple(
        Contenido(item.name if alone else f"{safe(numero)}/{item.name}", factura_id, item)
        for factura_id, numero, plan in planes
        for item in plan.files
    )
    return Caja(whole_name([numero for _, numero, _ in planes], nit, envio_id), files)


def whole_name(numeros: Sequence[str], nit: str, envio_id: int) -> str:
    """Return the name of the ZIP that holds a whole envío."""
    return zip_name(numeros[0] if len(numeros) == 1 else f"envio-{envio_id}", nit)


def _distinct(name: str, taken: set[str]) -> str:
    """Return a name not taken yet: two invoices of one day may ask for the same one."""
    stem, _, extension = name.rpartition(".")
    candidate, n = name, 1
    while candidate.lower() in taken:
        n += 1
        candidate = f"{stem}_{n}.{extension}"
    taken.add(candidate.lower())
    return candidate
