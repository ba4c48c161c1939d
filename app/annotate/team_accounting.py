"""The accounting card of the Team tab: all labels by reviewer and rubric version, or the slots of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.annotate import team_batch_figures as batch_figures
from app.annotate import team_figures as figures
from app.annotate.team_accounts import AccountBars
from app.annotate.team_figures import PairsPlace
from app.theme.theme import Theme
from app.widgets.flow import FlowLayout
from app.widgets.labels import Chip, text_label
from app.widgets.plots.chart_card import ChartCard, TableRow
from core.domain.quality import QualityReport

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.batches.views import BatchState
    from core.services.workspace.service import Accounting


class TeamAccounting:
    """Puts a line that adds up over the bars of a card, and fills both."""

    def __init__(self, theme: Theme) -> None:
        self.bars, self.words, self.adds_up = AccountBars(theme), text_label("", wrap=True), Chip("")
        self._card: ChartCard | None = None

    def put_into(self, card: ChartCard) -> None:
        """Take the card that holds the bars."""
        self._card = card
        row = FlowLayout(row_spacing=4, middle=True)
        row.add(self.words, least=12)
        row.addWidget(self.adds_up)
        card.column.insertLayout(1, row)

    def show_labels(self, accounting: Accounting, report: QualityReport) -> None:
        """Show what became of all pairs for each reviewer and rubric version; a bar opens the reviewer's labels."""
        ids = {one.name: one.reviewer_id for one in report.reviewers}
        bars = [
            (
                f"{one.reviewer} · {one.rubric}",
                one.labelled,
                one.skipped,
                one.pairs,
                PairsPlace(f"Labelled by {one.reviewer}", reviewer_id=ids.get(one.reviewer)),
            )
            for one in sorted(accounting.reviewers, key=lambda one: -one.rubric_version_id)
        ]
        self.bars.show_bars(bars)
        self.words.setText(figures.account_words(accounting))
        self._show_rows(figures.account_rows(accounting), figures.ACCOUNT_HEADS)
        self._show_sum(accounting.adds_up, "reviewer and rubric version")

    def show_batch(self, batch: BatchState) -> None:
        """Show what became of the slots of a batch, by kind and by reviewer."""
        self.bars.show_bars(batch_figures.bars_of(batch))
        self.words.setText(batch_figures.slot_words(batch))
        self._show_rows(batch_figures.batch_rows(batch), batch_figures.BATCH_HEADS)
        self._show_sum(batch_figures.adds_up(batch), "kind and reviewer")

    def _show_rows(self, rows: Sequence[TableRow], heads: Sequence[str]) -> None:
        if self._card is not None:
            self._card.table.setHorizontalHeaderLabels(list(heads))
            self._card.show_figures(rows, about="", missing="")

    def _show_sum(self, adds_up: bool, by: str) -> None:
        if adds_up:
            self.adds_up.set_chip(f"✓ adds up by {by}", "ok")
        else:
            self.adds_up.set_chip("does not add up: check the workspace", "bad")
