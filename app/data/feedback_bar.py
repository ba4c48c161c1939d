"""The filters of the feedback inbox."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.data.feedback_words import CONSENTS, KINDS
from app.theme.theme import Theme
from app.widgets.controls import ComboBox
from app.widgets.flow import FlowLayout
from app.widgets.inputs import SearchField
from core.domain.feedback import FeedbackCounts, FeedbackFilter

STATES: tuple[tuple[str, str], ...] = (
    ("", "All"),
    ("open", "New"),
    ("waiting", "Waiting"),
    ("triaged", "Triaged"),
    ("rejected", "Rejected"),
)


class FeedbackBar(QWidget):
    """Words, state, kind, consent and release; ``changed()`` fires when one of them changes."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.search = SearchField(theme, "Find in events")
        self.state, self.kind, self.consent, self.release = (
            ComboBox(), ComboBox(), ComboBox(), ComboBox(outside=True),
        )  # fmt: skip
        for box, options, name in (
            (self.state, STATES, "State"),
            (self.kind, (("", "Every type"), *KINDS), "Type"),
            (self.consent, CONSENTS, "Consent"),
            (self.release, (("", "Every release"),), "Release"),
        ):
            for key, words in options:
                box.addItem(words, key)
            box.setAccessibleName(name)
            box.activated.connect(lambda _: self.changed.emit())
        row = FlowLayout(self, row_spacing=4)
        row.add(self.search, least=8)
        for box in (self.state, self.kind, self.consent, self.release):
            row.addWidget(box)
        self.search.searched.connect(lambda _: self.changed.emit())

    @property
    def is_narrowed(self) -> bool:
        """Whether some events may be hidden."""
        return self.wanted() != FeedbackFilter()

    def wanted(self) -> FeedbackFilter:
        """Return the filter."""
        return FeedbackFilter(
            state=self.state.currentData(),
            kind=self.kind.currentData(),
            consent=self.consent.currentData(),
            release=self.release.currentData() or "",
            text=self.search.text().strip(),
        )

    def clear(self) -> None:
        """Show every event."""
        self.search.reset()
        for box in (self.state, self.kind, self.consent, self.release):
            box.setCurrentIndex(0)

    def set_lists(self, counts: FeedbackCounts, releases: Sequence[str]) -> None:
        """Show how many events there are of each state and type, and the releases that they are about."""
        by_state = {
            "": counts.events, "open": counts.open, "waiting": counts.waiting, "triaged": counts.triaged,
            "rejected": counts.rejected,
        }  # fmt: skip
        for place, (key, words) in enumerate(STATES):
            self.state.setItemText(place, f"{words} {by_state[key]:,}")
        for place, (key, words) in enumerate(KINDS, 1):
            self.kind.setItemText(place, f"{words} {counts.kinds.get(key, 0):,}")
        chosen = self.release.currentData()
        self.release.clear()
        self.release.addItem("Every release", "")
        for name in releases:
            self.release.addItem(name, name)
        self.release.setCurrentIndex(max(0, self.release.findData(chosen)))
        self.release.setVisible(bool(releases))
