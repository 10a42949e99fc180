"""PDF supports: which kinds exist, how their files are named, and which ones a service calls for.

Invariant: a name only says what the sender claims (`SIGLA_NIT_FACTURA[_TIPODOCNUMERO].pdf`); that it is a PDF is seen
in its content. Norm: Res. 2284 de 2023, annexes 1 and 2 (`data/soportes.csv`, in our own words). Res. 1885 de 2024 is
said to replace annex 1 and its text was not read: what is missing by these tables is a notice, never a block.
The multi-user form carries a patient's document in the name: show `redacted`, never the name, in a log or message.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from radica.facturas.numbers import InvoiceNumber, Nit, parse_invoice_number, parse_nit
from radica.facturas.rips import GrupoServicios, Rips

_NAME = re.compile(
    r"^(?P<sigla>[A-Z]{3,6})[_ ](?P<nit>[0-9]{5,10}(?:-[0-9])?)[_ ](?P<numero>[A-Z0-9-]{1,30})"
    r"(?:[_ ](?P<doc>[A-Z]{2,3}[_ ]?[A-Z0-9-]{3,20}))?(?: ?\([0-9]{1,3}\))?\.pdf$",
    re.IGNORECASE,
)
_NORM = re.compile(r"(?:[A-Z]{3}|FURIPS)_[0-9]{6,10}_[A-Za-z0-9-]+(?:_[A-Z]{2,3}[A-Za-z0-9]+)?\.pdf")
_NEVER_OUT_OF_PLACE = frozenset({"PDE", "FURIPS"})
"""PDE stands in no list by service, and the FURIPS is of another norm."""
_STAY, _IMMEDIATE = "03", "05"
"""Codes of table GrupoServicios: Internación, Atención inmediata."""
_LOOKS_LIKE = re.compile(r"^(?P<sigla>[A-Z]{3,6})[_ -]", re.IGNORECASE)


@dataclass(frozen=True)
class TipoSoporte:
    """A kind of support of the catalogue."""

    sigla: str
    nombre: str
    numeral: str
    nota: str


@dataclass(frozen=True)
class NombreSoporte:
    """What the name of a support claims."""

    sigla: str
    issuer: Nit
    number: InvoiceNumber
    user: str | None = field(default=None, repr=False)

    @property
    def redacted(self) -> str:
        """The name without the patient's document."""
        tail = "_(usuario)" if self.user else ""
        return f"{self.sigla}_{self.issuer.number}_{self.number.text}{tail}.pdf"


@dataclass(frozen=True)
class Exigencia:
    """One support that a service calls for: any of `siglas` meets it."""

    servicio: str
    nombre: str
    siglas: tuple[str, ...]
    condicional: bool
    condicion: str


@cache
def catalogue() -> dict[str, TipoSoporte]:
    """Return the kinds of PDF support by their letters."""
    return {
        row["sigla"]: TipoSoporte(row["sigla"], row["nombre"], row["numeral"], row["nota"])
        for row in _rows("soportes.csv")
    }


@cache
def requirements() -> tuple[Exigencia, ...]:
    """Return what each kind of service calls for."""
    return tuple(
        Exigencia(
            servicio=row["servicio"],
            nombre=row["nombre"],
            siglas=tuple(row["siglas"].split("|")),
            condicional=row["exigencia"] != "obligatorio",
            condicion=row["condicion"],
        )
        for row in _rows("soportes_por_servicio.csv")
    )


def parse_support_name(name: str) -> NombreSoporte | None:
    """Read `SIGLA_NIT_FACTURA[_TIPODOCNUMERO].pdf`; None when the name has another form or an unknown sigla.

    Case does not count, a blank stands for the underscore, and a copy mark of the system (` (1)`) is passed over.
    """
    found = _NAME.match(name.strip())
    if not found or found["sigla"].upper() not in catalogue():
        return None
    issuer, number = parse_nit(found["nit"]), parse_invoice_number(found["numero"])
    if issuer is None or number is None or not number.digits:
        return None
    user = re.sub(r"[_ -]", "", found["doc"]).upper() if found["doc"] else None
    return NombreSoporte(found["sigla"].upper(), issuer, number, user)


def has_norm_form(name: str) -> bool:
    """Say whether a name is written exactly as annex 2 does: underscores, capital letters, lowercase extension."""
    return _NORM.fullmatch(name) is not None


def sigla_in(name: str) -> str | None:
    """Return the letters of a support with which a name begins, whatever follows; None when it begins otherwise."""
    start = _LOOKS_LIKE.match(name)
    found = start["sigla"].upper() if start else ""
    return found if found in catalogue() else None


