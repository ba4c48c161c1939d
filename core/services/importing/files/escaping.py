"""Keeping a spreadsheet from running a cell as a formula, and taking the guard off again.

A cell that begins with one of the trigger characters gets an apostrophe in front, and so does a cell that
begins with an apostrophe: only then is "take one apostrophe off" the exact way back.
"""

from __future__ import annotations

ESCAPING = "apostrophe-v1"
TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")
"""Beginnings that Excel, LibreOffice or Google Sheets take for a formula, full-width forms included."""
_GUARDED = (*TRIGGERS, "'")


def guard(cell: str) -> str:
    """Return a cell that no spreadsheet runs."""
    return "'" + cell if cell.startswith(_GUARDED) else cell


def unguard(cell: str) -> str:
    """Return the cell that :func:`guard` was given."""
    return cell.removeprefix("'")
