"""Guard cells that a spreadsheet would run as formulas, and remove the guard.

A cell that begins with a trigger character gets an apostrophe in front, and so does a cell that begins with an
apostrophe: then removing one apostrophe gives every cell back exactly.
"""

from __future__ import annotations

ESCAPING = "apostrophe-v1"
TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")
"""Beginnings that Excel, LibreOffice or Google Sheets read as a formula, full-width forms included."""
_GUARDED = (*TRIGGERS, "'")


def guard(cell: str) -> str:
    """Return a cell that no spreadsheet runs."""
    return "'" + cell if cell.startswith(_GUARDED) else cell


def unguard(cell: str) -> str:
    """Return the cell that :func:`guard` was given."""
    return cell.removeprefix("'")
