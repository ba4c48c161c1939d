"""Reading what is kept of an unfinished answer; the program itself gets it with the pair."""

from __future__ import annotations

import json
from typing import Any

from core.store import drafts
from core.store.sqlite.database import Store


def stored_draft(store: Store, presentation_uid: str) -> dict[str, Any] | None:
    """Return the draft of a presentation, or None."""
    with store.read() as session:
        found = drafts.load_many(session, [presentation_uid])
    return json.loads(found[presentation_uid]) if found else None
