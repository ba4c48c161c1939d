"""What becomes of the rows of a file before it is imported: the branches, the flags of their texts, the rejects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QSizePolicy

from app.data.branch_picture import Branch, BranchPicture
from app.theme.theme import Theme
from app.widgets.buttons import push_button
from app.widgets.containers import Card, clear_layout
from app.widgets.controls import ComboBox
from app.widgets.labels import Chip, text_label
from core.domain.counting import counted
from core.domain.text_flags import FLAG_TITLES
from core.services.importing.flag_actions import ACTION_WORDS, KEEP

if TYPE_CHECKING:
    from core.services.importing.forecast import Forecast
    from core.services.importing.reading import Choices
    from core.services.importing.report import ImportPreview
    from core.services.importing.rows import Reject

MOST_REASONS, MOST_LINES = 8, 3


class RowsCard(Card):
    """The rows of the file as branches: new, known, repeated, rejected. ``count_wanted()`` for a large file."""

    count_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__("What becomes of the rows")
        self.count = push_button("Count all rows", "link")
        self.count.clicked.connect(self.count_wanted)
        self.add_to_head(self.count)
        self.picture = BranchPicture(theme)
        self.note = text_label("", "caption", wrap=True)
        self.add(self.picture)
        self.add(self.note)

    def wait(self, words: str, *, ask: bool = False) -> None:
        """Say that the rows are not counted; ``ask`` offers to count them."""
        self.picture.hide()
        self.count.setVisible(ask)
        self.note.setText(words)
        self.note.show()

    def show_forecast(self, forecast: Forecast) -> None:
        """Show the counts of all rows."""
        self.count.hide()
        self.picture.set_branches(
            Branch("Rows", forecast.rows, "plot_chosen"),
            (
                Branch("New", forecast.imported, "plot_chosen"),
                Branch("Known before", forecast.duplicates, "text3"),
                Branch("Repeated in this file", forecast.repeats, "warn"),
                Branch("Rejected", forecast.rejected, "bad"),
            ),
        )
        self.picture.show()
        self.note.setVisible(forecast.pairs != forecast.imported)
        self.note.setText(f"The new rows hold {counted(forecast.pairs, 'new pair')}.")


class FlagsCard(Card):
    """What looks wrong in the texts, and what is done with it; ``chosen(flag, action)`` for another action."""

    chosen = Signal(str, str)

    def __init__(self) -> None:
        super().__init__("Flags")
        self._about = text_label("", "caption", wrap=True)
        self._grid = QGridLayout()
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self._does = text_label("", "hint", wrap=True)
        self.combos: dict[str, ComboBox] = {}
        self.add(self._about)
        self.add(self._grid)
        self.add(self._does)

    def show_preview(self, preview: ImportPreview, choices: Choices) -> None:
        """Show the flags of a preview; hidden where nothing looks wrong."""
        clear_layout(self._grid)
        self.combos = {}
        self.setVisible(bool(preview.flags))
        whole = "" if preview.complete else f" Counted in the first {preview.checked:,} rows; the choice holds for all."
        self._about.setText(f"Texts that look wrong. They are kept unless you say otherwise.{whole}")
        several = preview.pairs > preview.good or any(a == "leave_out" for a in choices.flag_actions.values())
        actions = [key for key in ACTION_WORDS if several or key != "leave_out"]
        self._does.setText("\n".join(f"{ACTION_WORDS[key][0]}: {ACTION_WORDS[key][1]}" for key in actions))
        for row, entry in enumerate(preview.flags):
            combo = ComboBox()
            combo.setAccessibleName(f"{FLAG_TITLES[entry.key]}: what is done")
            for key in actions:
                combo.addItem(ACTION_WORDS[key][0], key)
            combo.setCurrentIndex(max(0, combo.findData(choices.flag_actions.get(entry.key, KEEP))))
            combo.activated.connect(lambda _, flag=entry.key, box=combo: self.chosen.emit(flag, box.currentData()))
            self.combos[entry.key] = combo
            self._grid.addWidget(text_label(FLAG_TITLES[entry.key], wrap=True), row, 0)
            where = f"{counted(entry.count, 'pair')}, {lines_words(entry.lines, entry.count)}"
            self._grid.addWidget(text_label(where, "caption", wrap=True), row, 1)
            self._grid.addWidget(combo, row, 2)


class RejectsCard(Card):
    """The rows that will be rejected, by reason; ``save_wanted()`` for the list of all of them."""

    save_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("Will be rejected")
        self._count = Chip("", "bad")
        self.save = push_button("Save the list…", "link")
        self.save.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.save.clicked.connect(self.save_wanted)
        self.head.insertWidget(1, self._count)
        self.add_to_head(self.save)
        self._grid = QGridLayout()
        self._grid.setColumnStretch(1, 1)
        self.add(self._grid)

    def show_rejects(self, count: int, reasons: Mapping[str, int], rejects: Sequence[Reject]) -> None:
        """Show the reasons; hidden where every row is good."""
        clear_layout(self._grid)
        self.setVisible(count > 0)
        self._count.set_chip(f"{count:,}", "bad")
        lines: dict[str, list[int]] = defaultdict(list)
        for reject in rejects:
            lines[reject.reason].append(reject.line)
        for row, (reason, rows) in enumerate(list(reasons.items())[:MOST_REASONS]):
            self._grid.addWidget(text_label(f"{rows:,}", "strong"), row, 0)
            self._grid.addWidget(text_label(reason, "", wrap=True), row, 1)
            self._grid.addWidget(text_label(lines_words(lines[reason], rows), "caption"), row, 2)
        if (more := len(reasons) - MOST_REASONS) > 0:
            self._grid.addWidget(text_label(f"and {counted(more, 'more reason')}", "muted"), MOST_REASONS, 1)


def lines_words(lines: Sequence[int], count: int) -> str:
    """Return where something stands first.

    >>> lines_words((3, 9, 12, 40), 7)
    'lines 3, 9, 12 …'
    """
    if not lines:
        return ""
    some = ", ".join(f"{line:,}" for line in lines[:MOST_LINES])
    return f"{'line' if count == 1 else 'lines'} {some}{' …' if count > min(len(lines), MOST_LINES) else ''}"
