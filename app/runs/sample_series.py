"""Samples of a run by prompt: what policy and reference answered to it under one seed, at every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.widgets.word_diff import WordDiff
from core.domain.number_text import format_value
from core.domain.run_events import SampleDone
from core.domain.text_length import text_length


@dataclass(frozen=True, slots=True)
class PromptSamples:
    """One prompt under one seed; ``samples`` by step."""

    pair_id: str
    seed: int
    samples: tuple[SampleDone, ...]

    @property
    def title(self) -> str:
        """The prompt in one line, as a list shows it."""
        return " ".join(self.samples[0].prompt.split())

    @property
    def steps(self) -> list[int]:
        """The steps at which it was answered."""
        return [sample.step for sample in self.samples]


def by_prompt(samples: Sequence[SampleDone]) -> list[PromptSamples]:
    """Return the samples by prompt and seed, in the order in which they were first drawn."""
    found: dict[tuple[str, int], dict[int, SampleDone]] = {}
    for sample in samples:
        found.setdefault((sample.pair_id, sample.seed), {})[sample.step] = sample
    return [PromptSamples(*key, tuple(by[step] for step in sorted(by))) for key, by in found.items()]


def facts(sample: SampleDone, diff: WordDiff) -> str:
    """Return what is counted of a sample: lengths, how much differs, and the KL of this one answer."""
    parts = [
        f"policy {text_length(sample.policy)}",
        f"reference {text_length(sample.reference)}",
        _changed(diff),
    ]
    if sample.kl is not None:
        parts.append(f"KL of this answer {format_value(sample.kl)} nats (n 1, no interval)")
    return " · ".join(parts)


def _changed(diff: WordDiff) -> str:
    if not diff.changed:
        return "the same words"
    return f"{100 * diff.changed:.0f} % of the words differ{', too many to mark' if diff.mostly else ''}"


def none_yet(every: int) -> str:
    """Return why there are no samples; ``every`` so many steps new ones are drawn."""
    return f"No samples yet. They are drawn every {every:,} steps and at the end." if every else "No samples are drawn."
