"""What was read of a document, as JSON for the database and back: so that a review needs no file.

Invariant: `recall(kind, remember(value))` is the slimmed value again; nothing clinical and no patient is kept: no
lines, no texts of the validator, no historical fields of sector salud with names, no document of a patient in the
name of a support. Amounts travel as text, exact.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
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
Reader = Callable[[Any], Any]

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
    wanted: Any = kind
    read = _reader(wanted)
    made = read(data) if read is not None else None
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
    kind: Any = type(value)
    return {name: _encode(getattr(value, name)) for name in _names(kind)}


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


@cache
def _reader(kind: Any) -> Reader | None:
    """Return what turns JSON back into a value of the annotated type `kind`; None when it is that value already."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _optional(_reader(next(arg for arg in get_args(kind) if arg is not type(None))))
    if origin is tuple:
        return _tuple(_reader(get_args(kind)[0]))
    if origin is not None:  # Mapping[str, …]
        return _mapping(_reader(get_args(kind)[1]))
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind)
    if kind in (date, datetime):
        read: Reader = kind.fromisoformat
        return read
    return kind if kind is Decimal or (isinstance(kind, type) and issubclass(kind, StrEnum)) else None


def _optional(inner: Reader | None) -> Reader | None:
    return (lambda value: None if value is None else inner(value)) if inner is not None else None


def _tuple(inner: Reader | None) -> Reader:
    return (lambda value: tuple([inner(member) for member in value])) if inner is not None else tuple


def _mapping(inner: Reader | None) -> Reader:
    return (lambda value: {key: inner(member) for key, member in value.items()}) if inner is not None else dict


def _dataclass(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    names = _names(kind)
    readers = [(name, read) for name in names if (read := _reader(hints[name])) is not None]

    def build(value: Mapping[str, Any]) -> Any:
        fields = {name: value[name] for name in names}
        for name, read in readers:
            fields[name] = read(fields[name])
        return kind(**fields)

    return build
