"""What only shows between invoices: the same service of the same patient under two numbers, one CUFE or CUV for two.

Invariant: no patient leaves a package: a service is known by a keyed hash of issuer, document, kind, code and time,
which tells nothing without the caller's key and is equal for equal services under one key. Documents of one and the
same number are one invoice, given twice, and not a repetition. Everything here is an `aviso`. Norm: Res. 2284 de 2023
annex 3 (a service is billed once); Ley 1581 de 2012 (health data).
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice

from radica.facturas.numbers import parse_invoice_number, parse_nit
from radica.facturas.validacion.modelo import Contexto, Hallado, Paquete
from radica.facturas.validacion.reglas_rips_base import CODIGO_DE, FECHA_DE, dia, marco_de, momento, texto, vistas
from radica.facturas.validacion.tablas import VACIOS

_POR_DIA = frozenset({"consultas", "procedimientos"})
"""Kinds that a patient seldom has twice on one day with the same code; the others count by minute."""
_NOTAS = frozenset({"NC", "ND", "NA"})
"""Kinds of RIPS that repeat the services of their invoice by nature."""
_SEPARADOR = "\x1f"
MAX_OTRAS = 20
"""Other invoices that are named to each one: a thousand copies of one RIPS must not make a million sentences."""


@dataclass(frozen=True, slots=True)
class Servicio:
    """One service without its patient. `clave` is 64 hexadecimal digits."""

    clave: str
    ruta: str
    codigo: str
    fecha: str


@dataclass(frozen=True)
class Huellas:
    """What is compared of one package; small, and may go from process to process or into a database."""

    numero: str
    """As written, for the message; empty when unknown."""
    identidad: str
    """NIT and number in comparable form; empty when unknown."""
    cufe: str = ""
    cuv: str = ""
    servicios: tuple[Servicio, ...] = field(repr=False, default=())


def huellas(paquete: Paquete, clave: bytes) -> Huellas:
    """Return the fingerprints of a package. `clave` is a secret of the caller; ValueError when it is empty."""
    if not clave:
        raise ValueError("fingerprints need a key")
    fev, rips = paquete.fev, paquete.rips or {}
    prefix = fev.prefix if fev is not None else None
    written = (fev.number if fev is not None else None) or texto(rips.get("numFactura")) or texto(rips.get("numNota"))
    number = parse_invoice_number(written, prefix=prefix)
    nit = fev.supplier.nit if fev is not None else parse_nit(texto(rips.get("numDocumentoIdObligado")) or None)
    is_note = texto(rips.get("tipoNota")).upper() in _NOTAS
    return Huellas(
        numero=written,
        identidad=f"{nit.number if nit else ''}:{number.key}" if number is not None else "",
        cufe=(fev.cufe or "").lower() if fev is not None else "",
        cuv=paquete.cuv.cuv or "" if paquete.cuv is not None and paquete.cuv.accepted else "",
        servicios=() if is_note else tuple(_servicios(paquete, nit.number if nit else "", clave)),
    )


def _servicios(paquete: Paquete, nit: str, clave: bytes) -> Iterator[Servicio]:
    # Neither the day nor the catalogues matter to a fingerprint.
    marco = marco_de(paquete, Contexto(date.min, datetime.min, VACIOS))  # noqa: DTZ901  a placeholder without zone
    for index, vista in vistas(marco):
        who = (
            texto(vista.datos.get("tipoDocumentoIdentificacion")),
            texto(vista.datos.get("numDocumentoIdentificacion")),
        )
        if not who[1]:
            continue
        for kind, records in vista.servicios.items():
            if kind == "recienNacidos":
                continue
            when = dia if kind in _POR_DIA else momento
            for at, one in records:
                code, moment = texto(one.get(CODIGO_DE.get(kind, ""))) or kind, when(one.get(FECHA_DE[kind]))
                if moment:
                    message = _SEPARADOR.join((nit, *who, kind, code, moment)).upper().encode()
                    digest = hmac.digest(clave, message, "sha256").hex()
                    yield Servicio(digest, f"usuarios[{index}].servicios.{kind}[{at}]", code, moment)


def entre_paquetes(paquetes: Sequence[Paquete], clave: bytes) -> Iterator[tuple[int, Hallado]]:
    """Yield (position of the package, finding) for what two packages of a batch share."""
    yield from entre_huellas([huellas(one, clave) for one in paquetes])


def entre_huellas(todas: Iterable[Huellas]) -> Iterator[tuple[int, Hallado]]:
    """Yield (position, finding) for what two invoices share; each of the two is told, once per other invoice.

    To each invoice at most `MAX_OTRAS` others are named, in their order, and then how many more there are.
    """
    every = list(todas)
    yield from _iguales("DUP-CUFE", "UUID", [one.cufe for one in every], every)
    yield from _iguales("DUP-CUV", "CodigoUnicoValidacion", [one.cuv for one in every], every)
    places: defaultdict[str, list[tuple[int, Servicio]]] = defaultdict(list)
    for at, one in enumerate(every):
        if one.identidad:
            for service in one.servicios:
                places[service.clave].append((at, service))
    shared: dict[int, dict[int, tuple[Servicio, int]]] = {}
    beyond: dict[int, int] = {}
    for same in places.values():
        owners = _primeros(every, [at for at, _ in same])
        if len(owners) < 2:
            continue
        near = dict(islice(owners.items(), MAX_OTRAS + 1))
        for at, service in same:
            others = [other for identity, other in near.items() if identity != every[at].identidad][:MAX_OTRAS]
            known = shared.setdefault(at, {})
            for other in others:
                first, count = known.get(other, (service, 0))
                known[other] = first, count + 1
            beyond[at] = max(beyond.get(at, 0), len(owners) - 1 - len(others))
    for at in sorted(shared):
        for other, (first, count) in sorted(shared[at].items()):
            said = {"otra": every[other].numero, "cuantos": cuantos_servicios(count)}
            yield at, Hallado("DUP-SERVICIO", first.ruta, {**said, "codigo": first.codigo, "fecha": first.fecha})
        if beyond[at]:
            yield at, Hallado("DUP-SERVICIO", "", {"cuantas": str(beyond[at])}, "mas")


def cuantos_servicios(count: int) -> str:
    """Return how many services the finding `DUP-SERVICIO` speaks of, with their verb."""
    return "1 servicio está" if count == 1 else f"{count} servicios están"


def _primeros(every: Sequence[Huellas], positions: Iterable[int]) -> dict[str, int]:
    """Return the first position of each invoice among some, in their order."""
    found: dict[str, int] = {}
    for at in positions:
        found.setdefault(every[at].identidad, at)
    return found


def _iguales(codigo: str, ruta: str, values: Sequence[str], every: Sequence[Huellas]) -> Iterator[tuple[int, Hallado]]:
    """Yield each package whose value another invoice has too."""
    owners: defaultdict[str, list[int]] = defaultdict(list)
    for at, value in enumerate(values):
        if value and every[at].identidad:
            owners[value].append(at)
    for same in owners.values():
        firsts = list(_primeros(every, same).items())[:2]
        for at in same if len(firsts) > 1 else ():
            other = next(position for identity, position in firsts if identity != every[at].identidad)
            yield at, Hallado(codigo, ruta, {"otra": every[other].numero})
