"""*Check workspace* on what desks sent back: their own chains are verified anew, and compared with what was merged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

from core.domain.errors import UserError
from core.store.chain import verify
from core.store.desks.replay import replay, union

_DESKS = """SELECT u.id, w.name, b.name FROM bundle u JOIN batch b ON b.id=u.batch_id
    JOIN reviewer w ON w.id=u.reviewer_id WHERE EXISTS(SELECT 1 FROM bundle_merge m WHERE m.bundle_id=u.id)
    ORDER BY u.id"""
_SAID = """SELECT uid, kind, verdict, strength, reason, confidence, flags, criteria, rationale, edit, spans, at_ms
    FROM judgement"""


def problems(c: sqlite3.Connection) -> Iterator[str]:
    """Yield a sentence for each thing that is not as a desk sent it."""
    for key, reviewer, batch in c.execute(_DESKS).fetchall():
        query = "SELECT body FROM bundle_merge WHERE bundle_id=? ORDER BY chain_entry"
        bodies = [json.loads(body) for (body,) in c.execute(query, (key,))]
        try:
            with closing(replay(union(bodies))) as desk:
                wrong = [*verify.problems(desk), *_differing(c, desk)]
        except UserError as error:
            wrong = [error.message]
        except (AttributeError, KeyError, TypeError, ValueError):
            wrong = ["what was kept of it cannot be read."]
        yield from (f"What the desk of {reviewer} sent back in {batch}: {one}" for one in wrong)


def _differing(c: sqlite3.Connection, desk: sqlite3.Connection) -> Iterator[str]:
    """Compare the judgements that were merged with those of the desk; rows outside the bundle were not merged."""
    for sent in desk.execute(_SAID):
        here = c.execute(f"{_SAID} WHERE uid=?", (sent[0],)).fetchone()
        if here is not None and here != sent:
            yield f"Judgement {sent[0]} is not what the desk sent."
