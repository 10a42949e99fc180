"""The electronic invoice (FEV), credit and debit notes, and what DIAN answered: the values, without their XML.

Invariant: amounts are exact pesos, instants are aware, and what the document does not say is None, never a default.
The blocks of sector salud may hold names of patients in their historical form, so they never appear in a repr.
Norms: DIAN annex 1.9; Res. 948 de 2026 (sector salud). `ubl.py` reads them from the XML.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from radica.facturas.numbers import Nit
from radica.facturas.texts import fold

_NIT_SCHEME = "31"


class Clase(StrEnum):
    """Kind of sale document."""

    FACTURA = "factura"
    NOTA_CREDITO = "nota_credito"
    NOTA_DEBITO = "nota_debito"


_MODALIDADES = {"01": "caso", "02": "global prospectivo", "03": "capita", "04": "evento"}


@dataclass(frozen=True)
class Parte:
    """Issuer or acquirer; `id_scheme` 31 is NIT, 13 cédula (DIAN table 13.2.1)."""

    nit: Nit | None
    name: str | None = field(repr=False)
    id_scheme: str | None

    @property
    def is_nit(self) -> bool:
        """True when the document says that the number is a NIT."""
        return self.id_scheme == _NIT_SCHEME


@dataclass(frozen=True)
class Linea:
    """One line; `amount` is its LineExtensionAmount in pesos."""

    id: str | None
    code: str | None
    description: str | None = field(repr=False)
    quantity: Decimal | None
    unit: str | None
    unit_price: Decimal | None
    amount: Decimal | None


@dataclass(frozen=True)
class Impuesto:
    """A tax of the header; `scheme` 01 IVA, 04 INC, 03 ICA."""

    scheme: str | None
    amount: Decimal | None


@dataclass(frozen=True)
class Anticipo:
    """A PrepaidPayment; `concept` 01 copago, 02 cuota moderadora, 03 pagos compartidos, 04 anticipo."""

    concept: str | None
    amount: Decimal | None
    received: date | None


@dataclass(frozen=True)
class CampoSalud:
    """One AdditionalInformation of sector salud: name, value, and the code (schemeID) of its table."""

    name: str
    value: str | None
    code: str | None


@dataclass(frozen=True)
class Numeracion:
    """The numbering resolution that DIAN authorised."""

    resolution: str | None
    prefix: str | None
    first: str | None
    last: str | None
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True)
class Referencia:
    """The invoice that a note affects."""

    number: str | None
    cufe: str | None
    issue_date: date | None


@dataclass(frozen=True)
class RespuestaDian:
    """An ApplicationResponse: `code` 02 validated, 04 refused, 030–034 events of the title; `at` is its issue."""

    code: str | None
    description: str | None
    number: str | None
    cufe: str | None
    at: datetime | None
    cude: str | None
    sender: Nit | None
    receiver: Nit | None

    @property
    def validated(self) -> bool:
        """True when DIAN says that the document is valid."""
        return self.code == "02"


@dataclass(frozen=True)
class Fev:
    """A sale document as it says of itself. Amounts in pesos; absent → None, never a default."""

    kind: Clase
    number: str | None
    prefix: str | None
    cufe: str | None
    cufe_scheme: str | None
    cufes_seen: tuple[str, ...]
    environment: str | None
    profile: str | None
    operation: str | None
    type_code: str | None
    issue_date: date | None
    issued_at: datetime | None
    issue_time_text: str | None
    due_date: date | None
    period_start: date | None
    period_end: date | None
    currency: str | None
    supplier: Parte
    customer: Parte
    line_extension: Decimal | None
    tax_exclusive: Decimal | None
    tax_inclusive: Decimal | None
    allowance_total: Decimal | None
    charge_total: Decimal | None
    prepaid: Decimal | None
    payable: Decimal | None
    prepaid_payments: tuple[Anticipo, ...]
    taxes: tuple[Impuesto, ...]
    lines: tuple[Linea, ...] = field(repr=False)
    line_count: int | None
    lines_total: Decimal | None
    """Σ of the lines, in pesos; None without lines. A line without a readable amount counts as zero."""
    salud: tuple[tuple[CampoSalud, ...], ...] = field(repr=False)
    numbering: Numeracion | None
    software_provider: Nit | None
    references: tuple[Referencia, ...]
    container_number: str | None = None
    in_container: bool = False
    response: RespuestaDian | None = None

    def salud_values(self, name: str) -> tuple[str, ...]:
        """Return the distinct values of a field of sector salud over all blocks, in order of appearance."""
        found = (campo.value for bloque in self.salud for campo in bloque if campo.name == name)
        return tuple(dict.fromkeys(value for value in found if value))

    @property
    def modalidad_pago(self) -> str | None:
        """Code of table modalidadPago (01–04), by schemeID or else by its written name; None when unsaid."""
        for campo in (c for bloque in self.salud for c in bloque if c.name == "MODALIDAD_PAGO"):
            if campo.code in _MODALIDADES:
                return campo.code
            said = fold(campo.value or "")
            for code, word in _MODALIDADES.items():
                if word in said:
                    return code
        return None

    @property
    def es_recaudo(self) -> bool:
        """Say whether it is a receipt of what a patient paid, or the start of a capitation (SS-Recaudo, in any case)."""
        return (self.operation or "").upper() == "SS-RECAUDO"

    @property
    def validated_at(self) -> datetime | None:
        """When DIAN validated it: from here the 22 business days of RAD-01 run."""
        return self.response.at if self.response and self.response.validated else None
