"""What the dialog of bundles shows: who can take slots along, what is on desks, what became of files. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.local_time import local_time
from app.widgets.plots.chart_card import TableRow
from core.domain.counting import counted, number

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.bundles.service import Merged, ReviewBundle

OUT_HEADS = ("Reviewer", "Batch", "Slots", "Exported", "Last merged")
MERGED_HEADS = ("File", "Result", "What")


@dataclass(frozen=True, slots=True)
class OpenQueueOf:
    """Slots that a reviewer could take along: of which batch, whose, how many are open here and on a desk."""

    batch_id: int
    batch: str
    reviewer_id: int
    reviewer: str
    here: int
    away: int

    @property
    def words(self) -> str:
        """Whose, how many, and how many are on a desk already."""
        away = f", {number(self.away)} on a desk" if self.away else ""
        return f"{self.reviewer} in {self.batch}: {counted(self.here, 'open slot')}{away}"


@dataclass(frozen=True, slots=True)
class BundleChoices:
    """What can be exported, the bundles that were, and the one that this workspace was opened with, if it is a desk."""

    queues: Sequence[OpenQueueOf]
    out: Sequence[ReviewBundle]
    desk: ReviewBundle | None


def out_rows(out: Sequence[ReviewBundle]) -> list[TableRow]:
    """Return a row for each bundle, the newest first."""
    return [
        TableRow((
            one.reviewer, one.batch, number(one.slots), local_time(one.created_ms),
            local_time(one.merged_ms) if one.merged_ms else "nothing yet",
        ))
        for one in reversed(out)
    ]  # fmt: skip


def merged_rows(found: Sequence[Merged]) -> list[TableRow]:
    """Return a row for each file: merged with how many labels, known, or refused with the reason."""
    return [TableRow((one.file, _result(one), _what(one))) for one in found]


def _result(one: Merged) -> str:
    labels = one.new.get("labels", 0)
    return {"merged": f"merged {number(labels)}", "known": "known"}.get(one.state, "refused")


def _what(one: Merged) -> str:
    if one.state == "refused":
        return one.reason
    parts = [f"{number(count)} {kind}" for kind, count in one.new.items() if count and kind != "presentations"]
    left = sum(one.left.values())
    parts += [f"{counted(left, 'row')} outside the bundle left out"] if left else []
    return f"{one.reviewer} in {one.batch}: {', '.join(parts) or 'nothing new'}"
