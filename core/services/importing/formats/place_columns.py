"""Columns about places: the rank of each answer, and which rows were shown the other way round."""

from __future__ import annotations

from core.services.importing.formats import column_names as known
from core.services.importing.formats.codings import side_label
from core.services.importing.formats.columns import read_score
from core.services.importing.formats.sample import Row, Sample
from core.services.importing.rows import ParsedLabel


def by_ranks(ranks: tuple[str, str], row: Row) -> tuple[ParsedLabel, ...]:
    """Return the label that the ranks of the two answers give: the lower one wins, equal ones are a tie.

    Raises:
        RowRejected: when a rank has a comma in it.
    """
    first, second = (read_score(row.get(name), name) for name in ranks)
    return () if first is None or second is None else (side_label((first > second) - (second > first)),)


def ranks_note(ranks: tuple[str, str]) -> str:
    """Say which of two ranks is the better one."""
    return f"the lower one of {ranks[0]} and {ranks[1]} wins, as 1 is the first place"


def order_note(sample: Sample) -> tuple[str, ...]:
    """Tell of a column by which the words of a label may mean the places of the answers and not the answers."""
    found = [sample.names[name] for name in known.ORDERS if name in sample.names]
    varied = [column for column in found if len(sample.tally(column).values) > 1]
    if not varied:
        return ()
    return (
        f"{varied[0]} seems to say which rows were shown the other way round; it is not read: check that the labels "
        "name answers and not places",
    )
