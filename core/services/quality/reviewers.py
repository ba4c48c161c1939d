"""Figures of each reviewer: pace, gold, retests, sides, strengths, what pulls the choice, drift and skill."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from core.domain.estimate import Estimate
from core.domain.judgement import Reviewer, ReviewerKind
from core.domain.quality import ReviewerQuality
from core.evaluation.measures.dawid_skene import skills
from core.evaluation.measures.pull import median_of, pull_of, trend_of
from core.evaluation.measures.shares import share_by_prompt
from core.evaluation.measures.side_bias import side_bias
from core.services.quality.agreement_by_group import ItemVerdict
from core.store.quality_labels import QualityLabel
from core.store.retest_pairs import SecondAnswer

PULL_LABELS = 2000
"""Newest labels of a reviewer whose answers are read for length and format."""
_SHOWN = 500
_SIDES = 3


def reviewer_figures(
    people: Sequence[Reviewer],
    labels: Sequence[QualityLabel],
    verdicts: Sequence[ItemVerdict],
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
    of: dict[int, list[QualityLabel]] = defaultdict(list)
    for label in labels:
        of[label.reviewer_id].append(label)
    skill = _skills(verdicts)
    found = []
    for person in people:
        own_anchors = [one for one in anchors if one.reviewer_id == person.id]
        own_repeats = [one for one in repeats if one.reviewer_id == person.id]
        if person.id in of or own_anchors or own_repeats:
            made = _figures(person, of[person.id], own_anchors, own_repeats, texts, len(labels))
            if person.id in skill:
                made.measures["skill"] = skill[person.id]
            found.append(made)
    return tuple(found)


def texts_wanted(people: Sequence[Reviewer], labels: Sequence[QualityLabel]) -> list[int]:
    """Return the pairs whose answers are needed: the newest labels of each person that name a side."""
    wanted: set[int] = set()
    for person in people:
        if person.kind is ReviewerKind.HUMAN:
            own = [one.pair_id for one in labels if one.reviewer_id == person.id and one.strength]
            wanted.update(own[-PULL_LABELS:])
    return sorted(wanted)


def _figures(
    person: Reviewer,
    labels: Sequence[QualityLabel],
    anchors: Sequence[SecondAnswer],
    repeats: Sequence[SecondAnswer],
    texts: Mapping[int, tuple[str, str]],
    total: int,
) -> ReviewerQuality:
    measures: dict[str, Estimate] = {}
    pairs: dict[str, tuple[int, ...]] = {}
    judged = [one for one in labels if one.verdict != "cannot_judge"]
    _add(measures, pairs, "ties", [(one.verdict == "tie", one.pair_id) for one in judged], "ties")
    sided = [one for one in labels if one.strength]
    if person.kind is not ReviewerKind.IMPORTED:  # files rarely hold strengths; those are then made up
        _add(measures, pairs, "strong", [(abs(one.strength or 0) == 3, one.pair_id) for one in sided], "strength 3")
    if person.kind is ReviewerKind.HUMAN:
        _add(measures, pairs, "amended", [(one.op == "amend", one.pair_id) for one in labels], "amended labels")
        seconds = [one.active_ms / 1000 for one in labels if one.active_ms is not None and one.active_ms >= 0]
        if seconds:
            measures["seconds"] = median_of(seconds, "s")
        _add_pulls(measures, sided, texts)
    if sided and any(one.task != "imported" for one in sided):
        drawn = [one for one in sided if one.task != "imported"]
        left = [("A" if (one.strength or 0) < 0 else "B") == one.left_is for one in drawn]
        measures["left"] = side_bias(left).left
        pairs["left"] = tuple(one.pair_id for one, hit in zip(drawn, left, strict=True) if hit)[-_SHOWN:][::-1]
    right = [(_sign(one.strength) == _sign(one.first), one.pair_id) for one in anchors]
    _add(measures, pairs, "gold", right, "gold items answered right", misses=True)
    if len(right) >= 3:
        measures["drift"] = trend_of([hit for hit, _ in right])
    for key, swapped in (("retest_same", 0), ("retest_swapped", 1)):
        alike = [(_sign(one.strength) == _sign(one.first), one.pair_id) for one in repeats if one.swapped == swapped]
        _add(measures, pairs, key, alike, "retests that name the same side", misses=True)
    strengths = Counter(str(abs(one.strength)) if one.strength else one.verdict for one in labels)
    share = len(labels) / total if total else math.nan
    return ReviewerQuality(
        person.id, person.name, person.kind.value, len(labels), share, dict(sorted(strengths.items())), measures, pairs
    )


def _add(
    measures: dict[str, Estimate],
    pairs: dict[str, tuple[int, ...]],
    key: str,
    hits: Sequence[tuple[bool, int]],
    what: str,
    *,
    misses: bool = False,
) -> None:
    """Add a share with the pairs that make it: the hits, or the misses."""
    if hits:
        measures[key] = share_by_prompt([hit for hit, _ in hits], None, what)
        pairs[key] = tuple(pair for hit, pair in hits if hit != misses)[-_SHOWN:][::-1]


def _add_pulls(
    measures: dict[str, Estimate], sided: Sequence[QualityLabel], texts: Mapping[int, tuple[str, str]]
) -> None:
    known = [one for one in sided[-PULL_LABELS:] if one.pair_id in texts]
    if not known:
        return
    answers = [texts[one.pair_id] for one in known]
    chose_b = [(one.strength or 0) > 0 for one in known]
    groups = [one.prompt_id for one in known]
    measures["length"] = pull_of([len(b) - len(a) for a, b in answers], chose_b, groups, "longer answer")
    measures["format"] = pull_of([_marks(b) - _marks(a) for a, b in answers], chose_b, groups, "more formatted answer")


def _marks(text: str) -> int:
    """Return how many lines of an answer begin as a head, an item of a list or a table, plus bold passages."""
    lines = sum(line.lstrip().startswith(("#", "- ", "* ", "+ ", "|")) or _numbered(line) for line in text.splitlines())
    return lines + text.count("**") // 2


def _numbered(line: str) -> bool:
    head = line.lstrip().partition(".")[0]
    return 0 < len(head) <= 3 and head.isdigit()


def _skills(verdicts: Sequence[ItemVerdict]) -> dict[int, Estimate]:
    """Return reviewer -> skill, from verdicts that name a side or a tie."""
    used = [one for one in verdicts if one[2] < _SIDES]
    people = {who: n for n, who in enumerate(sorted({one[1] for one in used}))}
    items = {item: n for n, item in enumerate(dict.fromkeys(one[0] for one in used))}
    item = np.array([items[one[0]] for one in used], dtype=np.int64)
    person = np.array([people[one[1]] for one in used], dtype=np.int64)
    side = np.array([one[2] for one in used], dtype=np.int64)
    return dict(zip(people, skills(item, person, side, _SIDES), strict=True))


def _sign(strength: int | None) -> int:
    value = strength or 0
    return (value > 0) - (value < 0)
