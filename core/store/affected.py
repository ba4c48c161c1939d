"""Which pairs, labels and dataset versions hold what a subject of consent gave."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from core.domain.ids import canonical_json
from core.store import consents
from core.store.plain import fetch

_PAIRS = {
    "source": """SELECT pair_id FROM pair_source WHERE source_id=? UNION SELECT s.pair_id FROM feedback_step s
        JOIN feedback_event e ON e.id=s.event_id WHERE e.source_id=? AND s.pair_id IS NOT NULL""",
    "reviewer": "SELECT DISTINCT pair_id FROM current_label WHERE reviewer_id=? AND reviewer_id=?",
    "feedback": "SELECT DISTINCT pair_id FROM feedback_step WHERE event_id=? AND event_id=? AND pair_id IS NOT NULL",
    "pair": "SELECT id FROM pair WHERE id=? AND id=?",
}
_EVENTS = {
    "source": "SELECT id FROM feedback_event WHERE source_id=? ORDER BY id",
    "feedback": "SELECT id FROM feedback_event WHERE id=?",
    "pair": "SELECT DISTINCT event_id FROM feedback_step WHERE pair_id=? ORDER BY 1",
}
_BY_PAIR = """SELECT d.id, d.name || ' v' || d.number, d.root_sha256, i.split, i.pair_id FROM json_each(?) j
    CROSS JOIN dataset_item i ON i.pair_id=j.value JOIN dataset d ON d.id=i.dataset_id WHERE d.state='frozen'
    ORDER BY d.id, i.pair_id"""
_BY_REVIEWER = """SELECT DISTINCT d.id, d.name || ' v' || d.number, d.root_sha256, i.split, i.pair_id FROM judgement g
    JOIN dataset_item_judgement l ON l.judgement_id=g.id JOIN dataset d ON d.id=l.dataset_id
    JOIN dataset_item i ON i.dataset_id=l.dataset_id AND i.position=l.position
    WHERE g.reviewer_id=? AND d.state='frozen' ORDER BY d.id, i.pair_id"""


_LABELS_HELD = """SELECT d.id, d.name || ' v' || d.number, d.created_ms, d.root_sha256,
        (SELECT count(*) FROM dataset_item_judgement l JOIN judgement g ON g.id=l.judgement_id
            WHERE l.dataset_id=d.id AND g.reviewer_id=?)
    FROM dataset d WHERE d.state='frozen' ORDER BY d.id"""
_ITEMS_HELD = """SELECT d.id, d.name || ' v' || d.number, d.created_ms, d.root_sha256,
        (SELECT count(*) FROM json_each(?) j CROSS JOIN dataset_item i ON i.pair_id=j.value WHERE i.dataset_id=d.id)
    FROM dataset d WHERE d.state='frozen' ORDER BY d.id"""
_WITHDRAWN = """SELECT consent, at_ms, expires_ms FROM consent_entry WHERE subject=? AND subject_id=?
    ORDER BY id DESC LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Touched:
    """The pairs, labels and events that a subject of consent gave."""

    subject: str
    subject_id: int
    name: str
    pair_ids: tuple[int, ...]
    labels: int
    event_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AffectedVersion:
    """A dataset version with affected items: how many in each split, and which pairs."""

    id: int
    title: str
    root_sha256: str
    train: int
    dev: int
    test: int
    pair_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HoldingVersion:
    """A frozen dataset version with how many labels or items of a subject it has; 0 for none."""

    id: int
    title: str
    frozen_ms: int
    root_sha256: str
    held: int


def touched(session: Session, subject: str, subject_id: int) -> Touched:
    """Return what a subject gave.

    Raises:
        BadInput, NotFound: when there is no such subject.
    """
    name = consents.name_of(session, subject, subject_id)
    pairs = sorted(key for (key,) in fetch(session, _PAIRS[subject], (subject_id, subject_id)))
    events = fetch(session, _EVENTS[subject], (subject_id,)) if subject in _EVENTS else []
    labels = 0
    if subject == "reviewer":
        labels = fetch(session, "SELECT count(*) FROM current_label WHERE reviewer_id=?", (subject_id,))[0][0]
    return Touched(subject, subject_id, name, tuple(pairs), labels, tuple(key for (key,) in events))


def versions(session: Session, found: Touched) -> tuple[AffectedVersion, ...]:
    """Return the frozen versions with an item that holds what was given, oldest first."""
    if found.subject == "reviewer":
        rows = fetch(session, _BY_REVIEWER, (found.subject_id,))
    else:
        rows = fetch(session, _BY_PAIR, (canonical_json(list(found.pair_ids)),))
    by_version: dict[tuple[int, str, str], list[tuple[str, int]]] = {}
    for key, title, root, split, pair_id in rows:
        by_version.setdefault((key, title, root), []).append((split, pair_id))
    return tuple(
        AffectedVersion(
            *version,
            *(sum(split == wanted for split, _ in items) for wanted in ("train", "dev", "test")),
            pair_ids=tuple(pair_id for _, pair_id in items),
        )
        for version, items in by_version.items()
    )


def holding(session: Session, found: Touched) -> tuple[HoldingVersion, ...]:
    """Return every frozen version with how much of a subject it has, oldest first."""
    if found.subject == "reviewer":
        rows = fetch(session, _LABELS_HELD, (found.subject_id,))
    else:
        rows = fetch(session, _ITEMS_HELD, (canonical_json(list(found.pair_ids)),))
    return tuple(HoldingVersion(*row) for row in rows)


def withdrawn_ms(session: Session, subject: str, subject_id: int, now_ms: int) -> int | None:
    """Return since when a consent counts as withdrawn by its newest statement, or None; an end to come is none."""
    for word, at_ms, expires_ms in fetch(session, _WITHDRAWN, (subject, subject_id)):
        if word == "withdrawn":
            return int(at_ms)
        if expires_ms is not None and expires_ms <= now_ms:
            return int(expires_ms)
    return None
