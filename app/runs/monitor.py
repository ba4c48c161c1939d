"""The monitor of one run: state and controls, a banner, tiles, the toolbar of the plots, the plots, the tabs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLayout, QProgressBar, QVBoxLayout, QWidget

from app.context import AppContext
from app.runs import presenter
from app.runs.charter_strip import CharterStrip
from app.runs.details import DetailTabs
from app.runs.estimate_tile import EstimateTile
from app.runs.insight_list import InsightList
from app.runs.kept_layout import kept_layout
from app.runs.pairs_of_steps import ShownPlots
from app.runs.run_tiles import TILES, TileView
from app.runs.x_axis_box import XAxisBox
from app.widgets.buttons import ActionButton, action_button, push_button
from app.widgets.flow import EvenFlow, FlowLayout
from app.widgets.folding_split import FoldingSplit
from app.widgets.inputs import LabeledSlider
from app.widgets.labels import Chip, ElideLabel, FitLabel, text_label
from app.widgets.line_splitter import LineSplitter
from app.widgets.messages import Banner
from app.widgets.plots.monitor_grid import MonitorGrid
from app.widgets.plots.readout import joined
from core.domain.run_record import UNSTARTED_STATES

_HOW = (
    "Point at a plot for the values of a step. A click lists its pairs, Shift and a drag those of a range.",
    "Point at a plot for values; a click lists the pairs of the step.",
    "Point at a plot for values.",
    "",
)
"""What stands where the values are, before a step is pointed at."""
BannerContent = tuple[str, Literal["error", "warn"], str, str]
"""Key, level, title and text."""


class Monitor(QFrame):
    """Everything right of the list. It draws snapshots and knows no service.

    Args:
        context: theme and actions.
        tabs, insights: the costly parts, where they were made before.
    """

    def __init__(
        self, context: AppContext, tabs: DetailTabs | None = None, insights: InsightList | None = None
    ) -> None:
        super().__init__()
        self._context = context
        self._dismissed: set[tuple[str, str]] = set()
        self._banner: Banner | None = None
        self._run_id = ""
        self._banner_of: tuple[str, str, str] | None = None
        self.grid = MonitorGrid(context.theme, kept_layout(context))
        self.grid.fed.connect(self.show_readout)
        self.grid.deck.made.connect(self._style_plot)
        self.tabs = tabs or DetailTabs(context.theme)
        self.insights = insights or InsightList(context.theme)
        self.tabs.samples.label_wanted.connect(lambda: context.actions.run("runs.label_samples"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(12, 8, 12, 8)
        outer.setSpacing(6)
        self.top = QWidget()
        outer.addWidget(self.top)
        column = QVBoxLayout(self.top)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(self._head())
        self.charter = CharterStrip(context.theme)
        column.addWidget(self.charter)
        column.addLayout(self._progress())
        self.banner_frame = QWidget()
        self._banner_place = QVBoxLayout(self.banner_frame)
        self._banner_place.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.banner_frame)
        column.addLayout(self._tiles())
        column.addLayout(self._toolbar())
        split = LineSplitter(Qt.Orientation.Vertical)
        self.insights.marks_changed.connect(self._mark)
        beside = FoldingSplit((self.grid, self.insights), (690, 290), heights=(430, 200), least=(33, 15))
        split.addWidget(beside)
        split.addWidget(self.tabs)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 1)
        split.setSizes([430, 170])
        outer.addWidget(split, 1)

    @property
    def styled_parts(self) -> tuple[QWidget, ...]:
        """The parts that carry a style sheet each."""
        return self.top, *self.grid.styled_parts, self.insights, self.tabs

    def _style_plot(self, key: str) -> None:
        """Give a plot that was just made the style sheet."""
        self._context.theme.style(self.grid.deck.cards[key])

    def _head(self) -> QLayout:
        row = FlowLayout(row_spacing=4)
        self._name = ElideLabel("", kind="title", outside=True)
        self._state = Chip("")
        self._about = text_label("", "caption", wrap=True)
        row.addWidget(self._name)
        row.addWidget(self._state)
        row.add(self._about, least=18)
        actions, theme = self._context.actions, self._context.theme
        self.pause = action_button(actions, "runs.pause", text="Pause", theme=theme)
        self.stop_save = action_button(actions, "runs.stop_save", text="Stop && save", theme=theme)
        self.stop_now = action_button(actions, "runs.stop_now", text="Stop now", kind="danger", theme=theme)
        self.resume = action_button(actions, "runs.resume", text="Resume", kind="primary", theme=theme)
        self.checkpoint = action_button(actions, "runs.checkpoint", icon_only=True)
        self.fork = action_button(actions, "runs.fork", icon_only=True)
        self.export = action_button(actions, "runs.export_run", text="Export…", theme=theme)
        for button in (self.checkpoint, self.fork, self.export, self.pause, self.stop_save, self.stop_now, self.resume):
            button.setVisible(False)
            row.addWidget(button)
        return row

    @property
    def run_id(self) -> str:
        """The run that is shown, empty while another one is read."""
        return self._run_id

    @property
    def run_name(self) -> str:
        """The name of the run that is shown."""
        return self._name.text()

    def _progress(self) -> QLayout:
        row = FlowLayout(row_spacing=2)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self._bar.setAccessibleName("Progress of the run")
        self._where = text_label("", "caption")
        row.add(self._bar, least=12)
        row.addWidget(self._where)
        return row

    def _tiles(self) -> QLayout:
        row = EvenFlow()
        self.tiles: list[EstimateTile] = []
        for _, colour in TILES:
            tile = EstimateTile(self._context.theme, colour)
            self.tiles.append(tile)
            row.addWidget(tile)
        return row

    def _toolbar(self) -> QLayout:
        row = FlowLayout(spacing=6, row_spacing=4)
        self.smoothing = LabeledSlider("Smoothing", 0.0, 0.99, 0.01, 0.85)
        row.addWidget(self.smoothing)
        actions = self._context.actions
        for action_id in ("runs.raw", "runs.log_y", "runs.log_x", "runs.table"):
            row.addWidget(action_button(actions, action_id, icon_only=True))
        self.x_axis = XAxisBox(self._context)
        row.addWidget(self.x_axis)
        self.follow = action_button(actions, "runs.follow", text="Follow", theme=self._context.theme)
        row.addWidget(self.follow)
        self.pin = push_button("", "flat", theme=self._context.theme, icon="pin", tooltip="Let the crosshair go")
        self.pin.clicked.connect(lambda: self.grid.pin(math.nan))
        self.grid.pinned_at.connect(self._show_pin)
        self._show_pin(math.nan)
        row.addWidget(self.pin)
        self.choose = ActionButton(actions, "runs.plots", "Plots", "", False, self._context.theme)
        row.addWidget(self.choose)
        row.addWidget(action_button(actions, "runs.export", icon_only=True))
        row.addWidget(action_button(actions, "runs.inspect", icon_only=True))
        self.readout = FitLabel(*_HOW, kind="caption")
        row.add(self.readout, least=22)
        return row

    def heightForWidth(self, width: int) -> int:  # pyright: ignore[reportIncompatibleMethodOverride] - Qt names it arg
        """Return the least height at a width; the page scrolls where there is less."""
        layout = self.layout()
        return layout.minimumHeightForWidth(width) if layout is not None else super().heightForWidth(width)

    # What is shown

    @property
    def shown(self) -> ShownPlots:
        """What the plots that are shown have to be read."""
        return ShownPlots(self.grid.deck.metrics, self.grid.deck.needs, self.x_axis.name)

    def show_snapshot(self, snapshot: presenter.MonitorData) -> None:
        """Draw one moment of a run."""
        status = snapshot.status
        self._run_id = snapshot.run_id
        self._name.setText(snapshot.name)
        self._about.setText(presenter.subtitle(snapshot))
        self.show_state(snapshot)
        self.charter.show_record(snapshot.record, status.state)
        self._bar.setUpdatesEnabled(False)  # Qt would paint the whole window before it goes on
        self._bar.setMaximum(max(1, status.total_steps))
        self._bar.setValue(min(status.step, max(1, status.total_steps)))
        self._bar.setUpdatesEnabled(True)
        self.allow(snapshot)
        self._show_controls(status.state, bool(snapshot.checkpoints))
        self.export.setVisible(snapshot.has_result)
        for tile, view in zip(self.tiles, snapshot.tiles, strict=True):
            tile.show_view(view)
        self.grid.feed(snapshot.series)
        self.grid.set_target("kl.kl", snapshot.record.config.kl_budget, "budget")
        self.insights.set_insights(snapshot.run_id, snapshot.insights)
        self.tabs.show_snapshot(snapshot)
        self._show_banner(snapshot)

    def show_state(self, snapshot: presenter.MonitorData) -> None:
        """Print what the run does and where it stands."""
        words, tone = presenter.state_chip(snapshot.status)
        self._state.set_chip(words, tone)  # type: ignore[arg-type]
        self._where.setText(presenter.progress_text(snapshot))

    def clear(self) -> None:
        """Draw nothing of the run before: another one is chosen and not read yet."""
        self._run_id = ""
        self.grid.clear()
        self.insights.set_insights("", ())
        self.readout.set_texts(_HOW)
        for tile in self.tiles:
            tile.show_view(TileView("–", "–"))

    def _mark(self) -> None:
        """Mark on the plots what the insights are about."""
        self.grid.set_spans(self.insights.marks())

    def _show_pin(self, step: float) -> None:
        """Print the step that the crosshair is held on; a press lets it go."""
        self.pin.setVisible(math.isfinite(step))
        if math.isfinite(step):
            self.pin.setText(f"step {step:g} ×")
            self.pin.setAccessibleName(f"Crosshair held on step {step:g}; press to let it go")

    def show_readout(self) -> None:
        """Print the values under the crosshair."""
        parts = self.grid.readout()
        texts = [_with_rest(parts, shown) for shown in range(len(parts), 1, -1)]
        self.readout.set_texts(texts or _HOW)

    def allow(self, snapshot: presenter.MonitorData | None) -> None:
        """Enable the actions that the state of the run allows; none without a run."""
        state = snapshot.status.state if snapshot is not None else ""
        saved = snapshot is not None and bool(snapshot.checkpoints)
        live, busy = state in presenter.LIVE, state in ("running", "paused")
        actions = self._context.actions
        for action_id in ("runs.pause", "runs.stop_save", "runs.stop_now", "runs.checkpoint"):
            actions.set_enabled(action_id, busy)
        actions.set_enabled("runs.resume", state in presenter.RESUMABLE)
        actions.set_enabled("runs.enqueue", state in presenter.RESUMABLE and state != "queued")
        actions.set_enabled("runs.fork", saved and not live)
        actions.set_enabled("runs.export_run", snapshot is not None and snapshot.has_result)
        actions.set_enabled("runs.follow", live)
        for action_id in ("runs.inspect", "runs.copy_command", "runs.open_folder", "runs.export", "runs.reproduce"):
            actions.set_enabled(action_id, snapshot is not None)

    def _show_controls(self, state: str, saved: bool) -> None:
        live, resumable = state in presenter.LIVE, state in presenter.RESUMABLE
        self.follow.setVisible(live)
        self.fork.setVisible(saved and not live)
        for button in (self.pause, self.stop_save, self.stop_now, self.checkpoint):
            button.setVisible(live)
        self.resume.setVisible(resumable)
        self.resume.setText("Start" if state in UNSTARTED_STATES else "Resume")
        self.pause.setText("Go on" if state == "paused" else "Pause")

    def _show_banner(self, snapshot: presenter.MonitorData) -> None:
        wanted = _banner_of(snapshot, self._dismissed)
        key = (snapshot.run_id, wanted[0], wanted[3]) if wanted else None
        if self._banner_of == key:
            return
        self._banner_of = key
        if self._banner is not None:
            self._banner_place.removeWidget(self._banner)
            self._banner.deleteLater()
            self._banner = None
        if wanted is None:
            return
        code, level, title, text = wanted
        self._banner = Banner(self._context.theme, title, text, level=level)
        self._banner.closed.connect(lambda: self._dismissed.add((snapshot.run_id, code)))
        self._banner_place.addWidget(self._banner)


def _with_rest(parts: Sequence[str], shown: int) -> str:
    """Return the first parts of a readout, and how many more there are."""
    rest = f" · {len(parts) - shown} more" if shown < len(parts) else ""
    return f"{joined(parts[:shown])}{rest}"


def _banner_of(snapshot: presenter.MonitorData, dismissed: set[tuple[str, str]]) -> BannerContent | None:
    """Return key, level, title and text of what the banner should say."""
    status = snapshot.status
    if status.state == "failed":
        found: BannerContent = ("failed", "error", status.message, f"{status.hint}".strip())
    elif status.state == "interrupted":
        text = "Its process ended without a report. Resume continues from the newest verified checkpoint."
        found = ("interrupted", "warn", "This run was interrupted", text)
    else:
        return None
    return None if (snapshot.run_id, found[0]) in dismissed else found
