"""Which answers of an evaluation people label: drawn at random in each stratum, the same for the same seed.

Small strata are drawn more often than large ones (in proportion to the square root of their sizes), because refusals of
harmless requests are rare and the detector is judged by both of its verdicts. The sizes of the strata are the weights.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from core.domain.audit import AnswerPlace, AuditDraw, DrawnAnswer, DrawnStratum
from core.domain.ids import sha256_text

SHARED = 15
"""Answers of each arm that every reviewer labels, so that their agreement is known."""
_LEAST = 5
"""Answers of a stratum that are drawn at least, where it has so many."""


def draw_sample(
    evaluation: str, population: Sequence[DrawnAnswer], before: Sequence[AuditDraw], *, per_arm: int, seed: int
) -> AuditDraw:
    """Return a sample that brings what is drawn of each arm up to ``per_arm`` answers.

    Args:
        evaluation: its id.
        population: every answer that the detector judged; their keys and marks are not read.
        before: earlier samples of the evaluation.
        per_arm: answers of each arm, over all samples.
        seed: of the random order.
    """
    number = len(before) + 1
    taken = {answer.place for draw in before for answer in draw.answers}
    rng = random.Random(f"{seed} {number}")
    strata: dict[DrawnStratum, list[DrawnAnswer]] = {}
    for arm in dict.fromkeys(answer.arm for answer in population):
        strata |= _strata([answer for answer in population if answer.arm == arm])
    chosen: list[DrawnAnswer] = []
    for arm in dict.fromkeys(stratum.arm for stratum in strata):
        own = {stratum: answers for stratum, answers in strata.items() if stratum.arm == arm}
        chosen += _of_arm(own, taken, per_arm, rng)
    rng.shuffle(chosen)
    return AuditDraw(evaluation, number, seed, per_arm, tuple(strata), tuple(_marked(chosen, before, seed)))


def shares(weights: Sequence[float], room: Sequence[int], total: int) -> list[int]:
    """Return whole numbers that sum up to ``total`` in proportion to weights, none above its room.

    >>> shares([1, 1, 1], [100, 2, 100], 50)
    [24, 2, 24]
    """
    found = [0] * len(room)
    left = min(total, sum(room))
    while left > 0:
        free = [weight if found[at] < room[at] else 0.0 for at, weight in enumerate(weights)]
        wanted = [left * weight / math.fsum(free) for weight in free]
        steps = [min(int(want), room[at] - found[at]) for at, want in enumerate(wanted)]
        if not any(steps):
            steps[max(range(len(free)), key=lambda at: (wanted[at], -at))] = 1
        found = [have + step for have, step in zip(found, steps, strict=True)]
        left -= sum(steps)
    return found


def _strata(population: Sequence[DrawnAnswer]) -> dict[DrawnStratum, list[DrawnAnswer]]:
    found: dict[tuple, list[DrawnAnswer]] = {}
    for answer in population:
        found.setdefault((answer.arm, answer.suite, answer.expected, answer.verdict), []).append(answer)
    return {DrawnStratum(*key, size=len(own)): own for key, own in sorted(found.items())}


def _of_arm(
    strata: Mapping[DrawnStratum, Sequence[DrawnAnswer]],
    taken: AbstractSet[AnswerPlace],
    per_arm: int,
    rng: random.Random,
) -> list[DrawnAnswer]:
    """Return new answers of one arm: as many of each suite and kind of request, then by verdict."""
    cells: dict[tuple[str, str], list[DrawnStratum]] = {}
    for stratum in strata:
        cells.setdefault((stratum.suite, stratum.expected), []).append(stratum)
    sizes = [sum(stratum.size for stratum in own) for own in cells.values()]
    chosen: list[DrawnAnswer] = []
    for own, wanted in zip(cells.values(), shares([1.0] * len(cells), sizes, per_arm), strict=True):
        for stratum, count in zip(own, _by_verdict(own, wanted), strict=True):
            drawn = [answer for answer in strata[stratum] if answer.place in taken]
            rest = sorted(
                (answer for answer in strata[stratum] if answer.place not in taken), key=lambda answer: answer.item
            )
            chosen += rng.sample(rest, max(0, min(count - len(drawn), len(rest))))
    return chosen


def _by_verdict(strata: Sequence[DrawnStratum], total: int) -> list[int]:
    least = [min(_LEAST, stratum.size) for stratum in strata]
    if sum(least) >= total:
        return shares([1.0] * len(strata), least, total)
    room = [stratum.size - floor for stratum, floor in zip(strata, least, strict=True)]
    more = shares([math.sqrt(stratum.size) for stratum in strata], room, total - sum(least))
    return [floor + one for floor, one in zip(least, more, strict=True)]


def _marked(chosen: Sequence[DrawnAnswer], before: Sequence[AuditDraw], seed: int) -> list[DrawnAnswer]:
    """Give each answer a key that tells nothing, and mark those that every reviewer labels."""
    shared: dict[str, int] = {}
    for answer in (answer for draw in before for answer in draw.answers):
        shared[answer.arm] = shared.get(answer.arm, 0) + answer.shared
    found = []
    for answer in chosen:
        is_shared = shared.setdefault(answer.arm, 0) < SHARED
        shared[answer.arm] += is_shared
        key = sha256_text("\n".join((str(seed), *answer.place)))[:12]
        found.append(
            DrawnAnswer(
                key, answer.arm, answer.suite, answer.item, answer.expected, answer.verdict, answer.sha256, is_shared
            )
        )
    return found