def why_not_a_support(name: str) -> str:
    """Say in Spanish what is wrong with the name of a PDF that `parse_support_name` did not understand."""
    sigla = sigla_in(name)
    if sigla:
        return f"El nombre empieza por {sigla} pero no sigue con NIT y número de factura."
    return "El PDF no tiene nombre de soporte (SIGLA_NIT_FACTURA.pdf)."


def service_kinds(rips: Rips, *, modalidad: str | None) -> tuple[tuple[str, ...], ...]:
    """Return the kinds of service that the RIPS shows; each item lists the kinds that it may be of.

    Codes are those of `data/soportes_por_servicio.csv` (PROSP, EV21…EV29). What happens inside a stay or an
    emergency is supported by that stay's own record. Where the RIPS cannot tell two kinds apart, both are given.
    """
    if modalidad in ("02", "03"):
        return (("PROSP",),)
    groups = rips.groups
    consultas, procedimientos, otros = (groups.get(k) for k in ("consultas", "procedimientos", "otrosServicios"))
    kinds: list[tuple[str, ...]] = []
    surgical = procedimientos is not None and "04" in procedimientos.subgroups
    if "hospitalizacion" in groups or surgical:
        kinds.append(("EV28",))
    elif "urgencias" in groups or (consultas is not None and consultas.subgroups == (_IMMEDIATE,)):
        kinds.append(("EV27",))  # a visit of urgencias without observation has no record of its own in the RIPS
    else:
        if consultas is not None:
            kinds.append(("EV21", "EV22", *_elsewhere(consultas)))
        if procedimientos is not None:
            kinds.append(("EV23", "EV24", "EV22", *_elsewhere(procedimientos)))
        if "medicamentos" in groups:
            kinds.append(("EV25",))
        if otros is not None and "01" in otros.subgroups:
            kinds.append(("EV26",))
    if otros is not None and "02" in otros.subgroups:
        kinds.append(("EV29",))
    return tuple(kinds)


def _elsewhere(group: GrupoServicios) -> tuple[str, ...]:
    """Return where else a service may have been given, by its grupoServicios: in urgencias, or in a stay billed apart."""
    kinds = {_IMMEDIATE: "EV27", _STAY: "EV28"}
    return tuple(kind for code, kind in kinds.items() if code in group.subgroups)


def missing_supports(
    rips: Rips, present: Iterable[str], *, modalidad: str | None, accident: bool = False
) -> tuple[Exigencia, ...]:
    """Return the supports that the services of the RIPS call for and that are not among the siglas `present`.

    Where a service may be of several kinds, only what its best-met kind still lacks is returned.
    """
    have = frozenset(present)
    lacking: list[Exigencia] = []
    for alternatives in service_kinds(rips, modalidad=modalidad):
        options = [_lacking(kind, rips, have, accident=accident) for kind in alternatives]
        best = min(options, key=lambda option: sum(not need.condicional for need in option))
        lacking += [need for need in best if need not in lacking]
    return tuple(lacking)


def called_for(rips: Rips, *, modalidad: str | None) -> frozenset[str]:
    """Return the siglas that some service of the RIPS calls for or admits; empty when the RIPS shows no known kind.

    A stay or an emergency takes in what happened during it, so that its notes and results are not out of place.
    """
    kinds = {kind for alternatives in service_kinds(rips, modalidad=modalidad) for kind in alternatives}
    found = {sigla for need in requirements() if need.servicio in kinds for sigla in need.siglas}
    if not found:
        return frozenset()
    if kinds & {"EV27", "EV28", "PROSP"}:
        found |= {"HAU", "HEV", "EPI", "PDX", "CRC", "TAP", "TNA"}
    return frozenset(found | _NEVER_OUT_OF_PLACE)


def all_authorised(rips: Rips) -> bool:
    """Say whether each service of the RIPS names its authorisation: then the order of the physician is not sent."""
    priced = [group for group in rips.groups.values() if group.count]
    return bool(priced) and all(group.with_authorization >= group.count for group in priced)


def _lacking(kind: str, rips: Rips, have: frozenset[str], *, accident: bool) -> list[Exigencia]:
    return [
        need
        for need in requirements()
        if need.servicio == kind and have.isdisjoint(need.siglas) and _applies(need, rips, accident=accident)
    ]


def _applies(need: Exigencia, rips: Rips, *, accident: bool) -> bool:
    """Say whether the condition of a requirement holds, by what the RIPS shows."""
    if need.condicion == "sin_autorizacion":
        return any(group.with_authorization < group.count for group in rips.groups.values())
    if need.condicion == "medicamentos":
        return "medicamentos" in rips.groups
    if need.condicion == "accidente":
        return accident
    return need.condicion != "no_visible"


def _rows(name: str) -> list[dict[str, str]]:
    with files("radica.facturas").joinpath("data", name).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
