"""The tabs in the header of Annotate: what the page shows, each with a header and keys of its own."""

from __future__ import annotations

from PySide6.QtCore import Signal

from app.widgets.controls import TabBar

LABEL, ADJUDICATE, TEAM = "label", "adjudicate", "team"
MODES: tuple[tuple[str, str, str], ...] = (
    (LABEL, "Label", "Judge pairs, one by one."),
    (ADJUDICATE, "Adjudicate", "Decide pairs on which reviewers disagree."),
    (TEAM, "Team", "Progress, agreement and figures of all reviewers, for the lead."),
)
"""Key, title and tooltip of each mode, in the order of the tabs."""


class ModeTabs(TabBar):
    """One tab a mode, of which the own one is always the current: another one is shown by another header.

    ``mode_chosen(key)`` fires when another mode was chosen.
    """

    mode_chosen = Signal(str)

    def __init__(self, own: str) -> None:
        super().__init__()
        self._keys = [key for key, _, _ in MODES]
        self._own = self._keys.index(own)
        self.setAccessibleName("What Annotate shows")
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setUsesScrollButtons(False)
        for place, (_, title, tip) in enumerate(MODES):
            self.addTab(title)
            self.setTabToolTip(place, tip)
        self.setCurrentIndex(self._own)
        self.currentChanged.connect(self._choose)

    def show_own(self, key: str) -> None:
        """Take another mode as the own one."""
        self._own = self._keys.index(key)
        self._go_back()

    def set_offered(self, key: str, on: bool) -> None:
        """Offer a mode, or hide its tab."""
        self.setTabVisible(self._keys.index(key), on)

    def set_title(self, key: str, title: str) -> None:
        """Give a tab another title, for example with a count."""
        self.setTabText(self._keys.index(key), title)

    def _choose(self, place: int) -> None:
        if place != self._own:
            self._go_back()
            self.mode_chosen.emit(self._keys[place])

    def _go_back(self) -> None:
        self.blockSignals(True)
        self.setCurrentIndex(self._own)
        self.blockSignals(False)
        self.updateGeometry()  # the title of the current tab is bold
        self.update()
