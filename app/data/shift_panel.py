"""Shift: how far feedback is from training and suites, computed when it is asked for; bars, numbers, explanation."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.background.task import BackgroundTask, TaskControl, TaskState
from app.context import AppContext
from app.data import shift_words as words
from app.data.shift_bars import COLOURS, ShiftBars
from app.widgets.buttons import push_button
from app.widgets.containers import ScrollColumn, Swatch, clear_layout
from app.widgets.flow import FlowLayout
from app.widgets.inputs import SegmentedControl
from app.widgets.labels import text_label
from app.widgets.messages import EmptyState, ProgressLine
from app.widgets.plots import export
from app.widgets.plots.plot_head import PlotHead
from app.widgets.table import TableColumn, VirtualTable
from core.domain.errors import UserError

if TYPE_CHECKING:
    from core.services.feedback.shift import ShiftReport

ABOUT = "Prompts of training, suites and feedback, compared two by two. It takes some seconds and changes nothing."


class ShiftPanel(QWidget):
    """Compares on demand; the last comparison stays until the next."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context, theme = context, context.theme
        self.report: ShiftReport | None = None
        self._job: BackgroundTask | None = None
        self.compare = push_button("Compare", "primary", theme=theme, icon="compare", name="Compare the prompts")
        self.what = SegmentedControl("What is compared", words.WHATS)
        self.what.set_value("category")
        self.as_table = push_button("As a table", theme=theme, icon="table")
        self.as_table.setCheckable(True)
        self.bars, self.progress = ShiftBars(theme, "Mixes of prompts"), ProgressLine(title="Comparing prompts")
        self.problem, self.sizes = text_label("", "error", wrap=True), text_label("", "caption", wrap=True)
        self.missing = text_label("", "caption", wrap=True)
        self.told = QVBoxLayout()
        self.told.setSpacing(4)
        columns = (
            TableColumn("value", "Value", lambda row: row[0]),
            TableColumn("of", "Collection", lambda row: row[1], 130),
            TableColumn("share", "Share, 95 % interval", lambda row: row[2], 150),
            TableColumn("n", "n", lambda row: row[3], 60, right=True),
        )
        self.table = VirtualTable(context.tasks, theme, columns, name="Mixes as a table", multi=False)
        self.head = PlotHead(theme, "Shift", [], tools=True)
        self.head.log.setVisible(False)
        self.head.enlarged.connect(self.bars.set_tall)
        self._legend = FlowLayout(row_spacing=2)
        self._build()
        self.compare.clicked.connect(self.start)
        self.what.changed.connect(lambda _: self._show_mix())
        self.as_table.toggled.connect(lambda on: self._views.setCurrentIndex(int(on)))
        self.head.menu_requested.connect(self._export)

    @property
    def is_running(self) -> bool:
        """Whether a comparison is under way."""
        return self._job is not None and self._job.running

    def start(self) -> None:
        """Compare the train split of the newest version, all suites together, and feedback, as a job."""
        if self.is_running:
            return
        self.problem.hide()
        services = self._context.services

        def work(control: TaskControl) -> ShiftReport:
            newest = {info.name: info.title for info in services.suites.list()}

            def step(done: int, total: int, what: str) -> None:
                control.check()
                control.progress(done, total, what)

            return services.feedback_shift.report(suites=tuple(newest.values()), together=True, on_step=step)

        self._job = self._context.tasks.job("Compare prompts", work, self._show, self._fail, owner=self)
        self._job.ended.connect(self._end)
        self.progress.show()
        self.progress.follow(self._job)
        self.compare.setEnabled(False)

    def cancel(self) -> None:
        """Stop the comparison; the one before stays."""
        if self._job is not None:
            self._job.cancel()

    def _end(self) -> None:
        self.compare.setEnabled(True)
        self.progress.setVisible(self._job is not None and self._job.state is TaskState.FAILED)

    def _show(self, report: ShiftReport) -> None:
        self.report = report
        self._stack.setCurrentIndex(1)
        self.sizes.setText(words.sizes_text(report.sizes))
        clear_layout(self.told)
        for one in report.to_plain()["comparisons"]:
            self.told.addWidget(text_label(words.sentence(one), "strong", wrap=True, selectable=True))
            self.told.addWidget(text_label(words.divergences(one), "caption", wrap=True, selectable=True))
        for note in report.notes:
            self.told.addWidget(text_label(note, "caption", wrap=True))
        there = {mix.what for mix in report.mixes if mix.rows}
        if self.what.value not in there:
            self.what.set_value("language")
        self._show_mix()

    def _fail(self, error: Exception) -> None:
        text = f"{error.message} {error.hint}" if isinstance(error, UserError) else "The prompts cannot be compared."
        self.problem.setText(text)
        self.problem.show()

    def _show_mix(self) -> None:
        """Draw the chosen mix, and list it."""
        mix = next((one for one in self.report.mixes if one.what == self.what.value), None) if self.report else None
        self.bars.show_mix(mix)
        clear_layout(self._legend)
        for number, name in enumerate(mix.collections if mix is not None else ()):
            self._legend.addWidget(Swatch(self._context.theme, COLOURS[number % len(COLOURS)]))
            self._legend.addWidget(text_label(name, "caption"))
        self.missing.setText(words.missing_text(mix, self.report.sizes if self.report is not None else {}))
        self.missing.setVisible(bool(self.missing.text()))
        rows = self.rows()
        self.table.show_ids(range(len(rows)), lambda ids: [rows[key] for key in ids], keep=False)

    def rows(self) -> list[tuple[str, ...]]:
        """Return the chosen mix as rows of the table."""
        mix = self.bars.mix
        found: list[tuple[str, ...]] = []
        for row in mix.rows if mix is not None else ():
            for name, share in zip(mix.collections if mix is not None else (), row.shares, strict=True):
                told = f"{100 * share.value:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"
                found.append((row.value, name, told, f"{share.n:,}"))
        return found

    def values(self) -> str:
        """Return the chosen mix as CSV."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("value", "collection", "share and interval", "n"))
        writer.writerows(self.rows())
        return out.getvalue()

    def _export(self, kind: str) -> None:
        """Copy or save the bars."""
        clipboard = QGuiApplication.clipboard()
        if kind == "copy_picture":
            clipboard.setImage(export.to_image(self.bars))
        elif kind == "copy_values":
            clipboard.setText(self.values())
        else:
            path = self._context.dialogs.save_file("Save the mix", f"shift.{kind}", f"{kind.upper()} (*.{kind})")
            content: Any = self.values()
            if kind == "png":
                content = export.to_png(self.bars)
            elif kind == "svg":
                content = export.to_svg(self.bars, "Shift")
            if path is not None:
                self._context.tasks.query(lambda: export.save(path, content), lambda _: None, owner=self)

    def _build(self) -> None:
        empty = EmptyState(
            self._context.theme,
            "compare",
            "Not compared yet",
            "How far are the prompts of feedback from those that are trained and measured on?",
            main=("Compare", self.compare.click),
        )
        shown = QWidget()
        column = QVBoxLayout(shown)
        column.setContentsMargins(0, 0, 0, 0)
        bar = FlowLayout(row_spacing=4)
        for widget in (self.what, self.as_table):
            bar.addWidget(widget)
        self._views = QStackedWidget()
        self._views.addWidget(self.bars)
        self._views.addWidget(self.table)
        column.addLayout(bar)
        column.addLayout(self._legend)
        column.addWidget(self._views, 1)
        column.addWidget(self.missing)
        column.addWidget(self.sizes)
        column.addLayout(self.told)
        column.addWidget(text_label(words.EXPLAINED, "hint", wrap=True))
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(shown)
        scroll = ScrollColumn(margin=10, name="Shift")
        head = FlowLayout(row_spacing=4)
        head.add(self.head, least=8)
        head.addWidget(self.compare)
        scroll.column.addLayout(head)
        scroll.column.addWidget(text_label(ABOUT, "caption", wrap=True))
        for widget in (self.progress, self.problem):
            scroll.column.addWidget(widget)
            widget.hide()
        scroll.column.addWidget(self._stack, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
