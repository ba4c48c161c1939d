"""Statements of consent: appended, never changed; the newest of a subject counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from core.domain.consent import SUBJECTS, Consent
from core.domain.errors import BadInput, NotFound
from core.domain.ids import canonical_json, new_uid
from core.store import events, licences
from core.store.plain import fetch, insert_row
from core.store.sqlite.write_context import WriteContext
from core.store.tables import ConsentEntryRow, SourceRow

_NEWEST = """SELECT e.subject_id, e.consent, e.scope, e.expires_ms, e.given_ms FROM consent_entry e
    WHERE e.subject=? AND e.id=(SELECT max(n.id) FROM consent_entry n
        WHERE n.subject=e.subject AND n.subject_id=e.subject_id)"""
_NAMES = {
    "source": "SELECT name FROM source WHERE id=?",
    "reviewer": "SELECT name FROM reviewer WHERE id=?",
    "feedback": "SELECT 'event ' || id FROM feedback_event WHERE id=?",
    "pair": "SELECT 'pair ' || id FROM pair WHERE id=?",
}


@dataclass(frozen=True, slots=True)
class StatedConsent:
    """The consent of one subject, as it was last stated.

    Attributes:
        subject: source, reviewer, feedback or pair; ``name`` is what people call it.
        effective: granted, unknown, withdrawn or "other use": as it counts for training now.
        licence: under which a source came or a reviewer's labels are given; empty where none is stated.
    """

    subject: str
    subject_id: int
    name: str
    consent: Consent
    effective: str
    licence: str = ""


def name_of(session: Session, subject: str, subject_id: int) -> str:
    """Return what people call a subject.

    Raises:
        BadInput: for an unknown kind of subject.
        NotFound: when there is no such subject.
    """
    if subject not in SUBJECTS:
        raise BadInput(f"Consent is not kept of a {subject!r}.", f"Use one of {', '.join(SUBJECTS)}.")
    found = fetch(session, _NAMES[subject], (subject_id,)) if 0 < subject_id < 1 << 63 else []
    if not found:
        raise NotFound(f"There is no {subject} {subject_id}.", "`consent list` and `feedback list` show what there is.")
    return str(found[0][0])


def state(
    session: Session,
    subject: str,
    subject_id: int,
    consent: Consent,
    context: WriteContext,
    *,
    by: int | None = None,
    reason: str = "",
) -> str:
    """Append a statement, log it and return the subject's name; a source's own column follows.

    Raises:
        BadInput: for an unknown kind of subject.
        NotFound: when there is no such subject.
    """
    name = name_of(session, subject, subject_id)
    insert_row(
        session,
        ConsentEntryRow,
        uid=new_uid(),
        subject=subject,
        subject_id=subject_id,
        consent=consent.word,
        scope=consent.scope,
        expires_ms=consent.expires_ms,
        given_ms=consent.given_ms,
        reviewer_id=by,
        reason=reason,
        at_ms=context.at_ms,
        session=context.session,
    )
    if subject == "source":
        row = session.get(SourceRow, subject_id)
        assert row is not None
        row.consent = consent.word
        session.add(row)
        session.flush()
    detail = {**consent.to_plain(), "reason": reason, "kind": subject}
    summary = f"Consent for {name}: {consent.word}"
    events.log(
        session,
        context,
        "source.consent" if subject == "source" else "consent.state",
        summary,
        reviewer_id=by,
        subject=subject,
        subject_id=subject_id,
        detail=detail,
    )
    return name


def newest(session: Session, subject: str) -> dict[int, Consent]:
    """Return subject id -> consent as last stated, of one kind of subject."""
    return {key: Consent(*rest) for key, *rest in fetch(session, _NEWEST, (subject,))}


def of_sources(session: Session) -> dict[int, Consent]:
    """Return source id -> consent. What the source's own column says decides; scope and end come with its statement."""
    stated = newest(session, "source")
    found = {}
    for key, word in fetch(session, "SELECT id, consent FROM source"):
        known = stated.get(key)
        found[key] = known if known is not None and known.word == word else Consent(word)
    return found


def of_feedback(
    session: Session, source_words: Mapping[int, Consent], event_ids: Sequence[int] | None = None
) -> dict[int, Consent]:
    """Return event id -> consent, of all events or some: as last stated, else as it came, else that of its source."""
    stated = newest(session, "feedback")
    query, values = "SELECT e.id, e.source_id, e.consent, e.scope, e.expires_ms FROM feedback_event e", ()
    if event_ids is not None:
        query = query.replace("FROM", "FROM json_each(?) j CROSS JOIN") + " ON e.id=j.value"
        values = (canonical_json(list(event_ids)),)
    return {
        key: _of_event(stated.get(key) or Consent(word, scope, expires), source_words[source])
        for key, source, word, scope, expires in fetch(session, query, values)
    }


def _of_event(own: Consent, of_source: Consent) -> Consent:
    """A source's withdrawal holds for its events; what an event leaves open, its source may say."""
    return of_source if own.word == "unknown" or of_source.word == "withdrawn" else own


def listed(session: Session, now_ms: int) -> list[StatedConsent]:
    """Return the consent of every source and person, and of events and pairs of which one was stated."""
    found = [(("source", key), consent) for key, consent in of_sources(session).items()]
    people = [key for (key,) in fetch(session, "SELECT id FROM reviewer WHERE kind='human' ORDER BY name")]
    stated = newest(session, "reviewer")
    found += [(("reviewer", key), Consent()) for key in people if key not in stated]
    for subject in ("reviewer", "feedback", "pair"):
        found += [((subject, key), consent) for key, consent in newest(session, subject).items()]
    came = "SELECT id, consent, scope, expires_ms FROM feedback_event WHERE consent<>'unknown'"
    known = {key for key, _ in found}
    found += [
        (("feedback", key), Consent(*rest)) for key, *rest in fetch(session, came) if ("feedback", key) not in known
    ]
    under = {"source": licences.of_sources(session), "reviewer": licences.of_reviewers(session)}
    return [
        StatedConsent(
            *(subject, key, name_of(session, subject, key), consent, consent.effective(now_ms)),
            licence=under.get(subject, {}).get(key, ""),
        )
        for (subject, key), consent in found
    ]


def snapshot_version(session: Session, now_ms: int) -> str:
    """Return a text that changes whenever a statement is added or a consent comes to its end."""
    query = """SELECT (SELECT coalesce(max(id),0) FROM consent_entry),
        (SELECT count(*) FROM consent_entry WHERE expires_ms<=?),
        (SELECT count(*) FROM feedback_event WHERE expires_ms<=?)"""
    return canonical_json([list(row) for row in fetch(session, query, (now_ms, now_ms))])
