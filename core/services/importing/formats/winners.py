"""Label columns that repeat something of the better answer: the name of its model, or its text."""

from __future__ import annotations

from collections.abc import Mapping

from core.services.importing.formats.codings import read_values
from core.services.importing.formats.columns import Provenance
from core.services.importing.formats.sample import Row, Sample, cell_text
from core.services.importing.formats.verdict_words import REFUSED


def winners_by_name(sample: Sample, columns: tuple[str, ...], values: Mapping[str, int]) -> tuple[str, str] | None:
    """Return the model columns where the one label column holds names of models, else None."""
    models = Provenance.of(sample).models
    if models is None or len(columns) != 1:
        return None
    unknown = {value for value, read in read_values(values, "words", {}).items() if read is REFUSED}
    return models if unknown & {value for name in models for value in sample.tally(name).values} else None


def winners_by_text(sample: Sample, columns: tuple[str, ...], answers: tuple[str, str]) -> tuple[str, str] | None:
    """Return the answer columns where most cells of the one label column are the text of one answer, else None.

    Words that name a side count as what they say, even where an answer is that word.
    """
    if len(columns) != 1:
        return None
    filled = [row for row in sample.rows if cell_text(row.get(columns[0])) is not None]
    if not filled:
        return None
    cells = {str(row[columns[0]]): 1 for row in filled}
    reads = read_values(cells, "words", {})
    hits = sum(reads[str(row[columns[0]])] is REFUSED and side_of(row, row[columns[0]], answers) != 0 for row in filled)
    return answers if 2 * hits > len(filled) else None


def side_of(row: Row, cell: object, columns: tuple[str, str]) -> int:
    """Return -1 or 1 where a cell is what the first or the second of two columns holds, and only that one; else 0."""
    if not isinstance(cell, str) or not cell.strip():
        return 0
    first, second = (str(row.get(name, "")).strip() == cell.strip() for name in columns)
    return int(second) - int(first)
