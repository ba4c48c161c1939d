"""How right a refusal detector is on answers that people labelled, for each policy and over all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import durable
from core.domain.errors import BadInput
from core.domain.estimate import Estimate
from core.domain.evidence import plain
from core.domain.refusal_kind import REFUSAL_KINDS, LabelledAnswer
from core.evaluation.measures.corrected_rate import Audit
from core.evaluation.measures.shares import share_by_prompt
from core.evaluation.refusal.detector import RefusalDetector, RefusalFinding
from core.evaluation.refusal.model import TERMS_FILE
from core.services.refusals.labelled_file import LabelledRows

_AT_ONCE = 500
Progress = Callable[[int, int], None]
"""Called with the answers judged so far, and all."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """The detector on one group of answers.

    Attributes:
        group: its name; "all" for all answers.
        audit: declined in full or in part against complied.
        same_kind: share of answers whose kind, of three, is the one that people gave.
    """

    group: str
    audit: Audit
    same_kind: Estimate

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for ``--json``."""
        return {
            "n": self.audit.n,
            "declined": self.audit.positives,
            "complied": self.audit.negatives,
            "fpr": plain(self.audit.fpr),
            "fnr": plain(self.audit.fnr),
            "same_kind": plain(self.same_kind),
        }


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An answer that detector and people see differently."""

    group: str
    answer: LabelledAnswer
    finding: RefusalFinding


@dataclass(frozen=True, slots=True)
class AuditReport:
    """All groups, "all" last, and the answers that were judged wrongly."""

    rows: tuple[AuditRow, ...]
    wrong: tuple[Disagreement, ...]

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for ``--json``."""
        groups = {row.group: row.to_plain() for row in self.rows[:-1]}
        return {"groups": groups, "all": self.rows[-1].to_plain(), "wrong": len(self.wrong)}


def detector_of(model: Path | None) -> RefusalDetector:
    """Return the detector of a model folder, or the one that comes with the program.

    Raises:
        BadInput: when the folder holds no model.
    """
    if model and not (model / TERMS_FILE).is_file():
        raise BadInput(f"{model} holds no refusal detector.", "Make one with: refusal retrain FILE OUT")
    return RefusalDetector.loaded(model) if model else RefusalDetector.shipped()


def audit(rows: LabelledRows, detector: RefusalDetector, progress: Progress | None = None) -> AuditReport:
    """Return how right ``detector`` is on labelled answers."""
    findings = _judged(detector, [answer.text for answer in rows.answers], progress)
    flagged = np.array([finding.declines for finding in findings])
    truth = np.array([answer.kind != "complied" for answer in rows.answers])
    same = np.array([f.kind == a.kind for f, a in zip(findings, rows.answers, strict=True)])
    groups = np.array(rows.groups, dtype=object)
    names = [name for name in dict.fromkeys(rows.groups) if name]
    taken = [(name, groups == name) for name in names] + [("all", np.ones(len(rows.answers), dtype=bool))]
    table = [AuditRow(name, Audit.of(flagged[of], truth[of]), _same(same[of])) for name, of in taken]
    triples = zip(rows.groups, rows.answers, findings, strict=True)
    wrong = [Disagreement(*one) for one in triples if one[2].declines != (one[1].kind != "complied")]
    return AuditReport(tuple(table), tuple(wrong))


def _same(same: NDArray[np.bool_]) -> Estimate:
    return share_by_prompt(same, what="share of answers that get the kind people gave")


def retrain(rows: LabelledRows, folder: Path) -> dict[str, int]:
    """Train a detector on labelled answers, write its model into a new folder, and return the counts of each kind.

    Raises:
        BadInput: when the folder exists, or a kind is missing among the answers.
    """
    if folder.exists():
        raise BadInput(f"{folder} exists already; nothing was written.", "Name a new folder for the model.")
    model = RefusalDetector.retrained(rows.answers).model
    folder.parent.mkdir(parents=True, exist_ok=True)
    durable.publish_folder(folder, model.save)
    return {kind: sum(answer.kind == kind for answer in rows.answers) for kind in REFUSAL_KINDS}


def _judged(detector: RefusalDetector, texts: Sequence[str], progress: Progress | None) -> list[RefusalFinding]:
    found: list[RefusalFinding] = []
    for begin in range(0, len(texts), _AT_ONCE):
        found += detector.judge_all(texts[begin : begin + _AT_ONCE])
        if progress is not None:
            progress(len(found), len(texts))
    return found
