"""Asks what to label: rubric version, which pairs, in which order."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QWidget

from app.annotate.queue_choice import OpenAudit, QueueChoice, QueueKind, Queues
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.field_grid import FieldGrid
from app.widgets.labels import short, text_label
from core.domain.counting import counted
from core.services.annotation.views import Order

ORDERS: tuple[tuple[Order, str], ...] = (
    ("import", "As imported"),
    ("newest", "Newest first"),
    ("random", "In random order"),
)
KINDS: tuple[tuple[QueueKind, str], ...] = (
    ("all", "Pairs that I have not labelled"),
    ("skipped", "These, and pairs that I put aside"),
    ("bookmarks", "Pairs that I bookmarked"),
    ("stale", "Pairs whose labels are stale"),
    ("retest", "Pairs that I labelled, a second time (retest)"),
    ("adjudicate", "Pairs on which reviewers disagree (adjudication)"),
    ("gold", "Adjudicated pairs, to compare me with the decision (gold)"),
    ("practice", "Gold pairs of clauses I differ on (practice)"),
)


class QueueDialog(BaseDialog):
    """Shows a choice to be changed; ``choice`` is the changed one."""

    def __init__(self, parent: QWidget, queues: Queues, choice: QueueChoice) -> None:
        super().__init__(parent, "What to label")
        self._choice = choice
        rows = []
        self.versions, self.kinds, self.orders = ComboBox(), ComboBox(), ComboBox()
        for version in queues.versions:
            self.versions.addItem(version.title, version.id)
        for kind, text in KINDS:
            self.kinds.addItem(text, kind)
        if choice.pair_ids:
            self.kinds.addItem(f"Only {counted(len(choice.pair_ids), 'chosen pair')}", "chosen")
        self._rounds = {one.id: one for one in queues.rounds}
        self._batches = {f"batch {one.id}": one for one in queues.batches}
        self._audits = {one.evaluation_id: one for one in queues.audits}
        for one in queues.rounds:
            self.kinds.addItem(f"{short(one.name, 40)}, {one.waiting} left", one.id)
        for key, batch in self._batches.items():
            self.kinds.addItem(f"Batch {short(batch.name, 40)}, {batch.waiting:,} left", key)
        self._quizzes = {f"quiz {one.version_id}": one for one in queues.quizzes}
        for key, quiz in self._quizzes.items():
            self.kinds.addItem(f"Quiz of {short(quiz.title, 40)}, {quiz.left:,} left", key)
        for audit in queues.audits:
            self.kinds.addItem(audit_words(audit), audit.evaluation_id)
        for order, text in ORDERS:
            self.orders.addItem(text, order)
        for label, box, value in (
            ("Rubric version", self.versions, choice.version_id),
            ("Pairs", self.kinds, _key_of(choice)),
            ("Order", self.orders, choice.order),
        ):
            box.setAccessibleName(label)
            box.setCurrentIndex(max(0, box.findData(value)))
            rows.append((text_label(label), box))
        self.column.addWidget(FieldGrid(rows, most=1, above=True))
        self.add_buttons("Start labelling")
        self.kinds.currentIndexChanged.connect(lambda _: self._kind_chosen())
        self._kind_chosen()

    def _kind_chosen(self) -> None:
        """A round of votes and a batch have their own rubric version and order; an audit needs neither."""
        own = self.kinds.currentData() in (*self._rounds, *self._audits, *self._batches, *self._quizzes)
        for box in (self.versions, self.orders):
            box.setEnabled(not own)

    @property
    def choice(self) -> QueueChoice:
        """What is chosen."""
        if (one := self._rounds.get(self.kinds.currentData())) is not None:
            return self._choice.of_votes(one.id, one.name)
        if (batch := self._batches.get(self.kinds.currentData())) is not None:
            return self._choice.of_batch(batch.id, batch.name)
        if (quiz := self._quizzes.get(self.kinds.currentData())) is not None:
            return replace(self._choice, kind="quiz", version_id=quiz.version_id)
        if self.kinds.currentData() in self._audits:
            return replace(self._choice, kind="audit", evaluation=self.kinds.currentData())
        return replace(
            self._choice,
            version_id=self.versions.currentData(),
            kind=self.kinds.currentData(),
            order=self.orders.currentData(),
        )


def _key_of(choice: QueueChoice) -> int | str:
    if choice.kind == "batch":
        return f"batch {choice.batch[0]}"
    if choice.kind == "quiz":
        return f"quiz {choice.version_id}"
    return choice.vote_round[0] if choice.kind == "votes" else choice.kind


def audit_words(audit: OpenAudit) -> str:
    """Return what an audit is of, and how much of it is left.

    >>> audit_words(OpenAudit("e", "dpo E-1", 63, True))
    'Refusal audit: answers of dpo E-1, 63 left'
    """
    left = f"{audit.left:,} left" if audit.drawn else "not drawn yet"
    return f"Refusal audit: answers of {short(audit.name, 40)}, {left}"
