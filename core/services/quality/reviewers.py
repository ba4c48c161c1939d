"""Figures of each reviewer: pace, gold, retests, sides, strengths, what pulls the choice, drift and skill."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from core.domain.estimate import Estimate
from core.domain.judgement import Reviewer, ReviewerKind
from core.domain.quality import ReviewerQuality
from core.domain.text_length import text_length
from core.evaluation.measures.dawid_skene import skills
from core.evaluation.measures.pull import median_of, pull_of, trend_of
from core.evaluation.measures.shares import share_by_prompt
from core.evaluation.measures.side_bias import side_bias
from core.services.quality.label_columns import CANNOT, INVALID, NEITHER, TIE, Ints, LabelColumns, Verdicts
from core.store.retest_pairs import SecondAnswer

PULL_LABELS = 2000
"""Newest labels of a reviewer whose answers are read for length and format."""
SHOWN = 500
"""Pairs that a number opens at most, the newest."""
FASTEST = {"words": 600, "characters": 1000}
"""A minute; nobody reads faster and understands what is read. Source: K. Rayner et al., Psychological Science in the
Public Interest 17 (2016) 4. Only both answers are counted, so that the hint errs on the side of the reviewer."""
_SIDES = 3


def reviewer_figures(
    people: Sequence[Reviewer],
    labels: LabelColumns,
    verdicts: Verdicts,
    anchors: Sequence[SecondAnswer],
    repeats: Sequence[SecondAnswer],
    texts: Mapping[int, tuple[str, str]],
) -> tuple[ReviewerQuality, ...]:
    """Return the figures of everybody with a label, a gold answer or a retest, in the order of ``people``.

    Args:
        people: all reviewers.
        labels: those that count, oldest first.
        verdicts: the same, one a reviewer and item.
        anchors: gold answers, oldest first.
        repeats: retests, oldest first.
        texts: pair -> answers, of the pairs in :func:`texts_wanted`.
    """
    skill = _skills(verdicts)
    found = []
    for person in people:
        own = labels.only(labels.reviewer == person.id)
        own_anchors = [one for one in anchors if one.reviewer_id == person.id]
        own_repeats = [one for one in repeats if one.reviewer_id == person.id]
        if own.size or own_anchors or own_repeats:
            figures = _Figures(person, own)
            figures.measure(texts)
            figures.check(own_anchors, own_repeats)
            if person.id in skill:
                figures.measures["skill"] = skill[person.id]
            found.append(figures.result(labels.size))
    return tuple(found)


def texts_wanted(people: Sequence[Reviewer], labels: LabelColumns) -> list[int]:
    """Return the pairs whose answers are needed: the newest labels of each person that name a side."""
    decided = labels.only(labels.decided)
    wanted: set[int] = set()
    for person in people:
        if person.kind is ReviewerKind.HUMAN:
            wanted.update(decided.pair[decided.reviewer == person.id][-PULL_LABELS:].tolist())
    return sorted(wanted)


class _Figures:
    """The figures of one reviewer, as they are found."""

    def __init__(self, person: Reviewer, labels: LabelColumns) -> None:
        self._person, self._labels = person, labels
        self.measures: dict[str, Estimate] = {}
        self._pairs: dict[str, tuple[int, ...]] = {}

    def measure(self, texts: Mapping[int, tuple[str, str]]) -> None:
        """Measure what the labels themselves show."""
        labels, kind = self._labels, self._person.kind
        judged = labels.only(labels.verdict != CANNOT)
        self._add("ties", judged.verdict == TIE, judged.pair, "ties")
        sided = labels.only(labels.decided)
        if kind is not ReviewerKind.IMPORTED:  # files rarely hold strengths; those are then made up
            self._add("strong", np.abs(sided.strength) == 3, sided.pair, "strength 3")
        if kind is ReviewerKind.HUMAN:
            self._add("amended", labels.amended, labels.pair, "amended labels")
            told = labels.only(labels.chosen >= 0)
            self._add("changed", told.chosen > 1, told.pair, "labels whose verdict was changed before it was stored")
            if (timed := labels.active_ms[labels.active_ms >= 0]).size:
                self.measures["seconds"] = median_of((timed / 1000).tolist(), "s")
            self._add_texts(sided.only(np.arange(sided.size)[-PULL_LABELS:]), texts)
        if (drawn := sided.only(~sided.imported)).size:
            left = drawn.chose_left
            self.measures["left"] = side_bias(left).left
            self._pairs["left"] = _last(drawn.pair[left])

    def check(self, anchors: Sequence[SecondAnswer], repeats: Sequence[SecondAnswer]) -> None:
        """Measure what gold items and retests show."""
        right = np.array([sign(one.strength) == sign(one.first) for one in anchors], dtype=bool)
        self._add("gold", right, [one.pair_id for one in anchors], "gold items answered right", misses=True)
        if right.size >= 3:
            self.measures["drift"] = trend_of(right.tolist())
        for key, swapped in (("retest_same", 0), ("retest_swapped", 1)):
            own = [one for one in repeats if one.swapped == swapped]
            alike = [sign(one.strength) == sign(one.first) for one in own]
            self._add(key, alike, [one.pair_id for one in own], "retests that name the same side", misses=True)

    def result(self, total: int) -> ReviewerQuality:
        """Return all of it; ``total`` is how many labels everybody has."""
        labels, person = self._labels, self._person
        strengths = {str(n): int((np.abs(labels.strength) == n).sum()) for n in (1, 2, 3)}
        strengths |= {
            name: int((labels.verdict == code).sum())
            for name, code in (("cannot_judge", CANNOT), ("neither", NEITHER), ("tie", TIE))
        }
        used = {name: n for name, n in strengths.items() if n}
        share = labels.size / total if total else math.nan
        return ReviewerQuality(
            person.id, person.name, person.kind.value, labels.size, share, used, self.measures, self._pairs
        )

    def _add(self, key: str, hits: ArrayLike, pairs: ArrayLike, what: str, *, misses: bool = False) -> None:
        """Add a share with the pairs that make it: the hits, or the misses."""
        hit = np.asarray(hits, dtype=bool)
        if hit.size:
            self.measures[key] = share_by_prompt(hit, None, what)
            self._pairs[key] = _last(np.asarray(pairs)[hit != misses])

    def _add_texts(self, sided: LabelColumns, texts: Mapping[int, tuple[str, str]]) -> None:
        """Add what needs the answers: pulls of length and format, and labels faster than the answers can be read."""
        known = sided.only(np.array([pair in texts for pair in sided.pair.tolist()], dtype=bool))
        if not known.size:
            return
        answers = [texts[pair] for pair in known.pair.tolist()]
        chose_b, groups = known.strength > 0, known.prompt.tolist()
        longer, marked = [len(b) - len(a) for a, b in answers], [_marks(b) - _marks(a) for a, b in answers]
        self.measures["length"] = pull_of(longer, chose_b, groups, "longer answer")
        self.measures["format"] = pull_of(marked, chose_b, groups, "more formatted answer")
        least_ms = np.array([_reading_ms(a) + _reading_ms(b) for a, b in answers])
        timed = known.active_ms >= 0
        what = f"labels faster than {FASTEST['words']} words a minute of both answers"
        self._add("fast", known.active_ms[timed] < least_ms[timed], known.pair[timed], what)


def _reading_ms(text: str) -> float:
    length = text_length(text)
    return 60_000 * length.count / FASTEST[length.unit]


def _last(pairs: Ints) -> tuple[int, ...]:
    """Return the newest pairs first, at most ``SHOWN``."""
    return tuple(pairs[-SHOWN:][::-1].tolist())


def _marks(text: str) -> int:
    """Return how many lines of an answer begin as a head, an item of a list or a table, plus bold passages."""
    lines = sum(line.lstrip().startswith(("#", "- ", "* ", "+ ", "|")) or _numbered(line) for line in text.splitlines())
    return lines + text.count("**") // 2


def _numbered(line: str) -> bool:
    head = line.lstrip().partition(".")[0]
    return 0 < len(head) <= 3 and head.isdigit()


def _skills(verdicts: Verdicts) -> dict[int, Estimate]:
    """Return reviewer -> skill, from verdicts that name a side or a tie."""
    used = verdicts.only(verdicts.side != INVALID)
    people, person = np.unique(used.reviewer, return_inverse=True)
    return dict(zip(people.tolist(), skills(used.item, person, used.side, _SIDES), strict=True))


def sign(strength: int | None) -> int:
    """Return which side a strength names: -1, 0 or 1; None names none."""
    value = strength or 0
    return (value > 0) - (value < 0)
