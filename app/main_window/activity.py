"""The activity drawer: every job of the open workspace with its bar and Cancel, and every notice that was shown."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.background.task import BackgroundTask
from app.local_time import local_time
from app.notices import Notice
from app.theme.theme import Theme
from app.widgets.buttons import icon_button
from app.widgets.containers import ScrollColumn
from app.widgets.labels import text_label
from app.widgets.messages import IconLabel, ProgressLine

WIDTH = 320
MOST = 60
_ICONS = {"info": ("info", "accent"), "ok": ("check_circle", "ok"), "warn": ("warn", "warn"), "error": ("error", "bad")}


class ActivityPanel(QFrame):
    """A drawer at the right; ``closed`` fires when its close button is pressed."""

    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("part", "side")
        self._theme = theme
        self._workspace = ""
        self._running: list[tuple[BackgroundTask, QWidget]] = []
        self.setFixedWidth(theme.px(WIDTH))
        self.setAccessibleName("Activity")
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 8)
        column.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(text_label("Activity", "section"))
        head.addStretch(1)
        close = icon_button(theme, "close", "Close activity", size=16)
        close.clicked.connect(self.closed)
        head.addWidget(close)
        column.addLayout(head)
        scroll = ScrollColumn(spacing=10, name="Jobs and notices")
        self._jobs, self._notices = QVBoxLayout(), QVBoxLayout()
        self._jobs.setSpacing(10)
        self._notices.setSpacing(8)
        self._empty = text_label("Imports, freezes, downloads and notices are listed here.", "muted", wrap=True)
        scroll.column.addWidget(self._empty)
        scroll.column.addLayout(self._jobs)
        scroll.column.addLayout(self._notices)
        scroll.column.addStretch(1)
        column.addWidget(scroll, 1)
        theme.changed.connect(self._fit)

    def enter_workspace(self, folder: str) -> None:
        """Show the entries of the workspace in ``folder``, those from before any was open, and what still runs.

        Those of other workspaces come back with their workspace.
        """
        self._workspace = folder
        self._running = [(job, line) for job, line in self._running if job.running]
        running = [line for _, line in self._running]
        rows = [*_widgets(self._jobs), *_widgets(self._notices)]
        for row in rows:
            row.setVisible(row in running or row.property("workspace") in ("", folder))
        self._empty.setVisible(all(row.isHidden() for row in rows))

    def shown(self) -> list[str]:
        """Return the names of the entries that are listed now: jobs, then notices, each newest first."""
        rows = [*_widgets(self._jobs), *_widgets(self._notices)]
        return [row.accessibleName() for row in rows if not row.isHidden()]

    def add_job(self, job: BackgroundTask) -> None:
        """Show a job from its start to its end."""
        line = ProgressLine(title=job.title)
        line.setAccessibleName(job.title)
        line.follow(job)
        self._running.append((job, line))
        self._add(self._jobs, line)

    def add_notice(self, notice: Notice) -> None:
        """Keep a notice with its time."""
        row = QWidget()
        row.setAccessibleName(notice.text)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        icon, colour = _ICONS[notice.level]
        line.addWidget(IconLabel(self._theme, icon, colour, 16), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(text_label(notice.text, "", wrap=True, selectable=True))
        words.addWidget(
            text_label(f"{local_time(1000 * notice.at, '%H:%M')}  {notice.hint}".strip(), "hint", wrap=True)
        )
        line.addLayout(words, 1)
        self._add(self._notices, row)

    def _add(self, layout: QVBoxLayout, row: QWidget) -> None:
        row.setProperty("workspace", self._workspace)
        layout.insertWidget(0, row)
        self._trim(layout)
        self._empty.hide()

    def _fit(self) -> None:
        self.setFixedWidth(self._theme.px(WIDTH))

    def _trim(self, layout: QVBoxLayout) -> None:
        while layout.count() > MOST:
            item = layout.takeAt(layout.count() - 1)
            if item is not None and (widget := item.widget()):
                self._running = [entry for entry in self._running if entry[1] is not widget]
                widget.deleteLater()


def _widgets(layout: QVBoxLayout) -> list[QWidget]:
    items = [layout.itemAt(place) for place in range(layout.count())]
    return [widget for item in items if item is not None and (widget := item.widget())]
