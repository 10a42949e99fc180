"""What the rules of the RIPS share: the eyes with which a package, a user and a service are read.

Invariant: nothing here raises on what a document says; a value of a form that cannot be compared is None or empty, and
the structure rules tell it. Dates are compared as the ISO text they are written in. No value shows a patient.
Norms: Res. 948 de 2026, MUV technical document 1 v002; Res. 2275 de 2023 for older names (`tipoPagoModerador`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from radica.facturas.fev import Fev
from radica.facturas.numbers import parse_amount
from radica.facturas.rips import SERVICIOS
from radica.facturas.texts import fold
from radica.facturas.validacion.modelo import Contexto, Modulo, Paquete
from radica.facturas.validacion.tablas import Catalogos, codigos, tabla
from radica.kernel.clock import BOGOTA
from radica.kernel.money import format_cop, to_cents

DT1_V002 = date(2026, 7, 1)
"""From this day technical document 1 v002 is in force."""
DT1_V003 = date(2026, 7, 15)
"""From this day its v003 is: user 14, wider weights at birth."""
FECHA_DE = {
    "consultas": "fechaInicioAtencion",
    "procedimientos": "fechaInicioAtencion",
    "urgencias": "fechaInicioAtencion",
    "hospitalizacion": "fechaInicioAtencion",
    "recienNacidos": "fechaNacimiento",
    "medicamentos": "fechaDispensAdmon",
    "otrosServicios": "fechaSuministroTecnologia",
}
CODIGO_DE = {
    "consultas": "codConsulta",
    "procedimientos": "codProcedimiento",
    "medicamentos": "codTecnologiaSalud",
    "otrosServicios": "codTecnologiaSalud",
}
COPAGO, CUOTA, COMPARTIDO, ANTICIPO, NINGUNO = "copago", "cuota moderadora", "pago compartido", "anticipo", "no aplica"
CONCEPTOS = {"01": COPAGO, "02": CUOTA, "03": COMPARTIDO, "04": ANTICIPO, "05": NINGUNO}
"""Table conceptoRecaudo."""
_PAGO_MODERADOR = {"01": CUOTA, "02": COPAGO, "03": COMPARTIDO, "04": NINGUNO}
"""Table TipoPagoModerador, of the RIPS before `conceptoRecaudo`."""
_CAPITA = frozenset({Modulo.CAPITA_INICIAL, Modulo.CAPITA_PERIODO, Modulo.CAPITA_FINAL, Modulo.NC_CAPITA})
_PARCIALES = frozenset({Modulo.NC, Modulo.ND, Modulo.NOTA_AJUSTE, Modulo.NC_CAPITA})
_RAROS = frozenset({dict, list, tuple, float})
"""Types that no field of a service has; they are told by the structure rules and read as None here."""
_MAX_PESOS = 10**14
_ANIO = re.compile(r"20[0-9]{2}")
_DIA, _MINUTO = 10, 16


class Falta(NamedTuple):
    """What a rule found, by place inside the record (or the user, or the package) that it was given."""

    codigo: str
    campo: str
    valores: Mapping[str, str] = {}
    variante: str = ""


Registro = Mapping[str, Any]
Numero = int | Decimal
Faltas = Iterable[Falta]


@dataclass(frozen=True, slots=True)
class Marco:
    """What holds for the whole package; dates are ISO texts.

    `inicio` and `fin` bound the services of this RIPS; empty when unsaid, and when the invoice is of another period
    than its RIPS (capitation) or of none (notes).
    """

    fecha: date
    ahora: str
    modulo: Modulo
    modalidad: str | None
    inicio: str
    fin: str
    coberturas: frozenset[str]
    """Codes of table coberturaPlan that the invoice says; empty without invoice."""
    finalidades: frozenset[str]
    """Codes of purpose in force."""
    fev: Fev | None
    catalogos: Catalogos = field(repr=False)
    anio_cups: int = 0
    """Year of the table of CUPS, by its name; 0 when it does not say it."""
    documento: Mapping[str, Any] = field(repr=False, default_factory=dict)

    @property
    def completo(self) -> bool:
        """Say whether the RIPS holds all services: that of a note holds only those that it changes."""
        return self.modulo not in _PARCIALES

    @property
    def es_capita(self) -> bool:
        """Say whether payment is by capitation: by the call of the MUV, or by the invoice."""
        return self.modalidad == "03"


@dataclass(slots=True)
class Vista:
    """One user with their services, as (index in the file, record) by kind."""

    marco: Marco
    datos: Registro = field(repr=False)
    servicios: Mapping[str, list[tuple[int, Registro]]] = field(repr=False)
    tipo: str
    sexo: str
    nacimiento: str = field(repr=False)
    estancias: tuple[tuple[str, str], ...] = field(repr=False)
    """Entry and exit of each stay (urgencias, hospitalizacion) whose two dates can be read."""


ReglaServicio = Callable[[Registro, Vista], Faltas]
ReglaUsuario = Callable[[Vista], Faltas]


def marco_de(paquete: Paquete, contexto: Contexto) -> Marco:
    """Return what holds for the whole package."""
    fev = paquete.fev
    modality = "03" if contexto.modulo in _CAPITA else modalidad_de(fev) if fev is not None else None
    start, end = (
        (fev.period_start, fev.period_end) if fev is not None and contexto.modulo is Modulo.FEV else (None, None)
    )
    if start is None or end is None:
        start = end = None
    return Marco(
        fecha=contexto.fecha,
        ahora=_validacion(paquete, contexto).strftime("%Y-%m-%d %H:%M"),
        modulo=contexto.modulo,
        modalidad=modality,
        inicio=start.isoformat() if start else "",
        fin=end.isoformat() if end else "",
        coberturas=coberturas_de(fev) if fev is not None else frozenset(),
        finalidades=codigos("RIPSFinalidadConsultaVersion2", contexto.fecha),
        fev=fev,
        catalogos=contexto.catalogos,
        anio_cups=_anio(contexto.catalogos.versiones.get("cups", "")),
        documento=paquete.rips or {},
    )


def _anio(version: str) -> int:
    found = _ANIO.search(version)
    return int(found[0]) if found else 0


def _validacion(paquete: Paquete, contexto: Contexto) -> datetime:
    """Return the latest moment that a service may have: now, or the end of the day on which the Ministry refused it.

    An answer that accepted is no limit: a later service says that it is of another RIPS (CRUCE-CUV-FECHA).
    """
    now, cuv = _civil(contexto.ahora), paquete.cuv
    if cuv is None or cuv.accepted or cuv.at is None:
        return now
    return min(now, _civil(cuv.at).replace(hour=23, minute=59), key=lambda at: at.replace(tzinfo=None))


def _civil(at: datetime) -> datetime:
    """Return Colombian civil time, which a naive time already is."""
    return at if at.tzinfo is None else at.astimezone(BOGOTA)


def modalidad_de(fev: Fev) -> str | None:
    """Return the modality of payment; None when the invoice says several, for then no service has one for certain."""
    codes = {one.code for bloque in fev.salud for one in bloque if one.name == "MODALIDAD_PAGO" and one.code}
    return fev.modalidad_pago if len(codes) <= 1 else None


def coberturas_de(fev: Fev) -> frozenset[str]:
    """Return the coverages that an invoice says, by the code of their table or else by their name."""
    names = {fold(name): code for code, name in tabla("coberturaPlan").items()}
    said = (campo for bloque in fev.salud for campo in bloque if campo.name == "COBERTURA_PLAN_BENEFICIOS")
    codes = (one.code if one.code in names.values() else names.get(fold((one.value or "").strip(" ."))) for one in said)
    return frozenset(code for code in codes if code)


def vistas(marco: Marco) -> Iterator[tuple[int, Vista]]:
    """Yield index and view of each user that is an object; what is none was told by the structure rules."""
    users = marco.documento.get("usuarios")
    for index, user in enumerate(users if isinstance(users, list) else ()):
        if isinstance(user, dict):
            yield index, _vista(marco, plano(user))


def plano(registro: Registro) -> Registro:
    """Return the record with None where a list, an object or no finite number stands, that no rule can compare."""
    kinds = set(map(type, registro.values()))
    if _RAROS.isdisjoint(kinds) and (Decimal not in kinds or not any(map(_sin_fin, registro.values()))):
        return registro
    return {name: None if type(value) in _RAROS or _sin_fin(value) else value for name, value in registro.items()} | {
        name: value for name, value in registro.items() if name == "servicios"
    }


def _sin_fin(value: object) -> bool:
    return type(value) is Decimal and not value.is_finite()


def _vista(marco: Marco, user: Registro) -> Vista:
    groups = user.get("servicios")
    services: dict[str, list[tuple[int, Registro]]] = {}
    for kind in SERVICIOS:
        records = groups.get(kind) if isinstance(groups, dict) else None
        if isinstance(records, list) and records:
            services[kind] = [(at, plano(one)) for at, one in enumerate(records) if isinstance(one, dict)]
    stays = tuple(
        (start, end)
        for kind in ("urgencias", "hospitalizacion")
        for _, one in services.get(kind, ())
        if (start := momento(one.get("fechaInicioAtencion"))) and (end := momento(one.get("fechaEgreso")))
    )
    return Vista(
        marco=marco,
        datos=user,
        servicios=services,
        tipo=texto(user.get("tipoUsuario")),
        sexo=texto(user.get("codSexo")),
        nacimiento=dia(user.get("fechaNacimiento")),
        estancias=stays,
    )


def texto(value: object) -> str:
    """Return a text without outer blanks; empty for anything else."""
    return value.strip() if isinstance(value, str) else ""


def dia(value: object) -> str:
    """Return the day `AAAA-MM-DD` of a date text; empty when it has not that form."""
    if type(value) is str and len(value) >= _DIA and value[4] == "-" and value[7] == "-":
        return value[:_DIA]
    return ""


def momento(value: object) -> str:
    """Return `AAAA-MM-DD HH:MM`; a day alone is its first minute; empty when it has not that form."""
    if type(value) is not str or len(value) < _DIA or value[4] != "-" or value[7] != "-":
        return ""
    if len(value) == _DIA:
        return value + " 00:00"
    if len(value) >= _MINUTO and value[13] == ":":
        return value[:_MINUTO].replace("T", " ")
    return ""


def instante(text: str) -> datetime | None:
    """Return the civil time of a text of `momento`; None when there is no such day."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def edad(nacimiento: str, en: str) -> int | None:
    """Return whole years between two days; None when one of them is unknown or no date."""
    if not nacimiento or not en:
        return None
    try:
        years = int(en[:4]) - int(nacimiento[:4])
    except ValueError:
        return None
    return years - (en[5:_DIA] < nacimiento[5:_DIA])


def monto(value: object) -> Numero | None:
    """Return pesos exactly as written; None for what is no plain number."""
    if type(value) is int:
        return value if -_MAX_PESOS < value < _MAX_PESOS else None
    return None if value is None else parse_amount(value)


def concepto(registro: Registro) -> str:
    """Return which moderating payment a service carries, under its name of then or of now; empty when unsaid."""
    code = registro.get("conceptoRecaudo")
    if code is not None:
        return CONCEPTOS.get(code, "") if type(code) is str else ""
    old = registro.get("tipoPagoModerador")
    return _PAGO_MODERADOR.get(old, "") if type(old) is str else ""


def campo_concepto(registro: Registro) -> str:
    """Return the name of the field that `concepto` read."""
    return "conceptoRecaudo" if "conceptoRecaudo" in registro else "tipoPagoModerador"


def pesos(amount: Numero) -> str:
    """Write pesos for a message."""
    return format_cop(to_cents(Decimal(amount))) if abs(Decimal(amount)) < _MAX_PESOS // 10 else "un valor imposible"
