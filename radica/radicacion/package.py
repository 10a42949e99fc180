"""Which files of an invoice are handed in, under which names and in which order, and what must be changed first. Pure.

Invariant: the package is a function of the documents and the payer's profile; two files never have the same name, no
file is left out silently, and what a payer would not take is either named as a change or refused with its reason.
Norm: Res. 2284/2023 Anexos 1 and 2 (names `SIGLA_NIT_FACTURA.pdf`, one archive without folders), Res. 948/2026 art. 3.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from radica.radicacion.perfil_paquete import COMUN, MB, Perfil

ORDER = ("FEV", "RIPS", "CUV", "SOPORTE")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
MAX_STEM = 120
"""Characters of a support's own name that are kept: a file system takes 255 bytes, and portals take fewer."""
SCRIPTS = frozenset({"javascript", "accion", "apertura", "vista", "guion_xfa"})
"""Traits of a PDF (`pdf_lector`) for which a portal refuses it; some refuse any action at opening, also a harmless one."""
_WHY_NOT = {
    "firmado": "lleva firma digital y cambiarlo la anularía",
    "xfa": "es un formulario XFA, que al cambiarlo pierde lo escrito",
    "cifrado": "pide contraseña",
    "protegido": "está protegido contra cambios",
    "ilegible": "no se puede abrir",
}
_PLAIN = Perfil(COMUN, "")


class Operacion(StrEnum):
    """What may be done to a file so that a payer takes it; none loses a page or a letter."""

    LIMPIAR = "limpiar"
    COMPRIMIR = "comprimir"
    DIVIDIR = "dividir"
    UNIR = "unir"


@dataclass(frozen=True)
class Source:
    """A document of the invoice that may be handed in. `tipo` as in facturas.TipoDocumento.

    `rasgos` and `paginas` are what was seen inside a PDF (None: nobody looked), `hechas` what was done to it already,
    `trozo` its place among the parts of a split, from 1.
    """

    tipo: str
    sigla: str
    nombre: str
    sha256: str
    bytes: int
    paginas: int | None = None
    rasgos: frozenset[str] | None = None
    hechas: tuple[Operacion, ...] = ()
    trozo: int = 0


@dataclass(frozen=True)
class PackageFile:
    """One file of the package: its role for the portal, its name there, and the address of its bytes."""

    role: str
    sigla: str
    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Parte:
    """One delivery: the files of one ZIP, or of one load when `zip` is None."""

    zip: str | None
    files: tuple[PackageFile, ...]


@dataclass(frozen=True)
class Cambio:
    """A change that the profile needs, on one file or (`unir`) several. `tope` in bytes for what must get smaller."""

    operacion: Operacion
    sha256s: tuple[str, ...]
    motivo: str
    tope: int | None = None


@dataclass(frozen=True)
class Hecho:
    """A file that a change made: its address, bytes and pages."""

    sha256: str
    bytes: int
    paginas: int


@dataclass(frozen=True)
class Rechazo:
    """What cannot be met, with its reason; `nombre` of the file, empty when it is of the whole package."""

    nombre: str
    sha256: str
    motivo: str


@dataclass(frozen=True)
class Plan:
    """What is handed in, what must be changed before (then it is planned again), and what cannot be met."""

    perfil: str
    partes: tuple[Parte, ...]
    cambios: tuple[Cambio, ...] = ()
    rechazos: tuple[Rechazo, ...] = ()
    omitidos: tuple[Source, ...] = ()
    """Documents that are no part of a package for this payer (an answer of DIAN, a note)."""

    @property
    def files(self) -> list[PackageFile]:
        """All files, delivery by delivery."""
        return [item for parte in self.partes for item in parte.files]


def build_package(numero: str, nit: str, sources: Sequence[Source]) -> list[PackageFile]:
    """Return the files in filing order under the common rules: FEV, RIPS, CUV, supports by sigla."""
    return plan(numero, nit, sources, _PLAIN).files


