"""How the lines of a CSV file are cut: separator, line ends, the ``sep=`` line of Excel."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

from core.domain.errors import BadInput

_SEP_LINE = re.compile(r'\s*"?sep=(.)"?\s*', re.IGNORECASE)
_MARKS = (",", "\t", ";", "|")
_BARE = re.compile(r"\r(?!\n)")
_QUOTED = re.compile(r'"[^"]*(?:"|$)')


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """How a CSV file is cut.

    Attributes:
        delimiter: between cells.
        skip: lines before the header.
        bare_returns: a carriage return alone ends a line, as on the old Macintosh.
    """

    delimiter: str = ","
    skip: int = 0
    bare_returns: bool = False


def csv_layout(name: str, head: bytes) -> CsvLayout:
    """Return the layout that the first bytes of a file show.

    Raises:
        BadInput: when the first line is no header.
    """
    text = head.decode("utf-8", errors="replace").lstrip("\ufeff")
    lines = text.split("\n", 3)
    skip = next((i for i, line in enumerate(lines) if line.strip()), 0)
    first = lines[skip]
    outside = _QUOTED.sub("", text)  # old spreadsheets end a row by a return and a line inside a cell by a line feed
    bare = "\n" not in outside and _BARE.search(outside) is not None
    declared = _SEP_LINE.fullmatch(first.split("\r", 1)[0] if bare else first)
    if declared is not None:
        rest = text.split("\r" if bare else "\n")[skip + 1 :]
        return CsvLayout(declared.group(1), skip + 1, bare or _ends_by_return(rest[:2], declared.group(1)))
    shown = _BARE.split(first, 1)[0] if bare else first
    counts = {mark: _width(shown, mark) for mark in _MARKS}
    delimiter = max(counts, key=lambda mark: counts[mark])
    if not any(counts.values()):
        raise BadInput(
            f"The first line of {name} is no header: its quotes are not closed.", "Correct it and try again."
        )
    return CsvLayout(delimiter, skip, bare or _ends_by_return(lines[skip : skip + 2], delimiter))


def _ends_by_return(lines: list[str], delimiter: str) -> bool:
    """Say whether a carriage return inside the first line ends the header: then the next line is as wide as it."""
    if len(lines) < 2 or not (bare := _BARE.search(lines[0].rstrip("\r"))):
        return False
    return _width(lines[0][: bare.start()], delimiter) == _width(lines[1], delimiter)


def _width(line: str, delimiter: str) -> int:
    """Return the number of cells of a line; 0 when it cannot be cut."""
    try:
        return len(next(csv.reader([_BARE.sub("", line.rstrip("\r"))], delimiter=delimiter), []))
    except csv.Error:
        return 0
