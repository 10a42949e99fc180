"""The manuals of glosas as versioned data: Manual Único (Res. 2284 de 2023, annex 3) and the one before (Res. 3047 de 2008).

Invariant: a text is a code only if one of the manuals has it; what does not settle (a code of two readings, a date
that fits two manuals, an old code without an heir) is said with its reason and never guessed. Texts are our own words.
Marks: V read in the norm, V-sec in secondary sources (all of the old manual). No norm gives a homologation: the table
is our own reading and each row says why and how sure.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from radica.plazos.table import versions


class Manual(StrEnum):
    """Which manual a code is from."""

    UNICO = "2284"
    ANTERIOR = "3047"
    OTRO = "otro"  # a payer's own list (ADRES), or a code that no manual has


CONFIANZAS = ("alta", "media", "baja")
FAMILIAS: dict[str, str] = {
    "FA": "Facturación",
    "TA": "Tarifas",
    "SO": "Soportes",
    "AU": "Autorización",
    "CO": "Cobertura",
    "CL": "Calidad (pertinencia)",
    "SA": "Seguimiento del acuerdo",
    "DE": "Devoluciones",
    "RE": "Respuestas",
}
_OLD_FAMILIES = {"1": "FA", "2": "TA", "3": "SO", "4": "AU", "5": "CO", "6": "CL", "8": "DE", "9": "RE"}

# TA, TA08, ta-08-01, TA.0801, «TA 08 01»; nothing shorter is completed.
_NEW = re.compile(r"(FA|TA|SO|AU|CO|CL|SA|DE|RE)(?:[ ./_-]{0,3}([0-9]{2})(?:[ ./_-]{0,3}([0-9]{2}))?)?")
# Excel hands numbers on as 203.0; exchange files pad them as 0203.
_DIGITS = re.compile(r"0?([0-9]{1,3})(?:[.,]0{1,2})?")
_FAMILY_DIGITS = re.compile(r"([0-9]{1,4})(?:[.,]0{1,2})?")
_LEADING = re.compile(r"\s*\(?([A-Za-z]{2}[ ./_-]{0,3}[0-9]{2}(?:[ ./_-]{0,3}[0-9]{2})?|[0-9]{3})(?![0-9A-Za-z])")
_FORM = re.compile(r"[A-Za-z]{2}[ ./_-]{0,3}[0-9]{2}(?:[ ./_-]{0,3}[0-9]{2})?|[A-Za-z]{2}[0-9]{3}")
_LONGEST = 16


@dataclass(frozen=True, slots=True)
class Codigo:
    """One code of a manual.

    `tipo`: glosa, devolucion or respuesta; `nivel`: general, especifico or aplicacion. `familia` is the general
    concept in letters, also of old codes. `afecta`: total, parcial, «total o parcial», «sin valor», or empty when the
    manual does not say. `fuentes` counts concordant sources. `campos_rips` are the fields of the Ministry's matrix.
    """

    codigo: str
    manual: Manual
    tipo: str
    nivel: str
    familia: str
    texto: str
    afecta: str
    nota: str
    marca: str
    fuentes: int
    confianza: str
    campos_rips: tuple[str, ...]

    @property
    def sin_valor(self) -> bool:
        """Say whether it carries no money and is cured by an adjustment note of the RIPS (SO61)."""
        return self.afecta == "sin valor"

    @property
    def especifico(self) -> str:
        """The code of its specific concept (TA08 of TA0801); itself at that level or above."""
        return self.codigo[:4] if self.manual is Manual.UNICO else self.codigo


class Homologo(NamedTuple):
    """A code of the Manual Único that may stand for an old one: how sure we are, and why."""

    codigo: str
    confianza: str
    razon: str


class ManualAplicable(NamedTuple):
    """Which manual rules; None when the dates do not settle it. `motivo` is for a person, `marca` how sure."""

    manual: Manual | None
    motivo: str
    marca: str


def _rows(name: str) -> list[dict[str, str]]:
    text = files("radica.glosas").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _codigo(row: dict[str, str], manual: Manual) -> Codigo:
    if row["confianza"] not in CONFIANZAS or row["marca"] not in ("V", "V-sec", "M"):
        raise ValueError(f"manual {manual}: mark or confidence of {row['codigo']}")
    letters = row["codigo"][:2] if manual is Manual.UNICO else _OLD_FAMILIES[row["codigo"][0]]
    return Codigo(
        codigo=row["codigo"],
        manual=manual,
        tipo=row["tipo"],
        nivel=row["nivel"],
        familia=letters,
        texto=row["texto"] or "(las fuentes no traen su texto)",
        afecta=row["afecta"],
        nota=row["nota"],
        marca=row["marca"],
        fuentes=int(row["fuentes"]),
        confianza=row["confianza"],
        campos_rips=tuple(row["campos_rips"].split()),
    )


@cache
def catalogo() -> dict[str, Codigo]:
    """Return every code of both manuals by its canonical form: TA0801, or 208 for the old manual."""
    found: dict[str, Codigo] = {}
    for manual in (Manual.UNICO, Manual.ANTERIOR):
        for row in _rows(f"manual_{manual}.csv"):
            if row["codigo"] in found:
                raise ValueError(f"manual {manual}: {row['codigo']} given twice")
            found[row["codigo"]] = _codigo(row, manual)
    return found


def codigos(manual: Manual) -> tuple[Codigo, ...]:
    """Return the codes of one manual in its order."""
    return tuple(one for one in catalogo().values() if one.manual is manual)


def buscar(codigo: str) -> Codigo | None:
    """Return the code of this exact canonical form, or None."""
    return catalogo().get(codigo)


def es_codigo(text: str) -> bool:
    """Say whether a cell is, by itself, a code that somebody could object with. Cheap: asked of 100,000 cells.

    General concepts (TA, 2) are not: a column of them is another column, or quantities.
    """
    if len(text) > _LONGEST:
        return False
    found = normalizar(text)
    return found is not None and found.nivel != "general"


def parece_codigo(text: str) -> bool:
    """Say whether a cell has the form of a code with letters, of a manual or not (PE01, TA0899, SC0201)."""
    return len(text) <= _LONGEST and _FORM.fullmatch(text.strip()) is not None


def normalizar(text: str, *, familia: str | None = None) -> Codigo | None:
    """Return the code that a cell holds and nothing else, or None when no manual has it.

    TA0801, «ta-08-01», «TA08 01», TA08 and TA are of the Manual Único; 203, 0203, 203.0 of the old one. With
    `familia` (two letters, from another column) digits may be the rest of a new code: 0801, 801, 08. Where the same
    digits fit both manuals there is no answer: None.
    """
    if len(text) > _LONGEST:
        return None
    bare = text.strip().upper()
    if new := _NEW.fullmatch(bare):
        return catalogo().get("".join(part for part in new.groups() if part))
    if familia is not None:
        return _with_family(bare, familia.strip().upper())
    old = _DIGITS.fullmatch(bare)
    return catalogo().get(old.group(1)) if old else None


def _with_family(bare: str, familia: str) -> Codigo | None:
    match = _FAMILY_DIGITS.fullmatch(bare)
    if match is None or familia not in FAMILIAS:
        return None
    digits = match.group(1)
    # A number lost the zero in front of its specific concept: 801 is 0801, 8 is 08.
    rest = digits.zfill(2 if len(digits) <= 2 else 4)
    new = catalogo().get(familia + rest)
    old = catalogo().get(digits[1:] if len(digits) == 4 and digits[0] == "0" else digits) if len(digits) > 2 else None
    if old is not None and old.familia != familia:
        old = None
    if new is not None and old is not None:
        return None
    return new or old


def primer_codigo(text: str) -> Codigo | None:
    """Return the code with which a longer text begins («TA0801 - Apoyo diagnóstico…»), or None.

    Old codes count only with three digits: «2 consultas» begins with no code.
    """
    match = _LEADING.match(text[:40])
    return normalizar(match.group(1)) if match else None


def familia(codigo: str) -> str | None:
    """Return the two letters of a code's general concept, for codes of both manuals; None for an unknown code."""
    found = catalogo().get(codigo)
    return found.familia if found else None


