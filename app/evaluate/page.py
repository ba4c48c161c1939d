"""Evaluate: the list of evaluations and releases, and the page of the chosen one, live or long finished.

Everything is read from the evaluation's folder, so one that a command line or another window works on shows like any
other.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.desktop import open_path
from app.evaluate import presenter
from app.evaluate.head import EvaluationHead, ProgressCard
from app.evaluate.list_panel import ListPanel
from app.evaluate.new_dialog import NewEvaluationDialog
from app.evaluate.new_plan import EvaluationChoices, read_choices
from app.evaluate.parts import EvaluationParts
from app.evaluate.release_acts import ReleaseActs
from app.evaluate.threshold_dialog import ThresholdChoices, ThresholdsDialog, read_thresholds
from app.main_window.page import Page
from app.widgets.containers import ScrollColumn
from app.widgets.folding_split import FoldingSplit
from app.widgets.messages import EmptyState
from app.widgets.own_keys import OwnKeys
from core.domain.changes import Changes, Outcome
from core.domain.votes import VoteRound
from core.services.evaluations.requests import EvaluationRequest
from core.services.evaluations.views import EvaluationInfo

LIVE_MS, IDLE_MS = 1000, 4000
NO_RUN, NO_EVALUATION, SHOWN = range(3)


class EvaluatePage(Page):
    """The list at the left, one evaluation at the right, a timer that reads while the page is shown."""

    place: ClassVar[str] = "evaluate"
    watches: ClassVar[Changes] = (
        Changes.EVALUATIONS
        | Changes.RUNS
        | Changes.SUITES
        | Changes.RELEASES
        | Changes.FAILURES
        | Changes.JUDGEMENTS
        | Changes.RUBRICS
    )

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self.header.hide()
        self.data = presenter.PageData((), ())
        self._wanted, self._reported = "", ""
        self.lists = ListPanel(context)
        self.list, self.releases = self.lists.list, self.lists.releases
        self.head, self.progress = EvaluationHead(context), ProgressCard(context)
        self.tabs = EvaluationParts(context)
        self._build()
        self.release_acts = ReleaseActs(context, self, lambda: self.list.current_id, lambda: self.releases.current)
        self._bind()
        self._allow(None)
        self._own_keys = OwnKeys(self)
        self._own_keys.keep(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.refresh)

    def _build(self) -> None:
        theme = self.context.theme
        no_run = EmptyState(
            theme,
            "gate",
            "Nothing to evaluate yet",
            "A run trains a policy; here it is measured against its reference. Start one first.",
            main=("Go to Train", lambda: self.context.navigate("train")),
        )
        no_evaluation = EmptyState(
            theme,
            "gate",
            "No evaluation yet",
            "An evaluation asks a policy and its reference the same questions and measures both.",
            main=("New evaluation…", self._new),
        )
        self._right = QStackedWidget()
        for part in (no_run, no_evaluation, self._made_view()):
            self._right.addWidget(part)
        self._split = FoldingSplit(
            (self.lists, self._right), (214, 1000), heights=(40, 420), least=(13, 34), grows=1
        )  # fmt: skip
        self._split.folded.connect(self.lists.set_folded)
        self.lists.opened.connect(self._split_lists)
        self.set_body(self._split, margin=0)

    def _split_lists(self, on: bool) -> None:
        """Give the opened lists the larger part of the height; folded they take a line."""
        self._split.setSizes([3, 1] if on else [1, self.height()])

    def _made_view(self) -> QWidget:
        view = QWidget()
        column = QVBoxLayout(view)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        self.waiting = ScrollColumn(name="Progress")
        self.waiting.column.addWidget(self.progress)
        self.waiting.column.addStretch(1)
        self.parts = QStackedWidget()
        self.parts.addWidget(self.waiting)
        self.parts.addWidget(self.tabs)
        column.addWidget(self.parts, 1)
        return view

    def _bind(self) -> None:
        self.list.chosen.connect(self._choose)
        self.releases.opened.connect(self.release_acts.show)
        self.context.session.reviewer_changed.connect(self.tabs.forget_people)
        for action_id, handler in {
            "evaluate.new": self._new,
            "evaluate.thresholds": self._thresholds,
            "evaluate.pause": self._pause,
            "evaluate.resume": lambda: self._send("resume"),
            "evaluate.cancel": self._cancel,
            "evaluate.open_folder": self._open_folder,
            **self.tabs.handlers(),
            **self.release_acts.handlers(),
        }.items():
            self.on(action_id, handler)

    # Being shown

    def on_shown(self) -> None:
        """Read now."""
        self.refresh()

    def on_hidden(self) -> None:
        """Stop reading."""
        self._timer.stop()

    def changed(self, changes: Changes) -> None:
        """Read again; what people did to failures or releases may change the gate."""
        if changes & (Changes.RELEASES | Changes.JUDGEMENTS):
            self.tabs.forget_people()
        if changes & Changes.FAILURES:
            self.tabs.forget_failures()
        if changes & Changes.EVALUATIONS:
            self.tabs.forget_evaluations()
        self.refresh()

    def show_item(self, **what: Any) -> None:
        """Show the evaluation ``evaluation_id``, or the votes of the round ``vote_round``."""
        if round_id := what.get("vote_round"):
            votes = self.context.services.votes
            self.context.tasks.query(lambda: votes.get(int(round_id)), self._show_round, owner=self, key="round")
            return
        self._wanted = str(what.get("evaluation_id", ""))
        self.refresh()

    def _show_round(self, one: VoteRound) -> None:
        self._wanted = one.evaluation
        self.tabs.show_round(one.id)
        self.refresh()

    def first_focus(self) -> QWidget:
        """Start in the list, or at what opens it."""
        return self.lists.first_focus()

    # Reading

    def refresh(self) -> None:
        """Read the list and the chosen evaluation on a background thread."""
        services, wanted, known = self.context.services, self._wanted or self.list.current_id, self.data
        self.context.tasks.query(
            lambda: presenter.read_page(services, wanted, known), self._show, self._not_read, owner=self, key="page"
        )

    def _not_read(self, error: Exception) -> None:
        """Report an error once and read again later: a file that is busy now can be read then."""
        if self.isVisible():
            self._timer.start(IDLE_MS)
        if str(error) != self._reported:
            self._reported = str(error)
            self.context.tasks.unhandled.emit(error)

    def _show(self, data: presenter.PageData) -> None:
        self._reported, self._wanted, self.data = "", "", data
        chosen = data.chosen
        id_ = chosen.evaluation_id if chosen else ""
        self.lists.show_evaluations(data.infos, id_, has_run=bool(data.runs))
        self.releases.show_releases(data.releases)
        self._right.setCurrentIndex(SHOWN if chosen else NO_EVALUATION if data.runs else NO_RUN)
        if chosen is not None:
            self.head.show_info(chosen, data.evidence, data.sealed)
            self.progress.show_info(chosen)
            self.parts.setCurrentWidget(self.waiting if data.evidence is None else self.tabs)
            if data.evidence is not None:
                self.tabs.show_evaluation(chosen, data.evidence)
        self._allow(chosen)
        if self.isVisible():
            self._timer.start(LIVE_MS if data.live else IDLE_MS)

    def _choose(self, evaluation_id: str) -> None:
        self._wanted = evaluation_id
        self.lists.close_lists()
        self.refresh()

    def _allow(self, info: EvaluationInfo | None) -> None:
        """Offer what can be done with the evaluation in its state."""
        state = info.state if info is not None else ""
        for action_id, on in {
            "evaluate.new": bool(self.data.runs),
            "evaluate.pause": state in presenter.CANCELLABLE,
            "evaluate.resume": state in presenter.RESUMABLE,
            "evaluate.cancel": state in presenter.CANCELLABLE,
            "evaluate.open_folder": info is not None,
            "evaluate.release": info is not None and self.data.evidence is not None,
            "evaluate.compare": len(self.data.infos) + len(self.data.releases) > 1,
            "evaluate.withdraw": bool(self.data.releases),
            "evaluate.verify": bool(self.data.releases),
            "evaluate.vote": state == "finished",
            "evaluate.audit": info is not None and self.data.evidence is not None,
            "evaluate.table": info is not None and self.data.evidence is not None,
        }.items():
            self.context.actions.set_enabled(action_id, on)
        why = presenter.asking_refusal(self.data)
        for action_id in ("evaluate.ask_people", "evaluate.judge"):
            self.context.actions.set_enabled(action_id, not why, why)
        self.tabs.refuse_asking(why)

    # Acting

    def _new(self) -> None:
        """Read what there is to choose from, then ask."""
        services = self.context.services
        self.context.tasks.query(lambda: read_choices(services), self._ask, owner=self, key="choices")

    def _ask(self, choices: EvaluationChoices) -> None:
        dialog = NewEvaluationDialog(self, self.context, choices, self._start_new)
        self.context.dialogs.run(dialog)
        dialog.deleteLater()

    def _thresholds(self) -> None:
        """Read the thresholds, then show them."""
        services = self.context.services
        self.context.tasks.query(lambda: read_thresholds(services), self._show_thresholds, owner=self, key="thresholds")

    def _show_thresholds(self, choices: ThresholdChoices) -> None:
        dialog = ThresholdsDialog(self, self.context, choices)
        self.context.dialogs.run(dialog)
        dialog.deleteLater()

    def _start_new(
        self, request: EvaluationRequest, made: Callable[[], object], failed: Callable[[Exception], None]
    ) -> None:
        service = self.context.services.evaluations

        def work() -> Outcome[EvaluationInfo]:
            outcome = service.create(request)
            service.start(outcome.value.evaluation_id)
            return outcome

        def done(outcome: Outcome[EvaluationInfo]) -> None:
            made()
            self.show_item(evaluation_id=outcome.value.evaluation_id)

        self.context.ops.mutate(work, done, failed, owner=self)

    def _send(self, verb: str) -> None:
        service, chosen = self.context.services.evaluations, self.data.chosen
        if chosen is not None:
            id_ = chosen.evaluation_id
            self.context.ops.mutate(lambda: getattr(service, verb)(id_), owner=self)

    def _pause(self) -> None:
        chosen = self.data.chosen
        self._send("resume" if chosen is not None and chosen.state == "paused" else "pause")

    def _cancel(self) -> None:
        text = "It stops after the batch that is under way. The answers so far are kept, and it can be resumed."
        if self.context.dialogs.confirm("Cancel the evaluation?", text, "Cancel the evaluation"):
            self._send("cancel")

    def _open_folder(self) -> None:
        if self.data.chosen is not None:
            folder = self.data.chosen.folder
            self.context.tasks.query(lambda: Path(folder), open_path, owner=self)
