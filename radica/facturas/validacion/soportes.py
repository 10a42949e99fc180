"""Supports, file by file: what the services call for, how each is named, whether it opens, and whose it is.

Invariant: nothing here rejects: the text of the new annex 1 was not read, and what a support says is read by a program.
What cannot be read is said so and never guessed. A file is told by its redacted name, a page by its number; a
patient's document is compared and never shown. PDFs are opened by another process (`facturas.pdf_lector`).
Norm: Res. 2284 de 2023, annexes 1 and 2 (said to be replaced by Res. 1885 de 2024).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import digits
from typing import Any

from radica.facturas.fev import Fev
from radica.facturas.numbers import InvoiceNumber, Match, Nit, parse_invoice_number, same_invoice
from radica.facturas.pdf_lector import EstadoPdf, PdfLeido, leer_pdf
from radica.facturas.rips import Rips, read_rips
from radica.facturas.soportes import (
    NombreSoporte,
    all_authorised,
    called_for,
    has_norm_form,
    missing_supports,
    parse_support_name,
    service_kinds,
    sigla_in,
)
from radica.facturas.validacion.modelo import Contexto, Hallado, Paquete, SoporteArchivo

MAX_BYTES = 1024**3
"""1 GB: the most that annex 2 lets a provider send."""
DPI = 300
_DPI_SLACK = 10
"""Dots per inch that rounding a page to whole dots and points may cost."""
_OF_NO_PATIENT = frozenset({"LDP", "FMO", "FAT"})
"""Lists and bills: they may be of a lot, and need not name who was attended."""
_MIN_DOCUMENT = 5
"""Characters of the shortest patient's document that is looked for: fewer stand in any text by chance."""
_MIN_NUMBER = 4
_BY_SOAT, _BY_ADRES = "04", "06"
"""Codes of table coberturaPlan."""
_TRAITS = {
    "javascript": "JavaScript",
    "accion": "acciones que abren programas o envían datos",
    "apertura": "una acción que corre al abrirlo",
    "incrustados": "archivos incrustados",
    "formulario": "campos de formulario",
    "guion_xfa": "guiones en su formulario",
}
_SHOWN_PAGES = 12
_LONG_NUMBER = re.compile(r"[0-9]{6,}")
_MISREAD = str.maketrans("olisbz", "011582")
"""Letters that a reader of scans takes for digits."""


@dataclass(frozen=True)
class Soporte:
    """One file under judgement: how it is told, what its name claims, and what it holds."""

    ruta: str
    archivo: SoporteArchivo
    nombre: NombreSoporte | None
    sigla: str | None
    pdf: PdfLeido = field(repr=False, default=PdfLeido(EstadoPdf.ILEGIBLE))


@dataclass(frozen=True)
class _Esperado:
    """What a support of this invoice may name. Patients as (kind + document, document), never shown."""

    numero: InvoiceNumber | None
    nit: Nit | None
    pacientes: frozenset[tuple[str, str]] = field(repr=False)
    otros: frozenset[str] = field(repr=False)
    rips: Rips | None = None
    modalidad: str | None = None


def parte(paquete: Paquete, contexto: Contexto) -> Iterator[Hallado]:
    """Judge the supports of a package; says nothing when none was given: not given is not missing."""
    if not paquete.soportes:
        return
    esperado = _esperado(paquete, contexto)
    told = zip(paquete.soportes, rutas(paquete.soportes), strict=True)
    soportes = [_abierto(one, path) for one, path in told]
    payer, covered = (contexto.pagador_tipo or "").upper(), _coverages(paquete.fev)
    yield from faltan(soportes, esperado, accident=payer in ("SOAT", "ADRES") or bool(covered & {_BY_SOAT, _BY_ADRES}))
    if not payer and _BY_SOAT in covered and all(one.sigla != "FURIPS" for one in soportes):
        yield Hallado("SOP-FALTA", "", {"servicio": "Póliza SOAT", "siglas": "FURIPS"})
    yield from repetidos(soportes)
    for soporte in soportes:
        yield from nombre(soporte, esperado)
        yield from archivo(soporte)
        if soporte.pdf.estado is EstadoPdf.LEIDO and soporte.pdf.paginas:
            yield from contenido(soporte.ruta, soporte.pdf)
            yield from pertenece(soporte, esperado)


