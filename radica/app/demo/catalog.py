"""Invented providers, payers, people and services of the demonstration set.

Nothing here is real: tax numbers begin with 99 and citizen numbers with 19 (series that were never issued), names are
composed of made-up words or syllables. Codes (CUPS, CIE-10, coverage, user type) are the public ones of the tables that
Res. 948/2026 refers to, so that the documents built from them mean what they say.
Invariant: pure data and pure functions; amounts are whole pesos (`int`), never floats.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

P2 = "p2_cuentas_medicas"
P1 = "p1_previsora"

# A constant of the demonstration, not a secret: with it anybody can recompute the CUFE of the demo invoices.
CLAVE_TECNICA_DEMO = "de3057ac10de0de3057ac10de0de3057ac10de00"
SOFTWARE_ID_DEMO = "99000000-de30-4000-8000-0000000de300"
SOFTWARE_PIN_DEMO = "99190"

# No payer of the demo knows this contract: the simulated portal of an EPS refuses a filing that names it.
CONTRATO_DESCONOCIDO = "CT-0000-SIN-REGISTRO"


@dataclass(frozen=True)
class Place:
    """A municipality: DANE code of five digits, its name and its department."""

    dane: str
    city: str
    department: str


@dataclass(frozen=True)
class Provider:
    """A fictitious IPS. `habilitacion` has ten digits (REPS); RIPS adds two for the site (`codigo_sede`)."""

    nit: str
    dv: str
    name: str
    habilitacion: str
    place: Place
    address: str
    prefix: str
    first_number: int
    padding: int
    resolution: str
    clave_tecnica: str = CLAVE_TECNICA_DEMO

    @property
    def codigo_sede(self) -> str:
        """The codPrestador of the RIPS: the habilitation code and the two digits of the main site."""
        return self.habilitacion + "01"


@dataclass(frozen=True)
class Payer:
    """A fictitious payer. `archetype` names the portal its bot knows, None when it is filed by hand.

    `coverage` is COBERTURA_PLAN_BENEFICIOS (code, text), `user_types` the RIPS user types it admits and `tariff` the
    per-mille that this payer agreed to pay of the catalogue's price.
    """

    nit: str
    dv: str
    name: str
    kind: str
    archetype: str | None
    place: Place
    address: str
    coverage: tuple[str, str]
    user_types: tuple[str, ...]
    contracts: tuple[str, ...]
    tariff: int


BOGOTA = Place("11001", "Bogotá, D.C.", "Bogotá")
CALI = Place("76001", "Cali", "Valle del Cauca")
MEDELLIN = Place("05001", "Medellín", "Antioquia")
PASTO = Place("52001", "Pasto", "Nariño")

PROVIDERS: tuple[Provider, ...] = (
    Provider(
        nit="990000113",
        dv="6",
        name="CLÍNICA CERRO DE PAPEL S.A.S.",
        habilitacion="7600199001",
        place=CALI,
        address="Calle 99 # 0-01",
        prefix="CCP",
        first_number=50101,
        padding=0,
        resolution="18760000990001",
    ),
    Provider(
        nit="990000227",
        dv="7",
        name=(
            "CORPORACIÓN DE SERVICIOS ESPECIALIZADOS EN SALUD, REHABILITACIÓN INTEGRAL Y ALTA COMPLEJIDAD "
            "DE SAN TELMO DE LAS TRES QUEBRADAS IMAGINARIAS I.P.S. S.A.S."
        ),
        habilitacion="1100199002",
        place=BOGOTA,
        address="Carrera 199 # 0-02 torre de consultorios, piso 31",
        prefix="TQ",
        first_number=7001,
        padding=0,
        resolution="18760000990002",
    ),
    Provider(
        nit="990000335",
        dv="4",
        name="HOSPITAL NUBE VERDE E.S.E.",
        habilitacion="5200199003",
        place=PASTO,
        address="Avenida de los Arrayanes Azules # 0-03",
        prefix="HNV",
        first_number=318,
        padding=7,
        resolution="18760000990003",
    ),
)

PAYERS: tuple[Payer, ...] = (
    Payer(
        nit="990100411",
        dv="5",
        name="EPS LUNA DE BARRO S.A.",
        kind="EPS",
        archetype=P2,
        place=BOGOTA,
        address="Calle 0 # 99-11",
        coverage=("16", "Plan de beneficios en salud financiado con UPC Contributivo"),
        user_types=("01", "02"),
        contracts=("CT-2026-LB-014",),
        tariff=1000,
    ),
    Payer(
        nit="990100525",
        dv="6",
        name="SABANA CLARA ENTIDAD PROMOTORA DE SALUD S.A.S.",
        kind="EPS",
        archetype=P2,
        place=CALI,
        address="Avenida 0 Norte # 99-25",
        coverage=("17", "Plan de beneficios en salud financiado con UPC Subsidiado"),
        user_types=("04",),
        contracts=("CT-2026-SC-207",),
        tariff=950,
    ),
    Payer(
        nit="990100639",
        dv="7",
        name="SEGUROS FARO DE TIZA S.A.",
        kind="SOAT",
        archetype=P1,
        place=BOGOTA,
        address="Carrera 0 # 99-39",
        coverage=("04", "Cobertura Póliza SOAT"),
        user_types=("10",),
        contracts=(),
        tariff=1100,
    ),
    Payer(
        nit="990100743",
        dv="5",
        name="ASOCIACIÓN MUTUAL LA ESPIGA INVENTADA E.P.S.",
        kind="EPS",
        archetype=None,
        place=MEDELLIN,
        address="Circular 0 # 99-43",
        coverage=("16", "Plan de beneficios en salud financiado con UPC Contributivo"),
        user_types=("01", "02"),
        contracts=("CT-2026-ME-031",),
        tariff=980,
    ),
    Payer(
        nit="990100857",
        dv="6",
        name="ADMINISTRADORA DE RECURSOS DEL SISTEMA (ENTIDAD FICTICIA)",
        kind="ADRES",
        archetype=None,
        place=BOGOTA,
        address="Avenida 0 # 99-57, piso 17",
        coverage=("06", "Cobertura ADRES"),
        user_types=("05",),
        contracts=(),
        tariff=1000,
    ),
)


@dataclass(frozen=True)
class Person:
    """An invented patient as RIPS wants it; `name` appears only in the supports, RIPS carries no names."""

    doc_type: str
    doc: str
    name: str
    birth: date
    sex: str
    user_type: str
    siras: str | None


_HEAD = ("Zor", "Que", "Tral", "Mun", "Vil", "Gar", "Pel", "Nur", "Bro", "Dai", "Fel", "Jun", "Lem", "Wil", "Ox")
_MID = ("ve", "lo", "mi", "ra", "tu", "ne", "qui", "sa", "bri", "do")
_TAIL = ("lina", "ndro", "mar", "tesa", "bio", "rel", "dana", "vio", "quil", "zeta", "nor", "lumbre")


def _word(rng: Random) -> str:
    return rng.choice(_HEAD) + rng.choice(_MID) + rng.choice(_TAIL)


def invent_person(rng: Random, payer: Payer, *, on: date) -> Person:
    """A fictitious adult patient affiliated to `payer`, aged 19 to 88 on the day `on`."""
    birth = on - timedelta(days=rng.randrange(19 * 366, 88 * 365))
    user_type = rng.choice(payer.user_types)
    siras = f"SIRAS{on:%Y%m%d}{rng.randrange(10**6):06d}" if user_type == "10" else None
    return Person(
        doc_type="CC",
        doc=f"19{rng.randrange(10**8):08d}",
        name=f"{_word(rng)} {_word(rng)} {_word(rng)}",
        birth=birth,
        sex=rng.choice(("F", "M")),
        user_type=user_type,
        siras=siras,
    )


def invent_professional(rng: Random) -> tuple[str, str]:
    """Name and citizen number of a fictitious health professional."""
    return f"{_word(rng)} {_word(rng)}", f"18{rng.randrange(10**8):08d}"
