"""Which pairs nobody may use any more because a consent was withdrawn or has ended, and until when that holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from core.domain.consent import Consent
from core.domain.ids import canonical_json
from core.store import consents
from core.store.plain import fetch

_OF_SOURCES = "SELECT DISTINCT l.pair_id FROM json_each(?) j CROSS JOIN pair_source l ON l.source_id=j.value"
_OF_EVENTS = """SELECT DISTINCT s.pair_id FROM json_each(?) j CROSS JOIN feedback_step s ON s.event_id=j.value
    WHERE s.pair_id IS NOT NULL"""
_NEXT_END = """SELECT min(expires_ms) FROM (SELECT expires_ms FROM consent_entry WHERE expires_ms>?
    UNION ALL SELECT expires_ms FROM feedback_event WHERE expires_ms>?)"""
_VERSION = """SELECT (SELECT coalesce(max(id),0) FROM consent_entry), (SELECT coalesce(max(id),0) FROM feedback_step),
    (SELECT coalesce(max(id),0) FROM source)"""


@dataclass(frozen=True, slots=True)
class ConsentMark:
    """Says until when a set of withdrawn pairs holds.

    Attributes:
        version: changes with each statement of consent, decision about feedback and source.
        next_end_ms: when the next consent comes to its end, UTC milliseconds; None for never.
    """

    version: tuple[int, ...] = ()
    next_end_ms: int | None = None

    def holds(self, session: Session, now_ms: int) -> bool:
        """Say whether nothing can have changed: one look at the last rows of three tables."""
        return self.version == _version(session) and (self.next_end_ms is None or now_ms < self.next_end_ms)


def consent_mark(session: Session, now_ms: int) -> ConsentMark:
    """Return the mark of what is read in this transaction."""
    ((next_end,),) = fetch(session, _NEXT_END, (now_ms, now_ms))
    return ConsentMark(_version(session), next_end)


def withdrawn_pairs(session: Session, at_ms: int, of_source: Mapping[int, Consent] | None = None) -> frozenset[int]:
    """Return the pairs whose own consent, or that of one of their sources or feedback events, is withdrawn or ended.

    One withdrawal is enough, whatever others granted.

    Args:
        session: to read in.
        at_ms: UTC milliseconds; consents with an earlier end count as withdrawn.
        of_source: source -> consent, where it was read already.
    """
    of_source = consents.of_sources(session) if of_source is None else of_source
    found = {key for key, one in consents.newest(session, "pair").items() if one.effective(at_ms) == "withdrawn"}
    sources = [key for key, one in of_source.items() if one.effective(at_ms) == "withdrawn"]
    found |= _pairs(session, _OF_SOURCES, sources)
    of_event = consents.of_feedback(session, of_source)
    return frozenset(found | _pairs(session, _OF_EVENTS, [k for k, c in of_event.items() if _ended(c, at_ms)]))


def _ended(consent: Consent, at_ms: int) -> bool:
    return consent.effective(at_ms) == "withdrawn"


def _pairs(session: Session, query: str, keys: list[int]) -> set[int]:
    return {pair_id for (pair_id,) in fetch(session, query, (canonical_json(keys),))} if keys else set()


def _version(session: Session) -> tuple[int, ...]:
    (found,) = fetch(session, _VERSION)
    return tuple(found)
