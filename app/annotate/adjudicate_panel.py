"""What reviewers said of a pair in conflict, names hidden: verdicts, reasons, spans, criteria; what is decided."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QProgressBar, QVBoxLayout

from app.annotate.adjudicate_state import ShownConflict
from app.annotate.verdict_line import VerdictLine, line_marks
from app.theme.theme import Theme
from app.widgets.containers import ScrollColumn, clear_layout, line
from app.widgets.labels import Chip, ChipTone, ElideLabel, text_label
from core.domain.adjudication import OUTCOMES
from core.domain.counting import number
from core.domain.judgement import FLAGS, SPAN_TAGS, JudgementDraft, screen_words, to_screen
from core.domain.pair import Side

EXCERPT = 70
"""Characters of a span that its row shows."""
_CELL_TONES: dict[str, ChipTone] = {"L": "warn", "R": "accent"}
SPLIT = "≠"
"""What a row of the criteria shows where sides differ."""


class AdjudicatePanel(ScrollColumn):
    """Shows the labels of one pair; R1, R2 and so on are numbered anew for each."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(margin=12, name="Verdicts")
        self._theme = theme
        head = QHBoxLayout()
        head.addWidget(text_label("Verdicts", "section"), 1)
        head.addWidget(text_label("numbered anew for each pair", "caption"))
        self.column.addLayout(head)
        self.line = VerdictLine(theme)
        self.column.addWidget(self.line)
        self._verdicts, self._spans = QVBoxLayout(), QVBoxLayout()
        self._verdicts.setSpacing(8)
        self.column.addLayout(self._verdicts)
        self._spans_title = text_label("Spans", "section")
        self.column.addWidget(self._spans_title)
        self.column.addLayout(self._spans)
        self._criteria_title = text_label(f"Criteria   {SPLIT} sides differ", "section")
        self.column.addWidget(self._criteria_title)
        self.criteria = QGridLayout()
        self.criteria.setColumnStretch(0, 1)
        self.criteria.setHorizontalSpacing(8)
        self.column.addLayout(self.criteria)
        self.column.addWidget(line())
        self.column.addWidget(text_label("Decided so far", "section"))
        self.decided = QGridLayout()
        self.decided.setColumnStretch(1, 1)
        self.column.addLayout(self.decided)
        self.column.addStretch(1)

    def show_conflict(self, shown: ShownConflict) -> None:
        """Show the labels of a pair and what is decided so far."""
        left = shown.presentation.left_is
        self.line.show_marks(line_marks(shown.said, left), shown.version.body.scale)
        clear_layout(self._verdicts)
        for who, draft in shown.said:
            self._add_verdict(who, draft, left)
        clear_layout(self._spans)
        spans = shown.spans()
        for who, span in spans:
            answer = shown.presentation.left if span.side == "left" else shown.presentation.right
            words = " ".join(answer[span.start : span.end][:EXCERPT].split())
            tag = SPAN_TAGS[span.tag].lower()
            self._spans.addWidget(ElideLabel(f"{who} {span.side}, {tag}: {words}", kind="caption"))
        self._spans_title.setVisible(bool(spans))
        self._show_criteria(shown, left)
        self._show_decided(shown.decided)

    def _add_verdict(self, who: str, draft: JudgementDraft, left: Side) -> None:
        frame = QFrame()
        column = QVBoxLayout(frame)
        column.setContentsMargins(8, 0, 0, 0)
        column.setSpacing(2)
        row = QHBoxLayout()
        row.addWidget(text_label(who, "strong"))
        row.addWidget(Chip(screen_words(draft, left), _tone(draft, left)))
        row.addStretch(1)
        if isinstance(active := draft.process.get("active_ms"), int | float) and active >= 0:
            seconds = round(active / 1000)
            row.addWidget(text_label(f"{seconds // 60:02}:{seconds % 60:02}", "caption"))
        column.addLayout(row)
        said = [f"“{draft.rationale}”"] if draft.rationale else []
        said += [f"Flag: {FLAGS[flag].lower()}" for flag in draft.flags]
        for words in said or ["no reason given"]:
            column.addWidget(text_label(words, "caption", wrap=True))
        self._verdicts.addWidget(frame)

    def _show_criteria(self, shown: ShownConflict, left: Side) -> None:
        clear_layout(self.criteria)
        said = shown.said
        for column, (who, _) in enumerate(said, 1):
            self.criteria.addWidget(text_label(who, "strong"), 0, column)
        rows = [("Overall", [_overall(draft, left) for _, draft in said])]
        rows += [
            (clause.name, [_cell(draft.criteria.get(clause.id), left) for _, draft in said])
            for clause in shown.version.body.criteria
        ]
        for place, (name, cells) in enumerate(rows, 1):
            split = f" {SPLIT}" if len({_side(cell) for cell in cells[1:]} - {"–"}) > 1 else ""
            self.criteria.addWidget(ElideLabel(f"{name}{split}", kind="strong" if place == 1 else ""), place, 0)
            for column, cell in enumerate(cells, 1):
                tone = _CELL_TONES.get(_side(cell))
                shown_as = text_label(cell, "strong" if place == 1 else "") if tone is None else Chip(cell, tone)
                self.criteria.addWidget(shown_as, place, column)

    def _show_decided(self, decided: dict[str, int]) -> None:
        clear_layout(self.decided)
        total = max(1, sum(decided.values()))
        for row, (key, count) in enumerate(decided.items()):
            bar = QProgressBar()
            bar.setTextVisible(False)
            bar.setFixedHeight(6)
            bar.setMaximum(total)
            bar.setValue(count)
            bar.setAccessibleName(f"{OUTCOMES[key][0]}: {number(count)} of {number(total)}")
            self.decided.addWidget(text_label(OUTCOMES[key][0]), row, 0)
            self.decided.addWidget(bar, row, 1)
            self.decided.addWidget(text_label(number(count), "strong"), row, 2)


def split_clauses(shown: ShownConflict) -> list[str]:
    """Return the ids of the clauses on which the votes name different sides, in the order of the rubric."""
    left, found = shown.presentation.left_is, []
    for clause in shown.version.body.criteria:
        cells = [_cell(draft.criteria.get(clause.id), left) for _, draft in shown.said[1:]]
        if len({_side(cell) for cell in cells} - {"–"}) > 1:
            found.append(clause.id)
    return found


def _tone(draft: JudgementDraft, left: Side) -> ChipTone:
    if draft.strength is None:
        return "neutral"
    return "warn" if to_screen(draft.strength, left) < 0 else "accent"


def _overall(draft: JudgementDraft, left: Side) -> str:
    if draft.verdict.value in ("neither", "cannot_judge"):
        return "✕" if draft.verdict.value == "neither" else "?"
    return _cell(draft.strength or 0, left)


def _cell(strength: int | None, left: Side) -> str:
    """Return a strength by the sides of the screen.

    >>> _cell(-3, "A"), _cell(1, "A"), _cell(0, "A"), _cell(None, "A")
    ('‹‹‹ L', 'R ›', '=', '–')
    """
    if strength is None:
        return "–"
    seen = to_screen(strength, left)
    return f"{'‹' * -seen} L" if seen < 0 else f"R {'›' * seen}" if seen else "="


def _side(cell: str) -> str:
    return cell.strip("‹› ")
