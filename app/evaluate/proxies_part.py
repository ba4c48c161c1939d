"""The tab *Proxies*: reads the register of the shown evaluation, its judges and its run's checkpoints; asks judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QHideEvent

from app.background.task import TaskControl
from app.context import AppContext
from app.evaluate.judge_choices import JudgeChoices, read_judge_choices
from app.evaluate.judge_dialog import JudgeDialog
from app.evaluate.proxies_figures import ProxiesData, read_proxies
from app.evaluate.proxies_view import ProxiesView
from core.domain.changes import Outcome
from core.domain.errors import UserError
from core.services.evaluations.views import EvaluationInfo

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.domain.judging import JudgeReport
    from core.services.judging.service import JudgeRequest


class ProxiesPart(ProxiesView):
    """The view together with what fills it and what its buttons do."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self._context = context
        self._info: EvaluationInfo | None = None
        self._is_read = False
        self.act_wanted.connect(context.actions.run)
        self.evaluation_wanted.connect(lambda id_: context.navigate("evaluate", evaluation_id=id_))

    def set_evaluation(self, info: EvaluationInfo) -> None:
        """Take another evaluation; its proxies are read when they are shown."""
        if self._info is None or info.evaluation_id != self._info.evaluation_id:
            self._is_read = False
            self.say()
        self._info = info

    def forget(self) -> None:
        """Read again when it is shown next: somebody may have voted, or measured another checkpoint."""
        self._is_read = False

    def hideEvent(self, event: QHideEvent) -> None:
        """Read again when it is shown next: a judge is asked on the command line, which tells nobody."""
        super().hideEvent(event)
        self.forget()

    def read(self) -> None:
        """Read what is not read yet."""
        info = self._info
        if info is None or self._is_read:
            return
        self._is_read = True
        services, id_ = self._context.services, info.evaluation_id
        run_id = str(info.record.run.get("run_id", ""))

        def show(data: ProxiesData) -> None:
            if self._info is not None and self._info.evaluation_id == id_:
                self.show_proxies(data, id_)

        self._context.tasks.query(
            lambda: read_proxies(services, id_, run_id), show, self._not_read, owner=self, key="proxies"
        )

    def _not_read(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self.say(f"{error.message} {error.hint}".strip())
        else:
            self._context.tasks.unhandled.emit(error)

    # Judges

    def ask_judge(self) -> None:
        """Read what there is to choose from, then ask which judge compares what."""
        services, info = self._context.services, self._info
        if info is not None:
            self._context.tasks.query(
                lambda: read_judge_choices(services, info), self._show_dialog, owner=self, key="judge choices"
            )

    def _show_dialog(self, choices: JudgeChoices) -> None:
        dialog = JudgeDialog(self, self._context, choices, self._ask_judge)
        self._context.dialogs.run(dialog)
        dialog.deleteLater()

    def _ask_judge(self, request: JudgeRequest) -> None:
        """Ask in the background; each verdict is on the disk before the next, so that Cancel loses none."""
        service = self._context.services.judging

        def work(control: TaskControl) -> Outcome[JudgeReport]:
            return service.ask(
                request,
                on_progress=lambda done, total: control.progress(done, total, "verdicts"),
                cancelled=lambda: control.cancelled,
            )

        job = self._context.ops.job("Asking the judge", work, owner=self)
        job.ended.connect(self._asked)
        self.asking.follow(job)
        self.asking.show()

    def _asked(self) -> None:
        """Read what the judge said, also where it was cancelled: its verdicts so far are kept."""
        self.forget()
        if self.isVisible():
            self.read()
