"""Frozen values as JSON and back, for the pipe between two processes of this program."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Return what JSON can hold of a value made of dataclasses, tuples, mappings, enums and plain values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {entry.name: to_plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: type[T], plain: Any) -> T:
    """Return the value of a type that :func:`to_plain` was given.

    >>> from core.services.importing.rows import Reject
    >>> from_plain(Reject, to_plain(Reject(3, "empty")))
    Reject(line=3, reason='empty')
    """
    return _value(kind, plain)


def _value(kind: Any, plain: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        inner = [one for one in get_args(kind) if one is not type(None)]
        return None if plain is None else _value(inner[0], plain) if len(inner) == 1 else plain
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _value(hints[name], item) for name, item in plain.items()})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(plain)
    if origin is tuple or origin is Sequence:
        inner = get_args(kind)
        return tuple(_value(inner[0], item) for item in plain)
    if origin is dict or origin is Mapping:
        return {key: _value(get_args(kind)[1], item) for key, item in plain.items()}
    return plain


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
