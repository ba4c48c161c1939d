"""Where pairs that may become items of a suite stand: their source, and whether a split holds their prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from core.domain.ids import canonical_json
from core.store.plain import fetch


@dataclass(frozen=True, slots=True)
class PairPlace:
    """Where a pair stands.

    Attributes:
        source: name of its source.
        in_test: a sealed test split of any dataset version holds its prompt, or a near copy of it.
        in_train: the same of a train split.
    """

    source: str
    in_test: bool
    in_train: bool


def places_of(session: Session, pair_ids: Sequence[int]) -> dict[int, PairPlace]:
    """Return the place of each pair; a near copy is a prompt with the same words."""
    query = """SELECT DISTINCT k.words FROM dataset_item i JOIN dataset d ON d.id=i.dataset_id
        JOIN pair p ON p.id=i.pair_id JOIN prompt_key k ON k.prompt_id=p.prompt_id
        WHERE d.state='frozen' AND i.split=?"""
    test, train = ({words for (words,) in fetch(session, query, (split,))} for split in ("test", "train"))
    rows = fetch(
        session,
        """SELECT p.id, o.name, k.words FROM json_each(?) j CROSS JOIN pair p ON p.id=j.value
        CROSS JOIN source o ON o.id=p.source_id CROSS JOIN prompt_key k ON k.prompt_id=p.prompt_id""",
        (canonical_json(list(pair_ids)),),
    )
    return {key: PairPlace(source, words in test, words in train) for key, source, words in rows}