def aplicaciones(codigo: str) -> tuple[Codigo, ...]:
    """Return what stands directly under a code of the Manual Único: specifics of TA, applications of TA08."""
    length = len(codigo) + 2
    return tuple(
        one for one in codigos(Manual.UNICO) if len(one.codigo) == length and one.codigo.startswith(codigo) and codigo
    )


def buscar_texto(words: str, *, limite: int = 20) -> tuple[Codigo, ...]:
    """Return the codes whose text holds all these words, accents and case aside, the Manual Único first."""
    wanted = sin_tildes(words).split()
    fits = [one for one in catalogo().values() if wanted and all(word in sin_tildes(one.texto) for word in wanted)]
    return tuple(fits[:limite])


def sin_tildes(text: str) -> str:
    """Return a text in small letters without accents, for comparing."""
    parts = unicodedata.normalize("NFD", text.casefold())
    return "".join(one for one in parts if unicodedata.category(one) != "Mn")


def antiguos(codigo_2284: str) -> tuple[Codigo, ...]:
    """Return the old codes that a code of the Manual Único may replace."""
    return tuple(
        one
        for one in codigos(Manual.ANTERIOR)
        if any(heir.codigo == codigo_2284 and heir.confianza != "baja" for heir in homologar(one.codigo))
    )


