"""Schema 4: the tallies of an import's batch are counted at its end, not row by row.

``batch_range`` names the new rows of the batch that the open transaction stores; the triggers that keep derived tables
leave these rows out, and the writer counts them with a few statements before it takes the range away
(``core.store.import_tallies``). Between two transactions the table is empty: its row refers to one that cannot exist,
so that a COMMIT with the row in place is refused. A connection without foreign keys could leave it; then it stands for
these ids alone, *Check workspace* tells of it, and counts every tally anew.

The triggers are those of schema 1 with a condition. The guards of schema 1 have none.
"""

from __future__ import annotations

from core.store.migrations.ddl_0001_tallies import TALLIES

_TABLE = """CREATE TABLE batch_range(
        id INTEGER PRIMARY KEY CHECK(id=1),
        prompt_from INTEGER NOT NULL,
        prompt_to INTEGER NOT NULL,
        pair_from INTEGER NOT NULL,
        pair_to INTEGER NOT NULL,
        judgement_from INTEGER NOT NULL,
        judgement_to INTEGER NOT NULL,
        never INTEGER NOT NULL DEFAULT 0 CHECK(never=0) REFERENCES batch_range(id)
            DEFERRABLE INITIALLY DEFERRED) STRICT"""
_COUNTED_AT_THE_END = {
    "prompt_count": ("prompt", "id"),
    "pair_count": ("pair", "id"),
    "pair_source_count": ("pair", "pair_id"),
    "judgement_current": ("judgement", "id"),
    "current_label_added": ("judgement", "judgement_id"),
}
"""Trigger -> the range that it leaves out, and the column of its rows that is compared with it."""


def _name(trigger: str) -> str:
    return trigger.split()[2]


def _unless_in_range(trigger: str, kind: str, column: str) -> str:
    when = f"WHEN NOT EXISTS(SELECT 1 FROM batch_range WHERE NEW.{column} BETWEEN {kind}_from AND {kind}_to) BEGIN"
    return trigger.replace(" BEGIN", f"\n      {when}", 1)


BATCH: tuple[str, ...] = (
    _TABLE,
    *(f"DROP TRIGGER {name}" for name in _COUNTED_AT_THE_END),
    *(
        _unless_in_range(trigger, *_COUNTED_AT_THE_END[name])
        for trigger in TALLIES
        if (name := _name(trigger)) in _COUNTED_AT_THE_END
    ),
)
