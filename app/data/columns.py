"""The columns of the table of pairs, and the label filters."""

from __future__ import annotations

from app.widgets.table_model import TableColumn

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
COLUMNS = (
    TableColumn("id", "Pair", lambda row: str(row.id), 64, right=True),
    TableColumn("prompt", "Prompt", lambda row: _line(row.prompt)),
    TableColumn("a", "Answer A", lambda row: _line(row.a), 150),
    TableColumn("b", "Answer B", lambda row: _line(row.b), 150),
    TableColumn("state", "Labels", lambda row: row.state, 90, colour=lambda row: "warn" if row.disagree else ""),
    TableColumn("source", "Source", lambda row: row.source, 110),
)


def _line(text: str) -> str:
    """Return a text as one line."""
    return text.replace("\n", " ")
