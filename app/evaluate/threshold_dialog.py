"""The dialog of thresholds: every version with its error rates, its DET curve, what errors cost, confirmation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialogButtonBox, QVBoxLayout, QWidget

from app.background.task import BackgroundTask, TaskControl
from app.context import AppContext
from app.evaluate import threshold_words
from app.evaluate.threshold_form import ConfirmDialog, NewThresholdDialog, words_of
from app.evaluate.threshold_words import SealedChoice
from app.widgets.buttons import push_button
from app.widgets.containers import ScrollColumn
from app.widgets.controls import Slider
from app.widgets.dialog import BaseDialog
from app.widgets.flow import FlowLayout
from app.widgets.inputs import LabeledSlider
from app.widgets.labels import text_label
from app.widgets.messages import EmptyState, ProgressLine
from app.widgets.plots.chart_card import ChartCard, FigureTable
from app.widgets.plots.det_chart import DetChart, DetSpot
from core.domain.changes import Outcome
from core.domain.clock import now_ms
from core.domain.dataset import DatasetVersion
from core.domain.threshold import ErrorCosts, ErrorRates, Threshold
from core.services.thresholds.requests import Confirmation, NewThreshold

MOST_COST = 20.0


@dataclass(frozen=True, slots=True)
class ThresholdChoices:
    """What there is: every version, dataset versions with a dev split, and those with a sealed test."""

    thresholds: Sequence[Threshold]
    versions: Sequence[DatasetVersion]
    splits: Sequence[SealedChoice]


def read_thresholds(services: Any) -> ThresholdChoices:
    """Read what there is; on a background thread."""
    versions = services.datasets.list()
    looks = [
        services.sealed.looks(v.id) if v.counts.get("test") and services.sealed.is_sealed(v) else 0 for v in versions
    ]
    with_dev = [version for version in reversed(versions) if version.counts.get("dev")]
    return ThresholdChoices(services.thresholds.list(), with_dev, threshold_words.sealed_choices(versions, looks))


class ThresholdsDialog(BaseDialog):
    """Shows the versions and the curve of the chosen one; a point of the curve can be stored as the next version.

    Args:
        parent: a widget of the window.
        context: services, theme, settings.
        choices: what there is when it opens.
    """

    def __init__(self, parent: QWidget, context: AppContext, choices: ThresholdChoices) -> None:
        theme = context.theme
        super().__init__(parent, "Thresholds", size=QSize(theme.px(860), theme.px(700)), settings=context.settings)
        self._context, self.choices = context, choices
        self._rates: Sequence[ErrorRates] = ()
        self._spots: Sequence[DetSpot] = ()
        self._place = -1
        self._job: BackgroundTask | None = None
        self.table = FigureTable(context, "Versions of thresholds", threshold_words.HEADS, most=5)
        self.none = EmptyState(
            theme, "gate", "No threshold yet", threshold_words.none_yet(bool(choices.versions)),
            main=("New threshold…", self._new) if choices.versions else None,
        )  # fmt: skip
        self.chart = DetChart(theme)
        self.card = ChartCard(context, "DET curve", self.chart, threshold_words.CURVE_HEADS)
        self.miss = LabeledSlider("A miss costs", 0.1, MOST_COST, 0.1, 1.0, decimals=1)
        self.prevalence = LabeledSlider("Share of positives", 0.01, 0.99, 0.01, 0.5)
        self.point = Slider(Qt.Orientation.Horizontal)
        self.point.setAccessibleName("Threshold along the curve")
        self.words, self.error = text_label("", "", wrap=True, selectable=True), text_label("", "error", wrap=True)
        self.progress = ProgressLine(title="Measuring")
        self.progress.hide()
        self._build()
        self._bind()
        self.show_versions(choices)

    def _build(self) -> None:
        theme = self._context.theme
        self._scroll = scroll = ScrollColumn(spacing=8, name="Thresholds")
        costs = FlowLayout(row_spacing=4, middle=True)
        for part in (self.miss, text_label("times a false alarm", "muted"), self.prevalence):
            costs.addWidget(part)
        self.cheapest = push_button(
            "Cheapest", theme=theme, icon="crosshair", tooltip="Go to the point that costs least."
        )
        costs.addWidget(self.cheapest)
        low = QVBoxLayout()
        low.setSpacing(6)
        low.addLayout(costs)
        low.addWidget(self.point)
        low.addWidget(self.words)
        for part in (self.table, self.card):
            scroll.column.addWidget(part)
        scroll.column.addLayout(low)
        scroll.column.addStretch(1)
        self.column.addWidget(self.none, 1)
        self.column.addWidget(scroll, 1)
        self.column.addWidget(self.progress)
        self.column.addWidget(self.error)
        self.as_table = push_button("As a table", theme=theme, icon="table")
        self.as_table.setCheckable(True)
        self.new = push_button("New…", theme=theme, icon="plus")
        self.keep = push_button("Store this point", theme=theme, icon="save")
        self.confirm = push_button("Confirm…", theme=theme, icon="lock")
        for button in (self.as_table, self.new, self.keep, self.confirm):
            self.buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        self.add_buttons("", "Close")

    def _bind(self) -> None:
        self.table.currentCellChanged.connect(lambda row, *_: self._choose(row))
        self.chart.opened.connect(self.go_to)
        self.point.valueChanged.connect(self.go_to)
        for slider in (self.miss, self.prevalence):
            slider.changed.connect(lambda _: self._go_cheapest())
        self.cheapest.clicked.connect(self._go_cheapest)
        self.as_table.toggled.connect(self.card.set_table)
        self.card.enlarged.connect(self._enlarge)
        self.new.clicked.connect(self._new)
        self.keep.clicked.connect(self._keep)
        self.confirm.clicked.connect(self._confirm)

    def _enlarge(self, _card: object, on: bool) -> None:
        """Give the chart the room of the table, or show both."""
        self.table.setVisible(bool(self._shown) and not on)
        self.card.head.enlarge.setChecked(on)

    # What is shown

    @property
    def current(self) -> Threshold | None:
        """The version that is chosen."""
        row = self.table.currentRow()
        return self._shown[row] if 0 <= row < len(self._shown) else None

    def show_versions(self, choices: ThresholdChoices, title: str = "") -> None:
        """Show the versions, newest first, and choose one by its title."""
        self.choices = choices
        self._shown = list(reversed(choices.thresholds))
        at_ms = now_ms()
        self.table.show_rows([threshold_words.version_row(one, at_ms) for one in self._shown])
        for part in (self._scroll, self.table, self.card, self.as_table, self.new, self.keep, self.confirm):
            part.setVisible(bool(self._shown))
        self.none.setVisible(not self._shown)
        place = next((row for row, one in enumerate(self._shown) if one.title == title), 0)
        self.table.setCurrentCell(place if self._shown else -1, 0)
        self._choose(self.table.currentRow())

    def _choose(self, _row: int) -> None:
        """Read the intervals along the curve of the chosen version."""
        one = self.current
        self._allow()
        if one is None:
            self._show_curve(None, ())
            return
        service = self._context.services.thresholds
        self._context.tasks.query(
            lambda: service.rates_along(one), lambda rates: self._show_curve(one, rates), owner=self, key="curve"
        )

    def _show_curve(self, one: Threshold | None, rates: Sequence[ErrorRates]) -> None:
        if one is not self.current:
            return
        self._rates = rates
        self._spots = threshold_words.spots(one, rates) if one is not None else ()
        self.point.blockSignals(True)
        self.point.setRange(0, max(0, len(self._spots) - 1))
        self.point.blockSignals(False)
        for part in (self.point, self.miss, self.prevalence, self.cheapest):
            part.setEnabled(bool(self._spots))
        if one is None or not self._spots:
            self.chart.show_points((), -1, (0.5, 0.5))
            self.card.show_figures((), about="", missing="This version has no curve.")
            self.words.setText("")
            return
        self.miss.set_value(min(MOST_COST, one.costs.false_negative / (one.costs.false_positive or 1.0)))
        self.prevalence.set_value(one.costs.prevalence)
        self.go_to(threshold_words.chosen_place(one))

    @property
    def costs(self) -> ErrorCosts:
        """What the sliders say."""
        return ErrorCosts(1.0, self.miss.value, self.prevalence.value)

    def go_to(self, place: int) -> None:
        """Choose a point of the curve."""
        one = self.current
        if one is None or not 0 <= place < len(self._spots):
            return
        self._place = place
        self.point.blockSignals(True)
        self.point.setValue(place)
        self.point.blockSignals(False)
        costs = self.costs
        weights = costs.false_positive * (1 - costs.prevalence), costs.false_negative * costs.prevalence
        self.chart.show_points(self._spots, place, weights)
        best = one.det[costs.cheapest(one.det)][0]
        words = threshold_words.readout(self._spots[place].value, self._rates[place], costs, best)
        self.words.setText(words)
        self.point.setAccessibleDescription(words)
        about = f"{one.title}, on {one.dev.on}. Box: both 95 % intervals. Dashed: equal cost."
        if one.held_out is not None:
            about += f" {threshold_words.held_out_words(one.held_out)}"
        self.card.show_figures(threshold_words.curve_rows(self._spots, self._rates, costs), about=about, missing="")
        self._allow()

    def _go_cheapest(self) -> None:
        if (one := self.current) is not None and self._spots:
            self.go_to(self.costs.cheapest(one.det))

    def _allow(self) -> None:
        one, idle = self.current, self._job is None
        moved = one is not None and bool(self._spots) and 0 <= self._place < len(self._spots)
        self.keep.setEnabled(idle and moved and one is not None and self._spots[self._place].value != one.value)
        self.confirm.setEnabled(idle and one is not None and not one.confirmed and bool(one.scoring))
        self.new.setEnabled(idle and bool(self.choices.versions))
        missing = "" if self.choices.versions else "Freeze a dataset version with a dev split first (Data)."
        self.new.setToolTip(missing)

    # Acting

    def _new(self) -> None:
        dialog = NewThresholdDialog(self, self._context, self.choices.versions, self.costs, self._make)
        self._context.dialogs.run(dialog)
        dialog.deleteLater()

    def _make(self, new: NewThreshold, made: Callable[[], object], failed: Callable[[Exception], None]) -> None:
        service = self._context.services.thresholds

        def work(control: TaskControl) -> Outcome[Threshold]:
            control.progress(0, 0, "Scoring the dev split")
            return service.make(new)

        self._run("Measuring a threshold", work, made, failed)

    def _keep(self) -> None:
        """Store the chosen point as the next version of the threshold."""
        one, service = self.current, self._context.services.thresholds
        if one is not None:
            title, value, costs = one.title, self._spots[self._place].value, self.costs
            self._run("Storing a threshold", lambda _: service.move(title, value, costs), lambda: None, self._failed)

    def _confirm(self) -> None:
        if (one := self.current) is not None:
            dialog = ConfirmDialog(self, self._context, one.title, self.choices.splits, self._open)
            self._context.dialogs.run(dialog)
            dialog.deleteLater()

    def _open(self, asked: Confirmation, made: Callable[[], object], failed: Callable[[Exception], None]) -> None:
        one, service = self.current, self._context.services.thresholds
        assert one is not None
        title = one.title

        def work(control: TaskControl) -> Outcome[Threshold]:
            return service.confirm_sealed(
                title, asked, on_progress=control.progress, cancelled=lambda: control.cancelled
            )

        self._run("Confirming a threshold", work, made, failed)

    def _run(
        self,
        title: str,
        work: Callable[[TaskControl], Outcome[Threshold]],
        made: Callable[[], object],
        failed: Callable[[Exception], None],
    ) -> None:
        """Do something that stores a version, in the background, and show that version."""

        def done(outcome: Outcome[Threshold]) -> None:
            self._ended()
            made()
            self._read(outcome.value.title)

        def not_done(error: Exception) -> None:
            self._ended()
            failed(error)

        self.error.setText("")
        self._job = self._context.ops.job(title, work, done, not_done, owner=self)
        self.progress.follow(self._job)
        self.progress.show()
        self._allow()

    def _ended(self) -> None:
        self._job = None
        self.progress.hide()
        self._allow()

    def _failed(self, error: Exception) -> None:
        self.error.setText(words_of(error))

    def _read(self, title: str) -> None:
        services = self._context.services
        self._context.tasks.query(
            lambda: read_thresholds(services), lambda found: self.show_versions(found, title), owner=self, key="list"
        )

    def done(self, result: int) -> None:
        """Close; what is being measured ends."""
        if self._job is not None:
            self._job.cancel()
        super().done(result)
