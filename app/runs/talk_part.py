"""Try inside Runs: begins a talk, sends messages in the background, colours, renders and saves what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.actions.talk_rows import VOTES
from app.background.task import BackgroundTask, TaskControl
from app.context import AppContext
from app.runs.sample_labelling import SampleLabelling
from app.runs.talk_looks import TalkLooks
from app.runs.talk_saving import TalkSaving
from app.runs.talk_view import TalkView
from core.domain.errors import UserError
from core.domain.evaluation_record import Arm
from core.domain.rubric import RubricVersion
from core.domain.talk import Exchange
from core.domain.talk_events import TalkAsked, TalkEvent, TalkProgress, TalkToken

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.services.talks.session import OnEvent, TalkSession

PLACE = "try"
"""Place of its actions: the keys of Runs do nothing while a talk is shown."""
_REFERENCE, _NOBODY = "reference", "nobody"
_WHILE_IDLE = ("try.send", "try.again", "try.pair", "try.failure", "try.new", "try.names")


class TalkPart(QObject):
    """Connects the view of a talk to the services; the talk lives as long as the page.

    Args:
        context: services, actions, tasks.
        page: that it belongs to.
        runs: what the page shows otherwise.

    Signals:
        heard(TalkEvent): sent from the thread that asks.
    """

    heard = Signal(object)

    def __init__(self, context: AppContext, page: QWidget, runs: QWidget) -> None:
        super().__init__(page)
        self._context, self._page = context, page
        self.stack = QStackedWidget()
        self.stack.addWidget(runs)
        self._view: TalkView | None = None
        self._session: TalkSession | None = None
        self._run_id = self._run_name = ""
        self._beside = _REFERENCE
        self._job: BackgroundTask | None = None
        self._edited = self._answered = 0
        self._samples = SampleLabelling(context, page)
        self._looks = TalkLooks(context, page, lambda: self._session, lambda: self.view.settings, self._show)
        self._saving = TalkSaving(
            context, page, lambda: self._session, lambda: self.view.votes, self._show, self._looks.read
        )
        self.heard.connect(self._hear)

    def handlers(self, run: Callable[[], tuple[str, str]]) -> dict[str, Callable[..., object]]:
        """Return the handlers of all actions; ``run`` tells id and name of the chosen run."""
        saving = self._saving
        votes = {action_id: partial(saving.vote, strength) for action_id, strength in VOTES.items()}
        return {
            "runs.try": lambda: self.open(*run()),
            "runs.label_samples": lambda: self._samples.label(run()[0]),
            "try.back": self.leave,
            "try.send": self._send,
            "try.stop": self._stop,
            "try.again": self._again,
            "try.new": self._clear,
            "try.blind": self._set_blind,
            "try.colour": self._looks.set_colour,
            "try.write": lambda: self.view.field.setFocus(),
            "try.neither": partial(saving.vote, None),
            "try.no_vote": saving.no_vote,
            "try.names": saving.names,
            "try.pair": saving.pair,
            "try.failure": saving.failure,
            "try.undo": saving.undo,
            **votes,
        }

    @property
    def on(self) -> bool:
        """Whether a talk is shown in the place of the runs."""
        return self.stack.currentIndex() == 1

    @property
    def view(self) -> TalkView:
        """The view, made when it is first shown."""
        if self._view is None:
            self._view = TalkView(self._context)
            self._view.edit_wanted.connect(self._edit)
            self._view.again_wanted.connect(self._again)
            self._view.beside_chosen.connect(self._choose_beside)
            self._view.settings.changed.connect(self._settings_changed)
            self._view.settings.template_wanted.connect(self._looks.read)
            self._view.votes.said.connect(self._saving.say_again)
            self.stack.addWidget(self._view)
            self._context.theme.style(self._view)
        return self._view

    @property
    def session(self) -> TalkSession | None:
        """The talk; None before the first."""
        return self._session

    # Being shown

    def open(self, run_id: str, name: str) -> None:
        """Show the talk with a run, going on with the one that there is."""
        if not run_id:
            self._context.notices.post("There is no run to talk with.", "warn", hint="Train one first.")
            return
        self.stack.setCurrentWidget(self.view)
        self.come_back()
        if self._session is None or run_id != self._run_id:
            self._run_id, self._run_name, self._beside = run_id, name, _REFERENCE
            self._begin()

    def come_back(self) -> None:
        """Give the keys to the talk where one is shown."""
        if not self.on:
            return
        self._context.actions.set_place(PLACE)
        self._offer()
        self._read_rubrics()
        self._show()
        self.view.field.setFocus()

    def leave(self) -> None:
        """Show the runs again; the talk stays as it is."""
        self.stack.setCurrentIndex(0)
        self._context.actions.set_place("runs")

    # Who answers

    def _begin(self) -> None:
        """Begin a talk with the chosen run, or change who answers in the one that there is."""
        service, run_id, beside = self._context.services.talks, self._run_id, self._beside
        other = beside.partition("+")[2] or (beside if beside not in (_REFERENCE, _NOBODY) else "")
        reference = beside.startswith(_REFERENCE)

        def work() -> tuple[Arm, ...]:
            return service.arms(run_id, reference=reference, against=other)

        self._context.tasks.query(work, self._begun, self._not_begun, owner=self, key="arms")

    def _begun(self, arms: tuple[Arm, ...]) -> None:
        session = self._session
        if session is not None and session.talk.arms[0].run_id == arms[0].run_id:
            self._context.tasks.query(lambda: session.set_arms(arms), lambda _: self._show(), owner=self)
        else:
            if session is not None:
                session.close()
            self._session = self._context.services.talks.begin(arms)
            self.destroyed.connect(self._session.close)
            self._settings_changed()
            self._context.actions.set_checked("try.blind", False)
            self._looks.forget()
        self.view.show_part()
        self._show()

    def _not_begun(self, error: Exception) -> None:
        if not isinstance(error, UserError):
            self._context.tasks.unhandled.emit(error)
            return
        if self._session is None or not self._session.talk.exchanges:
            self._session = None
            words = f"{error.message} {error.hint}".strip()
            self.view.show_nothing("Nobody can answer here", words, main=("Back to the runs", self.leave))
            self._enable()
        else:
            self._context.notices.post(error.message, "error", hint=error.hint)

    def _offer(self) -> None:
        """Offer the reference, nobody, and the other runs that have finished."""
        runs = [run for run in self._context.watch.runs if run.run_id != self._run_id and run.state == "finished"]
        offered = [(_REFERENCE, "its reference"), (_NOBODY, "nobody")]
        offered += [(run.run_id, f"run {run.name}") for run in runs]
        offered += [(f"{_REFERENCE}+{run.run_id}", f"its reference and run {run.name}") for run in runs]
        self.view.offer(offered, self._beside)

    def _choose_beside(self, key: str) -> None:
        if key != self._beside:
            self._beside = key
            self._begin()

    def _read_rubrics(self) -> None:
        def show(found: list[RubricVersion]) -> None:
            self.view.votes.set_versions(found)

        self._context.tasks.query(self._context.services.rubrics.published, show, owner=self, key="rubrics")

    # Asking

    def _settings_changed(self) -> None:
        if self._session is not None:
            settings = self.view.settings
            self._session.settings = settings.settings()
            self._session.set_system(settings.system.toPlainText())
            self._session.set_history(settings.chosen_history)

    def _send(self) -> None:
        session, text = self._session, self.view.field.toPlainText()
        if session is None or self._job is not None or not text.strip():
            return
        number, self._edited = self._edited, 0
        self._run(
            lambda on_event: session.edit(number, text, on_event) if number else session.ask(text, on_event),
            number or len(session.talk.exchanges) + 1,
        )
        self.view.field.clear()

    def _again(self, arm: str = "") -> None:
        session = self._session
        if session is not None and self._job is None and session.talk.last is not None:
            self._run(lambda on_event: session.again(on_event, arm=arm), len(session.talk.exchanges))

    def _edit(self, number: int) -> None:
        session = self._session
        if session is not None and self._job is None:
            self._edited = number
            self.view.field.setPlainText(session.talk.exchange(number).user)
            self.view.field.setFocus()
            self.view.set_phase(f"Sending takes the place of message {number} and all that follow it.")

    def _run(self, ask: Callable[[OnEvent], Exchange], number: int) -> None:
        session = self._session
        assert session is not None
        self._answered = number

        def work(control: TaskControl) -> Exchange:
            with session.wanted_until(lambda: control.cancelled):
                return ask(self.heard.emit)

        self.view.votes.forget()
        self.view.set_phase("Asking…")
        title = f"Talking with {self._run_name}"
        self._job = self._context.tasks.job(title, work, self._done, self._failed, owner=self)
        self._job.ended.connect(self._ended)
        self._enable()

    def _hear(self, event: TalkEvent) -> None:
        match event:
            case TalkProgress():
                self.view.set_phase(f"{event.text}…")
            case TalkAsked():
                self.view.begin(event.exchange, self._answered)
            case TalkToken():
                if event.tokens == 1:
                    self.view.set_phase("")
                self.view.hear(event)

    def _done(self, exchange: Exchange) -> None:
        self.view.settings.show_seed(exchange.settings.seed)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self._context.notices.post(error.message, "error", hint=error.hint)
        else:
            self._context.tasks.unhandled.emit(error)

    def _ended(self) -> None:
        self._job = None
        self.view.set_phase("")
        self._show()
        self.view.follow()
        self._looks.read()

    def _stop(self) -> None:
        session = self._session
        if session is not None and self._job is not None:
            self.view.set_phase("Stopping…")
            self._context.tasks.query(session.stop, owner=self)

    def _clear(self) -> None:
        if self._session is not None and self._job is None:
            self._session.clear()
            self._looks.forget()
            self._edited = 0
            self._show()

    # What is shown

    def _show(self) -> None:
        session = self._session
        self._enable()
        if session is None:
            return
        talk, still = session.talk, self._looks.coloured
        self.view.show_talk(
            talk, self._run_name, answering=self._job is not None, coloured=still, tally=session.tally()
        )

    def _enable(self) -> None:
        actions, idle = self._context.actions, self._job is None and self._session is not None
        asked = idle and self._session is not None and self._session.talk.last is not None
        for action_id in _WHILE_IDLE:
            actions.set_enabled(action_id, idle if action_id in ("try.send", "try.new") else asked)
        actions.set_enabled("try.stop", self._job is not None)
        self.view.set_answering(self._job is not None)
        last = self._session.talk.last if idle and self._session is not None else None
        voted = last is not None and last.is_complete and len(last.order) == 2
        for action_id in (*VOTES, "try.neither", "try.no_vote"):
            actions.set_enabled(action_id, voted)

    def _set_blind(self, on: bool) -> None:
        if self._session is not None:
            self._session.blind = on
            last = self._session.talk.last
            known = on and last is not None and last.names_known and self._session.talk.history == "own"
            if known:
                self._context.notices.post(
                    "The names of this talk are known, so its next exchanges are not blind.",
                    hint="Begin a new talk, or let both go on from the better answer (History).",
                )
