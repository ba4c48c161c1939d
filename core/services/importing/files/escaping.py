"""Guard cells that a spreadsheet would run as formulas, and remove the guard.

A cell that begins with a trigger character gets an apostrophe in front, and so does a cell that begins with an
apostrophe: then removing one apostrophe gives every cell back exactly.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.ids import canonical_json, sha256_text

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


def as_exported(row: Mapping[str, str]) -> dict[str, str]:
    """Return a row of the exported pair table without the guard.

    The row carries the hash of its pair, so it is certain without the file beside the table whether a spreadsheet or an
    editor has taken the guard off already.
    """
    plain = {name: unguard(cell) for name, cell in row.items()}
    if plain != row and _pair_sha256(plain) != plain["pair_sha256"] and _pair_sha256(row) == row["pair_sha256"]:
        return dict(row)
    return plain


def _pair_sha256(row: Mapping[str, str]) -> str:
    prompt = row["messages"] or canonical_json([{"content": row["prompt"], "role": "user"}])
    answers = f'"a":{canonical_json(row["response_a"])},"b":{canonical_json(row["response_b"])}'
    return sha256_text(f'{{{answers},"prompt":{prompt}}}')