def plan(
    numero: str, nit: str, sources: Sequence[Source], perfil: Perfil, *, fecha: date | None = None, valor: str = ""
) -> Plan:
    """Plan the package of one invoice for a payer. `fecha` and `valor` (pesos) where the payer's names carry them.

    With `cambios` the deliveries are provisional: do them, put the results in place of their files, and plan again.
    """
    ranks = {role: n for n, role in enumerate(perfil.orden)}
    asked = [one for one in sources if _role(one.tipo) in ranks]
    asked.sort(key=lambda one: (ranks[_role(one.tipo) or ""], one.sigla, one.nombre, one.trozo, one.sha256))
    cambios: list[Cambio] = []
    rechazos: list[Rechazo] = []
    supports = {one.sha256 for one in asked if _role(one.tipo) == "SOPORTE"}
    for one in asked:
        found = _change(one, perfil) or (_unjoinable(one) if perfil.pdf_unico and len(supports) > 1 else None)
        if isinstance(found, Cambio):
            if found not in cambios:
                cambios.append(found)
        elif found is not None:
            rechazos.append(found)
    if not cambios and not rechazos:
        cambios += _join(asked, perfil)
    have = {one.sigla for one in asked}
    rechazos += [
        Rechazo("", "", f"Falta el soporte {sigla}: este pagador lo pide siempre.")
        for sigla in perfil.exige
        if sigla not in have
    ]
    values = {"nit": safe(nit), "numero": safe(numero), "sin_ceros": _without_zeros(safe(numero)), "valor": safe(valor)}
    files = _named(asked, values, perfil)
    values["fecha"] = f"{fecha:%Y%m%d}" if fecha else ""
    return Plan(
        perfil=perfil.codigo,
        partes=tuple(_deliveries(files, values, perfil)),
        cambios=tuple(cambios),
        rechazos=tuple(rechazos),
        omitidos=tuple(one for one in sources if _role(one.tipo) not in ranks),
    )


def zip_name(numero: str, nit: str) -> str:
    """Name of the package that a person downloads to file by hand."""
    return f"{safe(nit)}_{safe(numero)}.zip"


