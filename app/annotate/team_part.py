"""The Team tab: reads the quality of the labels in the background, opens pairs, and does what its buttons say."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.annotate.mode_tabs import LABEL, TEAM
from app.annotate.team_batch_figures import TeamRead
from app.annotate.team_batches import TeamBatches
from app.annotate.team_figures import PairsPlace
from app.annotate.team_lead_tools import TeamLeadTools
from app.annotate.team_reviewers_dialog import ReviewersDialog
from app.annotate.team_view import TeamView
from app.background.task import BackgroundTask, TaskControl, TaskState
from app.context import AppContext
from app.widgets.lazy_part import LazyPart
from app.widgets.plots.chart_card import ChartCard
from core.domain.counting import counted
from core.domain.errors import UserError
from core.domain.team import ClauseBoard, TeamReport

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.application import Application
    from core.services.batches.views import BatchState
    from core.services.quality.reviewer_table import ReviewerTable

PLACE = "team"
"""Place of its actions: the keys of labelling do nothing while the team is shown."""
STEPS = 4


class TeamPart(QObject):
    """Connects the view of the team to the services.

    Attributes:
        place: where the view is, or will be once the team is shown.

    Signals:
        mode_wanted(str): a mode of the tabs is to be shown.
        toggled(bool): the team is shown now, or the labelling screen again.
        offered(bool): whether who sits at this desk may see the team.
    """

    mode_wanted = Signal(str)
    toggled = Signal(bool)
    offered = Signal(bool)

    def __init__(self, context: AppContext, page: QWidget) -> None:
        super().__init__(page)
        self._context, self._page = context, page
        self.place = LazyPart(
            context.theme, lambda: TeamView(context.actions, context.theme, partial(ChartCard, context)), self._begin
        )
        self._job: BackgroundTask | None = None
        self.on, self._may_see = False, True
        self.batches = TeamBatches(context, page, self._chosen_batch)
        self.batches.made.connect(self._show_made)
        self.tools = TeamLeadTools(context, page, self._shown_board, self.read)
        label = partial(self.mode_wanted.emit, LABEL)
        handlers = {
            "annotate.team": partial(self.mode_wanted.emit, TEAM),
            "team.label": label,
            "team.refresh": self.read,
            "team.table": lambda on: self.view.set_table(on),
            "team.export": self._export,
            "annotate.reviewers": self._manage,
            "team.reviewers": self._manage,
        }
        for action_id, handler in handlers.items():
            context.actions.bind(action_id, handler)
        context.actions.set_checked("team.table", False)
        context.session.reviewer_changed.connect(self.ask_offered)
        self.ask_offered()

    @property
    def view(self) -> TeamView:
        """The screen of the team, made when it is first asked for."""
        return self.place.part

    def _begin(self, view: TeamView) -> None:
        view.pairs_wanted.connect(self._open_pairs)
        view.batch_chosen.connect(self.batches.follow)
        view.report_wanted.connect(self.read)
        view.step_wanted.connect(partial(self.mode_wanted.emit, LABEL))
        view.tabs.mode_chosen.connect(self.mode_wanted)
        view.tabs.set_offered(TEAM, self._may_see)
        if self.on:
            self.come_back()

    def _chosen_batch(self) -> BatchState | None:
        view = self.place.made
        return view.batch if view is not None else None

    def _shown_board(self) -> ClauseBoard | None:
        view = self.place.made
        return view.board if view is not None else None

    def enter(self) -> None:
        """Show the team in place of the labelling screen."""
        if not self.on:
            self.on = True
            self.toggled.emit(True)
            self.come_back()

    def come_back(self) -> None:
        """Give the keys to the team, and read what is new; a view to be made does so when it is there."""
        self._context.actions.set_place(PLACE)
        if (view := self.place.made) is not None:
            self.read()
            view.first_focus().setFocus()

    def leave(self) -> None:
        """Show the labelling screen again."""
        if self.on:
            self.on = False
            self._context.actions.set_place("annotate")
            self.toggled.emit(False)

    def ask_offered(self) -> None:
        """Read whether the reviewer at this desk is the lead; without a lead everybody may see the team."""
        if not self._context.has_workspace:
            return
        services, reviewer_id = self._context.services, self._context.session.reviewer_id

        def told(lead: int | None) -> None:
            may_see = self._may_see = lead is None or lead == reviewer_id
            self._context.actions.set_enabled("annotate.team", may_see)
            if (view := self.place.made) is not None:
                view.tabs.set_offered(TEAM, may_see)
            self.offered.emit(may_see)
            if self.on and not may_see:
                self.mode_wanted.emit(LABEL)

        self._context.tasks.query(services.reviewers.lead, told, owner=self, key="lead")

    def refresh(self) -> None:
        """Read again who may see the team, and what is shown of it."""
        self.ask_offered()
        if self.on:
            self.read()

    def read(self) -> None:
        """Compute the report as a job; one that runs is ended, and what is shown stays until the new one is there."""
        if self._job is not None and self._job.running:
            self._job.cancel()
        services, current = self._context.services, self._context.session.reviewer_name
        batch_id = self.view.batch_id

        def work(control: TaskControl) -> TeamRead:
            steps: list[str] = []

            def step(name: str) -> None:
                control.check()
                if name not in steps:
                    steps.append(name)
                control.progress(len(steps) - 1, STEPS, name)

            return read_batches(services, services.quality.team(step, batch_id), batch_id)

        def show(found: TeamRead) -> None:
            self.view.problem.hide()
            self.view.show_report(found, current)

        job = self._job = self._context.tasks.job("Quality of the labels", work, show, self._failed, owner=self)
        job.ended.connect(self._ended)
        self.view.progress.show()
        self.view.progress.follow(job)

    def _ended(self) -> None:
        if self._job is not None and self._job.state is not TaskState.RUNNING:
            self.view.progress.hide()

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, UserError):
            self._context.tasks.unhandled.emit(error)
            return
        self.view.problem.setText(f"{error.message} {error.hint}".strip())
        self.view.problem.show()

    def _show_made(self, batch_id: int) -> None:
        """Show a batch that was just made."""
        self.view.choose(batch_id)
        self.read()

    def _open_pairs(self, place: PairsPlace) -> None:
        if place.pair_ids:
            self._context.navigate("data", pair_ids=place.pair_ids, title=place.title)
        else:
            self._context.navigate("data", reviewer_id=place.reviewer_id)

    def _export(self) -> None:
        """Ask for a file and write every judgement to it."""
        path = self._context.dialogs.save_file("Table of all judgements", "reviewers.csv", "CSV (*.csv)")
        if path is None:
            return
        services, target = self._context.services, Path(path)

        def told(table: ReviewerTable) -> None:
            words = f"Wrote {counted(table.rows, 'judgement')} to {target.name}. Private notes are left out."
            self._context.notices.post(words, "ok")

        work = lambda _: services.quality.export(target, replace=True)  # noqa: E731
        self._context.tasks.job("Table of judgements", work, told, owner=self)

    def _manage(self) -> None:
        """Show the reviewers; what is changed there is stored at once."""
        dialog = ReviewersDialog(self._page, self._context)
        self._context.dialogs.run(dialog)
        self.ask_offered()


def read_batches(services: Application, report: TeamReport, batch_id: int) -> TeamRead:
    """Read everything beside the report."""
    away = services.reviewers.inactive()
    return TeamRead(
        report,
        services.workspace.accounting(),
        services.batches.list(),
        {one.batch: one for one in services.suspects.of_batches()},
        frozenset(one.name for one in services.reviewers.list() if one.id in away),
        {one.id: one.name for one in services.imports.sources()},
        services.qualification.newest(),
        batch_id,
    )
