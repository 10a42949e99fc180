"""RIPS: the record of services behind an invoice, read from its JSON.

Invariant: totals are exact sums of what stands in the file; a value that cannot be read is counted in `unread` with its
place and never taken as zero in silence. Names, documents and diagnoses are only in `walk`, which serves the screen,
and in no repr. Norms: Res. 948 de 2026, technical document 1; Res. 2275 de 2023 for older files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from radica.facturas.numbers import Nit, parse_amount, parse_nit
from radica.facturas.texts import believable, clean

SERVICIOS = (
    "consultas",
    "procedimientos",
    "urgencias",
    "hospitalizacion",
    "recienNacidos",
    "medicamentos",
    "otrosServicios",
)
SIN_VALOR = frozenset({"urgencias", "hospitalizacion", "recienNacidos"})
"""Groups that describe a stay and carry no price of their own."""

_FECHAS = ("fechaInicioAtencion", "fechaEgreso", "fechaDispensAdmon", "fechaSuministroTecnologia")
_CODIGOS = ("codConsulta", "codProcedimiento", "codTecnologiaSalud")
_DATE = re.compile(r"^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2}))?")
_MAX_UNREAD = 20


@dataclass(frozen=True)
class GrupoServicios:
    """One kind of service over all users: how many, for how much, and what decides its supports."""

    count: int
    total: Decimal
    copayment: Decimal
    with_authorization: int
    subgroups: tuple[str, ...]
    """Distinct grupoServicios (consultations, procedures) or tipoOS (other services)."""


@dataclass(frozen=True)
class Rips:
    """What a RIPS file says. Amounts in pesos; dates are Colombian civil time without zone."""

    issuer: Nit | None
    number: str | None
    note_kind: str | None
    """NC, ND, NA (adjustment) or RS (without invoice); None for an invoice."""
    note_number: str | None
    users: int
    groups: Mapping[str, GrupoServicios]
    total: Decimal
    copayment: Decimal
    first: datetime | None
    last: datetime | None
    providers: tuple[str, ...]
    unread: tuple[str, ...]
    """Places whose value could not be read, at most 20 (`usuarios[0].servicios.consultas[1].vrServicio`)."""

    @property
    def services(self) -> int:
        """How many service records there are."""
        return sum(group.count for group in self.groups.values())


@dataclass(frozen=True)
class FilaServicio:
    """One service for the screen."""

    kind: str
    sequence: str | None
    at: str | None
    code: str | None = field(repr=False)
    description: str | None = field(repr=False)
    diagnosis: str | None = field(repr=False)
    quantity: str | None
    amount: Decimal | None
    copayment: Decimal | None
    authorization: str | None = field(repr=False)
    place: str = ""
    """Where it stands: `usuarios[3].servicios.consultas[0]`."""


@dataclass(frozen=True)
class FilaUsuario:
    """One patient with their services, for the screen."""

    sequence: str | None
    document_kind: str | None = field(repr=False)
    document: str | None = field(repr=False)
    born: str | None = field(repr=False)
    sex: str | None = field(repr=False)
    services: tuple[FilaServicio, ...] = field(repr=False)


@dataclass
class _Tally:
    """Running sums of one kind of service."""

    count: int = 0
    total: Decimal = Decimal(0)
    copayment: Decimal = Decimal(0)
    authorized: int = 0
    subgroups: set[str] = field(default_factory=set)


def is_rips(value: object) -> bool:
    """Say whether a decoded JSON value has the members that only a RIPS has."""
    return isinstance(value, dict) and "numDocumentoIdObligado" in value and "usuarios" in value


def read_rips(value: Mapping[str, Any]) -> Rips:
    """Summarise a decoded RIPS (the inner object when it travels wrapped in `rips`). Never raises on its contents."""
    tallies: dict[str, _Tally] = {}
    dates: list[datetime] = []
    providers: dict[str, None] = {}
    unread: list[str] = []
    users = _list(value.get("usuarios"))
    for place, kind, record in _records(users):
        tally = tallies.setdefault(kind, _Tally())
        tally.count += 1
        tally.total += _sum(record, "vrServicio", place, unread, needed=kind not in SIN_VALOR)
        tally.copayment += _sum(record, "valorPagoModerador", place, unread, needed=False)
        tally.authorized += bool(_text(record.get("numAutorizacion")))
        subgroup = _text(record.get("tipoOS" if kind == "otrosServicios" else "grupoServicios"))
        if subgroup:
            tally.subgroups.add(subgroup)
        dates += [at for name in _FECHAS if (at := _datetime(record.get(name))) is not None]
        provider = _text(record.get("codPrestador"))
        if provider:
            providers[provider] = None
    return Rips(
        issuer=parse_nit(_text(value.get("numDocumentoIdObligado"))),
        number=_text(value.get("numFactura")),
        note_kind=(_text(value.get("tipoNota")) or "").upper() or None,
        note_number=_text(value.get("numNota")),
        users=len(users),
        groups={kind: _group(tallies[kind]) for kind in sorted(tallies, key=_order)},
        total=sum((t.total for t in tallies.values()), Decimal(0)),
        copayment=sum((t.copayment for t in tallies.values()), Decimal(0)),
        first=min(dates, default=None),
        last=max(dates, default=None),
        providers=tuple(providers),
        unread=tuple(unread[:_MAX_UNREAD]),
    )


def walk(value: Mapping[str, Any]) -> Iterator[FilaUsuario]:
    """Yield each user with their services as a person reads them. Health data: only for a screen that logs its reader."""
    for index, user in enumerate(_list(value.get("usuarios"))):
        if not isinstance(user, dict):
            continue
        rows = tuple(_row(kind, record, place) for place, kind, record in _records([user], first=index))
        yield FilaUsuario(
            sequence=_text(user.get("consecutivo")),
            document_kind=_text(user.get("tipoDocumentoIdentificacion")),
            document=_text(user.get("numDocumentoIdentificacion")),
            born=_text(user.get("fechaNacimiento")),
            sex=_text(user.get("codSexo")),
            services=rows,
        )


def _records(users: list[Any], *, first: int = 0) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield place, kind and record of each service; lists may be null, absent or hold other things."""
    for index, user in enumerate(users, start=first):
        services = user.get("servicios") if isinstance(user, dict) else None
        if not isinstance(services, dict):
            continue
        for kind, records in services.items():
            for row, record in enumerate(_list(records)):
                if isinstance(record, dict):
                    yield f"usuarios[{index}].servicios.{kind}[{row}]", str(kind), record


