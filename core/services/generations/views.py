"""Views of generations: what a list and a line show of one, and what became of its pairs in the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.domain.batch import LabelBatch
from core.domain.generated_pairs import GeneratedPair, GenerationReport
from core.domain.generation import PairGeneration
from core.domain.run_record import LIVE_STATES, RunState
from core.runs.evaluations.status import EvaluationStatus
from core.runs.evaluations.words import done_words, left_words, work_words

__all__ = ["GenerationInfo", "LandedPairs", "done_words", "left_words", "work_words"]


@dataclass(frozen=True, slots=True)
class GenerationInfo:
    """One generation as a list shows it. ``source_id`` is the source that its pairs became, 0 before they landed."""

    generation_id: str
    name: str
    folder: str
    record: PairGeneration
    status: EvaluationStatus
    source_id: int = 0

    @classmethod
    def of(cls, path: Path, record: PairGeneration, status: EvaluationStatus, source_id: int = 0) -> GenerationInfo:
        """Return the view of a folder."""
        return cls(record.generation_id, record.name, str(path), record, status, source_id)

    @property
    def state(self) -> RunState:
        """State of the generation."""
        return self.status.state

    @property
    def live(self) -> bool:
        """Whether a process works on it."""
        return self.state in LIVE_STATES

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as the command line prints them."""
        return {
            "id": self.generation_id,
            "name": self.name,
            "state": self.state,
            "a": self.record.a.name,
            "b": self.record.b.name,
            "prompts": self.record.prompts,
            "pairs": self.record.pairs,
            "done": dict(self.status.done),
            "total": dict(self.status.total),
            "message": self.status.message,
            "hint": self.status.hint,
            "eta_s": self.status.eta_s,
            "source": self.source_id,
            "folder": self.folder,
        }


@dataclass(frozen=True, slots=True)
class LandedPairs:
    """What a landing came to.

    Attributes:
        source_id, source: of the pairs; 0 and "" where none was kept.
        added: pairs that are new to the workspace. told: what has to be said.
    """

    generation_id: str
    source_id: int
    source: str
    added: int
    report: GenerationReport
    pairs: tuple[GeneratedPair, ...]
    batch: LabelBatch | None = None
    told: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "event": "landed",
            "generation": self.generation_id,
            "source": {"id": self.source_id, "name": self.source} if self.source_id else None,
            "added": self.added,
            "report": self.report.to_plain(self.pairs),
            "batch": self.batch.to_plain() if self.batch is not None else None,
            "told": list(self.told),
        }


def report_lines(report: GenerationReport) -> Sequence[tuple[str, int, str]]:
    """Return the rows of a report: words, count and what was chosen; they add up."""
    rows = [("pairs made", report.made, "")]
    for one in report.reasons:
        more = f"{one.holds:,} in all, kept by choice" if one.choice == "keep" and one.holds else ""
        if one.choice == "leave_out" and one.holds > one.left_out:
            more = f"{one.holds:,} in all, the others counted above"
        rows.append((f"left out: {one.title}", one.left_out, more))
    return [*rows, ("kept", report.kept, "")]