def safe(text: str) -> str:
    """Reduce a text to what every portal takes in a file name; `Núñez` stays readable as `Nunez`."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return _UNSAFE.sub("-", plain).strip("-.") or "sin-nombre"


def replaced(sources: Sequence[Source], operacion: Operacion, of: Sequence[str], made: Sequence[Hecho]) -> list[Source]:
    """Put what a change made where its files stood, under each name that they had; of a joining, where the first stood.

    Nothing made means that the change gained nothing: the file stays, and it is remembered that it was tried.
    """
    gone, found, joined = set(of), list[Source](), False
    for one in sources:
        if one.sha256 not in gone or _role(one.tipo) != "SOPORTE":
            found.append(one)
            continue
        done = replace(one, hechas=(*one.hechas, operacion))
        if operacion is Operacion.UNIR:
            if joined:
                continue  # it is inside the file of the first; the lineage names it
            joined = True
        found += [
            replace(
                done,
                sha256=item.sha256,
                bytes=item.bytes,
                paginas=item.paginas,
                rasgos=None,
                trozo=n if len(made) > 1 else one.trozo,
            )
            for n, item in enumerate(made, 1)
        ] or [done]
    return found


def _change(one: Source, perfil: Perfil) -> Cambio | Rechazo | None:
    """Say what one file needs: nothing, a change, or a refusal."""
    traits = one.rasgos or frozenset()
    pdf = _role(one.tipo) == "SOPORTE"
    tope = perfil.bytes_pdf
    big = tope is not None and one.bytes > tope
    scripted = perfil.sin_script and bool(traits & SCRIPTS)
    if not big and not scripted:
        return None
    why = "trae JavaScript o acciones que el portal rechaza" if scripted else ""
    if big and tope is not None:
        why = f"pesa {_mb(one.bytes)} MB y el máximo es {_mb(tope)}"
    locked = _locked(traits) if pdf else "no es un PDF y no se cambia"
    if locked:
        return Rechazo(one.nombre, one.sha256, f"No se puede entregar así: {why}, y {locked}.")
    if scripted:
        if Operacion.LIMPIAR in one.hechas:
            return Rechazo(one.nombre, one.sha256, "Se limpió y sigue trayendo acciones que el portal rechaza.")
        return Cambio(Operacion.LIMPIAR, (one.sha256,), why)
    if Operacion.COMPRIMIR not in one.hechas and Operacion.DIVIDIR not in one.hechas:
        return Cambio(Operacion.COMPRIMIR, (one.sha256,), why, tope)
    if Operacion.DIVIDIR in one.hechas or one.paginas in (None, 0, 1) or perfil.pdf_unico:
        return Rechazo(
            one.nombre, one.sha256, f"No cabe: {why}, ya se comprimió sin perder nada y no se puede dividir más."
        )
    return Cambio(Operacion.DIVIDIR, (one.sha256,), why, tope)


def _unjoinable(one: Source) -> Rechazo | None:
    """Refuse to join what a change would spoil."""
    why = _locked(one.rasgos or frozenset()) if _role(one.tipo) == "SOPORTE" else ""
    return Rechazo(one.nombre, one.sha256, f"El pagador recibe un solo PDF, y este {why}.") if why else None


def _locked(traits: frozenset[str]) -> str:
    """Say why a file is not changed; empty when nothing speaks against it."""
    return next((word for trait, word in _WHY_NOT.items() if trait in traits), "")


def _join(asked: Sequence[Source], perfil: Perfil) -> Iterator[Cambio]:
    """For a payer that takes one PDF: join the supports, in their order."""
    supports = [one for one in asked if _role(one.tipo) == "SOPORTE"]
    if perfil.pdf_unico and len({one.sha256 for one in supports}) > 1:
        yield Cambio(
            Operacion.UNIR, tuple(dict.fromkeys(one.sha256 for one in supports)), "el pagador recibe un solo PDF"
        )


def _named(asked: Sequence[Source], values: Mapping[str, str], perfil: Perfil) -> list[PackageFile]:
    taken: set[str] = set()
    files = []
    for one in asked:
        role = _role(one.tipo) or ""
        name = _unique(_name(role, one, values, perfil), taken)
        files.append(PackageFile(role, one.sigla, name, one.sha256, one.bytes))
    return files


def _deliveries(files: Sequence[PackageFile], values: Mapping[str, str], perfil: Perfil) -> Iterator[Parte]:
    """Fill deliveries in order: a file that does not fit in one opens the next."""
    groups: list[list[PackageFile]] = [[]]
    size = 0
    for item in files:
        weight = _zipped(item)
        full = perfil.archivos is not None and len(groups[-1]) >= perfil.archivos
        heavy = perfil.zip and perfil.bytes_zip is not None and size + weight + _ZIP_END > perfil.bytes_zip
        if groups[-1] and (full or heavy):
            groups.append([])
            size = 0
        groups[-1].append(item)
        size += weight
    for number, group in enumerate(groups, 1):
        yield Parte(_zip_of(values, perfil, number, len(groups)), tuple(group))


def _zip_of(values: Mapping[str, str], perfil: Perfil, number: int, of: int) -> str | None:
    if not perfil.zip:
        return None
    name = perfil.zip.format_map({**values, "parte": number})
    stem, _, extension = name.rpartition(".")
    if of > 1 and "{parte}" not in perfil.zip:
        stem = f"{stem}_{number}"
    return f"{safe(stem)}.{extension}"


_ZIP_END = 22


def _zipped(item: PackageFile) -> int:
    """Bytes that a file takes in a ZIP at most: its own, two headers with its name, and the frame of what will not shrink."""
    return item.bytes + 2 * len(item.name) + 30 + 46 + 64 + item.bytes // 1000


def _role(tipo: str) -> str | None:
    if tipo in ("FEV", "INVOICE"):
        return "FEV"
    return tipo if tipo in ORDER else None


def _name(role: str, source: Source, values: Mapping[str, str], perfil: Perfil) -> str:
    templates = {"FEV": perfil.nombre_fev, "RIPS": perfil.nombre_rips, "CUV": perfil.nombre_cuv}
    if role in templates:
        return templates[role].format_map(values)
    if perfil.nombre_soporte:
        named = {**values, "sigla": safe(source.sigla or "SOPORTE"), "usuario": _user(source.nombre)}
        return _numbered(perfil.nombre_soporte.format_map(named), source.trozo)
    # A support keeps its own name when it is one that portals take; only the extension is made lowercase (AXA).
    base, dot, extension = source.nombre.rpartition(".")
    kept = f"{safe((base if dot else source.nombre)[:MAX_STEM])}.{extension.lower() if dot else 'pdf'}"
    if not kept.lower().endswith(".pdf"):
        kept = f"{safe(source.sigla or 'SOPORTE')}_{values['nit']}_{values['numero']}.pdf"
    return _numbered(kept, source.trozo)


def _numbered(name: str, part: int) -> str:
    base, _, extension = name.rpartition(".")
    return f"{base}_{part}.{extension}" if part else name


def _user(nombre: str) -> str:
    """Return `_CC123` of a support's own name, for an invoice of many users; empty when it has none."""
    stem = nombre.rpartition(".")[0].replace(" ", "_")
    parts = stem.split("_")
    return f"_{safe('-'.join(parts[3:]))}" if len(parts) > 3 else ""


def _without_zeros(numero: str) -> str:
    found = re.fullmatch(r"(.*?)0*([0-9]+)", numero)
    return f"{found[1]}{found[2]}" if found else numero


def _unique(name: str, taken: set[str]) -> str:
    candidate, n = name, 1
    while candidate.lower() in taken:
        n += 1
        base, _, extension = name.rpartition(".")
        candidate = f"{base}_{n}.{extension}"
    taken.add(candidate.lower())
    return candidate


def _mb(size: int) -> str:
    return f"{size / MB:.1f}".replace(".", ",")
