"""How many of the answers that a run would learn to prefer are refusals.

A policy that is trained to prefer refusals learns to refuse more, also what it should answer. A run whose charter names
no suite of benign requests would never find out; so it is not started.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from core.domain.charter import BenignSuiteNeeded, Charter
from core.domain.counting import counted
from core.domain.estimate import Estimate
from core.domain.pair import TrainingPair
from core.evaluation.estimates import proportion
from core.evaluation.refusal.matching import says_no

LOOKED_AT = 2000
"""Most answers that are looked at, spread over all; it bounds the time to a fraction of a second."""
SaysNo = Callable[[str], bool]


def refused_share(pairs: Sequence[TrainingPair], detect: SaysNo = says_no) -> Estimate:
    """Return the share of refusals among the chosen answers of the pairs that are trained on.

    Args:
        pairs: of a run; only those of the train split count, and no ties.
        detect: tells whether an answer is a refusal.
    """
    chosen = [pair.chosen for pair in pairs if pair.split == "train" and not pair.is_tie]
    step = max(1, -(-len(chosen) // LOOKED_AT))
    looked_at = chosen[::step]
    return proportion(
        [float(detect(answer)) for answer in looked_at], "share that the rules call refusals; Wilson 95 %"
    )


def refusal_objection(charter: Charter, share: Estimate) -> tuple[str, str] | None:
    """Return why a run must not start and what to add; None where it may.

    Args:
        charter: of the run.
        share: of refusals among its chosen answers, see :func:`refused_share`.
    """
    if charter.benign_suite or not share.n or share.value <= charter.refusal_share:
        return None
    return (
        f"{100 * share.value:.0f} % of {counted(share.n, 'chosen answer')} refuse (limit "
        f"{100 * charter.refusal_share:.0f} %), and the charter names no benign suite: nobody would see whether the "
        "policy learns to refuse what it should answer. Nothing was started.",
        "Name one in the charter (benign_suite: look-alikes), or leave refusals out when you freeze.",
    )


def require_benign_suite(charter: Charter, pairs: Iterable[TrainingPair]) -> None:
    """Raise where a run would train on refusals without measuring over-refusal.

    Raises:
        BenignSuiteNeeded: see :func:`refusal_objection`.
    """
    if charter.benign_suite:
        return
    if objection := refusal_objection(charter, refused_share(list(pairs))):
        raise BenignSuiteNeeded(*objection)
