"""The kinds of field of a RIPS as marshmallow fields, each with one test that schema and gate share.

Invariant: a field refuses a value exactly when its `prueba` names a reason, so that the gate compiled from the schemas
(`compuerta`) and the schemas can never disagree; an error is a reason (`Motivo`), never the value, which may be health
data. Only ASCII digits count as digits. What real answers of the Ministry let pass is let pass here, or only noticed
(`…_DUDOSO`). Norms: MUV technical document 1 (sizes and types); Res. 2275/2023 and 948/2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, Self

from marshmallow import RAISE, Schema, ValidationError, fields

from radica.facturas.validacion.tablas import codigos


class Motivo(StrEnum):
    """Why a property is refused; how heavy each is stands in `data/reglas_estructura.csv`."""

    FALTA = "falta"
    FALTA_OPCIONAL = "falta_opcional"
    """A property that admits null is not written: real packages without it were accepted."""
    FALTA_DUDOSA = "falta_dudosa"
    """A property that the norm asks for and the published contract of the Ministry's service does not."""
    NULO = "nulo"
    NULO_DUDOSO = "nulo_dudoso"
    SOBRA = "sobra"
    OBJETO = "objeto"
    TIPO = "tipo"
    TIPO_DUDOSO = "tipo_dudoso"
    """A number in quotes: the Ministry's service reads it as a number (a real answer of 2024 passed over one)."""
    TAMANO = "tamano"
    TAMANO_DUDOSO = "tamano_dudoso"
    VACIO = "vacio"
    """Empty text where something is asked; seen in real files whose answer is not known."""
    FORMATO = "formato"
    FECHA = "fecha"
    TABLA = "tabla"
    CLINICO = "clinico"
    """Not in its table, and only who wrote the clinical record can say the right code."""
    DIAGNOSTICO = "diagnostico"


@dataclass(frozen=True)
class Entorno:
    """With which tables the schemas are made: an edition of the small ones (a day) and, if loaded, CIE-10."""

    edicion: date
    cie10: Container[str] | None = field(repr=False, default=None)


Prueba = Callable[[object], Motivo | None]
"""Judge a value that is there and not null; None: accepted."""


class Campo(fields.Field[Any]):
    """A property that must be written; `nulo` says whether it may be null."""

    espera = "otro dato"
    """What is expected, in Spanish, to follow «debe ser»."""

    def __init__(self, espera: str = "", *, nulo: bool = False) -> None:
        super().__init__(required=True, allow_none=nulo)
        self.espera = espera or self.espera
        self.ausente(Motivo.FALTA_OPCIONAL if nulo else Motivo.FALTA, None if nulo else Motivo.NULO)

    def ausente(self, falta: Motivo, nulo: Motivo | None) -> Self:
        """Set why it is refused when it is not written and when it is null (None: that is right)."""
        self.si_falta, self.si_nulo = falta, nulo
        self.error_messages |= {"required": falta.value, "null": (nulo or Motivo.NULO).value}
        return self

    def opcional(self, *, nulo: bool = False) -> Self:
        """Notice only that it is absent, or null too: the contract that the Ministry's service publishes allows it."""
        return self.ausente(Motivo.FALTA_DUDOSA, Motivo.NULO_DUDOSO if nulo else Motivo.NULO)

    def prueba(self, entorno: Entorno) -> Prueba:
        """Return the test of a value with given tables."""
        raise NotImplementedError

    def _bind_to_schema(self, field_name: str, parent: Any) -> None:
        super()._bind_to_schema(field_name, parent)
        self.revisar = self.prueba(parent.entorno)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Any:
        motive = self.revisar(value)
        if motive is not None:
            raise ValidationError(motive.value)
        return value


class EsquemaRips(Schema):
    """Base of the schemas: unknown properties are an error with its reason, as everything else."""

    error_messages = {"unknown": Motivo.SOBRA.value, "type": Motivo.OBJETO.value}  # noqa: RUF012  as Schema has it

    def __init__(self, entorno: Entorno) -> None:
        self.entorno = entorno
        super().__init__(unknown=RAISE)