def faltan(soportes: Sequence[Soporte], esperado: _Esperado, *, accident: bool) -> Iterator[Hallado]:
    """SOP-FALTA, SOP-CONDICIONAL, SOP-SOBRA: what the services of the RIPS call for and what none of them does (annex 1)."""
    rips = esperado.rips
    if rips is None:
        return
    present = {one.sigla for one in soportes if one.sigla}
    for need in missing_supports(rips, present, modalidad=esperado.modalidad, accident=accident):
        values = {"servicio": need.nombre, "siglas": " o ".join(need.siglas)}
        yield Hallado("SOP-CONDICIONAL" if need.condicional else "SOP-FALTA", "", values)
    allowed = called_for(rips, modalidad=esperado.modalidad)
    stay = {kind for kinds in service_kinds(rips, modalidad=esperado.modalidad) for kind in kinds} & {"EV28", "PROSP"}
    for one in soportes:
        if allowed and one.sigla and one.sigla not in allowed:
            yield Hallado("SOP-SOBRA", one.ruta, {"sigla": one.sigla})
        elif one.sigla == "OPF" and not stay and all_authorised(rips):
            yield Hallado("SOP-SOBRA", one.ruta, {"sigla": "OPF"}, "autorizada")


def repetidos(soportes: Sequence[Soporte]) -> Iterator[Hallado]:
    """SOP-REPETIDO: the same bytes under two names. Only files of one length are read."""
    by_size: dict[int, list[Soporte]] = defaultdict(list)
    for one in soportes:
        if one.archivo.bytes_:
            by_size[one.archivo.bytes_].append(one)
    for twins in by_size.values():
        seen: dict[str, Soporte] = {}
        for one in twins if len(twins) > 1 else ():
            digest = _digest(one.archivo.ruta)
            first = seen.setdefault(digest, one) if digest else one
            if first is not one:
                yield Hallado("SOP-REPETIDO", one.ruta, {"otro": first.ruta})


def nombre(soporte: Soporte, esperado: _Esperado) -> Iterator[Hallado]:
    """SOP-NOMBRE, SOP-NOMBRE-OTRO: `SIGLA_NIT_FACTURA[_TIPODOCNUMERO].pdf`, of this invoice (annex 2, 3.4)."""
    claimed = soporte.nombre
    if claimed is None:
        yield Hallado("SOP-NOMBRE", soporte.ruta, {"sigla": soporte.sigla or ""}, "sigla" if soporte.sigla else "")
        return
    if not has_norm_form(soporte.archivo.nombre):
        yield Hallado("SOP-NOMBRE", soporte.ruta, {"norma": claimed.redacted}, "forma")
    if esperado.nit is not None and claimed.issuer.number != esperado.nit.number:
        values = {"nit": claimed.issuer.number, "esperado": esperado.nit.number}
        yield Hallado("SOP-NOMBRE-OTRO", soporte.ruta, values, "nit")
    if esperado.numero is not None and same_invoice(esperado.numero, claimed.number) is Match.DIFFERENT:
        values = {"numero": claimed.number.text, "esperado": esperado.numero.text}
        yield Hallado("SOP-NOMBRE-OTRO", soporte.ruta, values, "factura")
    if claimed.user is None:
        if len(esperado.pacientes) > 1 and claimed.sigla not in _OF_NO_PATIENT:
            yield Hallado("SOP-NOMBRE", soporte.ruta, {"usuarios": str(len(esperado.pacientes))}, "multiusuario")
    elif esperado.pacientes and all(claimed.user not in pair for pair in esperado.pacientes):
        yield Hallado("SOP-NOMBRE-OTRO", soporte.ruta, {}, "usuario")


