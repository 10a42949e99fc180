"""What was read of a document, as JSON for the database and back: so that a review needs no file.

Invariant: `recall(kind, remember(value))` is the slimmed value again; nothing clinical and no patient is kept: no
lines, no texts of the validator, no historical fields of sector salud with names, no document of a patient in the
name of a support. Amounts travel as text, exact.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from radica.facturas.cuv import CuvResult
from radica.facturas.fev import Fev
from radica.facturas.recognise import Pieza
from radica.facturas.soportes import NombreSoporte

T = TypeVar("T")

_SALUD = frozenset(
    {
        "CODIGO_PRESTADOR",
        "MODALIDAD_PAGO",
        "COBERTURA_PLAN_BENEFICIOS",
        "NUMERO_CONTRATO",
        "NUMERO_POLIZA",
        "FACTURA_SIN_CONTRATO",
    }
)
_MAX_RESULTS = 60


def remember(piece: Pieza) -> dict[str, Any]:
    """Return the JSON value to keep of a document."""
    value = piece.fev or piece.rips or piece.cuv or piece.response or piece.soporte
    encoded = _encode(slim(value))
    assert isinstance(encoded, dict)
    return encoded


def recall(kind: type[T], data: Mapping[str, Any]) -> T:
    """Return the value of class `kind` that `remember` kept. Raises KeyError or ValueError when it is of another kind."""
    made = _decode(kind, data)
    assert isinstance(made, kind)
    return made


def slim(value: Any) -> Any:
    """Return a value without its lines, texts and personal fields."""
    if isinstance(value, Fev):
        blocks = (tuple(field for field in block if field.name in _SALUD) for block in value.salud)
        customer = value.customer if value.customer.is_nit else dataclasses.replace(value.customer, name=None)
        distinct = tuple(dict.fromkeys(block for block in blocks if block))
        return dataclasses.replace(value, lines=(), salud=distinct, customer=customer)
    if isinstance(value, CuvResult):
        lines = {(line.clase, line.codigo): line for line in value.results}.values()
        bare = (dataclasses.replace(line, descripcion=None, observaciones=None, lugar=None) for line in lines)
        return dataclasses.replace(value, results=tuple(bare)[:_MAX_RESULTS])
    if isinstance(value, NombreSoporte):
        return dataclasses.replace(value, user="usuario" if value.user else None)
    return value


def _encode(value: Any) -> Any:
    """Turn a value of dataclasses, tuples and scalars into JSON."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _encode(member) for key, member in value.items()}
    if isinstance(value, tuple):
        return [_encode(member) for member in value]
    return {field.name: _encode(getattr(value, field.name)) for field in dataclasses.fields(value)}


def _decode(kind: Any, value: Any) -> Any:
    """Turn JSON back into a value of the annotated type `kind`."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        inner = next(arg for arg in get_args(kind) if arg is not type(None))
        return None if value is None else _decode(inner, value)
    if origin is tuple:
        return tuple(_decode(get_args(kind)[0], member) for member in value)
    if origin is not None:  # Mapping[str, …]
        return {key: _decode(get_args(kind)[1], member) for key, member in value.items()}
    if dataclasses.is_dataclass(kind):
        made: Any = kind
        return made(**{name: _decode(hint, value[name]) for name, hint in _hints(made).items()})
    if kind in (date, datetime):
        return kind.fromisoformat(value)
    if kind is Decimal or (isinstance(kind, type) and issubclass(kind, StrEnum)):
        return kind(value)
    return value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}
