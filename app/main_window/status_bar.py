"""The status bar: workspace, saved or not, live runs and jobs, processor and memory, reviewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout

from app.background.run_watch import run_text
from app.background.task import BackgroundTask
from app.theme.theme import Theme
from app.widgets.buttons import push_button
from app.widgets.containers import Swatch
from app.widgets.labels import ElideLabel, text_label

if TYPE_CHECKING:
    from core.services.runs.views import RunInfo

SAMPLE_MS = 2000


class StatusBar(QFrame):
    """Shows what its methods set; ``reviewer_pressed`` and ``job_pressed`` fire on a click."""

    reviewer_pressed = Signal()
    job_pressed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("part", "status")
        self._theme = theme
        self._pending = 0
        self._blocked = False
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 6, 0)
        row.setSpacing(6)
        self._workspace = ElideLabel("no workspace", kind="caption", mode=Qt.TextElideMode.ElideMiddle)
        self._dot, self._saved = Swatch(theme, "text3", 8, dot=True), text_label("", "caption")
        self._job = push_button("", "status", name="Running job")
        self._job.clicked.connect(self.job_pressed)
        self._machine = text_label("", "caption")
        self._reviewer = push_button("", "status", name="Reviewer")
        self._reviewer.clicked.connect(self.reviewer_pressed)
        for widget in (self._workspace, self._dot, self._saved):
            row.addWidget(widget)
        row.addStretch(1)
        for widget in (self._job, self._machine, self._reviewer):
            row.addWidget(widget)
        self._runs_text, self._jobs_text = "", ""
        self._timer = QTimer(self)
        self._timer.setInterval(SAMPLE_MS)
        self._timer.timeout.connect(self._sample)
        self._cpu: Any = None
        theme.changed.connect(self._fit)
        self._fit()
        self.set_workspace("")
        self.set_reviewer("")
        self._print_job()

    def watch_machine(self) -> None:
        """Begin to show processor and memory. Imports psutil, which must not delay the first paint."""
        import psutil  # must not delay the first paint

        self._cpu = psutil
        psutil.cpu_percent(None)
        self._timer.start()

    def set_workspace(self, name: str, *, read_only: bool = False, tooltip: str = "") -> None:
        """Name the open workspace."""
        note = " (read only)" if read_only else ""
        self._workspace.setText(f"workspace: {name}{note}" if name else "no workspace")
        self._workspace.setToolTip(tooltip)
        self._blocked = False
        self._show_saved("saved" if name and not read_only else "", "ok")

    def saving(self) -> None:
        """Show that a change is being stored."""
        self._pending += 1
        self._show_saved("saving…", "warn")

    def saved(self) -> None:
        """Show that a change was committed."""
        self._pending = max(0, self._pending - 1)
        if not self._pending:
            self._show_saved("saved", "ok")

    def not_saved(self) -> None:
        """Show that a change could not be stored."""
        self._pending = max(0, self._pending - 1)
        self._show_saved("last change not saved", "bad")

    def set_blocked(self, blocked: bool) -> None:
        """Show that nothing can be saved, or that it can again."""
        self._blocked = blocked
        self._show_saved("cannot save" if blocked else "saved", "bad" if blocked else "ok")

    def set_backup(self, words: str) -> None:
        """Say in the tooltip of "saved" when the last backup was made."""
        self._saved.setToolTip(words)

    def set_reviewer(self, name: str) -> None:
        """Name who is labelling."""
        self._reviewer.setText(f"reviewer: {name}" if name else "choose reviewer")
        self._reviewer.setAccessibleName(self._reviewer.text())
        self._reviewer.setToolTip("Judgements are stored under this reviewer. Press to change.")

    def set_runs(self, live: list[RunInfo], *, queued: int = 0) -> None:
        """Show the first live run, and how many wait in the queue."""
        self._runs_text = run_text(live, queued)
        self._print_job()

    def set_jobs(self, jobs: list[BackgroundTask]) -> None:
        """Show the title of the running job, or how many there are."""
        running = [job for job in jobs if job.running]
        self._jobs_text = running[0].title if len(running) == 1 else f"{len(running)} jobs" if running else ""
        self._print_job()

    def _print_job(self) -> None:
        text = "  ·  ".join(part for part in (self._runs_text, self._jobs_text) if part)
        self._job.setText(text)
        self._job.setVisible(bool(text))
        self._job.setAccessibleName(f"Running: {text}")

    def _show_saved(self, text: str, token: str) -> None:
        if self._blocked:
            text, token = "cannot save", "bad"
        self._saved.setText(text)
        self._dot.setVisible(bool(text))
        self._dot.set_token(token)

    def _sample(self) -> None:
        memory = self._cpu.virtual_memory()
        used, total = (memory.total - memory.available) / 2**30, memory.total / 2**30
        self._machine.setText(f"CPU {self._cpu.cpu_percent(None):.0f} %   RAM {used:.1f} / {total:.0f} GB")

    def _fit(self) -> None:
        self.setFixedHeight(self._theme.px(22))
