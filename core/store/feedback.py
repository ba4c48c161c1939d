"""Feedback events and what was decided about them: rows are added and never change."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from core.domain.consent import Consent
from core.domain.counting import counted
from core.domain.errors import NotFound
from core.domain.feedback import (
    KINDS,
    Decision,
    DecisionOp,
    FeedbackContent,
    FeedbackCounts,
    FeedbackEvent,
    FeedbackFilter,
)
from core.domain.ids import canonical_json, new_uid
from core.domain.names import cleaned_name
from core.store import consents, events
from core.store.import_rows import NewPair, NewRow, Target
from core.store.imports import add_batch
from core.store.plain import fetch, insert_row, read_json
from core.store.sqlite.bulk_insert import insert_many
from core.store.sqlite.write_context import WriteContext
from core.store.tables import FeedbackStepRow, SourceRow

TYPED_IN = "Typed in"
"""The source of events that were typed and not imported."""
FORMAT = "feedback"
_LAST = """LEFT JOIN feedback_step s ON s.id=(SELECT max(n.id) FROM feedback_step n WHERE n.event_id=e.id)
    LEFT JOIN reviewer w ON w.id=s.reviewer_id"""
_SELECT = f"""SELECT e.id, e.kind, e.sha256, e.source_id, o.name, e.line, e.at_ms, e.body, s.id, s.op, w.name, s.reason,
      s.at_ms, s.pair_id, s.target FROM feedback_event e JOIN source o ON o.id=e.source_id {_LAST}"""
_STATES = {
    "": "1",
    "open": "(s.id IS NULL OR s.op='undo')",
    "triaged": "s.op IN('label','wait','rubric','suite')",
    "rejected": "s.op='reject'",
    "waiting": "s.op='wait'",
}


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be stored: what it says, where it stood in its file, and its own consent."""

    content: FeedbackContent
    line: int = 0
    consent: Consent = field(default_factory=Consent)


def open_source(
    session: Session,
    name: str,
    file_name: str,
    file_sha256: str | None,
    consent: str,
    licence: str,
    context: WriteContext,
) -> tuple[int, str]:
    """Return id and name of the source of a file of feedback, or of what is typed in; made when it is not there."""
    if file_sha256 is None:
        found = fetch(session, "SELECT id, name FROM source WHERE kind='feedback' AND file_sha256 IS NULL ORDER BY id")
    else:
        query = "SELECT id, name FROM source WHERE kind='feedback' AND file_sha256=?"
        found = fetch(session, query, (file_sha256,))
    if found:
        return int(found[0][0]), str(found[0][1])
    free, number = cleaned_name(name, "feedback"), 1
    while fetch(session, "SELECT 1 FROM source WHERE name=?", (free,)):
        number += 1
        free = f"{cleaned_name(name, 'feedback')} ({number})"
    key = insert_row(
        session,
        SourceRow,
        uid=new_uid(),
        name=free,
        kind="feedback",
        licence=licence,
        consent=consent,
        file_name=file_name,
        file_sha256=file_sha256,
        format=FORMAT,
        created_ms=context.at_ms,
    )
    return key, free


def add(session: Session, source_id: int, new: Sequence[NewEvent], context: WriteContext) -> list[int]:
    """Store the events that the workspace does not hold yet and return their ids in order; others are passed over."""
    bodies = {one.content.sha256: one for one in reversed(new)}  # of two alike the first counts
    there = {
        sha
        for (sha,) in fetch(
            session,
            "SELECT e.sha256 FROM json_each(?) j CROSS JOIN feedback_event e ON e.sha256=j.value",
            (canonical_json(sorted(bodies)),),
        )
    }
    fresh = [(sha, one) for sha, one in bodies.items() if sha not in there]
    fresh.sort(key=lambda entry: entry[1].line)
    (last,) = fetch(session, "SELECT coalesce(max(id),0) FROM feedback_event")[0]
    rows = [
        (
            last + number,
            sha,
            one.content.kind,
            one.line,
            None if one.content.prompt is None else one.content.prompt.sha256,
            one.content.body,
            one.consent.word,
            one.consent.scope,
            one.consent.expires_ms,
        )
        for number, (sha, one) in enumerate(fresh, 1)
    ]
    insert_many(
        session,
        "feedback_event(id, sha256, kind, line, prompt_sha256, body, consent, scope, expires_ms)",
        rows,
        {"source_id": source_id, "at_ms": context.at_ms, "session": context.session},
    )
    return [row[0] for row in rows]


