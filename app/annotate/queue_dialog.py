"""The question what to label, as one form: rubric version, which pairs, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtWidgets import QComboBox, QDialog, QFormLayout, QHBoxLayout, QVBoxLayout

from app.widgets.buttons import push_button
from core.domain.rubric import RubricVersion

ORDERS = (("import", "As imported"), ("newest", "Newest first"), ("random", "At random"))
WHATS = (
    ("all", "All that I have not labelled"),
    ("skipped", "Also those I put aside"),
    ("bookmarks", "Those I bookmarked"),
    ("stale", "Again those whose labels became stale"),
    ("retest", "Mine a second time, to measure how steady I am"),
    ("adjudicate", "Those that several reviewers labelled, to decide them"),
    ("gold", "Decided ones, to measure me against the decision"),
)


class QueueDialog(QDialog):
    """Asks; ``version_id``, ``what`` and ``order`` are the answers."""

    def __init__(
        self, versions: Sequence[RubricVersion], version_id: int | None, what: str, order: str, *, chosen: int = 0
    ) -> None:
        super().__init__()
        self.setWindowTitle("What to label")
        column, form = QVBoxLayout(self), QFormLayout()
        self.versions, self.whats, self.orders = QComboBox(), QComboBox(), QComboBox()
        for version in versions:
            self.versions.addItem(version.title, version.id)
        for key, words in WHATS:
            self.whats.addItem(words, key)
        if chosen:
            self.whats.addItem(f"The {chosen:,} chosen pairs", "chosen")
        for key, words in ORDERS:
            self.orders.addItem(words, key)
        for label, box, value in (
            ("Rubric version", self.versions, version_id),
            ("Pairs", self.whats, what),
            ("Order", self.orders, order),
        ):
            box.setAccessibleName(label)
            box.setMinimumWidth(300)
            box.setCurrentIndex(max(0, box.findData(value)))
            form.addRow(label, box)
        column.addLayout(form)
        row = QHBoxLayout()
        row.addStretch(1)
        cancel, go = push_button("Cancel"), push_button("Start labelling", "primary")
        cancel.clicked.connect(self.reject)
        go.clicked.connect(self.accept)
        go.setDefault(True)
        row.addWidget(cancel)
        row.addWidget(go)
        column.addLayout(row)

    @property
    def version_id(self) -> int:
        """The rubric version to label under."""
        return int(self.versions.currentData())

    @property
    def what(self) -> Any:
        """Which pairs."""
        return self.whats.currentData()

    @property
    def order(self) -> Any:
        """In which order."""
        return self.orders.currentData()
