"""The columns of the table of pairs, and the filters of the Data page."""

from __future__ import annotations

from app.local_time import local_time
from app.widgets.table_model import TableColumn
from core.domain.pair_table import PairSummary
from core.domain.pair_tags import SEPARATOR
from core.domain.text_flags import FLAG_TITLES, flag_keys

LABELS: tuple[tuple[str, str], ...] = (
    ("any", "All labels"),
    ("none", "Not labelled"),
    ("labelled", "Labelled"),
    ("disagree", "Reviewers disagree"),
    ("tie", "Tie"),
    ("neither", "Neither valid"),
    ("cannot", "Cannot judge"),
    ("flagged", "Flagged"),
)
SWITCHES: tuple[tuple[str, str], ...] = (
    ("stale", "Stale label"),
    ("edited", "With an edit"),
    ("bookmarked", "Bookmarked"),
)
"""Fields of the filter that are on or off, and their words."""
MADE_BY: tuple[tuple[str, str], ...] = (("human", "People"), ("imported", "Imported files"), ("scripted", "Rules"))
"""Kinds of reviewers, and their words in the filters."""
TIMES: tuple[tuple[int, str], ...] = ((1, "Today"), (7, "Last 7 days"), (30, "Last 30 days"), (365, "Last 365 days"))
"""Days up to today, and their words in the filters."""


def _line(text: str) -> str:
    """Return a text as one line."""
    return text.replace("\n", " ")


def _newest(row: PairSummary) -> str:
    return local_time(row.newest_ms) if row.newest_ms else ""


def _text_flags(row: PairSummary) -> str:
    return ", ".join(FLAG_TITLES[key].lower() for key in flag_keys(row.text_flags))


COLUMNS = (
    TableColumn("id", "Pair", lambda row: str(row.id), 64, right=True, sortable=True),
    TableColumn("prompt", "Prompt", lambda row: _line(row.prompt), sortable=True),
    TableColumn("a", "Answer A", lambda row: _line(row.a), 150, sortable=True),
    TableColumn("b", "Answer B", lambda row: _line(row.b), 150, sortable=True),
    TableColumn(
        "state", "Labels", lambda row: row.state, 90, colour=lambda row: "warn" if row.disagree else "", sortable=True
    ),
    TableColumn("source", "Source", lambda row: row.source, 110, sortable=True),
    TableColumn("turns", "Turns", lambda row: str(row.turns), 60, right=True, sortable=True),
    TableColumn("a_chars", "Characters A", lambda row: f"{row.a_chars:,}", 96, right=True, sortable=True),
    TableColumn("b_chars", "Characters B", lambda row: f"{row.b_chars:,}", 96, right=True, sortable=True),
    TableColumn("text_flags", "Text flags", _text_flags, 150, colour=lambda row: "warn" if row.text_flags else ""),
    TableColumn("tags", "Tags", lambda row: SEPARATOR.join(row.tags), 110),
    TableColumn("newest", "Newest label", _newest, 130, sortable=True),
)
"""Every column; the key of each is an order of the pair table, see ``PairOrder``."""
HIDDEN = ("turns", "a_chars", "b_chars", "text_flags", "tags", "newest")
"""Columns that are not shown until the user chooses them."""
