"""Limits of a file from outside, and the reasons for which a row is rejected.

Python's JSON reader accepts NaN, infinities, duplicate keys and lone surrogates; SQLite and Qt refuse or silently lose
them. Everything that cannot be stored byte for byte is rejected here with its own reason.
"""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes above which a file, a row or a text is refused.

    Attributes:
        line_bytes: one JSON line or array element, one CSV record line.
        field_bytes: one text, in UTF-8.
        file_bytes: the file as it lies on the disk.
        expanded_bytes: what a compressed file may become.
        ratio: how many times larger than the bytes read so far the expanded content may be; a guard
            against decompression bombs, checked once ``ratio_floor`` bytes have been read.
        row_group_bytes: one row group of a Parquet file, expanded.
    """

    line_bytes: int = 8 * MIB
    field_bytes: int = MIB
    file_bytes: int = 8 << 30
    expanded_bytes: int = 16 << 30
    ratio: int = 200
    ratio_floor: int = 16 * MIB
    row_group_bytes: int = 2 << 30


class RowRejected(Exception):
    """One row cannot be used; ``reason`` is a phrase for the reject list."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def allow_csv_fields(size: int) -> None:
    """Raise the csv module's own limit, 128 KiB at first, to ``size`` characters; it is one for the whole process."""
    csv.field_size_limit(max(size, csv.field_size_limit()))


def check_text(value: object, name: str, limits: Limits) -> str:
    """Return ``value`` when it is a text that can be stored byte for byte.

    Raises:
        RowRejected: for another type, a lone surrogate, a NUL character or too many bytes.
    """
    if not isinstance(value, str):
        raise RowRejected(f"{name} is {describe_type(value)}, not text")
    try:
        size = len(value.encode("utf-8"))
    except UnicodeEncodeError:
        raise RowRejected(f"{name} holds half of a surrogate pair, which is not a character") from None
    if size > limits.field_bytes:
        raise RowRejected(f"{name} has {size:,} bytes, more than the {limits.field_bytes:,} allowed")
    if "\x00" in value:
        raise RowRejected(f"{name} holds a NUL character")
    return value


def describe_type(value: object) -> str:
    """Return the type of a JSON value in words."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, int | float):
        return "a number"
    return {str: "text", list: "a list", dict: "an object"}.get(type(value), type(value).__name__)


def parse_json(data: bytes | str, limits: Limits) -> object:
    """Parse one JSON value strictly.

    Raises:
        RowRejected: the reason is in the error.
    """
    if len(data) > limits.line_bytes:
        raise RowRejected(f"the row has more than the {limits.line_bytes:,} bytes allowed")
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
    except UnicodeDecodeError as error:
        raise RowRejected(f"it is not UTF-8 text (byte {error.start + 1})") from None
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise RowRejected(f"it is not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise RowRejected("it is nested too deeply") from None
    except ValueError:  # Python refuses integers of more than 4,300 digits
        raise RowRejected("it holds a number with too many digits") from None


def _refuse_constant(name: str) -> object:
    raise RowRejected(f"it holds {name}, which is not a number")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise RowRejected(f"the number {text[:20]} is too large")
    return value


def _unique_keys(items: list[tuple[str, object]]) -> dict[str, object]:
    row = dict(items)
    if len(row) != len(items):
        seen: set[str] = set()
        twice = next(key for key, _ in items if key in seen or seen.add(key))
        raise RowRejected(f"the key {twice[:60]!r} appears twice")
    return row


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_unique_keys)
