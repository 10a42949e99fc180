"""What a payer takes as a package: names, order, sizes, how many files, as data. Pure.

Invariant: a payer without a row gets `COMUN`, which is what the house has always handed in; a row says from where it is
known (V read in a public source, V-sec read in a secondary one, M from memory). Facts of `data/perfiles_paquete.csv`
are rules of portals, which change: an account may name another profile (`paquete` in its own).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

COMUN = "comun"
MARKS = frozenset({"V", "V-sec", "M"})
MB = 1024 * 1024


@dataclass(frozen=True)
class Perfil:
    """The rules of one payer. Sizes in bytes; None: no limit is known.

    Names are templates over {sigla} {nit} {numero} {sin_ceros} {usuario} {valor}; an empty one for supports keeps
    their own name. `zip` adds {fecha} {parte}; empty: the files go one by one.
    """

    codigo: str
    nombre: str
    nits: tuple[str, ...] = ()
    arquetipos: tuple[str, ...] = ()
    orden: tuple[str, ...] = ("FEV", "RIPS", "CUV", "SOPORTE")
    nombre_fev: str = "FEV_{nit}_{numero}.xml"
    nombre_rips: str = "RIPS_{nit}_{numero}.json"
    nombre_cuv: str = "CUV_{nit}_{numero}.json"
    nombre_soporte: str = ""
    zip: str = "{nit}_{numero}.zip"
    bytes_zip: int | None = None
    archivos: int | None = None
    """Files of one delivery (one ZIP, or one load of the portal)."""
    bytes_archivo: int | None = None
    sin_script: bool = False
    """The portal refuses PDFs with JavaScript or an action that runs when they are opened."""
    pdf_unico: bool = False
    exige: tuple[str, ...] = ()
    """Siglas that this payer always asks for."""
    marca: str = "V"
    nota: str = ""

    @property
    def bytes_pdf(self) -> int | None:
        """The largest file that goes through both limits, its own and the ZIP's (with room for the ZIP's own lines)."""
        in_zip = None if self.bytes_zip is None or not self.zip else self.bytes_zip - 4096 - self.bytes_zip // 1000
        known = [one for one in (self.bytes_archivo, in_zip) if one is not None]
        return min(known) if known else None


@cache
def perfiles() -> dict[str, Perfil]:
    """Return all profiles by code. Raises ValueError naming the row that is wrong."""
    found: dict[str, Perfil] = {}
    with files("radica.radicacion").joinpath("data", "perfiles_paquete.csv").open(encoding="utf-8") as lines:
        for number, row in enumerate(csv.DictReader(lines), start=2):
            try:
                one = _perfil(row)
            except (KeyError, ValueError) as wrong:
                raise ValueError(f"perfiles_paquete.csv line {number}: {wrong}") from wrong
            if one.codigo in found or one.marca not in MARKS:
                raise ValueError(f"perfiles_paquete.csv line {number}: {one.codigo}")
            found[one.codigo] = one
    return found


def perfil_para(*, elegido: str | None = None, nit: str | None = None, arquetipo: str | None = None) -> Perfil:
    """Return the profile of a payer: the one that its account names, else by NIT, else by portal, else the common one."""
    known = perfiles()
    if elegido is not None and elegido in known:
        return known[elegido]
    for one in known.values():
        if nit and nit in one.nits:
            return one
    for one in known.values():
        if arquetipo and arquetipo in one.arquetipos:
            return one
    return known[COMUN]


def _perfil(row: dict[str, str]) -> Perfil:
    plain = Perfil(row["codigo"], row["nombre"])
    return Perfil(
        codigo=row["codigo"],
        nombre=row["nombre"],
        nits=tuple(row["nits"].split()),
        arquetipos=tuple(row["arquetipos"].split()),
        orden=tuple(row["orden"].split()) or plain.orden,
        nombre_fev=row["nombre_fev"] or plain.nombre_fev,
        nombre_rips=row["nombre_rips"] or plain.nombre_rips,
        nombre_cuv=row["nombre_cuv"] or plain.nombre_cuv,
        nombre_soporte=row["nombre_soporte"],
        zip="" if row["zip"] == "no" else row["zip"] or plain.zip,
        bytes_zip=int(row["mb_por_zip"]) * MB if row["mb_por_zip"] else None,
        archivos=int(row["archivos"]) if row["archivos"] else None,
        bytes_archivo=int(row["mb_por_archivo"]) * MB if row["mb_por_archivo"] else None,
        sin_script=row["sin_script"] == "si",
        pdf_unico=row["pdf_unico"] == "si",
        exige=tuple(row["exige"].split()),
        marca=row["marca"],
        nota=row["nota"],
    )