def is_known(session: Session, sha256: str) -> bool:
    """Return whether the workspace holds an event of this content."""
    return bool(fetch(session, "SELECT 1 FROM feedback_event WHERE sha256=?", (sha256,)))


def id_of(session: Session, sha256: str) -> int:
    """Return the event of a content hash that the workspace holds."""
    return int(fetch(session, "SELECT id FROM feedback_event WHERE sha256=?", (sha256,))[0][0])


def kinds_of(session: Session, event_ids: Sequence[int]) -> Counter[str]:
    """Return kind -> how many of these events are of it."""
    query = "SELECT e.kind, count(*) FROM json_each(?) j CROSS JOIN feedback_event e ON e.id=j.value GROUP BY 1"
    return Counter(dict(map(tuple, fetch(session, query, (canonical_json(list(event_ids)),)))))


def listed(session: Session, wanted: FeedbackFilter, now_ms: int) -> list[FeedbackEvent]:
    """Return the events of a filter, oldest first. Texts of events without consent any more are not in it.

    ``consent`` and ``text`` of the filter are not looked at here; see ``core.store.feedback_search``.
    """
    tests, values = [_STATES[wanted.state], "e.id>?"], [wanted.after]
    release = ("json_extract(e.body,'$.release')=?", wanted.release)
    about = (("e.kind=?", wanted.kind), ("s.op=?", wanted.decided), ("e.source_id=?", wanted.source_id), release)
    for test, value in about:
        if value:
            tests.append(test)
            values.append(value)  # type: ignore[arg-type]
    query = f"{_SELECT} WHERE {' AND '.join(tests)} ORDER BY e.id LIMIT ?"
    limit = -1 if wanted.limit is None else wanted.limit
    return _to_domain(session, fetch(session, query, (*values, limit)), now_ms)


def by_ids(session: Session, event_ids: Sequence[int], now_ms: int) -> list[FeedbackEvent]:
    """Return these events in this order; those that are not there are left out."""
    query = f"{_SELECT} WHERE e.id IN(SELECT value FROM json_each(?))"
    found = {one.id: one for one in _to_domain(session, fetch(session, query, (canonical_json([*event_ids]),)), now_ms)}
    return [found[key] for key in event_ids if key in found]


def get(session: Session, event_id: int, now_ms: int) -> FeedbackEvent:
    """Return one event.

    Raises:
        NotFound: when there is none with this id.
    """
    rows = fetch(session, f"{_SELECT} WHERE e.id=?", (event_id,)) if 0 < event_id < 1 << 63 else []
    if not rows:
        raise NotFound(f"There is no feedback event {event_id}.", "`feedback list` shows them.")
    return _to_domain(session, rows, now_ms)[0]


def history(session: Session, event_id: int) -> list[Decision]:
    """Return every decision about an event, oldest first."""
    query = """SELECT s.id, s.event_id, s.op, w.name, s.reason, s.at_ms, s.pair_id, s.target FROM feedback_step s
        JOIN reviewer w ON w.id=s.reviewer_id WHERE s.event_id=? ORDER BY s.id"""
    return [
        Decision(key, event, op, by, reason, at_ms, pair_id, read_json(target))
        for key, event, op, by, reason, at_ms, pair_id, target in fetch(session, query, (event_id,))
    ]


def counts(session: Session, now_ms: int) -> FeedbackCounts:
    """Return how many events are in each state and of each kind."""
    states: Counter[str] = Counter()
    kinds: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    for kind, op, count in fetch(
        session, f"SELECT e.kind, coalesce(s.op,'undo'), count(*) FROM feedback_event e {_LAST} GROUP BY 1, 2"
    ):
        kinds[kind] += count
        states[{"undo": "open", "reject": "rejected"}.get(op, "triaged")] += count
        states["waiting"] += count * (op == "wait")
    of_event = consents.of_feedback(session, consents.of_sources(session)) if kinds.total() else {}
    words = Counter(one.effective(now_ms) for one in of_event.values())
    return FeedbackCounts(
        events=fetch(session, "SELECT count(*) FROM feedback_event")[0][0],
        open=states["open"],
        triaged=states["triaged"],
        rejected=states["rejected"],
        waiting=states["waiting"],
        withdrawn=words["withdrawn"],
        kinds=dict(kinds),
        consents=dict(words),
    )


