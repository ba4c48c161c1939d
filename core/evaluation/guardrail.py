"""A guardrail: a detector, a threshold and an action on top of a policy's answers. It is evaluated like any arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from core.domain.evaluation_events import AnswerRow
from core.domain.threshold import Threshold
from core.evaluation.guard_scores import AnswerDetector, scorer_of

REFUSAL = "I can't help with that."
"""What stands in place of an answer that is refused."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """An answer after the guardrail: its text, the score, and whether the guardrail acted."""

    text: str
    score: float
    acted: bool


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A threshold at work.

    Attributes:
        threshold: with its error rates. detector: that it was measured with.
        refusal: what stands in place of a refused answer.
    """

    threshold: Threshold
    detector: AnswerDetector
    refusal: str = REFUSAL

    @classmethod
    def of(cls, threshold: Threshold) -> Self:
        """Return the guardrail of a stored threshold.

        Raises:
            BadInput: when its detector is not stored with it.
        """
        return cls(threshold, scorer_of(threshold.scoring))

    def guard(self, cases: Sequence[tuple[str, str]]) -> list[Guarded]:
        """Return the answers as a user of the guarded policy gets them.

        Args:
            cases: prompt and answer of each.
        """
        found = []
        for (_, answer), score in zip(cases, self.detector.scores(cases), strict=True):
            acted = score >= self.threshold.value
            refused = acted and self.threshold.action == "refuse"
            found.append(Guarded(self.refusal if refused else answer, score, acted))
        return found

    def arm(self, rows: Sequence[AnswerRow], prompts: Mapping[str, str], name: str) -> list[AnswerRow]:
        """Return the answers of an arm as the arm ``name`` gives them under the guardrail, in their order.

        Args:
            rows: answers of the arm without it; nothing is sampled anew.
            prompts: text of each item's prompt by its id.
            name: of the guarded arm.
        """
        found = []
        guarded = self.guard([(prompts[row.item], row.text) for row in rows])
        for row, one in zip(rows, guarded, strict=True):
            if one.text == row.text:
                found.append(replace(row, arm=name))
            else:
                tokens = len(one.text.split())
                found.append(replace(row, arm=name, text=one.text, tokens=tokens, finished=True, token_ids=()))
        return found
