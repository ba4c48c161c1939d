"""The comparison below the table of runs: what must be said, curves, differences, settings, fingerprint, flips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.context import AppContext
from app.runs import compare_figures as figures
from app.runs.compare_answers import CompareAnswers
from app.runs.compare_curves import TITLE, CompareCurves, run_token
from app.runs.compare_forest import CompareForest
from app.runs.compare_parallel import HEADS as NUMBER_HEADS
from app.runs.compare_parallel import TITLE as NUMBERS
from app.runs.compare_parallel import CompareParallel, number_cells
from app.runs.frontier_card import FrontierCard
from app.runs.step_choice import StepChoice
from app.runs.x_axis_box import XAxisBox
from app.widgets.buttons import push_button
from app.widgets.containers import Card, Swatch, clear_layout
from app.widgets.flow import EvenFlow, FlowLayout
from app.widgets.labels import short, text_label
from app.widgets.messages import Banner
from app.widgets.plots.chart_card import ChartCard, FigureTable

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.domain.run_comparison import RunComparison
    from core.services.runs.comparisons import ComparedCurves

HINT = "Choose two runs or more with Space or their boxes; the first one is the baseline."
_ALIKE = "None: everything is the same."
_ABOUT_NUMBERS = "An axis a number, each with its own scale; a line a run, with its 95 % intervals."
_LEAST_CARD = 460
"""Design pixels below which the cards stand one below the other."""


class ComparePanel(QWidget):
    """Shows one comparison. A point of a curve opens its run, a difference the pairs that flip.

    ``report_wanted()``: a report of the chosen runs. ``like_wanted(run_id)``: a run like this one.
    ``run_wanted(run_id)``: show a run in the monitor.

    Args:
        context: theme, settings and dialogs.
    """

    report_wanted = Signal()
    like_wanted = Signal(str)
    run_wanted = Signal(str)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self.found: ComparedCurves | None = None
        self.status = text_label(HINT, "muted", wrap=True)
        self.report = push_button("Report of these runs…")
        self.like = push_button("New run like A…")
        self.step, self.x_axis = StepChoice(), XAxisBox(context)
        self._legend = FlowLayout(spacing=14)
        self._bar = QVBoxLayout()
        self.curves = CompareCurves(context.theme)
        self.forest = CompareForest(context.theme)
        self.curve_card = ChartCard(context, TITLE, self.curves, ("Run", "Step", "Held-out h [95 %], n"))
        self.forest_card = ChartCard(context, "Differences against A", self.forest, figures.DIFFERENCE_HEADS)
        self.parallel = CompareParallel(context.theme)
        self.parallel_card = ChartCard(context, NUMBERS, self.parallel, NUMBER_HEADS)
        self.frontier_card = FrontierCard(context)
        self.only = QCheckBox("Only differences")
        self.only.setChecked(True)
        self.settings_card, self.field_card = Card("Settings that differ"), Card("Fingerprint")
        self.flip_card, self.answer_card = Card("Pairs that flip against A"), Card("Answers to the same prompt")
        self.answers = CompareAnswers(context.theme)
        self.answer_card.column.addWidget(self.answers)
        self._notes = text_label("", "caption", wrap=True, selectable=True)
        self._cards = QWidget()
        self._build()
        self.show_nothing(HINT)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        head = FlowLayout(spacing=14)
        head.addWidget(text_label("Compare", "section"))
        self._names = QWidget()
        self._names.setLayout(self._legend)
        head.addWidget(self._names)
        head.addWidget(self.step)
        head.addWidget(self.x_axis)
        head.addWidget(self.like)
        head.addWidget(self.report)
        flow = EvenFlow(self._cards, spacing=10, least=lambda: self._context.theme.px(_LEAST_CARD))
        shown = (self.curve_card, self.frontier_card, self.forest_card, self.parallel_card)
        for card in (*shown, self.settings_card, self.field_card, self.flip_card, self.answer_card):
            card.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
            flow.addWidget(card)
        for card in shown:
            card.head.enlarge.setEnabled(False)
        for card in (self.settings_card, self.field_card, self.flip_card, self.answer_card):
            card.column.addStretch(1)
        self.settings_card.add_to_head(self.only)
        column.addLayout(head)
        column.addWidget(self.status)
        column.addLayout(self._bar)
        column.addWidget(self._cards)
        column.addWidget(self._notes)
        self.x_axis.changed.connect(lambda _: self._show_curves())
        self.only.toggled.connect(lambda _: self._show_settings())
        self.report.clicked.connect(self.report_wanted)
        self.like.clicked.connect(self._want_like)
        self.curves.opened.connect(self._want_run)
        self.forest.opened.connect(self._choose_pair)
        self.parallel.opened.connect(self._want_run)

    def _want_like(self) -> None:
        if self.found is not None:
            self.like_wanted.emit(self.found.comparison.runs[0].record.run_id)

    def _want_run(self, letter: object) -> None:
        if self.found is not None:
            runs = {run.letter: run.record.run_id for run in self.found.comparison.runs}
            self.run_wanted.emit(runs[str(letter)])

    def _choose_pair(self, letter: object) -> None:
        """Ask which of the pairs that flip between a run and the baseline is to be inspected."""
        if self.found is None:
            return
        comparison = self.found.comparison
        number = comparison.letters.index(str(letter))
        pairs = figures.flipped_pairs(comparison.against[number - 1])
        if not pairs:
            self._context.notices.post(f"No pair flips between A and {letter}.")
            return
        place = self._context.dialogs.choose("Pairs that flip", f"A or {letter}: which pair?", [t for _, t in pairs])
        if place is not None:
            run_id = comparison.runs[number].record.run_id
            self._context.navigate("inspect", run_id=run_id, pair_id=pairs[place][0], kind="dev")

    def show_nothing(self, words: str) -> None:
        """Show no comparison, and why."""
        self.found = None
        self.status.setText(words)
        self.status.show()
        for part in (self._cards, self._notes, self._names, self.like, self.step, self.x_axis):
            part.hide()
        clear_layout(self._bar)

    def show_comparison(self, found: ComparedCurves) -> None:
        """Show a comparison; what makes the runs incomparable stands above every picture."""
        self.found = found
        comparison = found.comparison
        self.status.hide()
        self._show_names(comparison)
        self._show_bar(comparison)
        self.step.show_steps(comparison.common_steps, comparison.step)
        self._show_curves()
        about = figures.curve_about(found)
        self.curve_card.show_figures(figures.curve_rows(found), about=about, missing="No held-out probe was measured.")
        blocks = figures.blocks_of(comparison)
        self.forest.show_blocks(blocks)
        rows = figures.difference_rows(comparison) if blocks else []
        told = "Filled: the 95 % interval leaves 0. Each number has its own scale."
        self.forest_card.show_figures(rows, about=told, missing=" ".join(comparison.notes))
        self.parallel.show_runs(comparison)
        cells = [figures.TableRow(row) for row in number_cells(comparison)]
        self.parallel_card.show_figures(cells, about=_ABOUT_NUMBERS, missing="No run was measured yet.")
        self.frontier_card.read([run.record.run_id for run in comparison.runs])
        self._show_settings()
        self._fill(self.field_card, "Fingerprint", ("Field", *comparison.letters), figures.field_rows(comparison))
        self._fill(
            self.flip_card,
            "Pairs that flip against A",
            ("Run", "Lost", "Gained", "p"),
            figures.flip_rows(comparison),
            none="No held-out pair was measured by A and another run.",
        )
        self.answers.show_answers(found.answers, [f"{run.letter} · {run.name}" for run in comparison.runs])
        self._notes.setText("\n".join(comparison.notes))
        for part in (self._cards, self._notes, self._names, self.like, self.step, self.x_axis):
            part.show()

    def _show_curves(self) -> None:
        """Draw the curves over what was chosen along x."""
        if (found := self.found) is not None:
            along = figures.along_of(found, self.x_axis.name)
            self.curves.show_curves(figures.curves_of(found, along), found.comparison.step, along)

    def _show_names(self, comparison: RunComparison) -> None:
        clear_layout(self._legend)
        dashed = {one.letter for one in comparison.against if one.objection}
        for place, run in enumerate(comparison.runs):
            row = QWidget()
            layout = QHBoxLayout(row)
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(5)
            layout.addWidget(Swatch(self._context.theme, run_token(place)))
            words = f"{run.letter} · {short(run.name)}{', the baseline' if place == 0 else ''}"
            layout.addWidget(text_label(f"{words}{', dashed' if run.letter in dashed else ''}", "caption"))
            self._legend.addWidget(row)

    def _show_bar(self, comparison: RunComparison) -> None:
        clear_layout(self._bar)
        title, text = figures.warning_of(comparison)
        if title:
            level = "warn" if any(one.objection for one in comparison.against) else "insight"
            self._bar.addWidget(Banner(self._context.theme, title, text, level=level, closable=False, wrap=True))

    def _show_settings(self) -> None:
        if self.found is None:
            return
        comparison, only = self.found.comparison, self.only.isChecked()
        rows = figures.setting_rows(comparison, only_differences=only)
        self._fill(self.settings_card, "Settings", ("Setting", *comparison.letters), rows)

    def _fill(
        self, card: Card, name: str, heads: tuple[str, ...], rows: list[figures.TableRow], *, none: str = _ALIKE
    ) -> None:
        """Show rows in a card whose columns are the runs of this comparison, or that there is none."""
        for old in card.findChildren(QWidget, "filled"):
            old.setParent(None)
            old.deleteLater()
        part: QWidget = text_label(none, "muted", wrap=True)
        if rows:
            part = table = FigureTable(self._context, name, heads, most=14)
            table.show_rows(rows)
            table.opened.connect(lambda row: self._choose_pair(row.suite) if row.suite else None)
        part.setObjectName("filled")
        card.column.insertWidget(1, part)