def waiting_for(session: Session, prompt_sha256: str, answer: str, now_ms: int) -> FeedbackEvent | None:
    """Return the first event whose one answer to this prompt waits for a second, another one than ``answer``."""
    query = f"{_SELECT} WHERE e.prompt_sha256=? AND s.op='wait' ORDER BY e.id"
    for event in _to_domain(session, fetch(session, query, (prompt_sha256,)), now_ms):
        if event.content is not None and event.content.answer not in ("", answer):
            return event
    return None


def decide(
    session: Session,
    event: FeedbackEvent,
    op: DecisionOp,
    reviewer_id: int,
    context: WriteContext,
    *,
    reason: str = "",
    pair_id: int | None = None,
    target: dict[str, Any] | None = None,
) -> None:
    """Append a decision about an event and log it."""
    insert_row(
        session,
        FeedbackStepRow,
        uid=new_uid(),
        event_id=event.id,
        op=op,
        supersedes=None if event.decision is None else event.decision.id,
        reviewer_id=reviewer_id,
        reason=reason,
        pair_id=pair_id,
        target=canonical_json(target or {}),
        at_ms=context.at_ms,
        session=context.session,
    )
    said = {
        "label": "to labelling",
        "wait": "to labelling, waits for a second answer",
        "rubric": "to the rubric",
        "suite": "to a suite",
        "reject": "rejected",
        "undo": "decision taken back",
    }[op]
    detail = {"decision": op, "reason": reason, "pair_id": pair_id, **(target or {})}
    events.log(
        session,
        context,
        "feedback.triage",
        f"Feedback {event.id} ({event.kind}): {said}",
        reviewer_id=reviewer_id,
        subject="feedback",
        subject_id=event.id,
        detail=detail,
    )


def store_pair(session: Session, event: FeedbackEvent, pair: NewPair, context: WriteContext) -> int:
    """Store the pair that an event gives, found in the event's source, and return its id; the same pair is one pair."""
    target = Target(event.source_id, event.source, "", "", FORMAT)
    add_batch(session, target, [NewRow(event.line, (pair,))], context)
    return int(fetch(session, "SELECT id FROM pair WHERE sha256=?", (pair.sha256,))[0][0])


def log_import(
    session: Session, source_id: int, name: str, imported: int, detail: dict[str, Any], context: WriteContext
) -> None:
    """Note an import of feedback in the event log."""
    summary = f"Feedback from {name}: {counted(imported, 'event')}"
    events.log(session, context, "feedback.import", summary, subject="source", subject_id=source_id, detail=detail)


def _to_domain(session: Session, rows: Sequence[Any], now_ms: int) -> list[FeedbackEvent]:
    if not rows:
        return []
    ids = [row[0] for row in rows]
    of_event = consents.of_feedback(session, consents.of_sources(session), ids)
    pairs = _pairs(session, ids)
    found = []
    for key, kind, sha, source_id, source, line, at_ms, body, *step in rows:
        withdrawn = of_event[key].effective(now_ms) == "withdrawn"
        found.append(
            FeedbackEvent(
                id=key,
                kind=kind,
                sha256=sha,
                source_id=source_id,
                source=source,
                line=line,
                at_ms=at_ms,
                content=None if withdrawn else FeedbackContent.from_plain(read_json(body)),
                consent=of_event[key],
                withdrawn=withdrawn,
                decision=_decision(key, step),
                pair_ids=tuple(pairs.get(key, ())),
            )
        )
    return found


def _decision(event_id: int, step: Sequence[Any]) -> Decision | None:
    key, op, by, reason, at_ms, pair_id, target = step
    return None if key is None else Decision(key, event_id, op, by, reason, at_ms, pair_id, read_json(target))


def _pairs(session: Session, event_ids: Iterable[int]) -> dict[int, list[int]]:
    query = """SELECT DISTINCT s.event_id, s.pair_id FROM json_each(?) j
        CROSS JOIN feedback_step s ON s.event_id=j.value WHERE s.pair_id IS NOT NULL ORDER BY 1, 2"""
    found: dict[int, list[int]] = defaultdict(list)
    for event_id, pair_id in fetch(session, query, (canonical_json(list(event_ids)),)):
        found[event_id].append(pair_id)
    return found
