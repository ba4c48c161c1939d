"""How far people agree on the held-out pairs of a run: the accuracy that no policy can be expected to pass."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from core.domain.estimate import Estimate
from core.domain.judgement import Judgement, ReviewerKind, Task, Verdict

FROM_FILE = "How far people agree is not known: this run was made from a file of pairs, not from labels."
NO_SECOND = (
    "How far people agree is not known: no held-out pair has two labels of people. Overlap, retests or a second "
    "reviewer give them."
)
_LEFT_OUT = (Task.GOLD, Task.ADJUDICATE)
"""Gold pairs were chosen for being clear, and decisions are made of the pairs that people disagree on."""


@dataclass(frozen=True, slots=True)
class PeopleCeiling:
    """The expected agreement with one label of one person, over held-out pairs with two labels or more.

    ``estimate`` is None where nothing is known, and ``why`` says it.
    """

    estimate: Estimate | None
    why: str = ""


def people_ceiling(judgements: Mapping[int, Sequence[Judgement]], prompts: Mapping[int, Hashable]) -> PeopleCeiling:
    """Return the ceiling from every judgement of the held-out pairs.

    Labels of people that count now are read, their second answers to the same pair among them; a label that was
    replaced or taken back, and one that names neither a side nor a tie, is not.

    Args:
        judgements: by pair.
        prompts: what each pair asks; pairs with the same prompt are drawn together.
    """
    from core.evaluation.measures.preference import human_ceiling  # loads scipy, which the window opens without

    ids = sorted(judgements)
    counts = [_counts(judgements[pair_id]) for pair_id in ids]
    if not any(sum(given) >= 2 for given in counts):
        return PeopleCeiling(None, NO_SECOND)
    return PeopleCeiling(human_ceiling(counts, [prompts.get(pair_id, pair_id) for pair_id in ids]))


def _counts(judgements: Sequence[Judgement]) -> list[int]:
    """Return how many labels name A, a tie and B."""
    counts = [0, 0, 0]
    for one in judgements:
        draft = one.draft
        counted = one.current and one.kind == "label" and one.reviewer.kind is ReviewerKind.HUMAN
        if draft is None or not counted or one.task in _LEFT_OUT:
            continue
        if draft.verdict is Verdict.TIE:
            counts[1] += 1
        elif draft.strength is not None:
            counts[0 if draft.strength < 0 else 2] += 1
    return counts
