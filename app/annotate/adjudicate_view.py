"""The screen of a decision: header, prompt, answers with the spans of all, the decision and the panel of verdicts."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from app.actions.registry import ActionRegistry
from app.annotate.adjudicate_bar import AdjudicateBar
from app.annotate.adjudicate_panel import AdjudicatePanel, split_clauses
from app.annotate.adjudicate_state import ShownConflict, span_notes
from app.annotate.judged_pair_view import JudgedPairView
from app.theme.theme import Theme
from app.widgets.buttons import action_button
from app.widgets.containers import ScrollColumn, side_panel
from app.widgets.labels import Chip, plain_tip, short, text_label
from core.domain.conflict import RULE

PANEL_PX, ANSWER_PX = 310, 540
"""Design pixels that the panel and the answers need beside each other."""
QWIDGETSIZE_MAX = (1 << 24) - 1
"""No limit, as Qt writes it."""


class AdjudicateView(JudgedPairView):
    """Shows a pair that was picked first, with what the reviewers said of it."""

    def __init__(self, actions: ActionRegistry, theme: Theme) -> None:
        super().__init__(actions, theme, "adjudicate")
        self.rubric = Chip("")
        self.count, self.why = text_label("", "caption"), text_label("", "caption", wrap=True)
        self.bar, self.panel = AdjudicateBar(actions, theme), AdjudicatePanel(theme)
        self._folded = False
        self._build()

    def _build(self) -> None:
        hidden = Chip("names hidden", tooltip="R1, R2 and so on are numbered anew for each pair.")
        for widget in (Chip("Adjudicate", "accent"), self.rubric, hidden):
            self.header.add_left(widget)
        self.header.add_right(self.count)
        for action_id in ("adjudicate.source", "adjudicate.panel", "global.cheat_sheet"):
            self.header.add_right(action_button(self._actions, action_id, icon_only=True))
        self._left = ScrollColumn(margin=12, name="Pair and decision")
        column = self._left.column
        self.why.setToolTip(plain_tip(RULE))
        for widget, grows in ((self.why, 0), (self.prompt, 0), (self.panes, 1), (self.bar, 0)):
            column.addWidget(widget, grows)
        self.side, inner = side_panel(300)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.panel)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self._left, 1)
        row.addWidget(self.side, 0)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.header)
        outer.addLayout(row, 1)

    def show_conflict(self, shown: ShownConflict) -> None:
        """Show a pair with its labels."""
        opened, presentation = shown.opened, shown.presentation
        self.rubric.set_chip(short(shown.version.title))
        self.count.setText(f"{sum(shown.decided.values()):,} decided")
        rule = opened.conflict.words(presentation.left_is) if opened.conflict is not None else "they agree by now"
        self.why.setText(f"Why it is here: {rule}")
        self.prompt.show_prompt(presentation.prompt, opened.pair_id)
        self.panes.show_pair(presentation.left, presentation.right)
        self.panes.show_edit_and_spans(None, [span for _, span in shown.spans()], span_notes(shown.spans()))
        pick = opened.pick.draft
        side = None if pick is None or pick.preferred is None else pick.preferred == presentation.left_is
        self.panes.set_preferred(None if side is None else "left" if side else "right")
        self.bar.show_conflict(shown)
        self.bar.suggest(split_clauses(shown))
        self.panel.show_conflict(shown)

    def show_panel(self, on: bool) -> None:
        """Show or hide the panel; where there is no room for both it takes the place of the answers."""
        self._actions.set_checked("adjudicate.panel", on)
        self.side.setVisible(on)
        self._left.setVisible(not (on and self._folded))

    def fit(self) -> None:
        """Leave out what a low or narrow page has no room for."""
        super().fit()
        panel, answer = self._theme.px(PANEL_PX), self._theme.px(ANSWER_PX)
        narrow = self.width() < panel + answer
        self.side.setMinimumWidth(0 if narrow else panel)
        self.side.setMaximumWidth(QWIDGETSIZE_MAX if narrow else panel)
        if narrow != self._folded:
            self._folded = narrow
            self.show_panel(not narrow)
