"""The dialog *Bundles*: slots to another desk as a file, what came back, a shared folder; on a desk, sending back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QPushButton, QWidget

from app.annotate import team_bundle_rows as rows
from app.annotate.team_bundle_rows import BundleChoices, OpenQueueOf
from app.annotate.team_bundle_watch import WatchedFolder
from app.background.task import TaskControl
from app.context import AppContext
from app.widgets.buttons import push_button
from app.widgets.containers import Card, ScrollColumn
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from app.widgets.messages import ProgressLine
from app.widgets.plots.chart_card import FigureTable
from core.domain.counting import counted
from core.domain.errors import UserError

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.domain.changes import Outcome
    from core.services.application import Application
    from core.services.bundles.service import Exported, Merged

FILES = "Review bundle (*.bundle);;All files (*)"
_ABOUT_EXPORT = (
    "A reviewer's open slots become one file: the pairs and the rubric, nothing of sources, labels or other people. "
    "Another Pairwright opens it as a desk (Workspace, Open a review bundle…) and labels offline."
)
_ABOUT_MERGE = (
    "Merging is a union by id: in any order, again and again, the same labels. A refused file changes nothing. A "
    "shared folder is looked at every five seconds while this window is open."
)


class BundlesDialog(BaseDialog):
    """Each button acts at once; results stay below until the dialog is closed."""

    def __init__(self, parent: QWidget, context: AppContext, watched: WatchedFolder) -> None:
        theme = context.theme
        super().__init__(parent, "Bundles", size=QSize(theme.px(720), theme.px(620)), settings=context.settings)
        self._context, self._watched = context, watched
        self.queues: Sequence[OpenQueueOf] = ()
        self.found: list[Merged] = []
        self.queue = ComboBox(outside=True)
        self.queue.setAccessibleName("Whose slots")
        self.export = self._button("&Export…", self._export, "export")
        self.merge = self._button("&Merge files…", self._merge, "import")
        self.watch = self._button("&Watch a folder…", self._watch, "eye")
        self.send = self._button("&Send back…", self._send_back, "submit")
        self.watching, self.problem = text_label("", "muted", wrap=True), text_label("", "error", wrap=True)
        self.told, self.about_desk = text_label("", "", wrap=True), text_label("", "", wrap=True)
        self.progress = ProgressLine(title="Bundles")
        self.out = FigureTable(context, "Bundles that were exported", rows.OUT_HEADS, most=6)
        self.merged = FigureTable(context, "What became of the files", rows.MERGED_HEADS, most=6)
        self.cards = {"desk": self._desk_card(), "out": self._out_card(), "back": self._back_card()}
        scroll = ScrollColumn(margin=2, spacing=10, name="Bundles")
        for card in self.cards.values():
            scroll.column.addWidget(card)
        scroll.column.addStretch(1)
        self.column.addWidget(scroll, 1)
        for part in (self.progress, self.told, self.problem):
            part.hide()
            self.column.addWidget(part)
        self.add_buttons(reject="Close")
        watched.changed.connect(self._show_watched)
        watched.merged.connect(self._take)
        self._show_watched()
        self.read()

    # The parts

    def _button(self, words: str, run: Callable[[], None], icon: str) -> QPushButton:
        button = push_button(words, theme=self._context.theme, icon=icon)
        button.clicked.connect(lambda _=False: run())
        return button

    def _desk_card(self) -> Card:
        card = Card("This desk")
        card.add(self.about_desk)
        row = FlowLayout(row_spacing=4)
        row.addWidget(self.send)
        card.add(row)
        card.hide()
        return card

    def _out_card(self) -> Card:
        card = Card("To another desk")
        card.add(text_label(_ABOUT_EXPORT, "muted", wrap=True))
        row = FlowLayout(row_spacing=4, middle=True)
        row.add(self.queue, least=12)
        row.addWidget(self.export)
        card.add(row)
        card.add(self.out)
        return card

    def _back_card(self) -> Card:
        card = Card("Back from desks")
        card.add(text_label(_ABOUT_MERGE, "muted", wrap=True))
        row = FlowLayout(row_spacing=4)
        for button in (self.merge, self.watch):
            row.addWidget(button)
        card.add(row)
        card.add(self.watching)
        self.merged.hide()
        card.add(self.merged)
        return card

    # What is shown

    def read(self) -> None:
        """Read what can be exported and what was."""
        services = self._context.services
        self._context.tasks.query(lambda: read_bundles(services), self._show, owner=self, key="bundles")

    def _show(self, found: BundleChoices) -> None:
        desk = found.desk
        self.cards["desk"].setVisible(desk is not None)
        for key in ("out", "back"):
            self.cards[key].setVisible(desk is None)
        if desk is not None:
            self.about_desk.setText(
                f"A desk of {desk.reviewer} with {counted(desk.slots, 'slot')} of {desk.batch}. Send back what is "
                "labelled as often as you like; each file holds all of it, with the desk's hash chain."
            )
        self.queues = [one for one in found.queues if one.here or one.away]
        chosen = self.queue.currentText()
        self.queue.clear()
        for one in self.queues:
            self.queue.addItem(one.words)
        self.queue.setCurrentIndex(max(0, self.queue.findText(chosen)))
        self.export.setEnabled(bool(self.queues))
        if not self.queues:
            self.queue.addItem("no batch has open slots")
        self.out.show_rows(rows.out_rows(found.out))
        self.out.setVisible(bool(found.out))

    def _show_watched(self) -> None:
        folder = self._watched.folder
        self.watch.setText("Stop &watching" if folder is not None else "&Watch a folder…")
        words = f"Watching {folder}." if folder is not None else ""
        self.watching.setText(f"{words} {self._watched.problem}".strip())
        self.watching.setVisible(folder is not None)

    # What the buttons do

    def _export(self) -> None:
        """Ask for a file and write the chosen reviewer's open slots to it."""
        one = self.queues[self.queue.currentIndex()]
        path = self._context.dialogs.save_file("Export a bundle", f"{one.batch} - {one.reviewer}.bundle", FILES)
        if path is None:
            return
        services, by = self._context.services, self._context.session.reviewer_id

        def told(outcome: Outcome[Exported]) -> None:
            made = outcome.value
            words = f"{counted(made.bundle.slots, 'slot')} of {one.reviewer} written to {made.path.name}."
            self._tell(" ".join((words, *made.told)))
            self.read()

        self._say("")
        self._context.ops.mutate(
            lambda: services.bundles.export(one.batch_id, one.reviewer_id, Path(path), by),
            told,
            self._failed,
            owner=self,
        )

    def _merge(self) -> None:
        """Ask for files and merge them, one after the other."""
        files = self._context.dialogs.open_files("Merge what desks sent back", FILES)
        if not files:
            return
        services, by = self._context.services, self._context.session.reviewer_id

        def work(control: TaskControl) -> Outcome[list[Merged]]:
            return services.bundles.merge(files, by, control.progress, lambda: control.cancelled)

        def told(outcome: Outcome[list[Merged]]) -> None:
            self._take(outcome.value)

        self._say("")
        job = self._context.ops.job("Merging bundles", work, told, self._failed, owner=self)
        self.progress.show()
        self.progress.follow(job)
        self.merge.setEnabled(False)
        job.ended.connect(self._ended)

    def _watch(self) -> None:
        if self._watched.folder is not None:
            self._watched.stop()
        elif folder := self._context.dialogs.open_folder("Shared folder into which desks send"):
            self._watched.start(Path(folder))

    def _send_back(self) -> None:
        """Ask for a file and write what this desk labelled."""
        path = self._context.dialogs.save_file("Send back what is labelled", "returned.bundle", FILES)
        if path is None:
            return
        services, target = self._context.services, Path(path)

        def told(manifest: dict[str, Any]) -> None:
            count = counted(int(manifest["judgements"]), "judgement")
            self._tell(
                f"{count} of {manifest['reviewer']} written to {target.name}. Give the file to whom you label for."
            )

        self._say("")
        self._context.tasks.query(
            lambda: services.bundles.send_back(target), told, self._failed, owner=self, key="send back"
        )

    def _take(self, found: Sequence[Merged]) -> None:
        """Show what became of files, the newest first."""
        self.found = [*found, *self.found]
        self.merged.show()
        self.merged.show_rows(rows.merged_rows(self.found))
        counts = [sum(one.state == state for one in found) for state in ("merged", "known", "refused")]
        self._tell(f"{counted(len(found), 'file')} = {counts[0]} merged + {counts[1]} known + {counts[2]} refused.")
        self.read()

    def _tell(self, words: str) -> None:
        self.told.setText(words)
        self.told.show()

    def _ended(self) -> None:
        """A merge is over, or was cancelled: what was merged until then stays."""
        self.progress.hide()
        self.merge.setEnabled(True)
        self.read()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self._say(f"{error.message} {error.hint}".strip())
        else:
            self._context.tasks.unhandled.emit(error)

    def _say(self, words: str) -> None:
        self.told.hide()
        self.problem.setText(words)
        self.problem.setVisible(bool(words))


def read_bundles(services: Application) -> BundleChoices:
    """Read all of it."""
    ids, queues = {one.name: one.id for one in services.reviewers.list()}, list[OpenQueueOf]()
    for state in services.batches.list():
        for name, one in state.by_reviewer.items():
            away, left = state.away.get(name, 0), one.open + one.skipped
            if name in ids and left and not state.batch.home_uuid:
                queues.append(OpenQueueOf(state.batch.id, state.batch.name, ids[name], name, left - away, away))
    found = services.bundles.list()
    return BundleChoices(queues, [one for one in found if one.kind == "exported"], services.bundles.desk())
