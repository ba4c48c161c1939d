"""The head of the hash chain, for what is written elsewhere: dataset versions, runs, exports."""

from __future__ import annotations

from sqlmodel import Session

from core.store.chain.sealer import Head
from core.store.plain import fetch


def chain_head(session: Session) -> Head:
    """Return the last entry of the chain in the snapshot of ``session``; entry 0 where there is none."""
    found = fetch(session, "SELECT id, sha256, at_ms FROM chain ORDER BY id DESC LIMIT 1")
    return Head(*found[0]) if found else Head(0, "")
