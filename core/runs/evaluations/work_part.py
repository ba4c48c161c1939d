"""One part of the work of an evaluation or a generation. It knows no suite and no sealed test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.domain.evaluation_record import Arm
from core.domain.suite import SuiteItem

Kind = Literal["scores", "answers", "kl_answers"]
"""Names of the events that hold the work."""


@dataclass(frozen=True, slots=True)
class WorkPart:
    """Items of a suite that one arm scores, answers, or samples an answer to for the KL."""

    kind: Kind
    suite: str
    arm: Arm
    items: tuple[SuiteItem, ...]
