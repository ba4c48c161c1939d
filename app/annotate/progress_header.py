"""The header of the labelling screen: rubric and queue at the left, progress and pace at the right."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QProgressBar, QWidget

from app.annotate.responsive_layout import OptionalPart
from app.annotate.reviewer_status import ReviewerStatus
from app.widgets.labels import Chip, plain_tip, short, text_label
from core.domain.counting import number

MIN_PACE_S = 1.0
"""Seconds a pair; a smaller pace is not one of a person, and is not shown."""


class ProgressHeader:
    """Shows it; ``left`` and ``right`` are the widgets for the page's header."""

    def __init__(self) -> None:
        self.rubric, self.queue = Chip(""), Chip("", "accent")
        self.blind = Chip("blind", tooltip="Sides are drawn at random; sources are hidden.")
        self._count, self.bar = text_label("", "strong"), QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(110, 6)
        self.bar.setAccessibleName("Pairs labelled")
        self.pace = text_label("", "caption")
        self.left_queue = Chip("", "warn", tooltip="Their consent was withdrawn or has ended. Labels of them are kept.")
        self.left: tuple[QWidget, ...] = (self.rubric, self.queue, self.blind, self.left_queue)
        self.right: tuple[QWidget, ...] = (self._count, self.bar, self.pace)

    def optional(self, has_queue: Callable[[], bool]) -> tuple[OptionalPart, ...]:
        """Return the parts that may be hidden, least needed first; ``has_queue`` tells whether a queue is open."""
        return (
            OptionalPart(self.pace, lambda: bool(self.pace.text())),
            OptionalPart(self.blind, lambda: True),
            OptionalPart(self.bar, has_queue),
            OptionalPart(self.rubric, lambda: bool(self.rubric.text())),
        )

    def show_queue(self, title: str) -> None:
        """Show what is labelled, when it is not every pair."""
        self.queue.set_chip(title, "accent")

    def show_rubric(self, title: str, *, of_queue: bool) -> None:
        """Show the rubric version of the pair, and whether it is the queue's."""
        self.rubric.set_chip(f"Rubric: {short(title)}", "neutral" if of_queue else "warn")
        self.rubric.setToolTip(plain_tip(title))

    def show_status(self, status: ReviewerStatus | None) -> None:
        """Show how many pairs are labelled, and the pace."""
        if status is None:
            self._count.setText("")
            self.left_queue.set_chip("")
            self.pace.setText("")
            return
        progress = status.progress
        self._count.setText(f"{number(progress.done)} / {number(progress.total)}")
        gone = f"{number(progress.withdrawn)} without consent" if progress.withdrawn else ""
        self.left_queue.set_chip(gone, "warn")
        self.bar.setMaximum(max(1, progress.total))
        self.bar.setValue(progress.done)
        pace = progress.seconds_per_pair or 0.0
        left = f"~{pace:.0f} s/pair · {pace * progress.remaining / 60:.0f} min left"
        self.pace.setText(left if pace >= MIN_PACE_S else f"{progress.today} today")
