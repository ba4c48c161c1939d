"""The policy of a freeze as a form: which labels count, how several become one, how pairs are split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.theme.theme import Theme
from app.widgets.check_list import CheckList
from app.widgets.containers import Collapsible
from app.widgets.controls import ComboBox, DoubleSpinBox, SpinBox
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from core.domain.counting import counted
from core.domain.dataset import FreezePolicy
from core.domain.judgement import Reviewer
from core.domain.licence import NOT_STATED, shown_licence
from core.domain.pair_table import SourceInfo
from core.domain.rubric import RubricVersion
from core.domain.sign_off import SignOff
from core.domain.text_flags import FLAG_TITLES

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
"""Switches of the policy that are chosen together, and how the form names the combination."""
TARGETS = (
    ((), "Certain: 1"),
    (("soft_targets",), "The share of reviewers"),
    (("strength_targets",), "Read from the strength"),
    (("soft_targets", "strength_targets"), "Share and strength"),
)
"""As ``WEIGHTS``."""
ONLY = "Only some sources, reviewers or licences"
TEXTS = "Leave out by text"
TAGS = "Leave out by tag"
LIST_PX, TEXTS_PX, LIST_EMS = 96, 168, 11
"""Design pixels of a list's height, and its least width in heights of a line."""


class FreezeForm(QWidget):
    """Asks for a name and a policy; ``changed`` fires when the policy does, ``name.textChanged`` for the name.

    Args:
        theme: for sizes.
        name: what the name field holds at first.
        versions: the rubric versions to choose from.
        sources: the sources to choose from.
        reviewers: the reviewers to choose from.
        sign_off: whether a name is needed under the freeze, and whose; None asks for none.
        tags: tag -> how many pairs have it, to leave out by.
        licences: the licences to choose from, empty for none stated; fewer than two ask for none.
    """

    changed = Signal()

    def __init__(
        self,
        theme: Theme,
        name: str,
        versions: Sequence[RubricVersion],
        sources: Sequence[SourceInfo],
        reviewers: Sequence[Reviewer],
        sign_off: SignOff | None = None,
        tags: Mapping[str, int] | None = None,
        licences: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.name = QLineEdit(name)
        self.sign_off = sign_off or SignOff(wanted=False)
        self.signers = ComboBox(outside=True)
        self.signers.addItem("nobody yet" if self.sign_off.people else "nobody else is there", "")
        for one in self.sign_off.people:
            self.signers.addItem(one, one)
        self.signers.setToolTip("Somebody other than who labelled last puts a name under the version.")
        self.versions = CheckList("Rubric versions", [(version.id, version.title) for version in versions])
        self.versions.setMaximumHeight(theme.px(LIST_PX))
        self.aggregation = _choice(AGGREGATIONS)
        self.weights, self.targets = _choice(WEIGHTS), _choice(TARGETS)
        self.weights.setToolTip("What a pair's loss is multiplied by; agreement counts as the net share of reviewers.")
        self.targets.setToolTip("The probability that the chosen answer is better, which the loss aims at.")
        self.min_strength = _number(0.0, 3.0, 1.0, 0.5)
        self.spread, self.seed = _whole(6), _whole(2**31 - 1)
        self.spread.setSpecialValueText("any")
        self.keep_ties = QCheckBox("Keep ties as tie pairs")
        self.consent = _switched_on("Only sources with granted consent")
        self.flags = _switched_on("Leave out pairs that were flagged")
        self.dev, self.test = _number(0.0, 0.5, 0.1, 0.05), _number(0.0, 0.5, 0.1, 0.05)
        self.sources = CheckList("Sources", [(source.id, source.name) for source in sources])
        self.reviewers = CheckList("Reviewers", [(reviewer.id, reviewer.name) for reviewer in reviewers])
        self.licences = CheckList("Licences", [(one or NOT_STATED, shown_licence(one)) for one in licences])
        self.asks_licence = len(licences) > 1
        self.texts = CheckList("Leave out pairs with", list(FLAG_TITLES.items()))
        self.texts.setFixedHeight(theme.px(TEXTS_PX))
        self.by_text = Collapsible(TEXTS, self.texts, theme=theme, open_=False)
        words = [(tag, f"{tag}: {counted(count, 'pair')}") for tag, count in (tags or {}).items()]
        self.tags = CheckList("Leave out pairs with the tag", words)
        self.tags.setFixedHeight(theme.px(LIST_PX))
        self.by_tag = Collapsible(TAGS, self.tags, theme=theme, open_=False)
        self.by_tag.setVisible(bool(tags))
        self.only = Collapsible(ONLY, self._narrowing(theme), theme=theme, open_=False)
        self.only.setVisible(max(map(len, (sources, reviewers, licences))) > 1)
        self._lay_out()
        for signal in self._signals():
            signal.connect(lambda *_: self._follow_change())

    @property
    def signer(self) -> str:
        """Who signs off; empty where nobody was chosen, or none is asked for."""
        return str(self.signers.currentData() or "") if self.sign_off.wanted else ""

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
            licences=self.licences.checked,
            aggregation=self.aggregation.currentData(),
            min_strength=self.min_strength.value(),
            max_spread=self.spread.value() or None,
            keep_ties=self.keep_ties.isChecked(),
            drop_text_flags=self.texts.checked,
            drop_tags=self.tags.checked,
            drop_flags=FreezePolicy().drop_flags if self.flags.isChecked() else (),
            require_consent=self.consent.isChecked(),
            splits=(round(1 - dev - test, 4), dev, test),
            seed=self.seed.value(),
            soft_targets="soft_targets" in on,
            strength_targets="strength_targets" in on,
            strength_weights="strength_weights" in on,
            agreement_weights="agreement_weights" in on,
        )

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(8)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for label, widget in (
            ("Name", self.name),
            *((("Signed off by", self.signers),) if self.sign_off.wanted else ()),
            ("Rubric versions (none: all)", self.versions),
            ("Several labels become one by", self.aggregation),
            ("Minimum strength", self.min_strength),
            ("Pairs count", self.weights),
            ("Target probability", self.targets),
            ("Strengths differ by at most", self.spread),
        ):
            widget.setAccessibleName(label)
            form.addRow(label, widget)
        for box in (self.keep_ties, self.flags, self.consent):
            box.setAccessibleName(box.text())
            form.addRow("", box)
        for label, number in (
            ("Held-out share (dev)", self.dev),
            ("Sealed test share", self.test),
            ("Seed of the split", self.seed),
        ):
            number.setAccessibleName(label)
            form.addRow(label, number)
        form.addRow(self.by_text)
        form.addRow(self.by_tag)
        form.addRow(self.only)

    def _narrowing(self, theme: Theme) -> QWidget:
        """Return the lists of sources, reviewers and, where there are several, licences, each under its name."""
        content = QWidget()
        row = FlowLayout(content)
        lists = (("Sources", self.sources), ("Reviewers", self.reviewers), ("Licences", self.licences))
        for words, boxes in lists:
            boxes.setFixedHeight(theme.px(LIST_PX))
            part = QWidget()
            column = QVBoxLayout(part)
            column.setContentsMargins(0, 0, 0, 0)
            column.addWidget(text_label(f"{words} (none: all)", "hint"))
            column.addWidget(boxes)
            part.setVisible(boxes is not self.licences or self.asks_licence)
            row.add(part, least=LIST_EMS)
        return content

    def _signals(self) -> Iterator[SignalInstance]:
        for boxes in (self.versions, self.texts, self.tags, self.sources, self.reviewers, self.licences):
            yield boxes.changed
        for choice in (self.aggregation, self.weights, self.targets):
            yield choice.currentIndexChanged
        for number in (self.min_strength, self.spread, self.dev, self.test, self.seed):
            yield number.valueChanged
        for box in (self.keep_ties, self.flags, self.consent):
            yield box.toggled

    def _follow_change(self) -> None:
        chosen = sum(len(boxes.checked) for boxes in (self.sources, self.reviewers, self.licences))
        self.only.set_title(f"{ONLY}: {chosen} chosen" if chosen else ONLY)
        flags = len(self.texts.checked)
        self.by_text.set_title(f"{TEXTS}: {flags} chosen" if flags else TEXTS)
        tags = len(self.tags.checked)
        self.by_tag.set_title(f"{TAGS}: {tags} chosen" if tags else TAGS)
        self.changed.emit()


def _choice(options: Sequence[tuple[object, str]]) -> QComboBox:
    box = ComboBox()
    for value, words in options:
        box.addItem(words, value)
    return box


def _switched_on(label: str) -> QCheckBox:
    box = QCheckBox(label)
    box.setChecked(True)
    return box


def _whole(high: int) -> QSpinBox:
    box = SpinBox()
    box.setRange(0, high)
    return box


def _number(low: float, high: float, value: float, step: float) -> QDoubleSpinBox:
    box = DoubleSpinBox()
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setValue(value)
    return box
