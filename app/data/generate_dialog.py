"""The dialog of a generation: the form, what to expect beside it, the command line, and a generation to go on with."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox, QWidget

from app.background.task import BackgroundTask, TaskControl
from app.context import AppContext
from app.data.generate_expect import GenerateExpectation
from app.data.generate_form import GenerateForm
from app.data.generate_plan import (
    GenerateChoices,
    GenerateWish,
    on_policy_words,
    request_of,
    unfinished_words,
)
from app.widgets.buttons import push_button
from app.widgets.containers import ScrollColumn
from app.widgets.dialog import BaseDialog
from app.widgets.folding_split import FoldingSplit
from app.widgets.messages import Banner
from core.domain.counting import counted
from core.domain.errors import UserError
from core.domain.tried_pairs import TriedPairs
from core.services.generations.requests import GenerationRequest, command_words

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.generations.prompts import ChosenPrompts


class GenerateDialog(BaseDialog):
    """Asks what is generated. ``accept`` closes it with the request; ``going_on`` is a generation to go on with.

    Args:
        parent: a widget of the window.
        context: theme, settings, services.
        choices: what there is to choose from.
    """

    def __init__(self, parent: QWidget, context: AppContext, choices: GenerateChoices) -> None:
        size = QSize(context.theme.px(1040), context.theme.px(690))
        super().__init__(parent, "Generate pairs", size=size, settings=context.settings)
        self._context, self._choices = context, choices
        self._job: BackgroundTask | None = None
        self._prompts = 0
        self._tried: GenerateWish | None = None
        self.request: GenerationRequest | None = None
        self.going_on = ""
        self.form, self.expect = GenerateForm(context, choices), GenerateExpectation(context)
        if choices.unfinished:
            first = choices.unfinished[0]
            buttons = (("Go on", partial(self._go_on, first.generation_id)),)
            words = unfinished_words(first)
            banner = Banner(context.theme, "A generation can go on", words, buttons=buttons, closable=False, wrap=True)
            self.column.addWidget(banner)
        left, right = (ScrollColumn(margin=2, name=name) for name in ("The generation", "What to expect"))
        for scroll, part in ((left, self.form), (right, self.expect)):
            scroll.column.addWidget(part)
            scroll.column.addStretch(1)
        self.column.addWidget(FoldingSplit((left, right), (590, 430), least=(26, 20), grows=None), 1)
        self.command = push_button("Show the command line", theme=context.theme, icon="console")
        self.buttons.addButton(self.command, QDialogButtonBox.ButtonRole.ActionRole)
        self.generate = self.add_buttons("Generate")
        self.command.clicked.connect(self._show_command)
        self.form.changed.connect(self._edited)
        self.expect.changed.connect(self._edited)
        self.expect.try_wanted.connect(self._try)
        self._edited()

    @property
    def wish(self) -> GenerateWish:
        """What the form and the panel ask for now."""
        return replace(self.form.wish(), choices=self.expect.chosen())

    # What it comes to

    def _edited(self) -> None:
        """Count the prompts, and take away what was measured of other settings."""
        wish = self.wish
        self.expect.set_limit(wish.max_new_tokens)
        if self._tried is not None and _measured(wish) != _measured(self._tried):
            self._tried = None
            self.expect.forget()
        training = " and ".join(self._choices.training)
        self.expect.training.setText(f"{training} is training: both run slower." if training else "")
        self.expect.training.setVisible(bool(training))
        self.expect.say("")
        try:
            request = request_of(replace(wish, batch=False))
        except UserError as error:
            self._show_count(wish, None, str(error))
            return
        service = self._context.services.generations
        self._context.tasks.query(
            lambda: service.prompts(request),
            partial(self._show_count, wish),
            lambda error: self._show_count(wish, None, str(error)),
            owner=self,
            key="prompts",
        )

    def _show_count(self, wish: GenerateWish, found: ChosenPrompts | None, error: str = "") -> None:
        self._prompts = len(found.prompts) if found is not None else 0
        pairs = self._prompts * wish.samples
        self.form.count.setText(f"{found.sentence()}." if found is not None else error)
        self.generate.setText(f"Generate {counted(pairs, 'pair')}" if pairs else "Generate")
        titles = {one.word: one.title for one in self._choices.answerers}
        on_policy = f"On-policy answers: {on_policy_words(wish, titles, pairs)}." if pairs else ""
        self.expect.share.setText(on_policy)
        self.expect.share.setVisible(bool(on_policy))

    # Trying

    def _try(self) -> None:
        """Answer the first prompts in a process of its own."""
        wish = self.wish
        try:
            request = request_of(replace(wish, batch=False))
        except UserError as error:
            self.expect.say(str(error))
            return
        service = self._context.services.generations

        def work(control: TaskControl) -> TriedPairs:
            return service.try_first(request, on_progress=control.progress, cancelled=lambda: control.cancelled)

        self.expect.say("")
        self._job = self._context.tasks.job(
            "Trying the first pair", work, partial(self._show_tried, wish), self._not_tried, owner=self
        )
        self._job.ended.connect(self._tried_out)
        self.expect.progress.follow(self._job)
        self.expect.progress.show()
        self.expect.try_first.setEnabled(False)

    def _show_tried(self, wish: GenerateWish, tried: TriedPairs) -> None:
        if _measured(wish) == _measured(self.wish):
            self._tried = wish
            self.expect.show_tried(tried)

    def _not_tried(self, error: Exception) -> None:
        self.expect.say(str(error))

    def _tried_out(self) -> None:
        self._job = None
        self.expect.progress.hide()
        self.expect.try_first.setEnabled(True)

    # Leaving

    def _show_command(self) -> None:
        """Show the command that generates the same without the window."""
        try:
            request = request_of(self.wish)
        except UserError as error:
            self.expect.say(str(error))
            return
        folder, rubric = self._context.services.folder, self.form.rubric.currentText()
        people = [box.accessibleName() for box in self.form.people.values() if box.isChecked()]
        text = command_words(request, folder, people, rubric)
        words = "The same pairs without the window:"
        if self._context.dialogs.ask("Command line", words, ("Copy", "Close"), detail=text) == "Copy":
            QGuiApplication.clipboard().setText(text)
            self._context.notices.post("The command line was copied.")

    def _go_on(self, generation_id: str) -> None:
        self.going_on = generation_id
        super().accept()

    def accept(self) -> None:
        """Close with the request; stay and say what is missing."""
        try:
            request = request_of(self.wish)
        except UserError as error:
            self.expect.say(str(error))
            return
        if not self._prompts:
            self.expect.say(self.form.count.text() or "The prompts are being counted.")
            return
        self.request = request
        super().accept()

    def done(self, result: int) -> None:
        """Close; trying that goes on ends."""
        if self._job is not None:
            self._job.cancel()
        super().done(result)


def _measured(wish: GenerateWish) -> Any:
    """Return the part of a wish that the measurement depends on."""
    return replace(wish, choices={}, batch=False, batch_name="", take=0, random=0, rule="random", reviewers=(), name="")