def _row(kind: str, record: Mapping[str, Any], place: str) -> FilaServicio:
    return FilaServicio(
        kind=kind,
        sequence=_text(record.get("consecutivo")),
        at=next((text for name in _FECHAS if (text := _text(record.get(name)))), None),
        code=next((text for name in _CODIGOS if (text := _text(record.get(name)))), None),
        description=_text(record.get("nomTecnologiaSalud")),
        diagnosis=_text(record.get("codDiagnosticoPrincipal")),
        quantity=_text(record.get("cantidadMedicamento", record.get("cantidadOS"))),
        amount=parse_amount(record.get("vrServicio")),
        copayment=parse_amount(record.get("valorPagoModerador")),
        authorization=_text(record.get("numAutorizacion")),
        place=place,
    )


def _sum(record: Mapping[str, Any], name: str, place: str, unread: list[str], *, needed: bool) -> Decimal:
    """Return the amount of a record; note its place when it is there and unreadable, or missing and needed."""
    value = record.get(name)
    amount = parse_amount(value)
    if amount is None and len(unread) < _MAX_UNREAD and (needed or _text(value)):
        unread.append(f"{place}.{name}")
    return amount if amount is not None else Decimal(0)


def _group(tally: _Tally) -> GrupoServicios:
    return GrupoServicios(
        count=tally.count,
        total=tally.total,
        copayment=tally.copayment,
        with_authorization=tally.authorized,
        subgroups=tuple(sorted(tally.subgroups)),
    )


def _order(kind: str) -> tuple[int, str]:
    return (SERVICIOS.index(kind) if kind in SERVICIOS else len(SERVICIOS), kind)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    return clean(str(value))


def _datetime(value: object) -> datetime | None:
    """Read `AAAA-MM-DD[ HH:MM]`; None for anything else, also for days that do not exist."""
    found = _DATE.match(value.strip()) if isinstance(value, str) else None
    if not found:
        return None
    year, month, day, hour, minute = (int(part or 0) for part in found.groups())
    try:
        at = datetime(year, month, day, hour, minute)  # noqa: DTZ001  civil time of the file, has no zone
    except ValueError:
        return None
    return at if believable(at) else None
