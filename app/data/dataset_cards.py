"""The cards of the page of a dataset version: composition, policy, difference, proof and runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.data.flow_picture import SPLITS
from app.theme.theme import Theme
from app.widgets.buttons import icon_button, push_button
from app.widgets.containers import Card, Swatch, clear_layout
from app.widgets.field_grid import FieldGrid
from app.widgets.flow import FlowLayout
from app.widgets.labels import ElideLabel, text_label
from core.domain.adjudication import adjudicated_words
from core.domain.counting import counted, verb
from core.domain.dataset import DatasetDiff, DatasetVersion
from core.domain.dataset_view import DatasetPart, DatasetShare, DatasetView

BAR_PX = 10
POLICY_EMS = 11.0
"""The least width of a line of the policy, in heights of a line."""
MOST_NAMED = 6
"""Pairs of a difference that get a link of their own."""
POLICY_WORDS = {
    "rubric_version_ids": "rubric versions",
    "reviewer_ids": "reviewers",
    "licences": "licences",
    "source_ids": "sources",
    "aggregation": "how several labels become one",
    "min_strength": "minimum strength",
    "max_spread": "largest difference of strengths",
    "keep_ties": "ties are kept",
    "drop_flags": "flags that leave a pair out",
    "drop_text_flags": "text flags that leave a pair out",
    "drop_tags": "tags that leave a pair out",
    "require_consent": "consent is needed",
    "splits": "shares of the splits",
    "seed": "seed of the splits",
    "split_rule": "which prompts fall together",
    "attacks": "pairs made of attacks",
    "subjective": "truly subjective pairs",
    "soft_targets": "targets from the share of reviewers",
    "strength_targets": "targets from the strength",
    "strength_weights": "weights by strength",
    "agreement_weights": "weights by agreement",
}


def link(words: str, run: Callable[[], object], name: str = "") -> QPushButton:
    """Return a link that runs something."""
    button = push_button(words, "link", name=name)
    button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    button.clicked.connect(lambda _=False: run())
    return button


def together(*parts: QWidget) -> QWidget:
    """Return parts that stay beside each other where a row breaks."""
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    for part in parts:
        row.addWidget(part)
    return whole


class SplitBar(QWidget):
    """One bar cut into train, dev and sealed test."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._counts: tuple[int, ...] = ()
        self.setFixedHeight(theme.px(BAR_PX))
        theme.changed.connect(self.update)

    def set_counts(self, counts: Sequence[int]) -> None:
        """Show other counts, in the order of ``SPLITS``."""
        self._counts = tuple(counts)
        self.update()

    def sizeHint(self) -> QSize:
        """Return a small width: it takes what there is."""
        return QSize(120, self._theme.px(BAR_PX))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Draw the parts side by side."""
        painter, whole, left = QPainter(self), sum(self._counts), 0.0
        for count, (_, _, token) in zip(self._counts, SPLITS, strict=False):
            width = self.width() * count / whole if whole else 0
            if count:
                painter.fillRect(QRectF(left, 0, max(2.0, width - 2), self.height()), self._theme.tokens.colour(token))
            left += width


class CompositionCard(Card):
    """How many items, in which split, under which rubric versions, by whom. ``opened(part, words)`` for a number."""

    opened = Signal(object, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        self.bar = SplitBar(theme)
        self.add(self._rows)

    def show_view(self, view: DatasetView) -> None:
        """Show another version."""
        self.bar.setParent(None)
        clear_layout(self._rows)
        counts = view.version.counts
        items = counts.get("items", 0)
        head = FlowLayout()
        head.addWidget(text_label(f"{items:,}", "number"))
        head.addWidget(
            text_label(f"{verb(items, 'pair', 'pairs')} of {counted(counts.get('prompts', 0), 'prompt')}", "muted")
        )
        head.add_gap()
        for key, words, token in SPLITS:
            number = self._number(counts.get(key, 0), DatasetPart(split=key), f"{view.version.title}: {words.lower()}")  # type: ignore[arg-type]
            share = text_label(_percent(counts.get(key, 0), items), "caption")
            head.addWidget(together(Swatch(self._theme, token), text_label(words), number, share))
        self._rows.addLayout(head)
        self.bar.set_counts([counts.get(key, 0) for key, _, _ in SPLITS])
        self._rows.addWidget(self.bar)
        title = view.version.title
        self._shares("Rubric", view.rubrics, lambda one: DatasetPart(rubric_version_id=one.key), title)
        self._shares("Labels by", view.reviewers, lambda one: DatasetPart(reviewer_id=one.key), title)
        self._shares("Sources", view.sources, lambda one: DatasetPart(source_id=one.key), title)
        last = FlowLayout()
        for words, count, part in (
            ("Adjudicated", view.adjudicated, DatasetPart(adjudicated=True)),
            ("With an edit", view.edited, DatasetPart(edited=True)),
        ):
            last.addWidget(together(text_label(words, "muted"), self._number(count, part, f"{title}: {words.lower()}")))
        self._rows.addLayout(last)
        if words := view.on_policy.sentence():
            self._rows.addWidget(text_label(words, "caption", wrap=True))
        self._rows.addWidget(text_label(agreement(counts), "caption", wrap=True))
        if words := adjudicated_words(counts):
            self._rows.addWidget(text_label(words, "caption", wrap=True))
        if test := counts.get("test", 0):
            self._rows.addWidget(text_label(looks_text(test, view.looks), "caption", wrap=True))

    def _shares(
        self, words: str, shares: Sequence[DatasetShare], part: Callable[[DatasetShare], DatasetPart], title: str
    ) -> None:
        row = FlowLayout()
        row.addWidget(text_label(words, "muted"))
        for one in shares[:MOST_NAMED]:
            note = one.note.removeprefix("human").removeprefix(", ") if words == "Labels by" else ""
            kind = f" ({note})" if note else ""
            name = ElideLabel(f"{one.name}{kind}", outside=True)
            row.addWidget(together(name, self._number(one.items, part(one), f"{title}: {one.name}")))
        if len(shares) > MOST_NAMED:
            row.addWidget(text_label(f"and {len(shares) - MOST_NAMED:,} more", "caption"))
        self._rows.addLayout(row)

    def _number(self, count: int, part: DatasetPart, words: str) -> QWidget:
        """Return a count that opens its pairs; a zero opens nothing."""
        if not count:
            return text_label("0", "muted")
        return link(f"{count:,}", partial(self.opened.emit, part, words), f"{words}: {counted(count, 'pair')}")


class DifferenceCard(Card):
    """What came in, went out and changed. ``opened(pair ids, words)`` for a count, ``pair_opened(id)`` for a number."""

    opened = Signal(object, str)
    pair_opened = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._title = text_label("", "section", wrap=True)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(10)
        self._grid.setColumnStretch(2, 1)
        self._more = text_label("", "caption", wrap=True)
        self.add(self._title)
        self.add(self._grid)
        self.add(self._more)
        self.column.addStretch(1)

    def show_difference(self, diff: DatasetDiff | None) -> None:
        """Show a difference, told from the older version to the newer; None where there is no older one."""
        clear_layout(self._grid)
        if diff is None:
            self._title.setText("First version")
            self._more.setText("There is no version before it to compare with.")
            return
        self._title.setText(f"From {diff.old} to {diff.new}")
        rows = (
            ("came in", "+", diff.added),
            ("went out", "−", diff.removed),
            ("have another winner", "", diff.flipped),
            ("have another strength, weight or target", "", diff.restrengthened),
            ("moved to another split", "", tuple(pair for pair, _, _ in diff.moved)),
        )
        for row, (words, sign, ids) in enumerate(rows):
            self._row(row, words, sign, ids, diff.new)
        self._grid.addWidget(text_label(f"{diff.same:,}", "strong"), len(rows), 0, Qt.AlignmentFlag.AlignRight)
        self._grid.addWidget(text_label("are the same", ""), len(rows), 1)
        self._more.setText("\n".join(_changes(diff)))
        self._more.setVisible(bool(self._more.text()))

    def _row(self, row: int, words: str, sign: str, ids: Sequence[int], title: str) -> None:
        number = f"{sign}{len(ids):,}" if ids else "0"
        shown: QWidget = text_label(number, "muted")
        if ids:
            shown = link(number, partial(self.opened.emit, tuple(ids), f"{title}: {words}"), f"{number} {words}")
        self._grid.addWidget(shown, row, 0, Qt.AlignmentFlag.AlignRight)
        self._grid.addWidget(text_label(words, ""), row, 1)
        some = FlowLayout()
        for pair in ids[:MOST_NAMED]:
            some.addWidget(link(f"#{pair}", partial(self.pair_opened.emit, pair), f"Open pair {pair}"))
        if len(ids) > MOST_NAMED:
            some.addWidget(text_label("…", "caption"))
        self._grid.addLayout(some, row, 2)


class ProofCard(Card):
    """The hashes of a version, each with a button that copies it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__("Proof")
        self._theme = theme
        self._grid = QGridLayout()
        self._grid.setColumnStretch(1, 1)
        self.add(self._grid)
        self.column.addStretch(1)

    def show_view(self, view: DatasetView) -> None:
        """Show the hashes of another version."""
        clear_layout(self._grid)
        hashes = [("Root", view.version.root_sha256), *((one.name, one.note) for one in view.rubrics)]
        hashes.append(("Policy", view.policy_sha256))
        entry, _, head = view.version.chain_head.partition(":")
        if head:
            hashes.insert(1, (f"Chain head, entry {int(entry):,}", head))
        for row, (name, sha) in enumerate(hashes):
            words = ElideLabel(f"{sha[:8]} {sha[8:16]} … {sha[-4:]}", kind="mono", outside=True)
            words.setAccessibleName(f"{name}: {sha}")
            copy = icon_button(self._theme, "copy", f"Copy the hash of {name}", size=16)
            copy.clicked.connect(lambda _=False, sha=sha: QGuiApplication.clipboard().setText(sha))
            self._grid.addWidget(ElideLabel(name, kind="muted", outside=True), row, 0)
            self._grid.addWidget(words, row, 1)
            self._grid.addWidget(copy, row, 2)


