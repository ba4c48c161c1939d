"""The texts of pairs as a stream, for comparing all of a workspace without holding it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlmodel import Session

from core.domain.conversation import Prompt
from core.domain.dataset import Split
from core.store.plain import fetch, read_json

_PART = 500


class StoredTexts(NamedTuple):
    """The texts of one pair; ``same`` is the key of its prompt (``core.domain.text_form.PromptKeys``)."""

    pair_id: int
    prompt: Prompt
    a: str
    b: str
    same: int


def of_split(session: Session, dataset_id: int, split: Split) -> Iterator[StoredTexts]:
    """Yield the pairs of a split by ascending id."""
    yield from _parts(
        session,
        """EXISTS(SELECT 1 FROM dataset_item i WHERE i.pair_id=p.id AND i.dataset_id=? AND i.split=?)""",
        (dataset_id, split),
    )


def outside(session: Session, dataset_id: int) -> Iterator[StoredTexts]:
    """Yield the pairs of the workspace that are no items of a dataset version, by ascending id.

    Pairs that were made for votes are left out: no freeze takes them.
    """
    yield from _parts(
        session,
        """NOT EXISTS(SELECT 1 FROM dataset_item i WHERE i.pair_id=p.id AND i.dataset_id=?)
        AND NOT EXISTS(SELECT 1 FROM vote_item v WHERE v.pair_id=p.id)""",
        (dataset_id,),
    )


def _parts(session: Session, condition: str, values: tuple[object, ...]) -> Iterator[StoredTexts]:
    sql = f"""SELECT p.id, q.body, p.a_text, p.b_text, coalesce(k.same,-q.id) FROM pair p
        JOIN prompt q ON q.id=p.prompt_id LEFT JOIN prompt_key k ON k.prompt_id=q.id
        WHERE p.id>? AND {condition} ORDER BY p.id LIMIT {_PART}"""
    after = 0
    while rows := fetch(session, sql, (after, *values)):
        after = rows[-1][0]
        for pair_id, body, a, b, same in rows:
            yield StoredTexts(pair_id, Prompt.from_plain(read_json(body)), a, b, same)
