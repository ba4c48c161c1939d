"""What the page does with releases: make, verify, compare, withdraw. Each act works in the background."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.background.task import BackgroundTask, TaskControl
from app.context import AppContext
from app.desktop import open_path
from app.evaluate.cycle_dialog import CycleDialog
from app.evaluate.cycle_sides import Side, chosen_sides, read_sides
from app.evaluate.release_dialog import ReleaseDialog
from app.evaluate.release_info import ReleaseInfoDialog
from core.domain.changes import Outcome

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.services.releases.cycle import Cycle
    from core.services.releases.draft import ReleaseDraft
    from core.services.releases.views import ReleaseInfo, ReleaseRequest

REPORT = "report.html"


class ReleaseActs(QObject):
    """Acts on evaluations and releases.

    Args:
        context: services, tasks, dialogs.
        page: over which the dialogs stand.
        evaluation: returns the id of the evaluation that is shown.
        release: returns the chosen release.

    Signals:
        made(object): a release was made.
    """

    made = Signal(object)

    def __init__(
        self,
        context: AppContext,
        page: QWidget,
        evaluation: Callable[[], str],
        release: Callable[[], ReleaseInfo | None],
    ) -> None:
        super().__init__(page)
        self._context, self._page, self._evaluation, self._release = context, page, evaluation, release

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what the actions do."""
        return {
            "evaluate.release": self.ask,
            "evaluate.compare": self.compare,
            "evaluate.withdraw": lambda: self._with_release(self.withdraw),
            "evaluate.verify": lambda: self._with_release(self.verify),
        }

    def _with_release(self, act: Callable[[ReleaseInfo], object]) -> None:
        release = self._release()
        if release is None:
            self._context.notices.post("There is no release yet.", "warn", hint="Make one of an evaluation first.")
        else:
            act(release)

    # Making

    def ask(self) -> None:
        """Read what the gate says, then ask how the release is made."""
        services, id_ = self._context.services, self._evaluation()
        if id_:
            self._context.tasks.query(
                lambda: services.releases.draft(id_), partial(self._ask, id_), owner=self, key="draft"
            )

    def _ask(self, evaluation: str, draft: ReleaseDraft) -> None:
        dialog = ReleaseDialog(self._page, self._context, evaluation, draft, self._make)
        self._context.dialogs.run(dialog)
        dialog.deleteLater()

    def _make(
        self,
        request: ReleaseRequest,
        verify: bool,
        made: Callable[[], object],
        failed: Callable[[Exception], None],
    ) -> BackgroundTask:
        service = self._context.services.releases

        def work(control: TaskControl) -> Outcome[ReleaseInfo]:
            return service.make(request, on_progress=control.progress, cancelled=lambda: control.cancelled)

        def done(outcome: Outcome[ReleaseInfo]) -> None:
            made()
            self._told(outcome.value)
            if verify:
                self.verify(outcome.value)

        return self._context.ops.job("Make the release", work, done, failed, owner=self)

    def _told(self, release: ReleaseInfo) -> None:
        self.made.emit(release)
        self._context.notices.post(
            f"Released {release.name} to {release.folder}",
            "ok" if not release.despite else "warn",
            hint=f"Despite the gate: {release.despite}" if release.despite else f"Approved by {release.approver}.",
            action="Open the report",
            run=partial(open_path, Path(release.folder) / REPORT),
        )

    # With a release

    def show(self, release: ReleaseInfo) -> None:
        """Show what a release is, and do what is asked of it."""
        dialog = ReleaseInfoDialog(self._page, self._context, release)
        wanted: list[str] = []
        dialog.wanted.connect(wanted.append)
        self._context.dialogs.run(dialog)
        dialog.deleteLater()
        acts: Mapping[str, Callable[[ReleaseInfo], object]] = {
            "report": lambda one: self._open(Path(one.folder) / REPORT),
            "folder": lambda one: self._open(Path(one.folder)),
            "verify": self.verify,
            "compare": lambda one: self.compare(one.release_id),
            "withdraw": self.withdraw,
        }
        for key in wanted:
            acts[key](release)

    def _open(self, path: Path) -> None:
        def found(there: bool) -> None:
            if there:
                open_path(path)
            else:
                self._context.notices.post(f"{path} is gone.", "warn", hint="Put the folder of the release back.")

        self._context.tasks.query(path.exists, found, owner=self)

    def verify(self, release: ReleaseInfo) -> None:
        """Measure a release again from its contract."""
        service, name = self._context.services.releases, release.name

        def work(control: TaskControl) -> Outcome[ReleaseInfo]:
            return service.verify(release.release_id, on_progress=control.progress, cancelled=lambda: control.cancelled)

        def done(outcome: Outcome[ReleaseInfo]) -> None:
            level = "ok" if outcome.value.came_out_equal else "warn"
            self._context.notices.post(f"{name} was measured again.", level, hint=outcome.value.verified)

        self._context.ops.job(f"Verify {name}", work, done, owner=self)

    def withdraw(self, release: ReleaseInfo) -> None:
        """Ask for the reason, and withdraw a release for good."""
        person = self._context.session.reviewer_name
        if not person:
            self._context.notices.post(
                "Nobody is chosen as reviewer.", "warn", hint="Choose who you are in the status bar; the log names you."
            )
            return
        label = f"Why must {release.name} not be used any more? The reason is kept for good; its folder stays."
        reason = self._context.dialogs.text("Withdraw the release", label, lines=3, accept="Withdraw", needed=True)
        if reason:
            service, id_ = self._context.services.releases, release.release_id
            self._context.ops.mutate(lambda: service.withdraw(id_, person, reason), owner=self)

    # Comparing

    def compare(self, release_id: str = "") -> None:
        """Compare two releases or evaluations; by default the newest two, or a release with the one before it."""
        services = self._context.services
        self._context.tasks.query(
            lambda: read_sides(services), partial(self._compare, release_id), owner=self, key="sides"
        )

    def _compare(self, release_id: str, sides: list[Side]) -> None:
        if len(sides) < 2:
            self._context.notices.post(
                "There is nothing to compare yet.", "warn", hint="Two releases or finished evaluations are needed."
            )
            return
        old, new = chosen_sides(sides, release_id or self._evaluation())
        dialog = CycleDialog(self._page, self._context, sides, old, new, self.read_cycle)
        self._context.dialogs.run(dialog)
        dialog.deleteLater()

    def read_cycle(
        self, old: str, new: str, done: Callable[[Cycle], object], failed: Callable[[Exception], None]
    ) -> Any:
        """Compare two sides in the background; call back with the cycle, or with the error."""
        service = self._context.services.releases
        return self._context.tasks.query(lambda: service.cycle(old, new), done, failed, owner=self, key="cycle")
