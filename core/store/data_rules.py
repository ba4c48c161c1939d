"""What approved changesets, consent and attacks say of pairs: read in the snapshot of a freeze."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlmodel import Session

from core.domain.changeset import DataRules
from core.domain.clock import now_ms
from core.domain.consent import Consent
from core.store import consents, votes, withdrawn
from core.store.plain import fetch

_ENTRIES = """SELECT e.op, e.pair_id, e.new_pair_id FROM changeset_entry e JOIN changeset c ON c.id=e.changeset_id
    WHERE c.state='approved' AND c.id<>? ORDER BY c.approved_ms, c.id, e.id"""
_MADE_OF = """SELECT DISTINCT s.pair_id, s.event_id, e.kind='attack' FROM feedback_step s
    JOIN feedback_event e ON e.id=s.event_id WHERE s.pair_id IS NOT NULL ORDER BY s.pair_id, s.event_id"""
_FROM_FEEDBACK = """SELECT l.pair_id FROM pair_source l JOIN source o ON o.id=l.source_id
    GROUP BY l.pair_id HAVING min(o.kind='feedback')=1"""


def data_rules(session: Session, at_ms: int, of_source: dict[int, Consent]) -> DataRules:
    """Return the rules as they hold at a time (UTC milliseconds).

    Args:
        session: of the snapshot.
        at_ms: consents with an earlier end count as withdrawn.
        of_source: source -> consent.
    """
    if not fetch(session, "SELECT 1 FROM source WHERE kind='feedback' LIMIT 1"):
        from_feedback = frozenset[int]()
    else:
        from_feedback = frozenset(key for (key,) in fetch(session, _FROM_FEEDBACK))
    events, attacks = _of_events(session, at_ms, of_source)
    people = consents.newest(session, "reviewer").items()
    admitted, removed = changes(session)
    taken = fetch(session, "SELECT id, name FROM changeset WHERE state='approved' ORDER BY approved_ms, id")
    return DataRules(
        from_feedback=from_feedback,
        admitted=admitted,
        removed=removed,
        attacks=attacks,
        voted=votes.sources_of_pairs(session),
        withdrawn=withdrawn.withdrawn_pairs(session, at_ms, of_source),
        events=events,
        reviewers=frozenset(key for key, one in people if one.effective(at_ms) == "withdrawn"),
        taken=dict(map(tuple, taken)),
    )


def rules_now(session: Session) -> DataRules:
    """Return the rules as they hold at this moment."""
    return data_rules(session, now_ms(), consents.of_sources(session))


def changes(session: Session, without: int = 0) -> tuple[frozenset[int], frozenset[int]]:
    """Return the pairs that approved changesets admit and remove, one changeset left out."""
    return DataRules().changed_by(fetch(session, _ENTRIES, (without,)))


def made_of(session: Session) -> dict[int, list[int]]:
    """Return pair -> the feedback events whose texts it has, also where the decision that made it was taken back."""
    found: dict[int, list[int]] = defaultdict(list)
    for pair_id, event_id, _ in fetch(session, _MADE_OF):
        found[pair_id].append(event_id)
    return dict(found)


def attack_pairs(session: Session) -> frozenset[int]:
    """Return the pairs that were made of an attack."""
    return frozenset(pair_id for pair_id, _, attack in fetch(session, _MADE_OF) if attack)


def snapshot_version(session: Session, at_ms: int) -> tuple[Any, ...]:
    """Return a value that changes whenever later rules could differ."""
    (highest,) = fetch(
        session,
        """SELECT (SELECT max(id) FROM feedback_step), (SELECT max(approved_ms) FROM changeset),
            (SELECT count(*) FROM changeset WHERE state='approved'), (SELECT max(id) FROM vote_item)""",
    )
    return (*highest, consents.snapshot_version(session, at_ms))


def _of_events(
    session: Session, at_ms: int, of_source: dict[int, Consent]
) -> tuple[dict[int, tuple[str, ...]], frozenset[int]]:
    made = fetch(session, _MADE_OF)
    if not made:
        return {}, frozenset()
    of_event = consents.of_feedback(session, of_source)
    words: dict[int, list[str]] = defaultdict(list)
    for pair_id, event_id, _ in made:
        words[pair_id].append(of_event[event_id].effective(at_ms))
    return {key: tuple(found) for key, found in words.items()}, frozenset(key for key, _, attack in made if attack)