class Texto(Campo):
    """A text of `minimo` to `maximo` characters; an empty one stands for null where null is admitted.

    Sizes in `dudosos` are no rejection: the norm does not admit them and the Ministry's service does.
    """

    def __init__(
        self,
        minimo: int,
        maximo: int,
        *,
        patron: str | Callable[[str], object] = "",
        nulo: bool = False,
        vacio: Motivo = Motivo.TAMANO,
        tamano: Motivo = Motivo.TAMANO,
        dudosos: range = range(0),
        espera: str = "",
    ) -> None:
        size = f"de {minimo} a {maximo}" if minimo != maximo else f"de {maximo}"
        super().__init__(espera or f"un texto {size} caracteres", nulo=nulo)
        self.limites = (minimo, maximo)
        self.patron = re.compile(patron).fullmatch if patron and isinstance(patron, str) else patron or None
        self.si_vacio = None if nulo or not minimo else vacio
        self.si_mide_otro = tamano
        self.dudosos = dudosos

    def prueba(self, entorno: Entorno) -> Prueba:
        """See Campo."""
        low, high = self.limites
        form, empty, size, doubtful = self.patron, self.si_vacio, self.si_mide_otro, self.dudosos

        def revisar(value: object) -> Motivo | None:
            if type(value) is not str:
                return Motivo.TIPO
            if low <= len(value) <= high:
                return None if form is None or form(value) else Motivo.FORMATO
            if len(value) in doubtful:
                return Motivo.TAMANO_DUDOSO if form is None or form(value) else Motivo.FORMATO
            return size if value else empty

        return revisar


class TextoONumero(Texto):
    """A text that technical document 1 declares a number (N03): both are let pass."""

    def prueba(self, entorno: Entorno) -> Prueba:
        """See Campo."""
        shape = super().prueba(entorno)
        return lambda value: shape(str(value) if type(value) is int else value)


class Codigo(Campo):
    """A code of a small table, as text."""

    def __init__(
        self,
        tabla: str,
        *,
        nulo: bool = False,
        vacio: Motivo = Motivo.TAMANO,
        fuera: Motivo = Motivo.TABLA,
        tamano: Motivo = Motivo.TAMANO,
    ) -> None:
        super().__init__(f"un código de la tabla {tabla}", nulo=nulo)
        self.tabla = tabla
        self.si_vacio = None if nulo else vacio
        self.si_fuera, self.si_mide_otro = fuera, tamano

    def prueba(self, entorno: Entorno) -> Prueba:
        """See Campo."""
        known = codigos(self.tabla, entorno.edicion)
        lengths = frozenset(map(len, known))
        empty, outside, size = self.si_vacio, self.si_fuera, self.si_mide_otro

        def revisar(value: object) -> Motivo | None:
            if type(value) is not str:
                return Motivo.TIPO
            if value in known:
                return None
            if not value:
                return empty
            return outside if len(value) in lengths else size

        return revisar


class Diagnostico(Texto):
    """A code of CIE-10: its form always, its existence when the table is loaded."""

    def __init__(self, *, nulo: bool = False, maximo: int = 4) -> None:
        super().__init__(4, maximo, patron="[A-Za-z0-9]+", nulo=nulo, espera="un código CIE-10 de 4 caracteres")

    def prueba(self, entorno: Entorno) -> Prueba:
        """See Campo."""
        shape, known = super().prueba(entorno), entorno.cie10
        if known is None:
            return shape

        def revisar(value: object) -> Motivo | None:
            # Small letters are no other code: that the Ministry refuses them was never seen.
            if type(value) is str and (value in known or value.upper() in known):
                return None
            return shape(value) or (Motivo.DIAGNOSTICO if value else None)

        return revisar


class Entero(Campo):
    """A whole number between two limits; values in `dudosos` are no rejection."""

    def __init__(self, minimo: int, maximo: int, *, nulo: bool = False, dudosos: range = range(0)) -> None:
        super().__init__(f"un número entero, sin comillas, entre {minimo} y {maximo}", nulo=nulo)
        self.limites = (minimo, maximo)
        self.dudosos = dudosos

    def prueba(self, entorno: Entorno) -> Prueba:
        """See Campo."""
        low, high = self.limites
        doubtful = self.dudosos

        def revisar(value: object) -> Motivo | None:
            if type(value) is int:
                if low <= value <= high:
                    return None
                return Motivo.TAMANO_DUDOSO if value in doubtful else Motivo.TAMANO
            if isinstance(value, Decimal):
                if not value.is_finite() or value != value.to_integral_value():
                    return Motivo.FORMATO
                return revisar(int(value)) if -high <= value <= high else Motivo.TAMANO
            return _en_comillas(value, revisar)

        return revisar


