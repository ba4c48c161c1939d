"""A guardrail: a score, a threshold and an action on top of a policy's answers. It is evaluated like any arm."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from core.domain.evaluation_events import AnswerRow
from core.domain.threshold import Threshold

Score = Callable[[str, str], float]
"""(prompt, answer) -> how much the guardrail objects."""
REFUSAL = "I can't help with that."
"""What stands in place of an answer that is refused."""


@dataclass(frozen=True, slots=True)
class RuleScore:
    """A score of rules: the largest weight among the patterns that occur in prompt or answer; 0 for none.

    Attributes:
        weights: weight by regular expression; case does not matter.
        read: which text is read.
    """

    weights: Mapping[str, float]
    read: Literal["prompt", "answer", "both"] = "both"
    _compiled: tuple[tuple[re.Pattern[str], float], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rules = tuple((re.compile(text, re.IGNORECASE), weight) for text, weight in self.weights.items())
        object.__setattr__(self, "_compiled", rules)

    def __call__(self, prompt: str, answer: str) -> float:
        """Return the score of an answer to a prompt."""
        texts = {"prompt": (prompt,), "answer": (answer,), "both": (prompt, answer)}[self.read]
        found = (weight for rule, weight in self._compiled if any(rule.search(text) for text in texts))
        return max(found, default=0.0)


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
        threshold: with its error rates. score: the detector that it was measured with.
        refusal: what stands in place of a refused answer.
    """

    threshold: Threshold
    score: Score
    refusal: str = REFUSAL

    def guard(self, prompt: str, answer: str) -> Guarded:
        """Return the answer as a user of the guarded policy gets it."""
        score = self.score(prompt, answer)
        acted = score >= self.threshold.value
        refused = acted and self.threshold.action == "refuse"
        return Guarded(self.refusal if refused else answer, score, acted)

    def arm(self, rows: Iterable[AnswerRow], prompts: Mapping[str, str], name: str) -> Iterator[AnswerRow]:
        """Yield the answers of an arm as the arm ``name`` gives them under the guardrail, in their order.

        Args:
            rows: answers of the arm without it; nothing is sampled anew.
            prompts: text of each item's prompt by its id.
            name: of the guarded arm.
        """
        for row in rows:
            guarded = self.guard(prompts[row.item], row.text)
            if guarded.text == row.text:
                yield replace(row, arm=name)
            else:
                tokens = len(guarded.text.split())
                yield replace(row, arm=name, text=guarded.text, tokens=tokens, finished=True, token_ids=())
