"""One invented bill: what every document of a demo package is drawn from.

FEV, RIPS, CUV and supports are rendered from the same `Bill`, so that their totals agree by construction; a defect is
made by rendering one of them from a bill that was altered on purpose.
Invariant: `gross` = Σ charges, `payable` = `gross` − what the patient paid (Res. 948/2026, SS-CUFE); no clock, no global
randomness: everything follows from the arguments.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from random import Random

from radica.app.demo.catalog import Payer, Person, Provider, invent_person, invent_professional
from radica.app.demo.servicios import Item, Scenario

BOGOTA_TZ = timezone(timedelta(hours=-5))


@dataclass(frozen=True)
class Charge:
    """An item as this payer is billed for it: `unit` pesos after tariff, `qty` over all patients."""

    item: Item
    unit: int
    qty: int

    @property
    def total(self) -> int:
        """Pesos of the whole line."""
        return self.unit * self.qty


@dataclass(frozen=True)
class Bill:
    """Everything the documents of one invoice say. Money in whole pesos; `issued` and `validated` carry -05:00."""

    provider: Provider
    payer: Payer
    scenario: Scenario
    number: str
    consecutive: int
    issued: datetime
    validated: datetime
    start: date
    end: date
    patients: tuple[Person, ...]
    doctor: tuple[str, str]
    charges: tuple[Charge, ...]
    recaudo: tuple[str, int] | None
    contract: str
    policy: str
    cuv: str
    process_id: int

    @property
    def gross(self) -> int:
        """Pesos before what the patient paid (LineExtensionAmount, and Σ vrServicio of the RIPS)."""
        return sum(charge.total for charge in self.charges)

    @property
    def prepaid(self) -> int:
        """Pesos that the patient paid (PrepaidAmount, and Σ valorPagoModerador of the RIPS)."""
        return self.recaudo[1] if self.recaudo else 0

    @property
    def payable(self) -> int:
        """Pesos that the payer owes (PayableAmount)."""
        return self.gross - self.prepaid

    @property
    def value(self) -> Decimal:
        """What the payer owes, in pesos with two decimals (LegalMonetaryTotal/PayableAmount)."""
        return Decimal(self.payable).quantize(Decimal("0.01"))


def _price(item: Item, tariff: int) -> int:
    """Pesos of one unit under a tariff in per-mille, rounded down to tens above one thousand pesos."""
    price = item.unit * tariff // 1000
    return price // 10 * 10 if price >= 1000 else price


def _allowed_recaudo(scenario: Scenario, payer: Payer) -> tuple[str, int] | None:
    """The patient's payment, unless the coverage forbids it: cuota moderadora (02) only in the contributory scheme."""
    if scenario.recaudo is None or payer.kind != "EPS":
        return None
    if scenario.recaudo[0] == "02" and payer.coverage[0] != "16":
        return None
    return scenario.recaudo


def make_bill(
    rng: Random,
    *,
    provider: Provider,
    payer: Payer,
    scenario: Scenario,
    index: int,
    issue_day: date,
    contract: str = "",
) -> Bill:
    """Draw one bill. `index` gives the consecutive number, `issue_day` the day of the FEV; attention ended days before.

    `contract` replaces the payer's own contract (a filing that the payer will refuse).
    """
    consecutive = provider.first_number + index
    number = (
        f"{provider.prefix}{consecutive:0{provider.padding}d}"
        if provider.padding
        else f"{provider.prefix}{consecutive}"
    )
    end = issue_day - timedelta(days=rng.randrange(1, 7))
    start = end - timedelta(days=scenario.days)
    issued = datetime.combine(
        issue_day, time(rng.randrange(7, 18), rng.randrange(60), rng.randrange(60)), tzinfo=BOGOTA_TZ
    )
    charges = tuple(Charge(item, _price(item, payer.tariff), item.qty * scenario.patients) for item in scenario.items)
    policy = f"AT-{rng.randrange(10**8):08d}" if payer.kind == "SOAT" else ""
    return Bill(
        provider=provider,
        payer=payer,
        scenario=scenario,
        number=number,
        consecutive=consecutive,
        issued=issued,
        validated=issued + timedelta(seconds=rng.randrange(2, 9)),
        start=start,
        end=end,
        patients=tuple(invent_person(rng, payer, on=start) for _ in range(scenario.patients)),
        doctor=invent_professional(rng),
        charges=charges,
        recaudo=_allowed_recaudo(scenario, payer),
        contract=contract or (payer.contracts[0] if payer.contracts else ""),
        policy=policy,
        cuv=hashlib.sha384(f"CUV de demostración|{provider.nit}|{number}|{rng.random()}".encode()).hexdigest(),
        process_id=rng.randrange(100_000, 999_999),
    )