class Numero(Campo):
    """A quantity or an amount of pesos, never negative, of at most `cifras` digits before the point."""

    def __init__(self, cifras: int, *, nulo: bool = False) -> None:
        super().__init__(f"un número sin comillas, no negativo, de hasta {cifras} cifras", nulo=nulo)
        self.tope = 10**cifras

    def prueba(self, entorno: Entorno) -> Prueba:
        """See Campo."""
        top = self.tope

        def revisar(value: object) -> Motivo | None:
            if type(value) is not int:
                if not isinstance(value, Decimal):
                    return _en_comillas(value, revisar)
                if not value.is_finite():
                    return Motivo.FORMATO
            if 0 <= value < top:
                return None
            return Motivo.FORMATO if value < 0 else Motivo.TAMANO

        return revisar


class UnidadMedida(Campo):
    """Table UMM: declared a number, and accepted as text of digits in real answers; null by RVC065."""

    espera = "un número de hasta 4 cifras"

    def __init__(self) -> None:
        super().__init__(nulo=True)

    def prueba(self, entorno: Entorno) -> Prueba:
        """See Campo."""
        digits = re.compile("[0-9]{0,4}").fullmatch

        def revisar(value: object) -> Motivo | None:
            if type(value) is int:
                return None if 0 <= value <= 9999 else Motivo.TAMANO
            if type(value) is str:
                return None if digits(value) else Motivo.FORMATO
            return Motivo.TIPO

        return revisar


class Servicio(Campo):
    """Code of the enabled service, a number of table Servicios."""

    espera = "un código numérico de la tabla Servicios"
    limites = (100, 9999)
    """Of the published contract; other numbers are a fault of structure."""

    def __init__(self) -> None:
        super().__init__()
        self.ausente(Motivo.FALTA, Motivo.NULO_DUDOSO)

    def prueba(self, entorno: Entorno) -> Prueba:
        """See Campo."""
        known = frozenset(map(int, codigos("Servicios", entorno.edicion)))
        low, high = self.limites

        def revisar(value: object) -> Motivo | None:
            if type(value) is not int:
                return _en_comillas(value, revisar)
            if value in known:
                return None
            return Motivo.TABLA if low <= value <= high else Motivo.TAMANO

        return revisar


class Dia(Campo):
    """A day that exists, `AAAA-MM-DD`."""

    espera = "una fecha que exista, escrita AAAA-MM-DD"
    patron = "([0-9]{4}-[0-9]{2}-[0-9]{2})"

    def prueba(self, entorno: Entorno) -> Prueba:
        """See Campo."""
        form = re.compile(self.patron).fullmatch

        def revisar(value: object) -> Motivo | None:
            if type(value) is not str:
                return Motivo.TIPO
            return None if form(value) and exists(value[:10]) else Motivo.FECHA

        return revisar


class Momento(Dia):
    """A minute that exists, `AAAA-MM-DD HH:MM`."""

    espera = "una fecha y hora que existan, escritas AAAA-MM-DD HH:MM"
    patron = "([0-9]{4}-[0-9]{2}-[0-9]{2}) (?:[01][0-9]|2[0-3]):[0-5][0-9]"


class Estructura(Campo):
    """An object or a list; what is inside has its own schema."""

    def __init__(self, tipo: type) -> None:
        super().__init__("un objeto" if tipo is dict else "una lista")
        self.tipo = tipo

    def prueba(self, entorno: Entorno) -> Prueba:
        """See Campo."""
        kind = self.tipo
        return lambda value: None if type(value) is kind else Motivo.TIPO


_NUMERO = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?").fullmatch


def _en_comillas(value: object, revisar: Prueba) -> Motivo | None:
    """Judge a text where a number is asked: one that reads as a right number is only noticed."""
    if type(value) is not str or not (read := _NUMERO(value)):
        return Motivo.TIPO
    return revisar(Decimal(value) if read[1] else int(value)) or Motivo.TIPO_DUDOSO


@lru_cache(maxsize=4096)
def exists(day: str) -> bool:
    """Say whether a text `AAAA-MM-DD` of ASCII digits names a day of the calendar."""
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True
