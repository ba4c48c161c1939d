"""Limits of a file from outside, JSON values, and the reasons for which a row is rejected.

A row is read leniently and judged strictly. Python's JSON reader takes NaN, infinities, repeated keys and halves of
surrogate pairs, and refuses deep nesting and integers of thousands of digits; all of them stay in the row, the latter
as :class:`Unusable`, and cost it only where their column is used. A text that is used must be storable byte for byte.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.domain.counting import counted

MIB = 1 << 20
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)
_DEEP_TOKENS = 200_000


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
        columns: of a CSV file.
        values: lists, objects and commas in one JSON row; each value takes far more memory than text.
        column_wise_bytes: a JSON file that holds a list for each column; it has to be held in memory whole.
    """

    line_bytes: int = 8 * MIB
    field_bytes: int = MIB
    file_bytes: int = 8 << 30
    expanded_bytes: int = 16 << 30
    ratio: int = 200
    ratio_floor: int = 256 * MIB
    row_group_bytes: int = 2 << 30
    columns: int = 4096
    values: int = 500_000
    column_wise_bytes: int = 64 * MIB


@dataclass(frozen=True, slots=True)
class Unusable:
    """A value of a row that could not be read; the row is lost only when it needs this column.

    Attributes:
        reason: completes "the column is ...", such as "a number with 5,000 digits".
    """

    reason: str

    def __str__(self) -> str:
        return self.reason


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
        raise RowRejected(f"{name} is {describe_type(value)}" + ("" if isinstance(value, Unusable) else ", not text"))
    try:
        size = len(value) if value.isascii() else len(value.encode("utf-8"))
    except UnicodeEncodeError:
        raise RowRejected(f"{name} holds half of a surrogate pair, which is not a character") from None
    if size > limits.field_bytes:
        raise RowRejected(f"{name} has {size:,} bytes, more than the {limits.field_bytes:,} allowed")
    if "\x00" in value:
        raise RowRejected(f"{name} holds a NUL character")
    return value


def describe_type(value: object) -> str:
    """Return the type of a JSON value in words; an object is described by the names of its fields.

    >>> describe_type({"text": "a", "score": 1})
    'an object with the fields text, score'
    """
    if value is None:
        return "missing"
    if isinstance(value, Unusable):
        return value.reason
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, dict):
        return _describe_object(value)
    return {str: "text", list: "a list", bytes: "binary data"}.get(type(value), type(value).__name__)


def _describe_object(value: dict[object, object]) -> str:
    names = [printable(str(name))[:30] for name in list(value)[:8]]
    return (
        f"an object with the fields {', '.join(names)}" + (", ..." if len(value) > 8 else "")
        if names
        else "an empty object"
    )


