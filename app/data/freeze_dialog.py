"""Freezing: the policy as a form, and beside it what it would take and leave out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.context import AppContext
from app.data.freeze_plan import FreezePlanView
from app.widgets.buttons import push_button
from app.widgets.check_list import CheckList
from app.widgets.containers import Collapsible, ScrollColumn
from app.widgets.labels import text_label
from core.domain.dataset import FreezePlan, FreezePolicy
from core.domain.errors import UserError

AGGREGATIONS = (
    ("mean", "Mean of the strengths"),
    ("majority", "Majority of sides"),
    ("latest", "The latest label"),
    ("single", "One label, no disagreement"),
)
WEIGHTS = (
    ((), "Every pair the same"),
    (("strength_weights",), "By strength"),
    (("agreement_weights",), "By agreement"),
    (("strength_weights", "agreement_weights"), "By strength and agreement"),
)
TARGETS = (
    ((), "Certain: 1"),
    (("soft_targets",), "The share of reviewers"),
    (("strength_targets",), "Read from the strength"),
    (("soft_targets", "strength_targets"), "Share and strength"),
)
"""What stands in the form for switches of the policy that belong together."""

ONLY = "Only some sources or reviewers"


class FreezeDialog(QDialog):
    """Asks for a name and a policy; ``plan`` is read again after every change."""

    def __init__(
        self,
        context: AppContext,
        versions: Sequence[Any],
        suggestion: str,
        sources: Sequence[Any] = (),
        reviewers: Sequence[Any] = (),
    ) -> None:
        """Args: versions, sources, reviewers: what there is to choose from. suggestion: a name to begin with."""
        super().__init__()
        self._context, self._items = context, 0
        self._planned: FreezePolicy | None = None
        self.setWindowTitle("Freeze a dataset version")
        room = int(0.94 * self.screen().availableSize().height())
        self.resize(context.theme.px(980), min(context.theme.px(660), room))
        outer = QVBoxLayout(self)
        columns = QHBoxLayout()
        columns.setSpacing(24)
        form = QFormLayout()
        form.setVerticalSpacing(8)
        self.name = QLineEdit(suggestion)
        self.versions = CheckList("Rubric versions", [(version.id, version.title) for version in versions])
        self.versions.setMaximumHeight(context.theme.px(96))
        self.aggregation = QComboBox()
        for key, words in AGGREGATIONS:
            self.aggregation.addItem(words, key)
        self.weights, self.targets = _choice(WEIGHTS), _choice(TARGETS)
        self.weights.setToolTip("What a pair's loss is multiplied by; agreement counts as the net share of reviewers.")
        self.targets.setToolTip("The probability that the chosen answer is better, which the loss aims at.")
        self.min_strength = _number(0.0, 3.0, 1.0, 0.5)
        self.keep_ties = QCheckBox("Keep ties as tie pairs")
        self.consent = QCheckBox("Only sources with granted consent")
        self.consent.setChecked(True)
        self.flags = QCheckBox("Leave out pairs that were flagged")
        self.flags.setChecked(True)
        self.spread = QSpinBox()
        self.spread.setRange(0, 6)
        self.spread.setSpecialValueText("any")
        self.dev, self.test = _number(0.0, 0.5, 0.1, 0.05), _number(0.0, 0.5, 0.1, 0.05)
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        for label, widget in (
            ("Name", self.name),
            ("Rubric versions (none: all)", self.versions),
            ("Several labels become one by", self.aggregation),
            ("Minimum strength", self.min_strength),
            ("Pairs count", self.weights),
            ("Target probability", self.targets),
            ("Strengths differ by at most", self.spread),
            ("", self.keep_ties),
            ("", self.flags),
            ("", self.consent),
            ("Held-out share (dev)", self.dev),
            ("Sealed test share", self.test),
            ("Seed of the split", self.seed),
        ):
            widget.setAccessibleName(label or widget.text())  # type: ignore[attr-defined]
            form.addRow(label, widget)
        self.sources = CheckList("Sources", [(source.id, source.name) for source in sources])
        self.reviewers = CheckList("Reviewers", [(one.id, one.name) for one in reviewers])
        self.only = Collapsible(ONLY, self._narrowing(), theme=context.theme, open_=False)
        self.only.setVisible(len(sources) > 1 or len(reviewers) > 1)
        form.addRow(self.only)
        scroll = ScrollColumn(margin=2, name="Policy")
        to_end = partial(scroll.ensureWidgetVisible, self.only)
        self.only.toggled.connect(lambda on: on and QTimer.singleShot(0, self, to_end))
        scroll.column.addLayout(form)
        scroll.column.addStretch(1)
        columns.addWidget(scroll, 1)
        self.plan = FreezePlanView()
        columns.addWidget(self.plan, 1)
        outer.addLayout(columns, 1)
        row = QHBoxLayout()
        row.addStretch(1)
        cancel, self.freeze = push_button("Cancel"), push_button("Freeze", "primary")
        cancel.clicked.connect(self.reject)
        self.freeze.clicked.connect(self.accept)
        row.addWidget(cancel)
        row.addWidget(self.freeze)
        outer.addLayout(row)
        for signal in (
            self.versions.changed,
            self.sources.changed,
            self.reviewers.changed,
            self.aggregation.currentIndexChanged,
            self.weights.currentIndexChanged,
            self.targets.currentIndexChanged,
            self.min_strength.valueChanged,
            self.spread.valueChanged,
            *(box.toggled for box in (self.keep_ties, self.flags, self.consent)),
            self.dev.valueChanged,
            self.test.valueChanged,
            self.seed.valueChanged,
        ):
            signal.connect(lambda *_: self._read_plan())
        self.name.textChanged.connect(lambda _: self._allow())
        self.freeze.setEnabled(False)
        self._read_plan()

    def _narrowing(self) -> QWidget:
        """Return the two lists side by side, each under its name."""
        content, high = QWidget(), self._context.theme.px(96)
        row = QHBoxLayout(content)
        row.setContentsMargins(0, 0, 0, 0)
        for words, boxes in (("Sources (none: all)", self.sources), ("Reviewers (none: all)", self.reviewers)):
            boxes.setFixedHeight(high)
            column = QVBoxLayout()
            column.addWidget(text_label(words, "hint"))
            column.addWidget(boxes)
            row.addLayout(column, 1)
        return content

    def policy(self) -> FreezePolicy:
        """Return the policy that the form says.

        Raises:
            BadInput: when the shares leave nothing to train on.
        """
        dev, test = round(self.dev.value(), 4), round(self.test.value(), 4)
        on = {*self.weights.currentData(), *self.targets.currentData()}
        return FreezePolicy(
            rubric_version_ids=self.versions.checked,
            reviewer_ids=self.reviewers.checked,
            source_ids=self.sources.checked,
            aggregation=self.aggregation.currentData(),
            min_strength=self.min_strength.value(),
            max_spread=self.spread.value() or None,
            keep_ties=self.keep_ties.isChecked(),
            drop_flags=FreezePolicy().drop_flags if self.flags.isChecked() else (),
            require_consent=self.consent.isChecked(),
            splits=(round(1 - dev - test, 4), dev, test),
            seed=self.seed.value(),
            soft_targets="soft_targets" in on,
            strength_targets="strength_targets" in on,
            strength_weights="strength_weights" in on,
            agreement_weights="agreement_weights" in on,
        )

    def _read_plan(self) -> None:
        chosen = len(self.sources.checked) + len(self.reviewers.checked)
        self.only.set_title(f"{ONLY}: {chosen} chosen" if chosen else ONLY)
        self._planned = None
        try:
            self._planned = policy = self.policy()
        except UserError as error:
            self._show_problem(str(error))
            return
        service = self._context.services.datasets

        def show(what: Callable[[Any], None], result: Any) -> None:
            if policy == self._planned:  # and not of what the form said before
                what(result)

        self._context.tasks.query(
            lambda: service.plan(policy),
            partial(show, self._show_plan),
            partial(show, lambda error: self._show_problem(str(error))),
            owner=self,
            key="plan",
        )

    def _show_plan(self, plan: FreezePlan) -> None:
        self.plan.show_plan(plan)
        self._items = plan.counts.get("items", 0)
        self._allow()

    def _show_problem(self, text: str) -> None:
        self.plan.show_problem(text)
        self._items = 0
        self._allow()

    def _allow(self) -> None:
        """Let it be frozen when there is something to freeze and a name for it."""
        named = bool(self.name.text().strip())
        self.freeze.setEnabled(named and self._items > 0)
        self.freeze.setToolTip("" if named else "A dataset needs a name.")


def _choice(options: Sequence[tuple[tuple[str, ...], str]]) -> QComboBox:
    box = QComboBox()
    for switches, words in options:
        box.addItem(words, switches)
    return box


def _number(low: float, high: float, value: float, step: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setValue(value)
    return box
