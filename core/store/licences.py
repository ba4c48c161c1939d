"""Licences: those that sources came with, and those under which reviewers let their labels be passed on.

A statement about a reviewer is an entry of the event log, which the hash chain covers; the newest one counts.
"""

from __future__ import annotations

from sqlmodel import Session

from core.domain.licence import checked_licence, shown_licence
from core.store import events, reviewers
from core.store.plain import fetch
from core.store.sqlite.write_context import WriteContext

STATE = "reviewer.licence"
_NEWEST = """SELECT e.subject_id, json_extract(e.detail,'$.licence') FROM event_log e
    WHERE e.id IN(SELECT max(id) FROM event_log WHERE op=? GROUP BY subject_id)"""


def of_sources(session: Session) -> dict[int, str]:
    """Return source id -> licence, of the sources that have one."""
    return {key: text for key, text in fetch(session, "SELECT id, licence FROM source") if text}


def of_reviewers(session: Session) -> dict[int, str]:
    """Return reviewer id -> licence of the labels, of the reviewers for whom one is stated."""
    return {key: text for key, text in fetch(session, _NEWEST, (STATE,)) if text}


def named(session: Session) -> list[str]:
    """Return the licences of sources and of people's labels, by name; one of them is empty where somebody has none."""
    found = {text for (text,) in fetch(session, "SELECT DISTINCT licence FROM source")}
    stated = of_reviewers(session)
    people = fetch(session, "SELECT id FROM reviewer WHERE kind='human'")
    return sorted({*found, *stated.values(), *(stated.get(key, "") for (key,) in people)}, key=str.casefold)


def state(session: Session, reviewer_id: int, licence: str, by: int | None, reason: str, context: WriteContext) -> bool:
    """Log under which licence a reviewer's labels are given, empty for none; False when that was stated already.

    Raises:
        NotFound: there is no such reviewer.
        BadInput: the licence is too long, or holds characters that cannot be seen.
    """
    one, text = reviewers.get(session, reviewer_id), checked_licence(licence)
    before = of_reviewers(session).get(reviewer_id, "")
    if text == before:
        return False
    events.log(
        session, context, STATE, f"Licence of the labels of {one.name}: {shown_licence(text)}", reviewer_id=by,
        subject="reviewer", subject_id=reviewer_id, detail={"licence": text, "before": before, "reason": reason},
    )  # fmt: skip
    return True
