"""The values of the checker: what it is given, what a rule finds, and what a person is told.

Invariant: a rule only says *that* something is wrong and *where* (`Hallado`); how heavy it is, in which words and who
mends it stands in dated data (`catalogo`). No value here shows a patient in its repr. Paths are those that the
Ministry prints as `PathFuente`. Norms: Res. 948 de 2026, technical documents 1 and 2 of the MUV; DIAN annex 1.9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from lxml import etree

from radica.facturas.cuv import CuvResult
from radica.facturas.fev import Fev, RespuestaDian
from radica.facturas.validacion.tablas import Catalogos


class Clase(StrEnum):
    """Weight of a finding, as the JSON prints it (`severidad`)."""

    RECHAZO = "rechazo"
    """The Ministry, or DIAN, does not accept the document."""
    NOTIFICACION = "notificacion"
    """The Ministry says so and accepts it."""
    AVISO = "aviso"
    """Outside the Ministry's verdict: signature, arithmetic of DIAN, supports, tariff, term."""
    NO_DECIDIBLE = "no_decidible"
    """Needs a register that is not here: it is never guessed."""


class Quien(StrEnum):
    """Who can mend a finding; the screen groups by it."""

    FACTURACION = "facturacion"
    PROVEEDOR_TECNOLOGICO = "proveedor_tecnologico"
    ASISTENCIAL = "asistencial"
    """Who wrote the clinical record: diagnoses, causes, dates of a stay."""
    CONTRATACION = "contratacion"
    SISTEMAS = "sistemas"


class Fuente(StrEnum):
    """Which document a finding speaks of; the first four are the Ministry's own words."""

    FEV = "FacturaElectronica"
    RIPS = "Rips"
    CRUCE = "FevRips"
    CAPITA_INICIAL = "CapitaInicial"
    CUV = "Cuv"
    RESPUESTA = "ApplicationResponse"
    SOPORTE = "Soporte"


class Modulo(StrEnum):
    """Which call of the MUV a package is for (manual of the API FEV-RIPS 4.3)."""

    FEV = "CargarFevRips"
    NC = "CargarNC"
    NC_TOTAL = "CargarNCTotal"
    ND = "CargarND"
    NOTA_AJUSTE = "CargarNotaAjuste"
    SIN_FACTURA = "CargarRipsSinFactura"
    NC_ACUERDO = "CargarNCAcuerdoVoluntades"
    CAPITA_INICIAL = "CargarCapitaInicial"
    CAPITA_PERIODO = "CargarCapitaPeriodo"
    CAPITA_FINAL = "CargarCapitaFinal"
    NC_CAPITA = "CargarNCCapita"


@dataclass(frozen=True)
class DocumentoXml:
    """One XML file: its bytes, its root, and inside it the sale document (when there is one).

    `capas` are the signed layers in the order AttachedDocument, Invoice (or note), ApplicationResponse, as
    (local name of the root, its very bytes: for inner ones those of the CDATA without outer blanks).
    """

    nombre: str = field(repr=False)
    raiz: etree._Element = field(repr=False)
    principal: etree._Element | None = field(repr=False)
    fev: Fev | None
    respuesta: RespuestaDian | None
    capas: tuple[tuple[str, bytes], ...] = field(repr=False, default=())
    bytes_: int = 0
    raiz_respuesta: etree._Element | None = field(repr=False, default=None)
    """DIAN's ApplicationResponse, alone or inside the container. Every `sourceline` is a line of the file."""

    @property
    def es_contenedor(self) -> bool:
        """Say whether it is an AttachedDocument."""
        return self.raiz.tag.rpartition("}")[2] == "AttachedDocument"


@dataclass(frozen=True)
class SoporteArchivo:
    """A PDF support on disk; its name may carry a patient's document: never in a message."""

    nombre: str = field(repr=False)
    ruta: Path = field(repr=False)
    bytes_: int = 0
    sigla: str | None = None


@dataclass(frozen=True)
class Paquete:
    """The documents of one invoice, as far as they were given. `rips` is the decoded inner object."""

    xml: DocumentoXml | None = None
    respuesta: DocumentoXml | None = None
    """DIAN's ApplicationResponse when it came apart."""
    rips: Mapping[str, Any] | None = field(repr=False, default=None)
    cuv: CuvResult | None = None
    soportes: tuple[SoporteArchivo, ...] = ()
    modulo: Modulo | None = None
    """None: told by the documents (`motor.modulo_de`)."""

    @property
    def fev(self) -> Fev | None:
        """The sale document, or None."""
        return self.xml.fev if self.xml is not None else None


ClaveDe = Callable[[Fev], str | None]
"""Technical key (or PIN, for notes) of a document; a secret that is used and not kept."""


@dataclass(frozen=True)
class Contexto:
    """With which eyes a package is judged. `fecha` chooses the rules in force; `ahora` is Colombian civil time."""

    fecha: date
    ahora: datetime
    catalogos: Catalogos
    clave_de: ClaveDe | None = field(repr=False, default=None)
    pagador_tipo: str | None = None
    modulo: Modulo = Modulo.FEV
    otros_pacientes: frozenset[str] = field(repr=False, default=frozenset())
    """Documents of patients of the *other* invoices judged together: a support that names one is in the wrong place."""


@dataclass(frozen=True, slots=True)
class Hallado:
    """What a rule found. `valores` fill the words of the catalogue: codes, sums, dates of service; never a patient."""

    codigo: str
    ruta: str = ""
    valores: Mapping[str, str] = field(default_factory=dict)
    variante: str = ""
    """Which of several wordings of one code (`catalogo`)."""
    linea: int | None = None
    """Line of the XML file, from 1."""
    fuente: Fuente | None = None
    """When it is not the one of the catalogue."""
    dinero: int | None = None
    """Money at risk, in centavos."""


@dataclass(frozen=True, slots=True)
class Hallazgo:
    """One finding as it is told, in Spanish."""

    codigo: str
    clase: Clase
    ruta: str
    mensaje: str
    arreglo: str
    quien: Quien
    fuente: Fuente
    norma: str = ""
    linea: int | None = None
    dinero: int | None = None
