"""Drawing the slots of a batch from its policy: pure functions, the same seed gives the same slots again."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from core.domain.batch import BatchPolicy, NewSlot, Picked, SlotKind
from core.domain.counting import counted

RETEST_GAP = 10
"""Pairs of a reviewer between a pair and its repetition, where the queue is long enough."""


@dataclass(frozen=True, slots=True)
class Material:
    """What slots are drawn from.

    Attributes:
        ordered: candidate pairs in the order of the batch.
        known_to: reviewer -> pairs that this reviewer has labelled already and is not asked about again.
        gold: reviewer -> pairs whose answer is known and that this reviewer neither decided nor labelled.
        stale: reviewer -> pairs whose label by this reviewer is stale.
        others: for suspects, labelled pairs that the run does not contradict: the random share is drawn of these.
        names: reviewer -> name, for what is told.
    """

    ordered: Sequence[int]
    known_to: Mapping[int, AbstractSet[int]] = field(default_factory=dict)
    gold: Mapping[int, Sequence[int]] = field(default_factory=dict)
    stale: Mapping[int, Sequence[int]] = field(default_factory=dict)
    others: Sequence[int] = ()
    names: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DrawnSlots:
    """The slots in the order of their numbers, and what has to be said of them."""

    slots: tuple[NewSlot, ...]
    told: tuple[str, ...]


def draw(policy: BatchPolicy, material: Material) -> DrawnSlots:
    """Return the slots of a new batch."""
    rng = random.Random(policy.seed)
    told: list[str] = []
    pairs = _suspects(policy, material, rng) if policy.order == "suspects" else _pick(policy, material.ordered, rng)
    loads = dict.fromkeys(_shuffled(policy.reviewers, rng), 0)
    firsts = _firsts(pairs, material, loads, told, again=policy.order == "suspects")
    seconds = _seconds(policy, firsts, material, loads, rng, told)
    lacking: dict[int, str] = {}
    queues = {key: _queue_of(key, policy, firsts, seconds, material, rng, lacking) for key in loads}
    if lacking:
        words = ", ".join(f"{lacking[key]} for {_name(material, key)}" for key in policy.reviewers if key in lacking)
        told.append(f"Fewer gold pairs than wanted: {words}. Gold comes of adjudication.")
    return DrawnSlots(tuple(_numbered(queues)), tuple(told))


def assign(
    pair_id: int, loads: dict[int, int], barred: Iterable[int], known_to: Mapping[int, AbstractSet[int]]
) -> int | None:
    """Return who gets a further answer of a pair: the one with the least to do among those who may; None for nobody."""
    out = set(barred)
    allowed = [key for key in loads if key not in out and pair_id not in known_to.get(key, ())]
    if not allowed:
        return None
    chosen = min(allowed, key=loads.__getitem__)  # the first of equals, in the drawn order of the reviewers
    loads[chosen] += 1
    return chosen


def _shuffled(keys: Sequence[int], rng: random.Random) -> list[int]:
    return rng.sample(list(keys), len(keys))


def _pick(policy: BatchPolicy, ordered: Sequence[int], rng: random.Random) -> list[tuple[int, Picked]]:
    """Return the pairs of the batch: all, or so many; of those that an order picks, a share is random instead."""
    pairs = _shuffled(ordered, rng) if policy.order == "random" else list(ordered)
    if not policy.picks or len(pairs) <= policy.limit:
        return [(pair_id, "random") for pair_id in (pairs[: policy.limit] if policy.limit else pairs)]
    apart = set(rng.sample(pairs, round(policy.limit * policy.random_share)))
    ruled = [pair_id for pair_id in pairs if pair_id not in apart][: policy.limit - len(apart)]
    picked: list[tuple[int, Picked]] = [(pair_id, "rule") for pair_id in ruled]
    for pair_id in sorted(apart):
        picked.insert(rng.randint(0, len(picked)), (pair_id, "random"))
    return picked


def _suspects(policy: BatchPolicy, material: Material, rng: random.Random) -> list[tuple[int, Picked]]:
    """Return the suspects, most suspicious first, with a random share of pairs that are none at random places."""
    apart = min(round((policy.limit or len(material.ordered)) * policy.random_share), len(material.others))
    ruled = material.ordered[: policy.limit - apart] if policy.limit else material.ordered
    picked: list[tuple[int, Picked]] = [(pair_id, "rule") for pair_id in ruled]
    for pair_id in sorted(rng.sample(list(material.others), apart)) if picked else ():
        picked.insert(rng.randint(0, len(picked)), (pair_id, "random"))
    return picked


def _firsts(
    pairs: Sequence[tuple[int, Picked]], material: Material, loads: dict[int, int], told: list[str], *, again: bool
) -> list[NewSlot]:
    """Return a slot for each pair; with ``again`` a pair that all have labelled is shown to one of them once more."""
    found, nobody = [], 0
    for pair_id, picked in pairs:
        reviewer, kind = assign(pair_id, loads, (), material.known_to), SlotKind.FIRST
        if reviewer is None:
            nobody += 1
            reviewer, kind = assign(pair_id, loads, (), {}) if again else None, SlotKind.RETEST
        if reviewer is not None:
            found.append(NewSlot(pair_id, kind, picked, reviewer))
    if nobody and again:
        told.append(f"{counted(nobody, 'pair')} judged again by one who labelled them: nobody else of the batch can.")
    elif nobody:
        told.append(f"{counted(nobody, 'pair')} left out: every reviewer of the batch has labelled them.")
    return found


def _seconds(
    policy: BatchPolicy,
    firsts: Sequence[NewSlot],
    material: Material,
    loads: dict[int, int],
    rng: random.Random,
    told: list[str],
) -> list[NewSlot]:
    fair = [one for one in firsts if one.picked == "random"]
    wanted = round(len(fair) * policy.second_share)
    if policy.second_share and len(policy.reviewers) < 2:
        told.append("One reviewer: no pair gets a second label, so agreement cannot be measured.")
        return []
    found = []
    for first in rng.sample(fair, wanted):
        reviewer = assign(first.pair_id, loads, (first.reviewer_id or 0,), material.known_to)
        if reviewer is not None:
            found.append(NewSlot(first.pair_id, SlotKind.SECOND, "random", reviewer))
    if len(found) < wanted:
        told.append(f"{counted(wanted, 'second label')} wanted, {len(found):,} found a second reviewer.")
    return found


def _queue_of(
    reviewer: int,
    policy: BatchPolicy,
    firsts: Sequence[NewSlot],
    seconds: Sequence[NewSlot],
    material: Material,
    rng: random.Random,
    lacking: dict[int, str],
) -> list[NewSlot]:
    """Return the slots of one reviewer in order; ``after`` is a place in this list."""
    own = [one for one in firsts if one.reviewer_id == reviewer]
    extra = [one for one in seconds if one.reviewer_id == reviewer]
    asked = len(own) + len(extra)
    here = {one.pair_id for one in (*own, *extra)}
    extra += _golds(reviewer, round(asked * policy.gold_share), here, material, rng, lacking)
    if policy.relabel:
        stale = [pair_id for pair_id in material.stale.get(reviewer, ()) if pair_id not in here]
        extra += [NewSlot(pair_id, SlotKind.RELABEL, "rule", reviewer) for pair_id in stale]
    for one in extra:
        own.insert(rng.randint(0, len(own)), one)
    return _with_retests(own, round(asked * policy.retest_share), rng)


def _golds(
    reviewer: int,
    wanted: int,
    here: AbstractSet[int],
    material: Material,
    rng: random.Random,
    lacking: dict[int, str],
) -> list[NewSlot]:
    pool = [pair_id for pair_id in material.gold.get(reviewer, ()) if pair_id not in here]
    if len(pool) < wanted:
        lacking[reviewer] = f"{len(pool):,} of {wanted:,}"
    chosen = rng.sample(pool, min(wanted, len(pool)))
    return [NewSlot(pair_id, SlotKind.GOLD, "random", reviewer) for pair_id in chosen]


def _name(material: Material, reviewer: int) -> str:
    return material.names.get(reviewer, f"reviewer {reviewer}")


def _with_retests(own: list[NewSlot], wanted: int, rng: random.Random) -> list[NewSlot]:
    """Return a reviewer's slots with repetitions behind their first showings; every second one has sides swapped."""
    places = [place for place, one in enumerate(own) if one.kind in (SlotKind.FIRST, SlotKind.SECOND)]
    chosen = sorted(rng.sample(places, min(wanted, len(places))))
    swapped = [n % 2 == 0 for n in range(len(chosen))]
    rng.shuffle(swapped)
    behind: dict[int, list[tuple[int, bool]]] = {}
    for place, swap in zip(chosen, swapped, strict=True):
        earliest = min(place + RETEST_GAP, len(own) - 1)
        behind.setdefault(rng.randint(earliest, len(own) - 1), []).append((place, swap))
    found: list[NewSlot] = []
    moved: dict[int, int] = {}
    for place, one in enumerate(own):
        moved[place] = len(found)
        found.append(one)
        for source, swap in behind.get(place, ()):
            first = own[source]
            found.append(replace(first, kind=SlotKind.RETEST, picked="random", swapped=swap, after=moved[source]))
    return found


def _numbered(queues: Mapping[int, list[NewSlot]]) -> list[NewSlot]:
    """Return the queues one slot each in turn, with ``after`` as a place in the whole list."""
    found: list[NewSlot] = []
    moved: dict[tuple[int, int], int] = {}
    for place in range(max(map(len, queues.values()), default=0)):
        for reviewer, own in queues.items():
            if place < len(own):
                one = own[place]
                moved[reviewer, place] = len(found)
                found.append(one if one.after is None else replace(one, after=moved[reviewer, one.after]))
    return found