class PolicyCard(Card):
    """The policy of a version in words."""

    def __init__(self) -> None:
        super().__init__("Policy")
        self._rows = QVBoxLayout()
        self.add(self._rows)

    def show_view(self, view: DatasetView) -> None:
        """Show the policy of another version."""
        clear_layout(self._rows)
        rows = [(text_label(what, "muted"), text_label(how, "", wrap=True)) for what, how in view.policy]
        self._rows.addWidget(FieldGrid(rows, field_ems=POLICY_EMS))


class RunsCard(Card):
    """The runs that were trained on a version; ``opened(uid)`` for one."""

    opened = Signal(str)

    def __init__(self) -> None:
        super().__init__("Used by")
        self._rows = QVBoxLayout()
        self.add(self._rows)
        self.column.addStretch(1)

    def show_view(self, view: DatasetView) -> None:
        """Show the runs of another version."""
        clear_layout(self._rows)
        for uid, name, state in view.runs[:8]:
            row = QHBoxLayout()
            row.addWidget(link(name, partial(self.opened.emit, uid), f"Open the run {name}"))
            row.addWidget(text_label(state, "caption"))
            row.addStretch(1)
            self._rows.addLayout(row)
        if not view.runs:
            self._rows.addWidget(text_label("No run was trained on it yet.", "muted", wrap=True))


