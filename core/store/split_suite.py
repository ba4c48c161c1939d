"""A split of a frozen dataset version as a suite of preference items, with what is known of each as slices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlmodel import Session

from core.domain.dataset import DatasetVersion, FrozenItem, Split
from core.domain.dataset_view import LENGTHS
from core.domain.suite import Suite, SuiteItem
from core.store.datasets import with_texts
from core.store.plain import fetch, read_json

NO_ANSWER = "no clause answered"
_NAMES = {"train": "train split", "dev": "dev split", "test": "sealed test"}
_STRENGTHS = ((2.5, "much better"), (1.5, "better"), (0.0, "slightly better"))


def split_suite(session: Session, version: DatasetVersion, split: Split) -> Suite | None:
    """Return the items of a split as a suite, named by their pair ids in the order of the version; None when empty.

    The same version gives the same suite at any time: every slice comes from what a freeze made immutable. Slices:
    ``source`` (in which the pair was first found), ``clause`` (that spoke most for the chosen answer), ``agreement`` of
    the labels, ``strength`` of the preference, and ``length`` of the chosen answer in characters.
    """
    sources, clauses = _sources(session, version.id, split), _clauses(session, version.id, split)
    items = []
    for item, pair, strengths in with_texts(session, version.id, [split]):
        chosen, rejected = (pair.a.text, pair.b.text) if item.chosen == "A" else (pair.b.text, pair.a.text)
        slices = {
            "source": sources[item.position],
            "clause": clauses.get(item.position, NO_ANSWER),
            "agreement": _agreement(strengths),
            "strength": _strength(item),
            "length": next(words for least, words in reversed(LENGTHS) if len(chosen) >= least),
        }
        items.append(
            SuiteItem(
                str(item.pair_id),
                pair.prompt,
                "preference",
                slices,
                chosen=chosen,
                rejected=rejected,
                target=item.target,
                is_tie=item.is_tie,
            )
        )
    if not items:
        return None
    return Suite(f"{version.name} {_NAMES[split]}", version.number, tuple(items), "dataset")


def _agreement(strengths: Sequence[int]) -> str:
    if len(strengths) == 1:
        return "one label"
    return "all agree" if len({(value > 0) - (value < 0) for value in strengths}) == 1 else "labels differ"


def _strength(item: FrozenItem) -> str:
    if item.is_tie:
        return "tie"
    return next(words for least, words in _STRENGTHS if abs(item.strength) >= least)


def _sources(session: Session, dataset_id: int, split: str) -> dict[int, str]:
    sql = """SELECT i.position, o.name FROM dataset_item i JOIN pair p ON p.id=i.pair_id
        JOIN source o ON o.id=p.source_id WHERE i.dataset_id=? AND i.split=?"""
    return dict(tuple(row) for row in fetch(session, sql, (dataset_id, split)))


def _clauses(session: Session, dataset_id: int, split: str) -> dict[int, str]:
    """Return position -> the clause with the largest sum of strengths for the chosen answer, where there is one."""
    sql = """SELECT i.position, i.chosen, j.criteria FROM dataset_item i JOIN dataset_item_judgement d
        ON d.dataset_id=i.dataset_id AND d.position=i.position JOIN judgement j ON j.id=d.judgement_id
        WHERE i.dataset_id=? AND i.split=?"""
    sums: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for position, chosen, text in fetch(session, sql, (dataset_id, split)):
        for key, value in read_json(text).items():
            sums[position][key] += -value if chosen == "A" else value
    best = {at: max(sorted(found), key=lambda key: found[key]) for at, found in sums.items() if found}
    return {at: key for at, key in best.items() if sums[at][key] > 0}
