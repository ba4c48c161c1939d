"""Every format that can be read. The window, the command line and the detection know the formats from here only.

To add a format, write its ``bind_...`` function and its row in the module of its family. A new family is a new module
with a tuple ``FORMATS`` and one entry in ``FAMILIES``.
"""

from __future__ import annotations

from core.services.importing.formats import (
    answer_lists,
    answer_objects,
    argilla,
    chosen_rejected,
    documented,
    label_studio,
    nested_labels,
    numbered_answers,
    pairwright_files,
    prodigy,
    scored,
    tables,
    unpaired,
)
from core.services.importing.formats.row_format import FormatInfo, RowFormat

FAMILIES: tuple[tuple[RowFormat, ...], ...] = (
    pairwright_files.FORMATS,
    chosen_rejected.FORMATS,
    answer_objects.FORMATS,
    answer_lists.FORMATS,
    documented.FORMATS,
    argilla.FORMATS,
    label_studio.FORMATS,
    prodigy.FORMATS,
    scored.FORMATS,
    numbered_answers.FORMATS,
    tables.FORMATS,
    nested_labels.FORMATS,
    unpaired.FORMATS,
)
FORMATS: tuple[RowFormat, ...] = tuple(row for family in FAMILIES for row in family)


def format_of(key: str) -> RowFormat | None:
    """Return the format called ``key``, with or without an option behind a colon, or None.

    >>> format_of("table:signed").title
    'Two answers and a label'
    """
    return next((row for row in FORMATS if row.key == key.split(":", 1)[0]), None)


def format_infos() -> list[FormatInfo]:
    """Return every format for a list to choose from; one with options is followed by each of them.

    >>> [info.key for info in format_infos() if info.key.startswith("table")][:2]
    ['table', 'table:first_is_1']
    """
    found = []
    for row in FORMATS:
        found.append(FormatInfo(row.key, row.title, row.description))
        found += [FormatInfo(row.key_with(o.key), f"{row.title}: {o.meaning}", row.description) for o in row.options]
    return found
