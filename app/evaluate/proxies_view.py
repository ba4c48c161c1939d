"""The proxies of an evaluation: the register with its alarms, the over-optimisation chart, and the judges."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluate import proxies_figures as figures
from app.evaluate.over_optimisation_chart import CurveLine, OverOptimisationChart
from app.evaluate.proxies_figures import ProxiesData, ProxyNote
from app.widgets.buttons import action_button, push_button
from app.widgets.containers import Card, ScrollColumn, clear_layout
from app.widgets.flow import FlowLayout
from app.widgets.labels import Chip, text_label
from app.widgets.messages import ProgressLine
from app.widgets.plots.chart_card import ChartCard, FigureTable, TableRow

_ABOUT = (
    "A proxy is a number that stands for quality and that training can raise without any. The counter-metric beside it "
    "would show that. Δ is policy − reference."
)
_WAITS = "The proxies are being read."


class ProxiesView(QWidget):
    """Shows proxies, judges and checkpoints.

    Signals:
        act_wanted(str): id of the action that brings what is missing.
        votes_wanted(): the votes shall be shown. evidence_wanted(): the numbers shall be shown.
        evaluation_wanted(str): a checkpoint was opened; the id of its evaluation.
    """

    act_wanted = Signal(str)
    votes_wanted = Signal()
    evidence_wanted = Signal()
    evaluation_wanted = Signal(str)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self.data, self._shown = ProxiesData(), ""
        self.waiting = text_label(_WAITS, "muted", wrap=True)
        self.register = FigureTable(context, "Register of proxies", figures.REGISTER_HEADS)
        self.chips = FlowLayout(row_spacing=4, middle=True)
        self.notes = QVBoxLayout()
        self.buttons: list[QWidget] = []
        self.chart = OverOptimisationChart(context.theme)
        self.card = ChartCard(context, "Over-optimisation", self.chart, figures.CURVE_HEADS)
        self.more = action_button(context.actions, "evaluate.new", theme=context.theme)
        self.fits = FigureTable(context, "Fitted curves", figures.FIT_HEADS)
        self.judges = FigureTable(context, "Judges", figures.JUDGE_HEADS, most=12)
        self.judge_mark, self.judged = Chip(""), text_label("", "muted", wrap=True, selectable=True)
        self.ask = action_button(context.actions, "evaluate.judge", theme=context.theme)
        self.asking = ProgressLine(title="Asking the judge")
        self.asking.hide()
        self._stack = QStackedWidget()
        self._build()
        self._connect()

    def _build(self) -> None:
        nothing = ScrollColumn(margin=12, name="No proxies yet")
        nothing.column.addWidget(self.waiting)
        nothing.column.addStretch(1)
        scroll = ScrollColumn(margin=12, spacing=10, name="Proxies")
        self._stack.addWidget(nothing)
        self._stack.addWidget(scroll)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)
        self._register_card, self._fits_card = Card("Register of proxies"), Card("Fitted curves")
        self._register_card.add(text_label(_ABOUT, "hint", wrap=True))
        self._register_card.add(self.chips)
        self._register_card.add(self.register)
        self._register_card.add(self.notes)
        row = QHBoxLayout()
        row.addWidget(self.more)
        row.addStretch(1)
        self.card.column.addLayout(row)
        words = "Value = 50 % + d (a − b ln d), d = √KL. KL is comparable within one method of training."
        self._fits_card.add(text_label(words, "hint", wrap=True))
        self._fits_card.add(self.fits)
        self._judges_card = Card("Judges")
        self._judges_card.add_to_head(self.judge_mark)
        self._judges_card.add_to_head(self.ask)
        self._judges_card.add(self.asking)
        self._judges_card.add(self.judges)
        self._judges_card.add(self.judged)
        for part in (self._register_card, self.card, self._fits_card, self._judges_card):
            scroll.column.addWidget(part)
        scroll.column.addStretch(1)

    def _connect(self) -> None:
        self.chart.opened.connect(lambda key: self.evaluation_wanted.emit(str(key)))
        self.card.table.opened.connect(self._open_checkpoint)
        self.card.enlarged.connect(self._enlarge)
        self.register.opened.connect(self._open_proxy)
        self.judges.opened.connect(lambda _: self.evidence_wanted.emit())

    def say(self, words: str = _WAITS) -> None:
        """Show why there is nothing, or that it is being read."""
        self.data = ProxiesData()
        self.waiting.setText(words)
        self._stack.setCurrentIndex(0)

    def set_table(self, on: bool) -> None:
        """Show the chart as a table, or as the chart."""
        self.card.set_table(on)

    def show_proxies(self, data: ProxiesData, shown: str) -> None:
        """Show what was read; ``shown`` is the id of the evaluation that the page is on."""
        self._stack.setCurrentIndex(1)
        if data == self.data and shown == self._shown:
            return
        self.data, self._shown = data, shown
        self.register.show_rows(figures.register_rows(data))
        self._show_notes(data)
        self._show_curve(data)
        self.judges.show_rows(figures.judge_rows(data))
        self.judges.setVisible(bool(data.judges))
        self.judge_mark.set_chip(figures.judge_marks(data), "warn")
        self.judged.setText(figures.judge_words(data))

    def _show_notes(self, data: ProxiesData) -> None:
        clear_layout(self.chips)
        for words, tone in figures.chips(data):
            self.chips.addWidget(Chip(words, tone))
        clear_layout(self.notes)
        self.buttons.clear()
        for note in figures.notes(data):
            self.notes.addWidget(self._note(note))

    def _note(self, note: ProxyNote) -> QWidget:
        """Return a line with the button that brings what it lacks."""
        frame = QWidget()
        row = QHBoxLayout(frame)
        row.setContentsMargins(0, 2, 0, 2)
        row.addWidget(Chip(note.chip, note.tone))
        row.addWidget(text_label(note.words, wrap=True), 1)
        if note.act:
            button = push_button(note.button)
            button.clicked.connect(lambda _=False, act=note.act: self._act(act))
            row.addWidget(button)
            self.buttons.append(button)
        return frame

    def _act(self, act: str) -> None:
        if act == "votes":
            self.votes_wanted.emit()
        else:
            self.act_wanted.emit(act)

    def _show_curve(self, data: ProxiesData) -> None:
        curve, reach = data.curve, max((one.distance.value for one in data.curve.points), default=0.0)
        marks = figures.curve_marks(curve)
        enough = bool(marks) and len(curve.points) >= figures.LEAST_POINTS
        lines = [
            CurveLine(
                fit.number,
                [(x, 100 * value) for x, value in fit.path],
                fit.peak.value if fit.peak is not None and 0 < fit.peak.value <= reach else float("nan"),
            )
            for fit in curve.fits
            if fit.path
        ]
        self.chart.show_curve(marks, lines, shown=self._shown)
        self.card.show_figures(
            figures.curve_rows(curve) if enough else (),
            about=figures.curve_about(curve),
            missing=figures.curve_missing(curve),
            mark="over-optimised" if curve.alarm else "",
        )
        self.more.setVisible(not lines)
        self.fits.show_rows(figures.fit_rows(curve))
        self._fits_card.setVisible(bool(lines))

    def _open_checkpoint(self, row: TableRow) -> None:
        place = self.card.table.rows.index(row)
        self.evaluation_wanted.emit(self.data.curve.points[place].evaluation_id)

    def _open_proxy(self, row: TableRow) -> None:
        """Show the votes where they are the counter-metric, the evidence else."""
        one = self.data.register[self.register.rows.index(row)]
        if one.counter in ("win_rate", "lc_win_rate"):
            self.votes_wanted.emit()
        else:
            self.evidence_wanted.emit()

    def _enlarge(self, wanted: ChartCard, on: bool) -> None:
        """Let the chart fill the page, or show all again."""
        wanted.head.enlarge.setChecked(on)
        self._register_card.setVisible(not on)
        self._judges_card.setVisible(not on)
        self._fits_card.setVisible(not on and bool(self.fits.rows))
