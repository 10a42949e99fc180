"""Judges one package: runs every part over it and tells the findings with the severity and the words of the day.

Invariant: all parts run and all findings are returned; a part never raises on what a document says. Parts are pure
functions; the order of the findings is that of weight, then document, then place. Norms: those of each part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from radica.facturas.cuv import CuvResult
from radica.facturas.fev import Clase as Documento
from radica.facturas.rips import SERVICIOS
from radica.facturas.validacion.catalogo import contar, no_decidibles
from radica.facturas.validacion.consecutivos import consecutivos
from radica.facturas.validacion.cruces import cruces
from radica.facturas.validacion.cufe_reglas import codigo_unico
from radica.facturas.validacion.estructura import estructura
from radica.facturas.validacion.firma_reglas import firma
from radica.facturas.validacion.modelo import Clase, Contexto, Hallado, Hallazgo, Modulo, Paquete
from radica.facturas.validacion.reglas_rips import reglas_rips
from radica.facturas.validacion.reglas_xml import parte as reglas_xml
from radica.facturas.validacion.soportes import parte as soportes
from radica.facturas.validacion.xsd import esquemas

Parte = Callable[[Paquete, Contexto], Iterable[Hallado]]

PARTES: tuple[Parte, ...] = (
    firma,
    codigo_unico,
    esquemas,
    soportes,
    estructura,
    reglas_rips,
    consecutivos,
    reglas_xml,
    cruces,
)
"""Every part of the checker; each reads what it needs of the package and says nothing when it is not there."""

_WEIGHT = {Clase.RECHAZO: 0, Clase.NOTIFICACION: 1, Clase.AVISO: 2, Clase.NO_DECIDIBLE: 3}


def juzgar(paquete: Paquete, contexto: Contexto) -> list[Hallazgo]:
    """Return every finding of a package, what rejects first."""
    seen = replace(contexto, modulo=paquete.modulo or modulo_de(paquete))
    found = list(contar(_hallados(paquete, seen), seen.fecha))
    found += no_decidibles(presentes(paquete), seen.fecha)
    return sorted(found, key=lambda one: _WEIGHT[one.clase])


def modulo_de(paquete: Paquete) -> Modulo:
    """Tell for which call of the MUV the package is, by its documents."""
    note = str((paquete.rips or {}).get("tipoNota") or "").upper()
    by_note = {"NC": Modulo.NC, "ND": Modulo.ND, "NA": Modulo.NOTA_AJUSTE, "RS": Modulo.SIN_FACTURA}
    if note in by_note:
        return by_note[note]
    fev = paquete.fev
    if fev is None:
        return _dicho(paquete.cuv) or Modulo.FEV
    if fev.kind is Documento.NOTA_CREDITO:
        return Modulo.NC if paquete.rips is not None else Modulo.NC_TOTAL
    if fev.kind is Documento.NOTA_DEBITO:
        return Modulo.ND
    capita = fev.modalidad_pago == "03" or fev.es_recaudo
    if capita and paquete.rips is None:
        return Modulo.CAPITA_INICIAL
    return Modulo.CAPITA_PERIODO if capita else Modulo.FEV


_POR_PALABRA = {"capitafinal": Modulo.CAPITA_FINAL, "capitaperiodo": Modulo.CAPITA_PERIODO}


def _dicho(cuv: CuvResult | None) -> Modulo | None:
    """Return the call that an answer names: a RIPS of capitation, without XML, says it nowhere itself."""
    said = () if cuv is None else (cuv.module, *(line.fuente for line in cuv.results))
    return next((_POR_PALABRA[word.lower()] for word in said if word and word.lower() in _POR_PALABRA), None)


def presentes(paquete: Paquete) -> frozenset[str]:
    """Return which parts a package has: `fev`, `rips`, `cuv`, `soportes` and the kinds of service of its RIPS."""
    have = {
        name
        for name, part in (
            ("fev", paquete.fev),
            ("rips", paquete.rips),
            ("cuv", paquete.cuv),
            ("soportes", paquete.soportes or None),
        )
        if part is not None
    }
    users = (paquete.rips or {}).get("usuarios")
    for user in users if isinstance(users, list) else []:
        services = user.get("servicios") if isinstance(user, dict) else None
        if isinstance(services, dict):
            have |= {kind for kind in SERVICIOS if services.get(kind)}
    return frozenset(have)


def _hallados(paquete: Paquete, contexto: Contexto) -> Iterator[Hallado]:
    for part in PARTES:
        yield from part(paquete, contexto)
