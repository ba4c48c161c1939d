"""How a changeset and its entries are told. No widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.local_time import local_time
from core.domain.changeset import Changeset, ChangesetEntry, SentBack
from core.domain.counting import counted

if TYPE_CHECKING:
    from core.services.feedback.changesets import ChangesetReview

SIGNS: Mapping[str, tuple[str, str]] = {"add": ("plus", "ok"), "edit": ("edit", "warn"), "remove": ("minus", "bad")}
"""Kind of entry -> its drawing and the token of its colour."""


def state_chip(made: Changeset, reviewer: str) -> tuple[str, str]:
    """Return the state of a changeset as a chip: words and tone."""
    if made.state != "draft":
        return made.state, "ok"
    if made.waits_for_author:
        return "sent back", "warn"
    return ("draft", "warn") if made.author == reviewer else ("in review", "accent")


def head_line(made: Changeset) -> str:
    """Return who made it, and who approved it."""
    line = f"by {made.author}, {local_time(made.created_ms)}"
    if made.approved_ms is not None:
        line += f"; approved by {made.approver}, {local_time(made.approved_ms)}"
    return f"{line}; in {', '.join(made.datasets)}" if made.datasets else line


def sent_back_line(one: SentBack) -> str:
    """Return who sent a draft back, why, and whether it changed since."""
    return f"Sent back by {one.by}{'' if one.unchanged else ', changed since'}: {one.reason}"


def next_line(review: ChangesetReview) -> str:
    """Return what the next freeze takes."""
    if not review.version:
        return f"No dataset version yet; a freeze by the usual policy would have {counted(review.after, 'item')}."
    return f"{review.version}: {counted(review.before, 'item')} → {review.after:,} if it were frozen now"


def entry_lines(entry: ChangesetEntry, opened: bool, left_out: str) -> str:
    """Return an entry as two lines: what changes, and why."""
    pairs = f"pair {entry.pair_id}" + (f" → pair {entry.new_pair_id}" if entry.new_pair_id else "")
    notes = [f"event {entry.event_id}"] if entry.event_id else []
    notes += ["from an attack"] if entry.attack else []
    notes += [left_out] if left_out else []
    notes += [] if opened else ["not opened yet"]
    return f"{pairs}{': ' if notes else ''}{' · '.join(notes)}\n{entry.reason}"


def not_opened(made: Changeset, opened: set[int]) -> int:
    """Return how many changes nobody here has opened."""
    return len({entry.id for entry in made.entries} - opened)


def why_not_approve(made: Changeset | None, reviewer: str, opened: set[int]) -> str:
    """Return why the present reviewer cannot approve a changeset, or empty."""
    if made is None or made.state != "draft":
        return "Only a draft can be approved."
    if not made.entries:
        return "It has no change yet."
    if not reviewer:
        return "Choose who you are first: the button at the right of the status bar."
    if made.author == reviewer:
        return f"{reviewer} made it; somebody else approves it."
    missing = not_opened(made, opened)
    return f"{counted(missing, 'change')} not opened yet." if missing else ""