def archivo(soporte: Soporte) -> Iterator[Hallado]:
    """SOP-NO-PDF, SOP-VACIO, SOP-ILEGIBLE, SOP-CIFRADO, SOP-DANADO, SOP-PESO: whether the file opens (annex 2, 2.3)."""
    pdf, path = soporte.pdf, soporte.ruta
    if soporte.archivo.bytes_ > MAX_BYTES:
        yield Hallado("SOP-PESO", path, {"mb": str(soporte.archivo.bytes_ // 1024**2)})
    code = {
        EstadoPdf.VACIO: "SOP-VACIO",
        EstadoPdf.NO_PDF: "SOP-NO-PDF",
        EstadoPdf.ILEGIBLE: "SOP-ILEGIBLE",
        EstadoPdf.CIFRADO: "SOP-CIFRADO",
    }.get(pdf.estado)
    if code is not None:
        yield Hallado(code, path)
    elif pdf.paginas == 0:
        yield Hallado("SOP-VACIO", path, {}, "paginas")
    if pdf.protegido:
        forbidden = ", ".join(pdf.restricciones) or "nada, pero está cifrado"
        yield Hallado("SOP-CIFRADO", path, {"prohibe": forbidden}, "restricciones")
    if pdf.reparado:
        yield Hallado("SOP-DANADO", path)


def contenido(ruta: str, pdf: PdfLeido) -> Iterator[Hallado]:
    """SOP-PAGINA-VACIA, SOP-RESOLUCION, SOP-CONTENIDO: blank sheets, coarse scans, what portals refuse inside."""
    looked = "" if pdf.miradas >= pdf.paginas else f" (se miraron las primeras {pdf.miradas} de {pdf.paginas})"
    if pdf.vacias:
        yield Hallado("SOP-PAGINA-VACIA", ruta, {"paginas": _pages(pdf.vacias), "miradas": looked})
    coarse = [page for page, dots in pdf.imagenes if dots < DPI - _DPI_SLACK]
    if coarse:
        least = min(dots for _, dots in pdf.imagenes)
        yield Hallado("SOP-RESOLUCION", ruta, {"paginas": _pages(coarse), "dpi": str(least), "miradas": looked})
    inside = [words for trait, words in _TRAITS.items() if trait in pdf.rasgos]
    if inside:
        yield Hallado("SOP-CONTENIDO", ruta, {"que": ", ".join(inside)})


def pertenece(soporte: Soporte, esperado: _Esperado) -> Iterator[Hallado]:
    """SOP-SIN-TEXTO, SOP-OTRO-PACIENTE, SOP-AJENO: whether its text is of a patient or the number of this invoice."""
    if soporte.sigla in _OF_NO_PATIENT or not (esperado.pacientes or esperado.numero):
        return
    words = soporte.pdf.palabras | _numbers_inside(soporte.pdf.palabras)
    own = any(_names_patient(words, pair) for pair in esperado.pacientes)
    invoice = _names_invoice(words, esperado.numero)
    if any(other in words for other in esperado.otros) and not own and not invoice:
        yield Hallado("SOP-OTRO-PACIENTE", soporte.ruta)
    elif own and soporte.nombre is not None and soporte.nombre.user is not None:
        yield from _of_the_one_in_its_name(soporte, words, soporte.nombre.user, esperado)
    elif not own and not invoice and len(soporte.pdf.sin_texto) >= soporte.pdf.paginas:
        yield Hallado("SOP-SIN-TEXTO", soporte.ruta, {"hojas": str(soporte.pdf.paginas)})
    elif not own and esperado.pacientes:
        mute = (
            f" Tiene {len(soporte.pdf.sin_texto)} hojas sin texto que no se pudieron leer."
            if soporte.pdf.sin_texto
            else ""
        )
        nit = esperado.nit is not None and any(f"{esperado.nit.number}{digit}" in words for digit in ("", *digits))
        variant = "factura" if invoice else "nit" if nit else ""
        yield Hallado("SOP-AJENO", soporte.ruta, {"mudas": mute}, variant)


def _of_the_one_in_its_name(
    soporte: Soporte, words: frozenset[str], user: str, esperado: _Esperado
) -> Iterator[Hallado]:
    """The name of a support says one patient of the invoice, and its text only others."""
    named = [pair for pair in esperado.pacientes if user in pair]
    if named and not any(_names_patient(words, pair) for pair in named):
        yield Hallado("SOP-OTRO-PACIENTE", soporte.ruta, {}, "nombre")


def pacientes_de(rips: Mapping[str, Any] | None) -> frozenset[tuple[str, str]]:
    """Return (kind + document, document) of the patients of a decoded RIPS, in capital letters; health data."""
    users = (rips or {}).get("usuarios")
    found = set()
    for user in users if isinstance(users, list) else []:
        if not isinstance(user, dict):
            continue
        kind, number = (user.get(f"{one}DocumentoIdentificacion") for one in ("tipo", "num"))
        plain = "".join(letter for letter in str(number or "").upper() if letter.isalnum())
        if len(plain) >= _MIN_DOCUMENT:
            found.add((f"{kind or ''}".strip().upper() + plain, plain))
    return frozenset(found)


def _coverages(fev: Fev | None) -> frozenset[str]:
    """Return the codes of coverage that the invoice declares."""
    named = (campo for bloque in (fev.salud if fev else ()) for campo in bloque)
    return frozenset(one.code for one in named if one.name == "COBERTURA_PLAN_BENEFICIOS" and one.code)


def _esperado(paquete: Paquete, contexto: Contexto) -> _Esperado:
    fev, raw = paquete.fev, paquete.rips
    rips = read_rips(raw) if raw is not None else None
    patients = pacientes_de(raw)
    numero = parse_invoice_number(fev.number, prefix=fev.prefix) if fev else None
    return _Esperado(
        numero=numero or (parse_invoice_number(rips.number) if rips else None),
        nit=(fev.supplier.nit if fev else None) or (rips.issuer if rips else None),
        pacientes=patients,
        otros=frozenset(one.lower() for one in contexto.otros_pacientes) - {plain.lower() for _, plain in patients},
        rips=rips,
        modalidad=fev.modalidad_pago if fev else None,
    )


def rutas(archivos: Sequence[SoporteArchivo]) -> tuple[str, ...]:
    """Return how each file of a package is told: by its redacted name, with its place where that does not tell it."""
    claims = [parse_support_name(one.nombre) for one in archivos]
    plain = Counter(one.redacted for one in claims if one)
    paths = []
    for number, (one, claimed) in enumerate(zip(archivos, claims, strict=True), 1):
        if claimed is None:
            paths.append(f"{one.sigla or sigla_in(one.nombre) or 'soporte'} (archivo {number}, nombre no conforme)")
        else:
            paths.append(claimed.redacted + (f" (archivo {number})" if plain[claimed.redacted] > 1 else ""))
    return tuple(paths)


def _abierto(one: SoporteArchivo, path: str) -> Soporte:
    claimed = parse_support_name(one.nombre)
    sigla = claimed.sigla if claimed else one.sigla or sigla_in(one.nombre)
    return Soporte(path, one, claimed, sigla, leer_pdf(one.ruta))


def _numbers_inside(words: frozenset[str]) -> frozenset[str]:
    """Return the long numbers stuck to letters (`cedula1098765432`), and those in which letters were read for digits.

    A program that writes label and value with no space gives the first, one that reads scans the second (`1O98765432`).
    """
    found: set[str] = set()
    for word in words:
        if word.isdigit():
            continue
        found.update(_LONG_NUMBER.findall(word))
        if sum(letter.isdigit() for letter in word) >= _MIN_DOCUMENT and (read := word.translate(_MISREAD)).isdigit():
            found.add(read)
    return frozenset(found)


def _names_patient(words: frozenset[str], pair: tuple[str, str]) -> bool:
    """Say whether a text names a patient; `AV-123456` and `AV 123456` are the passport `AV123456`."""
    whole, plain = (one.lower() for one in pair)
    if plain.isdigit():
        return plain in words or whole in words or f"0{plain}" in words
    return plain in words or whole in words or any(run in words for run in _LONG_NUMBER.findall(plain))


def _names_invoice(words: frozenset[str], number: InvoiceNumber | None) -> bool:
    """Say whether the number stands in a text: with its prefix, or alone when it is long enough not to be chance."""
    if number is None or not number.digits:
        return False
    if number.prefix and f"{number.prefix}{number.digits}".lower() in words:
        return True
    for word in words:
        if word.endswith(number.digits):
            head = word[: -len(number.digits)].rstrip("0")
            if head == number.prefix.lower() or (not head and len(number.digits) >= _MIN_NUMBER):
                return True
    return False


def _pages(pages: Sequence[int]) -> str:
    """Return page numbers as a person writes them: `3, 4 y 7`."""
    shown = [str(one) for one in pages[:_SHOWN_PAGES]]
    if len(pages) > _SHOWN_PAGES:
        return ", ".join(shown) + f" y {len(pages) - _SHOWN_PAGES} más"
    return " y ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()
    except OSError:
        return ""
