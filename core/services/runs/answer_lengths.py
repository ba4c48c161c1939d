"""How long the answers of several runs are: their samples of one step, prompt by prompt, and the differences.

Two answers are paired where prompt and seed are the same. Samples are few and are cut at a length that all runs share,
so the interval is that of a t distribution over prompts, never narrower than few prompts allow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.estimate import Estimate
from core.domain.run_comparison import Difference
from core.domain.run_events import SampleDone
from core.domain.text_length import text_length
from core.runs.run_reader import RunReader

SampleKey = tuple[str, int]
"""Prompt and seed of a sample."""
_METRIC = "length"


@dataclass(frozen=True, slots=True)
class SampleLengths:
    """The lengths of the policy's answers in the samples of one step.

    Attributes:
        step: of the samples; None where none were drawn.
        lengths: of each answer in ``unit``: words, or characters where a run answers in a script without blanks.
    """

    step: int | None
    unit: str
    lengths: Mapping[SampleKey, float]

    def mean(self) -> Estimate | None:
        """Return the mean length with its interval; None where there are no samples."""
        from core.evaluation.measures.means import mean_by_prompt  # loads scipy, which the window opens without

        prompts = [prompt for prompt, _ in self.lengths]
        return mean_by_prompt(list(self.lengths.values()), prompts, self.unit) if self.lengths else None


def answer_lengths(readers: Sequence[RunReader], step: int | None = None) -> list[SampleLengths]:
    """Return the lengths of each run, all in one unit, from its newest samples at or before a step."""
    drawn = [newest_samples(reader.samples(), step) for reader in readers]
    units = {text_length(sample.policy).unit for samples in drawn for sample in samples}
    unit = "words" if units <= {"words"} else "characters"
    return [
        SampleLengths(
            samples[0].step if samples else None,
            unit,
            {(sample.prompt, sample.seed): _length(sample.policy, unit) for sample in samples},
        )
        for samples in drawn
    ]


def length_difference(before: SampleLengths, after: SampleLengths) -> Difference:
    """Return by how much the answers are longer than the baseline's, to the same prompts where there are any."""
    from core.evaluation.measures.means import difference_of_means, paired_difference  # they load scipy

    if not before.lengths or not after.lengths:
        return Difference(_METRIC, None, why="One of both has no samples.")
    shared = [key for key in before.lengths if key in after.lengths]
    if shared:
        one, two = ([run.lengths[key] for key in shared] for run in (after, before))
        words = "mean difference of samples of one prompt and seed"
        return Difference(_METRIC, paired_difference(one, two, [key[0] for key in shared], after.unit, words), True)
    one, two = (list(run.lengths.values()) for run in (after, before))
    prompts = ([key[0] for key in run.lengths] for run in (after, before))
    return Difference(_METRIC, difference_of_means(one, two, *prompts, unit=after.unit))


def newest_samples(samples: Sequence[SampleDone], step: int | None) -> list[SampleDone]:
    """Return the samples of the newest step at or before ``step``; None takes the newest of all."""
    known = [sample.step for sample in samples if step is None or sample.step <= step]
    return [sample for sample in samples if sample.step == max(known)] if known else []


def _length(text: str, unit: str) -> float:
    return float(text_length(text).count if unit == "words" else sum(map(len, text.split())))
