"""Pairs that were made in talks with the policy of a run: their source, and the presentation that was voted on."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.generation import GENERATED
from core.domain.ids import canonical_json, new_uid
from core.domain.judgement import Task
from core.domain.names import cleaned_name
from core.domain.pair import Side
from core.store.import_rows import NewPair, NewRow, Target
from core.store.imports import add_batch
from core.store.judgements import Presentation
from core.store.plain import fetch, insert_row
from core.store.sqlite.database import Session
from core.store.sqlite.write_context import WriteContext
from core.store.tables import SourceRow

QUEUE = "talk"
"""Stands in presentations in the place of a queue."""


def add(session: Session, name: str, runs: Sequence[str], pair: NewPair, context: WriteContext) -> int:
    """Store a pair under the source of this name, which is made when it is not there; return the pair's id.

    The source is one of generated pairs, of the runs that are talked to; it has no folder of a generation.

    A pair that the workspace holds stays as it is and is noted in this source too.
    """
    target = _source(session, name, runs, context)
    query = "SELECT coalesce(max(row), 0) FROM pair_source WHERE source_id=?"
    ((last,),) = fetch(session, query, (target.source_id,))
    add_batch(session, target, [NewRow(int(last) + 1, (pair,))], context)
    ((key,),) = fetch(session, "SELECT id FROM pair WHERE sha256=?", (pair.sha256,))
    return int(key)


def _source(session: Session, name: str, runs: Sequence[str], context: WriteContext) -> Target:
    base = cleaned_name(name, "talks")
    free, number = base, 1
    note = canonical_json({"runs": sorted(runs)})
    while found := fetch(session, "SELECT id, format, note, file_sha256 FROM source WHERE name=?", (free,)):
        ((key, *kept),) = found
        if kept == [GENERATED, note, None]:
            return Target(int(key), free, "", "", GENERATED)
        number += 1
        free = f"{base} ({number})"
    key = insert_row(
        session, SourceRow, uid=new_uid(), name=free, kind="generator", consent="unknown", format=GENERATED,
        note=note, created_ms=context.at_ms,
    )  # fmt: skip
    return Target(key, free, "", "", GENERATED)


def shown(pair_id: int, reviewer_id: int, rubric_version_id: int, left_is: Side) -> Presentation:
    """Return the presentation of a pair to the person who talked, with the side that was drawn."""
    return Presentation(new_uid(), pair_id, reviewer_id, rubric_version_id, Task.LABEL, left_is, QUEUE)
