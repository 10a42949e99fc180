"""Frozen dataclasses out of JSON, and files that are whole or not there, for the pipe contract. Standard library only.

Invariant: what is built has every needed field with its right type; the error names the field's path and never its
value, because a `start` carries a password and health data.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


class ContractError(ValueError):
    """A line that is not of this protocol. Its text names the field, never the value."""


def json_object(line: bytes, limit: int) -> dict[str, Any]:
    """Parse one line of at most `limit` bytes; ContractError unless it is a JSON object."""
    if len(line) > limit:
        raise ContractError("line too long")
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise ContractError("not a JSON line") from None
    if not isinstance(value, dict):
        raise ContractError("not a JSON object")
    return value


def build(cls: type[T], raw: Mapping[str, Any], path: str) -> T:
    """A dataclass from a JSON object: unknown keys are left out, missing ones take their default or are an error."""
    hints = _hints(cls)
    values: dict[str, Any] = {}
    for name, hint in hints.items():
        if name in raw:
            values[name] = _value(hint, raw[name], f"{path}{name}")
        elif name in _needed(cls):
            raise ContractError(f"{path}{name}: missing")
    return cls(**values)


def _value(hint: Any, value: Any, path: str) -> Any:
    if get_origin(hint) is UnionType:
        inner = next(a for a in get_args(hint) if a is not type(None))
        return None if value is None else _value(inner, value, path)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ContractError(f"{path}: expected a list")
        return tuple(_value(get_args(hint)[0], v, f"{path}[{n}]") for n, v in enumerate(value))
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise ContractError(f"{path}: expected an object")
        return build(hint, value, f"{path}.")
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        try:
            return hint(value)
        except ValueError:
            raise ContractError(f"{path}: expected a known value") from None
    plain = get_origin(hint) or hint
    if not isinstance(value, plain) or (plain is int and isinstance(value, bool)):
        raise ContractError(f"{path}: expected {plain.__name__}")
    if isinstance(value, str) and not storable(value):
        raise ContractError(f"{path}: expected text without NUL or half characters")
    return value


def storable(text: str) -> bool:
    """Say whether a text can be written anywhere: databases refuse NUL, and half of a surrogate pair is no character."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def mended(text: str) -> str:
    """Return a text of a page with U+FFFD where it has something that cannot be stored."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def write_durably(path: Path, data: bytes) -> None:
    """Write a file so that it is whole or not there (temporary file, fsync, rename, fsync of the folder)."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)
    fd = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _hints(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)


def _needed(cls: Any) -> frozenset[str]:
    return frozenset(f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING)
