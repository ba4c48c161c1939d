"""Names, tags, notes, archive and deletion of runs from the window: asks, changes through the service, offers undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFormLayout, QLineEdit, QStackedWidget, QWidget

from app.context import AppContext
from app.runs.run_reporter import RunReporter
from app.runs.run_reproducer import RunReproducer
from app.runs.runs_view import RunsView
from app.widgets.dialog import BaseDialog
from app.widgets.paragraph_field import ParagraphField
from core.services.runs.run_table import RunSummary

if TYPE_CHECKING:
    from core.services.runs.deleted_runs import DeletedRun
    from core.services.runs.housekeeping import RunHousekeeping as Service


class RunWordsDialog(BaseDialog):
    """Asks for the name, the tags and the note of a run."""

    def __init__(self, parent: QWidget, context: AppContext, run: RunSummary) -> None:
        super().__init__(parent, "Name, tags and note")
        self.setMinimumWidth(context.theme.px(420))
        self.name, self.tags = QLineEdit(run.name), QLineEdit(", ".join(run.tags))
        self.tags.setPlaceholderText("separated by commas")
        self.note = ParagraphField("Note", 4, text=run.note)
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for words, widget in (("Name", self.name), ("Tags", self.tags), ("Note", self.note)):
            widget.setAccessibleName(words)
            form.addRow(words, widget)
        self.column.addLayout(form)
        self.save = self.add_buttons("Save")
        self.name.textChanged.connect(lambda text: self.save.setEnabled(bool(text.strip())))

    def words(self) -> tuple[str, tuple[str, ...], str]:
        """Return name, tags and note."""
        tags = tuple(dict.fromkeys(tag.strip() for tag in self.tags.text().split(",") if tag.strip()))
        return self.name.text().strip(), tags, self.note.toPlainText().strip()


class RunHousekeeper(QObject):
    """Shows the table of runs and does what it asks for.

    Args:
        context: services, dialogs, notices.
        parent: the page, over which the dialogs stand.
        show_run: shows the run ``run_id`` in the monitor.
        current: returns the id of the run that the monitor shows, "" for none.
    """

    def __init__(
        self, context: AppContext, parent: QWidget, show_run: Callable[..., None], current: Callable[[], str]
    ) -> None:
        super().__init__(parent)
        self._context, self._parent, self._show_run, self._current = context, parent, show_run, current
        self.views = QStackedWidget()
        self.view: RunsView | None = None
        self._reporter, self._reproducer = RunReporter(context, self), RunReproducer(context, self)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return the actions of the catalog that this object handles."""
        return {
            "runs.all": self.turn,
            "runs.deleted": self.ask_deleted,
            "runs.report": self.report,
            "runs.export_log": self.export_log,
            "runs.reproduce": self.reproduce,
        }

    @property
    def _service(self) -> Service:
        return self._context.services.runs.housekeeping

    def with_monitor(self, monitor: QWidget) -> QStackedWidget:
        """Return what holds the monitor, and the table once it was asked for."""
        self.views.addWidget(monitor)
        return self.views

    def turn(self) -> None:
        """Show all runs as a table, or the monitor again."""
        if self.view is not None and self.views.currentWidget() is self.view:
            self.to_monitor()
            return
        if self.view is None:
            view = self.view = RunsView(self._context)
            view.runs.wanted.connect(self._do)
            view.panel.like_wanted.connect(self._like)
            view.panel.report_wanted.connect(self.report)
            view.panel.run_wanted.connect(lambda run_id: self._show_run(run_id=run_id))
            view.monitor_wanted.connect(self.to_monitor)
            self.views.addWidget(view)
            self._context.theme.style(view)
        self.views.setCurrentWidget(self.view)
        self.view.runs.table.setFocus()
        self.read()

    def to_monitor(self) -> None:
        """Show the monitor."""
        self.views.setCurrentIndex(0)

    def read(self, _outcome: object = None) -> None:
        """Read the table again where it is shown."""
        if self.view is not None and self.views.currentWidget() is self.view:
            self.view.read()

    def _shown(self) -> str:
        """Return the run with the cursor in the table, or the one that the monitor shows; "" for none."""
        if self.view is not None and self.views.currentWidget() is self.view:
            run = self.view.runs.current
            return run.run_id if run is not None else ""
        return self._current()

    def report(self) -> None:
        """Write the report of the runs that are chosen in the table, or of the one that the page shows."""
        in_table = self.view is not None and self.views.currentWidget() is self.view
        chosen = self.view.runs.chosen if self.view is not None and in_table else ()
        shown = self._shown()
        self._reporter.ask(chosen or ((shown,) if shown else ()))

    def export_log(self) -> None:
        """Write the numbers of the run that the page shows for TensorBoard or trackio."""
        service, run_id = self._context.services.runs, self._shown()
        if run_id:
            self._context.tasks.query(
                lambda: service.info(run_id).name, partial(self._reporter.ask_log, run_id), owner=self, key="named_run"
            )

    def reproduce(self) -> None:
        """Train the run that the page shows again, and compare every number."""
        service, run_id = self._context.services.runs, self._shown()
        if run_id:
            self._context.tasks.query(
                lambda: service.info(run_id), self._reproducer.ask, owner=self, key="reproduced_run"
            )

    def _like(self, run_id: str) -> None:
        self._context.navigate("train", like_run=run_id)

    def _do(self, what: str, run_id: str) -> None:
        run = self.view.runs.current if self.view is not None else None
        if what == "deleted":
            self.ask_deleted()
        elif what == "open":
            self.to_monitor()
            self._show_run(run_id=run_id)
        elif what == "like":
            self._like(run_id)
        elif what == "edit" and run is not None:
            self._edit(run)
        elif what in ("archive", "back") and run is not None:
            self._archive(run, what == "archive")
        elif what == "delete" and run is not None:
            self._delete(run)

    def _archive(self, run: RunSummary, archived: bool) -> None:
        back = partial(self._mutate, partial(self._service.archive, run.run_id, not archived))

        def told(_outcome: object) -> None:
            words = f"{run.name} is in the archive." if archived else f"{run.name} is out of the archive."
            self._context.notices.post(words, "ok", action="Undo", run=back)

        self._mutate(partial(self._service.archive, run.run_id, archived), told)

    def _edit(self, run: RunSummary) -> None:
        dialog = RunWordsDialog(self._parent, self._context, run)
        if self._context.dialogs.run(dialog):
            name, tags, note = dialog.words()
            self._mutate(partial(self._service.annotate, run.run_id, name=name, tags=tags, note=note))
        dialog.deleteLater()

    def _delete(self, run: RunSummary) -> None:
        restore = partial(self._mutate, partial(self._service.restore, run.run_id))

        def told(_outcome: object) -> None:
            hint = "Its folder waits among the deleted runs until it is removed for good."
            self._context.notices.post(f"Deleted {run.name}.", "ok", hint=hint, action="Undo", run=restore)

        self._mutate(partial(self._service.delete, run.run_id), told)

    def ask_deleted(self) -> None:
        """Ask which deleted run to restore or to remove for good."""
        self._context.tasks.query(self._service.deleted, self._choose_deleted, owner=self, key="deleted_runs")

    def _choose_deleted(self, runs: Sequence[DeletedRun]) -> None:
        if not runs:
            self._context.notices.post("There is no deleted run.")
            return
        dialogs, lines = self._context.dialogs, [f"{run.name} ({run.size_bytes / 2**20:,.1f} MiB)" for run in runs]
        place = dialogs.choose("Deleted runs", "Which run?", lines)
        if place is None:
            return
        run = runs[place]
        text = "Restoring brings it back as it was. Removing it for good deletes its curves, pairs and checkpoints."
        answer = dialogs.ask(run.name, text, ("Restore", "Remove for good", "Cancel"))
        if answer == "Restore":
            self._mutate(partial(self._service.restore, run.run_id))
        elif answer == "Remove for good":
            self._mutate(partial(self._service.remove, run.run_id))

    def _mutate(self, work: Callable[[], object], done: Callable[[object], None] | None = None) -> None:
        def after(outcome: object) -> None:
            self.read()
            if done is not None:
                done(outcome)

        self._context.ops.mutate(work, after, owner=self)  # type: ignore[arg-type]
