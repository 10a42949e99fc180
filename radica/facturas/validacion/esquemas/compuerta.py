"""A gate compiled once from the schemas: it lets right records pass at the speed of plain dictionary look-ups.

Invariant: the gate stops a record exactly when its schema refuses it, and for the same reasons (a property test holds
it): both use the same test of each field. Marshmallow is then asked only about what the gate stopped. Nothing is kept
of a record.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from radica.facturas.validacion.esquemas.campos import Campo, Entorno, EsquemaRips, Motivo, Prueba
from radica.facturas.validacion.esquemas.servicios import (
    PROPIAS_948,
    SERVICIO,
    USUARIO,
    Transaccion,
    Version,
)
from radica.facturas.validacion.tablas import edicion

Queja = tuple[str, Motivo]
"""Property (empty: the record itself) and why it is refused."""
_LOOKED_AT = 50
"""Users whose keys tell the version of a file."""
_KEPT = 16
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Compuerta:
    """One schema and its compiled test."""

    esquema: EsquemaRips
    campos: Mapping[str, Campo]
    deja: Callable[[object], bool]
    """Whether a record passes; a record that is no object never does."""

    def quejas(self, registro: object) -> Iterator[Queja]:
        """Yield every reason against a record, without marshmallow."""
        if type(registro) is not dict:
            yield "", Motivo.OBJETO
            return
        for name, one in self.campos.items():
            value = registro.get(name, _ABSENT)
            motive = one.si_falta if value is _ABSENT else one.si_nulo if value is None else one.revisar(value)
            if motive is not None:
                yield name, motive
        for name in registro:
            if name not in self.campos:
                yield name, Motivo.SOBRA

    def explica(self, registro: object) -> Iterator[Queja]:
        """Yield every reason against a record, as its marshmallow schema tells them."""
        errors = self.esquema.validate(cast("dict[str, Any]", registro))
        for name, reasons in errors.items():
            for reason in reasons:
                yield ("" if name == "_schema" else name), Motivo(reason)


@dataclass(frozen=True, slots=True)
class Compuertas:
    """The gates of one version of the RIPS."""

    version: Version
    transaccion: Compuerta
    usuario: Compuerta
    servicio: Mapping[str, Compuerta]
    cie10: Container[str] | None


_made: dict[tuple[Version, date, int], Compuertas] = {}


def compuertas(version: Version, fecha: date, cie10: Container[str] | None = None) -> Compuertas:
    """Return the gates of a version with the tables in force on a day; compiled once per edition of the tables."""
    day = edicion(fecha)
    key = (version, day, id(cie10))
    found = _made.get(key)
    if found is None or found.cie10 is not cie10:
        where = Entorno(day, cie10)
        found = Compuertas(
            version,
            _compile(Transaccion(where)),
            _compile(USUARIO[version](where)),
            {kind: _compile(schema(where)) for kind, schema in SERVICIO[version].items()},
            cie10,
        )
        if len(_made) >= _KEPT:
            _made.clear()
        _made[key] = found
    return found


def version_de(rips: Mapping[str, Any]) -> Version:
    """Tell by which norm a RIPS is written: by its properties, which alone decide how it must be read."""
    users = rips.get("usuarios")
    for user in users[:_LOOKED_AT] if isinstance(users, list) else []:
        if not isinstance(user, dict):
            continue
        services = user.get("servicios")
        lists = services.values() if isinstance(services, dict) else ()
        firsts = (records[0] for records in lists if isinstance(records, list) and records)
        for record in (user, *firsts):
            if isinstance(record, dict) and not PROPIAS_948.isdisjoint(record):
                return Version.RES_948
    return Version.RES_2275


def _compile(schema: EsquemaRips) -> Compuerta:
    fields = {name: one for name, one in schema.load_fields.items() if isinstance(one, Campo)}
    tests = tuple((name, one.revisar, one.si_nulo is None) for name, one in fields.items())
    return Compuerta(schema, fields, _gate(tests, frozenset(fields)))


def _gate(tests: tuple[tuple[str, Prueba, bool], ...], known: frozenset[str]) -> Callable[[object], bool]:
    size, inside = len(known), known.issuperset

    def lets(record: object) -> bool:
        if type(record) is not dict or len(record) != size or not inside(record):
            return False
        for name, test, null in tests:  # same size, and nothing unknown: every property is there
            value = record[name]
            if value is None:
                if not null:
                    return False
            elif test(value) is not None:
                return False
        return True

    return lets
