"""Views of evaluations: what a list, a line and a page show of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.domain.evaluation_events import AnswerRow
from core.domain.evaluation_record import EvaluationRecord
from core.domain.evidence import Generated
from core.domain.run_record import LIVE_STATES, RunState
from core.runs.evaluations.status import EvaluationStatus
from core.runs.evaluations.words import left_words, work_words

__all__ = ["EvaluationInfo", "EvaluationRecord", "EvaluationStatus", "generated", "left_words", "work_words"]


@dataclass(frozen=True, slots=True)
class EvaluationInfo:
    """One evaluation as a list shows it."""

    evaluation_id: str
    name: str
    folder: str
    record: EvaluationRecord
    status: EvaluationStatus

    @classmethod
    def of(cls, path: Path, record: EvaluationRecord, status: EvaluationStatus) -> EvaluationInfo:
        """Return the view of a folder."""
        return cls(record.evaluation_id, record.name, str(path), record, status)

    @property
    def state(self) -> RunState:
        """State of the evaluation."""
        return self.status.state

    @property
    def live(self) -> bool:
        """Whether a process works on it."""
        return self.status.state in LIVE_STATES

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as the command line prints them."""
        status = self.status
        return {
            "id": self.evaluation_id,
            "name": self.name,
            "state": status.state,
            "run": self.record.run.get("run_id", ""),
            "step": self.record.run.get("step", 0),
            "suites": [suite.title for suite in self.record.suites],
            "arms": [arm.name for arm in self.record.arms],
            "limit": self.record.limit,
            "done": dict(status.done),
            "total": dict(status.total),
            "share": status.share,
            "phase": status.phase,
            "message": status.message,
            "hint": status.hint,
            "elapsed_s": status.elapsed_s,
            "eta_s": status.eta_s,
            "folder": self.folder,
        }


def generated(row: AnswerRow, outcome: Mapping[str, Any]) -> Generated:
    """Return an answer with what the detector and the checks say of it."""
    return Generated(
        row.item, row.text, row.tokens, row.finished, str(outcome.get("refusal", "")), outcome.get("passed")
    )