def looks_text(items: int, looks: int) -> str:
    """Return how often somebody looked at the sealed test.

    >>> looks_text(12, 0)
    'The 12 test items are sealed: no queue shows them, and nobody has looked at them yet.'
    >>> looks_text(1, 2)
    'The 1 test item is sealed: no queue shows it; it was looked at 2 times.'
    """
    them = verb(items, "it", "them")
    head = f"The {counted(items, 'test item')} {verb(items, 'is', 'are')} sealed: no queue shows {them}"
    if not looks:
        return f"{head}, and nobody has looked at {them} yet."
    often = "once" if looks == 1 else counted(looks, "time")
    return f"{head}; {verb(items, 'it was', 'they were')} looked at {often}."


def agreement(counts: dict[str, int]) -> str:
    """Return how far reviewers agree on the items, and what that leaves out of sight.

    >>> agreement({"several": 3, "agree": 2})[:57]
    '3 items rest on several labels; on 2 all prefer one side.'
    """
    several, agree = counts.get("several", 0), counts.get("agree", 0)
    if not several:
        return "Every item rests on one label, so agreement is not known."
    return (
        f"{counted(several, 'item')} {verb(several, 'rests', 'rest')} on several labels; on {agree:,} all "
        "prefer one side. Pairs on which reviewers "
        "disagreed may have been left out before this count, see Left out."
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


def _changes(diff: DatasetDiff) -> list[str]:
    """Return what changed in the policy and the rubric versions as lines."""
    lines = [f"Policy: {POLICY_WORDS.get(key, key)}: {old} → {new}" for key, old, new in diff.policy_changes]
    lines += [f"Rubric version added: {title}" for title in diff.rubrics_added]
    return lines + [f"Rubric version gone: {title}" for title in diff.rubrics_removed]


def title_of(version: DatasetVersion) -> str:
    """Return the title of a version with its counts, as the list shows it."""
    counts = " · ".join(f"{words.lower()} {version.counts.get(key, 0):,}" for key, words, _ in SPLITS)
    return f"{version.title}\n{counts}"