def printable(text: str) -> str:
    """Return text that UTF-8 can encode: a sentence may quote a damaged value."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def too_long(size: int, limits: Limits, what: str = "row") -> str:
    """Return the reason of a row, or a line, of so many bytes that it is not read."""
    return f"the {what} has {size:,} bytes, more than the {limits.line_bytes:,} bytes allowed"


def parse_json(data: bytes | str, limits: Limits) -> object:
    """Parse one JSON value.

    A key that stands twice with different values, a number with too many digits and a value that is nested too deeply
    become :class:`Unusable`. Commas before a closing bracket are left out.

    Raises:
        RowRejected: the reason is in the error.
    """
    if len(data) > limits.line_bytes:
        raise RowRejected(too_long(len(data), limits))
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
    except UnicodeDecodeError as error:
        raise RowRejected(f"it is not UTF-8 text (byte {error.start + 1} is 0x{data[error.start]:02X})") from None
    if len(text) > limits.values and _values(text) > limits.values:
        raise RowRejected(f"the row holds more than the {counted(limits.values, 'value')} allowed")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        return _without_trailing_commas(text, error)
    except RecursionError:
        return _without_deep_values(text)
    except ValueError:  # Python refuses integers of more than 4,300 digits
        return _PATIENT.decode(text)


def is_cut_off(reason: str) -> bool:
    """Say whether a reason of :func:`parse_json` is one that a record has which ends too early.

    >>> is_cut_off("it is not JSON: a text that begins at character 9 is not closed")
    True
    """
    return reason.startswith(("it is not JSON", "it is not UTF-8"))


def _values(text: str) -> int:
    return text.count("[") + text.count("{") + text.count(",")


def _without_trailing_commas(text: str, error: json.JSONDecodeError) -> object:
    mended = _TRAILING_COMMA.sub(lambda match: match.group(1) or "", text)
    if mended != text:
        try:
            return _PATIENT.decode(mended)
        except (ValueError, RecursionError):
            pass
    raise RowRejected(f"it is not JSON: {_reason(text, error)}") from None


def _reason(text: str, error: json.JSONDecodeError) -> str:
    at = error.pos + 1
    if error.msg.startswith("Unterminated string"):
        return f"a text that begins at character {at} is not closed"
    if error.msg.startswith("Expecting property name") and text[error.pos : error.pos + 1] == "'":
        return "names stand in single quotes, as Python prints a dictionary"
    if error.msg.startswith("Expecting property name") and re.match(r"[A-Za-z_$][\w$]*\s*:", text[error.pos :]):
        return "names stand without quotes, as in JavaScript or JSON5; JSON wants them in double quotes"
    if error.msg == "Expecting value" and text[error.pos : error.pos + 1] == "\ufeff":
        return f"a byte order mark stands at character {at}"
    return f"{error.msg} at character {at}"


def _without_deep_values(text: str) -> object:
    """Return the row without what is nested too deeply for Python's reader."""
    row: dict[str, object] = {}
    for member in _members(text):
        try:
            found = _PATIENT.decode("{" + member + "}")
        except RecursionError:
            found = {_first_key(member): Unusable("nested too deeply")}
        except json.JSONDecodeError as error:
            raise RowRejected(f"it is not JSON: {error.msg} in {member[:20]!r}") from None
        assert isinstance(found, dict)
        row = _merged([*row.items(), *found.items()])
    return row


def _members(text: str) -> Iterator[str]:
    """Yield the ``"key": value`` parts of an object's text."""
    if not text.lstrip().startswith("{"):
        raise RowRejected("it is nested too deeply")
    depth = start = 0
    for count, match in enumerate(_TOKEN.finditer(text)):
        if count > _DEEP_TOKENS:
            break
        mark = match.group()
        if mark in "[{":
            depth += 1
            if depth == 1:
                start = match.end()
        elif mark in "]}":
            depth -= 1
        if (depth == 1 and mark == ",") or (depth == 0 and mark == "}"):
            if text[start : match.start()].strip():
                yield text[start : match.start()]
            start = match.end()
        if depth == 0 and mark == "}":
            return
    raise RowRejected("it is nested too deeply")


def _first_key(member: str) -> str:
    key = _TOKEN.match(member.lstrip())
    if key is None or not key.group().startswith('"'):
        raise RowRejected("it is nested too deeply")
    return str(json.loads(key.group()))


def _merged(items: list[tuple[str, object]]) -> dict[str, object]:
    """Return the object; a key that stands twice with different values is unusable."""
    row = dict(items)
    if len(row) == len(items):
        return row
    first: dict[str, object] = {}
    for key, value in items:
        known = first.setdefault(key, value)
        if known is not value and not _same(known, value):
            row[key] = Unusable("given twice with different values")
    return row


def _same(one: object, other: object) -> bool:
    try:
        return type(one) is type(other) and one == other
    except RecursionError:
        return False


def _integer(text: str) -> object:
    try:
        return int(text)
    except ValueError:
        return Unusable(f"a number with {len(text.lstrip('-')):,} digits")


_DECODER = json.JSONDecoder(object_pairs_hook=_merged)
_PATIENT = json.JSONDecoder(object_pairs_hook=_merged, parse_int=_integer)  # type: ignore[arg-type]