@cache
def _homologation() -> dict[str, tuple[Homologo, ...]]:
    found: dict[str, tuple[Homologo, ...]] = {}
    for row in _rows("homologacion.csv"):
        before = found.get(row["codigo_3047"], ())
        if row["codigo_2284"]:
            if row["codigo_2284"] not in catalogo() or row["confianza"] not in CONFIANZAS or not row["razon"]:
                raise ValueError(f"homologacion.csv: {row['codigo_3047']} → {row['codigo_2284']}")
            before = (*before, Homologo(row["codigo_2284"], row["confianza"], row["razon"]))
        found[row["codigo_3047"]] = before
    return found


@lru_cache(maxsize=256)
def homologar(codigo_3047: str) -> tuple[Homologo, ...]:
    """Return the codes of the Manual Único that may stand for an old code, surest first; empty when none does.

    Under each specific come its applications: as sure as the specific when there is only one; else the first
    («01», which payers use as the plain one) is «media» and the others «baja», and a person chooses.
    """
    rows = list(_homologation().get(codigo_3047, ()))
    listed = {one.codigo for one in rows}
    for one in tuple(rows):
        below = aplicaciones(one.codigo) if len(one.codigo) == 4 else ()
        for child in below:
            if child.codigo in listed:
                continue
            if len(below) == 1:
                rows.append(Homologo(child.codigo, one.confianza, "Es la única aplicación de ese específico."))
            elif child.codigo.endswith("01") and one.confianza == "alta":
                rows.append(Homologo(child.codigo, "media", "Aplicación 01: la que usan los pagadores si no precisan."))
            else:
                rows.append(Homologo(child.codigo, "baja", f"El específico tiene {len(below)} aplicaciones: elija."))
    return tuple(sorted(rows, key=lambda one: CONFIANZAS.index(one.confianza)))


def motivo_sin_homologo(codigo_3047: str) -> str:
    """Return why an old code has no heir; empty when it has one or is unknown."""
    for row in _rows("homologacion.csv"):
        if row["codigo_3047"] == codigo_3047 and not row["codigo_2284"]:
            return row["razon"]
    return ""


def _day(term: str) -> date:
    day = versions(term)[-1].fecha
    if day is None:
        raise ValueError(f"{term} has no date")
    return day


def manual_aplicable(
    servicio: date | None,
    radicacion: date | None = None,
    expedicion: date | None = None,
    *,
    grupo: str = "",
) -> ManualAplicable:
    """Return the manual that rules an invoice, by VIG-01 to VIG-05 (Res. 2284/2023 art. 12 as changed by 1885/2024).

    The day of the service decides, by the provider's group (G1 high, G2 medium, G3 low complexity, as REPS had
    it on 2 September 2024; empty when not known). Without a group only what is the same for all three is settled; without a day of service an
    invoice issued or filed before the first start settles it too.
    """
    starts = {"G1": _day("VIG-01"), "G2": _day("VIG-02"), "G3": _day("VIG-03")}
    first, last = min(starts.values()), max(starts.values())
    if servicio is None:
        known = [day for day in (expedicion, radicacion) if day is not None]
        if known and min(known) < first:
            why = (
                f"La factura es anterior al {first:%d/%m/%Y}, cuando empezó el Manual Único. Falta la fecha del servicio: "
                "si se facturó por anticipado, compruébela."
            )
            return _old_manual(why, radicacion or expedicion)
        return ManualAplicable(None, "Falta la fecha del servicio, que es la que decide el manual.", "V-sec")
    start = starts.get(grupo)
    if start is None and first <= servicio < last:
        return ManualAplicable(
            None,
            f"El servicio es del {servicio:%d/%m/%Y}: entre el {first:%d/%m/%Y} y el {last:%d/%m/%Y} el manual depende "
            "del grupo del prestador (complejidad según REPS a 02/09/2024).",
            "V-sec",
        )
    if servicio >= (start or last):
        return ManualAplicable(
            Manual.UNICO,
            f"Servicio del {servicio:%d/%m/%Y}, desde el inicio del Manual Único (VIG-01 a VIG-03).",
            "V-sec",
        )
    return _old_manual(
        f"Servicio del {servicio:%d/%m/%Y}, anterior al inicio del Manual Único (VIG-01 a VIG-03).",
        radicacion or expedicion,
    )


def _old_manual(why: str, filed: date | None) -> ManualAplicable:
    end = _day("VIG-04")
    if filed is not None and filed > end:
        return ManualAplicable(
            None,
            f"{why} El trámite con la Res. 3047 iba hasta el {end:%d/%m/%Y} (VIG-04) y la norma no dice cuál usar después.",
            "V-sec",
        )
    return ManualAplicable(Manual.ANTERIOR, why, "V-sec")
