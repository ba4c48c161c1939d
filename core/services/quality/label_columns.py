"""Labels as columns of numbers: what agreement and figures are computed from, also for half a million labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from core.domain.judgement import Verdict
from core.store.plain import read_json
from core.store.quality_labels import QualityLabel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CANNOT, NEITHER, TIE, PREFER = range(4)
_CODES = {Verdict.CANNOT_JUDGE.value: CANNOT, Verdict.NEITHER.value: NEITHER, Verdict.TIE.value: TIE,
          Verdict.PREFER.value: PREFER}  # fmt: skip
FIRST, SAME, SECOND, INVALID = range(4)
"""Sides of a verdict: A, neither better, B, neither valid."""
UNSAID = -1
"""Stands for a strength or an answer that was not given."""


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """Current labels, oldest first, one number a label in each column.

    Attributes:
        verdict: ``CANNOT``, ``NEITHER``, ``TIE`` or ``PREFER``.
        strength: signed, 0 where no side is named.
        first_left: whether answer A stood at the left. imported: came with a file. amended: replaced an earlier label.
        active_ms: time that the window counted, NaN where unknown. chosen: verdicts chosen before, -1 where unknown.
        answers: place in ``answer_texts`` of the JSON of its criteria.
    """

    judgement: Ints
    pair: Ints
    prompt: Ints
    source: Ints
    reviewer: Ints
    rubric: Ints
    version: Ints
    verdict: Ints
    strength: Ints
    first_left: Bools
    imported: Bools
    amended: Bools
    active_ms: Floats
    chosen: Ints
    at_ms: Ints
    answers: Ints
    answer_texts: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many labels there are."""
        return int(self.judgement.size)

    def only(self, mask: NDArray[np.bool_] | Ints) -> LabelColumns:
        """Return the labels at these places."""
        return replace(self, **{name: getattr(self, name)[mask] for name in _ARRAYS})

    def followed_by(self, later: LabelColumns) -> LabelColumns:
        """Return these labels and later ones, which were made with the ``answer_texts`` of these."""
        return replace(later, **{name: np.concatenate([getattr(self, name), getattr(later, name)]) for name in _ARRAYS})

    def among(self, judgements: Sequence[int]) -> LabelColumns:
        """Return the labels that are these judgements."""
        return self.only(np.isin(self.judgement, _whole(judgements)))

    def without(self, judgements: Sequence[int]) -> LabelColumns:
        """Return the labels that are none of these judgements."""
        return self.only(~np.isin(self.judgement, _whole(judgements))) if judgements else self

    @property
    def decided(self) -> Ints:
        """Places of the labels that name a side."""
        return np.flatnonzero(self.strength != 0)

    @property
    def chose_left(self) -> Bools:
        """Whether the answer at the left was chosen; means something only where a side is named."""
        return (self.strength < 0) == self.first_left

    def answers_of(self) -> dict[str, tuple[Ints, Ints]]:
        """Return criterion -> places of the labels that answer it, and their strengths."""
        parsed = [read_json(text) for text in self.answer_texts]
        found = {}
        for name in dict.fromkeys(name for answers in parsed for name in answers):
            table = np.array([answers.get(name, _NOT_ASKED) for answers in parsed], dtype=np.int64)
            given = table[self.answers]
            places = np.flatnonzero(given != _NOT_ASKED)
            if places.size:
                found[name] = (places, given[places])
        return found


_ARRAYS = tuple(one.name for one in fields(LabelColumns) if one.name != "answer_texts")
_NOT_ASKED = -9


def columns_of(labels: Sequence[QualityLabel], texts: tuple[str, ...] = ()) -> LabelColumns:
    """Return labels as columns.

    Args:
        labels: oldest first.
        texts: the ``answer_texts`` of earlier labels, so that both can be joined.
    """
    (judgement, pair, prompt, source, reviewer, rubric, version, task, verdict, strength, criteria, left, op, active,
     chosen, at) = zip(*labels, strict=True) if labels else ((),) * len(QualityLabel._fields)  # fmt: skip
    known = {text: place for place, text in enumerate(texts)}
    answers = _whole([known.setdefault(text, len(known)) for text in criteria])
    return LabelColumns(
        judgement=_whole(judgement),
        pair=_whole(pair),
        prompt=_whole(prompt),
        source=_whole(source),
        reviewer=_whole(reviewer),
        rubric=_whole(rubric),
        version=_whole(version),
        verdict=_whole([_CODES[one] for one in verdict]),
        strength=_whole([one or 0 for one in strength]),
        first_left=np.array([one == "A" for one in left], dtype=bool),
        imported=np.array([one == "imported" for one in task], dtype=bool),
        amended=np.array([one == "amend" for one in op], dtype=bool),
        active_ms=np.array([np.nan if one is None else one for one in active], dtype=np.float64),
        chosen=_whole([UNSAID if one is None else one for one in chosen]),
        at_ms=_whole(at),
        answers=answers,
        answer_texts=tuple(known),
    )


@dataclass(frozen=True, slots=True)
class Verdicts:
    """One verdict for each reviewer and item, oldest first.

    Attributes:
        item: a number for a pair under a rubric: labels under two rubrics answer two questions.
        side: ``FIRST``, ``SAME``, ``SECOND`` or ``INVALID``.
        strength: signed; means nothing where ``INVALID``.
        place: of its label in the columns.
    """

    item: Ints
    reviewer: Ints
    side: Ints
    strength: Ints
    place: Ints

    @property
    def size(self) -> int:
        """How many verdicts there are."""
        return int(self.item.size)

    def only(self, mask: NDArray[np.bool_] | Ints) -> Verdicts:
        """Return the verdicts at these places."""
        return Verdicts(*(getattr(self, one.name)[mask] for one in fields(self)))


def verdicts_of(labels: LabelColumns) -> Verdicts:
    """Return the verdict of the newest label of each reviewer and item; a newest "cannot judge" leaves it out."""
    places = newest(labels)
    places = places[labels.verdict[places] != CANNOT]
    strength = labels.strength[places]
    side = np.where(labels.verdict[places] == NEITHER, INVALID, side_of(strength))
    return Verdicts(item_numbers(labels)[places], labels.reviewer[places], side, strength, places)


def answered_verdicts(labels: LabelColumns) -> dict[str, Verdicts]:
    """Return criterion -> the newest answer to it of each reviewer and item, by name of the criterion."""
    items = item_numbers(labels)
    found = {}
    for name, (answering, strengths) in sorted(labels.answers_of().items()):
        last = newest(labels.only(answering))
        places, strength = answering[last], strengths[last]
        found[name] = Verdicts(items[places], labels.reviewer[places], side_of(strength), strength, places)
    return found


def item_numbers(labels: LabelColumns) -> Ints:
    """Return (n,) the number of each label's pair under its rubric."""
    return labels.pair * (int(labels.rubric.max(initial=0)) + 1) + labels.rubric


def newest(labels: LabelColumns) -> Ints:
    """Return the place of the newest label of each reviewer and item, oldest first."""
    item = item_numbers(labels)
    order = np.lexsort((labels.reviewer, item))
    if not order.size:
        return order
    of_item, of_reviewer = item[order], labels.reviewer[order]
    ends = np.append((of_item[1:] != of_item[:-1]) | (of_reviewer[1:] != of_reviewer[:-1]), True)
    return np.sort(order[ends])


def side_of(strength: Ints) -> Ints:
    """Return the side that a signed strength names."""
    return np.where(strength < 0, FIRST, np.where(strength > 0, SECOND, SAME))


def _whole(values: Sequence[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64, count=len(values))
