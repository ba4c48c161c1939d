"""All insights of a run as a list: what it is, since when, its numbers, its own pairs, and why."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.background.idle_queue import IdleQueue
from app.theme.theme import Theme
from app.widgets.buttons import icon_button, push_button
from app.widgets.containers import ScrollColumn, clear_layout, line
from app.widgets.flow import FlowLayout
from app.widgets.labels import Chip, ChipTone, text_label
from app.widgets.plots.step_marks import SpanMark
from core.domain.counting import counted
from core.domain.insight import Insight

TONES: dict[str, str] = {"error": "bad", "warning": "warn", "info": "text3"}
"""Colour token of the marks of an insight, by its severity."""
_CHIPS: dict[str, ChipTone] = {"error": "bad", "warning": "warn", "info": "neutral"}


class InsightList(QFrame):
    """A column of insights, numbered as on the plots. What was dismissed can be shown again.

    Signals:
        pairs_wanted(object), explain_wanted(object): a button of an insight.
        marks_changed(): the marks on the plots are other ones.
    """

    pairs_wanted = Signal(object)
    explain_wanted = Signal(object)
    marks_changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("part", "card")
        self.setAccessibleName("Insights")
        self._run_id, self._all = "", tuple[Insight, ...]()
        self._dismissed: set[tuple[str, str]] = set()
        self._filling = IdleQueue(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 10, 6)
        column.setSpacing(4)
        head = FlowLayout(row_spacing=2)
        head.addWidget(text_label("Insights", "section"))
        self.counts = {severity: Chip("", tone) for severity, tone in _CHIPS.items()}
        for chip in self.counts.values():
            head.addWidget(chip)
        self.on_plots = QCheckBox("on plots")
        self.on_plots.setChecked(True)
        self.on_plots.setToolTip("Mark on the plots the steps in which an insight holds")
        self.on_plots.toggled.connect(lambda _: self.marks_changed.emit())
        head.addWidget(self.on_plots)
        self.again = push_button("Show dismissed", kind="link")
        self.again.clicked.connect(self._show_again)
        head.addWidget(self.again)
        column.addLayout(head)
        scroll = ScrollColumn(name="Insights of the run")
        self._rows = scroll.column
        column.addWidget(scroll, 1)
        self.setMinimumHeight(theme.px(150))
        self._show()

    @property
    def shown(self) -> list[tuple[int, Insight]]:
        """The insights in the list with their numbers."""
        numbered = enumerate(self._all, 1)
        return [(number, i) for number, i in numbered if (self._run_id, i.code) not in self._dismissed]

    def set_insights(self, run_id: str, insights: Sequence[Insight]) -> None:
        """Show the insights of a run; the same ones stay as they are, wherever the list is scrolled."""
        if (run_id, tuple(insights)) != (self._run_id, self._all):
            self._run_id, self._all = run_id, tuple(insights)
            self._show()

    def marks(self) -> dict[str, list[SpanMark]]:
        """Return the stretches to mark, by the metric on whose plot they stand."""
        found: dict[str, list[SpanMark]] = {}
        for number, insight in self.shown if self.on_plots.isChecked() else ():
            for metric in insight.metrics:
                marks = [SpanMark(first, last, number, TONES[insight.severity]) for first, last in insight.spans]
                found.setdefault(metric, []).extend(marks)
        return found

    def dismiss(self, insight: Insight) -> None:
        """Take an insight out of the list of this run."""
        self._dismissed.add((self._run_id, insight.code))
        self._show()

    def _show_again(self) -> None:
        self._dismissed = {(run_id, code) for run_id, code in self._dismissed if run_id != self._run_id}
        self._show()

    def _show(self) -> None:
        self._filling.clear()
        clear_layout(self._rows)
        shown = self.shown
        for severity, chip in self.counts.items():
            count = sum(insight.severity == severity for _, insight in shown)
            chip.set_chip(str(count) if count else "", _CHIPS[severity])
            chip.setVisible(count > 0)
            chip.setToolTip(f"{counted(count, 'insight')} of severity {severity}")
        self.again.setVisible(len(shown) < len(self._all))
        self.on_plots.setVisible(bool(self._all))
        if not shown:
            self._rows.addWidget(text_label("Nothing stands out so far.", "caption", wrap=True))
        self._rows.addStretch(1)
        for number, insight in shown:
            self._filling.add(partial(self._append, number, insight))
        self.marks_changed.emit()

    def _append(self, number: int, insight: Insight) -> None:
        """Put an entry under the others; one takes about 10 ms, so each has a turn of the event loop of its own."""
        last = self._rows.count() - 1
        if last:
            self._rows.insertWidget(last, line())
            last += 1
        entry = self._entry(number, insight)
        self._rows.insertWidget(last, entry)
        self._theme.fit_part(entry)

    def _entry(self, number: int, insight: Insight) -> QWidget:
        entry = QWidget()
        column = QVBoxLayout(entry)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(2)
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(Chip(str(number), _CHIPS[insight.severity]), 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(text_label(insight.title, "strong", wrap=True), 1)
        close = icon_button(self._theme, "close", f"Dismiss insight {number}", size=14)
        close.clicked.connect(partial(self.dismiss, insight))
        head.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        column.addWidget(text_label(f"{insight.severity}, {insight.span_words}", "hint", wrap=True))
        for label, value in insight.figures:
            column.addLayout(_figure(label, value))
        column.addWidget(text_label(f"Try: {insight.try_}", "caption", wrap=True))
        column.addLayout(self._buttons(number, insight))
        entry.setAccessibleName(f"Insight {number}: {insight.title}")
        return entry

    def _buttons(self, number: int, insight: Insight) -> FlowLayout:
        row = FlowLayout(spacing=14, row_spacing=2)
        if insight.pair_ids:
            pairs = push_button(f"Show {counted(insight.count, 'pair')}", kind="link")
            pairs.setAccessibleName(f"Show the pairs of insight {number}")
            pairs.clicked.connect(partial(self.pairs_wanted.emit, insight))
            row.addWidget(pairs)
        explain = push_button("Explain", kind="link")
        explain.setAccessibleName(f"Explain insight {number}")
        explain.clicked.connect(partial(self.explain_wanted.emit, insight))
        row.addWidget(explain)
        return row


def _figure(label: str, value: str) -> FlowLayout:
    """Return a number of an insight: label at the left, value at the right, or under it where there is no room."""
    row = FlowLayout(spacing=8, row_spacing=0)
    row.addWidget(text_label(label, "caption"))
    row.add_gap()
    row.addWidget(text_label(value, "caption"))
    return row


def explanation(insight: Insight) -> str:
    """Return an insight in full: why it matters, formula, test against noise, what to try, what would confirm it."""
    parts = (
        ("", insight.why),
        ("Formula", insight.formula),
        ("Test", insight.test or "Counted, not estimated."),
        ("Try", insight.try_),
        ("What would confirm it", insight.confirm),
        ("Pairs", f"{insight.count:,} ({insight.pairs_about})" if insight.pair_ids else ""),
    )
    return "\n\n".join(f"{label}: {text}" if label else text for label, text in parts if text)
