"""Triage: what becomes of an event. Each decision is a row that stays, with who, when and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.domain.changes import Changes, Outcome
from core.domain.clock import now_ms
from core.domain.counting import counted
from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.feedback import FeedbackContent, FeedbackEvent
from core.domain.pair import Response
from core.domain.suite import Expected, Suite, SuiteItem
from core.services.importing.prepare import prepare
from core.services.importing.rows import ParsedPair
from core.services.suites.service import free_name
from core.store import changesets, events, rubrics, suites
from core.store import feedback as repository
from core.store.sqlite.database import Session, Store
from core.store.sqlite.write_context import WriteContext

__all__ = ["TriageService", "Triaged"]

SUITE = "attacks"
"""The suite that attack items go to when none is named."""
_ITEM = "feedback-{}"
_Decide = Callable[[Session, WriteContext], list[str]]
"""Decides about the events of one call and returns notes."""


@dataclass(frozen=True, slots=True)
class Triaged:
    """What was decided.

    Attributes:
        events: as they stand now.
        notes: what else became of them, one sentence each.
    """

    events: tuple[FeedbackEvent, ...]
    notes: tuple[str, ...] = ()


class TriageService:
    """Decides about events; all events of one call are decided, or none."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def to_labelling(
        self, event_ids: Sequence[int], by: int, *, reason: str = "", answer: str = "", batch: str = "",
        attacks: bool = False,
    ) -> Outcome[Triaged]:  # fmt: skip
        """Send events to labelling: as pairs where two answers are known; where one is, it waits for a second.

        A correction gives both answers. Another event that waits with the same prompt and another answer gives the
        second, and both events then stand behind the pair. People label the pair blind, as any other; it enters a
        dataset version only with an approved changeset.

        Args:
            event_ids: of open events, or of events that wait and now get an answer.
            by: reviewer who decides.
            reason: why.
            answer: a second answer, for one event.
            batch: name of the labelling batch, kept with the decision.
            attacks: attacks may go to labelling; their pairs carry a mark, and a freeze leaves them out unless its
                policy names attacks.

        Raises:
            BadInput: an event is decided already, has no answer, or is an attack; nothing was decided.
        """
        if answer and len(event_ids) != 1:
            raise UsageError("A second answer is for one event.", "Name one event, or leave the answer out.")

        def decide(session: Session, context: WriteContext) -> list[str]:
            notes = []
            for event in self._events(session, event_ids, may_wait=bool(answer)):
                if event.kind == "attack" and not attacks:
                    raise BadInput(
                        f"Event {event.id} is an attack; attacks are not labelled among helpful pairs.",
                        "Send it to a suite (--to suite), or name attacks explicitly (--attacks).",
                    )
                target = {"batch": batch} if batch else {}
                notes += _to_labelling(session, event, by, reason, answer, target, context)
            return notes

        return self._decided(event_ids, decide, Changes.FEEDBACK | Changes.PAIRS)

    def to_rubric(self, event_ids: Sequence[int], by: int, rubric: str, *, reason: str = "") -> Outcome[Triaged]:
        """Make events change requests for a rubric, with their words as note.

        Raises:
            NotFound: when there is no such rubric.
            BadInput: an event is decided already; nothing was decided.
        """

        def decide(session: Session, context: WriteContext) -> list[str]:
            named = [name for _, name, _ in rubrics.names(session) if name.lower() == rubric.strip().lower()]
            if not named:
                raise NotFound(f"There is no rubric {rubric!r}.", "`rubric list WS` shows them.")
            for event in self._events(session, event_ids):
                repository.decide(session, event, "rubric", by, context, reason=reason, target={"rubric": named[0]})
            return []

        return self._decided(event_ids, decide, Changes.FEEDBACK | Changes.RUBRICS)

    def to_suite(
        self, event_ids: Sequence[int], by: int, suite: str = SUITE, *, expected: Expected | None = None,
        reason: str = "",
    ) -> Outcome[Triaged]:  # fmt: skip
        """Send events to a suite: their prompts become items of its next version, attacks in a slice of their own.

        Args:
            event_ids: of open events with a prompt.
            by: reviewer who decides.
            reason: why.
            suite: name of a suite of the workspace; made when there is none.
            expected: what a good answer does; ``refuse`` for attacks when None.

        Raises:
            UsageError: what is expected of an event that is no attack was not said.
            BadInput: an event is decided already, or has no prompt; nothing was decided.
        """

        def decide(session: Session, context: WriteContext) -> list[str]:
            items = []
            for event in self._events(session, event_ids):
                if expected is None and event.kind != "attack":
                    raise UsageError(
                        f"What a good answer to event {event.id} does is not known.",
                        "Say it: --expect refuse, comply or open.",
                    )
                items.append(_item(event, expected or "refuse"))
            title, new = _with_items(session, free_name(suite), items, context)
            for event, item in zip(self._events(session, event_ids), items, strict=True):
                target = {"suite": title, "item": item.id, "expected": item.expected}
                repository.decide(session, event, "suite", by, context, reason=reason, target=target)
            return [f"{title} has {counted(new, 'new item')}."]

        return self._decided(event_ids, decide, Changes.FEEDBACK | Changes.SUITES)

    def reject(self, event_ids: Sequence[int], by: int, reason: str) -> Outcome[Triaged]:
        """Reject events, with a reason.

        Raises:
            UsageError: without a reason.
            BadInput: an event is decided already; nothing was decided.
        """
        if not reason.strip():
            raise UsageError("A rejection needs a reason.", "Say why: --reason TEXT.")

        def decide(session: Session, context: WriteContext) -> list[str]:
            for event in self._events(session, event_ids, with_text=False):
                repository.decide(session, event, "reject", by, context, reason=reason.strip())
            return []

        return self._decided(event_ids, decide, Changes.FEEDBACK)

    def undo(self, event_ids: Sequence[int], by: int, *, reason: str = "") -> Outcome[Triaged]:
        """Take the newest decision about each event back: it is open again. Pairs and their labels stay.

        An item that went to a suite leaves it with the suite's next version.

        Raises:
            BadInput: nothing was decided about an event, or a changeset holds a change because of it.
        """

        def decide(session: Session, context: WriteContext) -> list[str]:
            notes: list[str] = []
            for event in self._all(session, event_ids):
                if event.state == "open":
                    raise BadInput(f"Nothing is decided about event {event.id}.", "There is nothing to take back.")
                if names := changesets.of_event(session, event.id):
                    raise BadInput(
                        f"Event {event.id} stands behind a change of the changeset {names[0]}.",
                        "Take the change out of the draft first; an approved changeset stays as it is.",
                    )
                notes += _left_suite(session, event, context)
                repository.decide(session, event, "undo", by, context, reason=reason)
            return notes

        return self._decided(event_ids, decide, Changes.FEEDBACK | Changes.SUITES)

    def _decided(self, event_ids: Sequence[int], decide: _Decide, changes: Changes) -> Outcome[Triaged]:
        context = self._store.write_context()
        notes = self._store.write(lambda session: decide(session, context), "deciding about feedback")
        with self._store.read() as session:
            found = tuple(repository.get(session, key, now_ms()) for key in event_ids)
        return Outcome(Triaged(found, tuple(notes)), changes)

    def _events(
        self, session: Session, event_ids: Sequence[int], *, may_wait: bool = False, with_text: bool = True
    ) -> list[FeedbackEvent]:
        """Return events that can be decided about.

        Raises:
            BadInput: when one is decided already, or its consent is withdrawn.
        """
        found = self._all(session, event_ids)
        for event in found:
            if event.state != "open" and not (may_wait and event.waits):
                raise BadInput(f"Event {event.id} is {event.state} already; nothing was decided.", "Undo that first.")
            if with_text and event.content is None:
                raise BadInput(
                    f"Consent for event {event.id} is withdrawn; its texts are used no more.", "Reject it instead."
                )
        return found

    def _all(self, session: Session, event_ids: Sequence[int]) -> list[FeedbackEvent]:
        if not event_ids:
            raise UsageError("No event is named.", "Name the numbers of events; `feedback list` shows them.")
        return [repository.get(session, key, now_ms()) for key in dict.fromkeys(event_ids)]


def _content(event: FeedbackEvent) -> FeedbackContent:
    assert event.content is not None  # events without texts are refused before
    return event.content


def _to_labelling(
    session: Session, event: FeedbackEvent, by: int, reason: str, answer: str, target: dict[str, str],
    context: WriteContext,
) -> list[str]:  # fmt: skip
    """Store the pair of an event, or let it wait; return notes."""
    content = _content(event)
    if content.prompt is None or not content.answer:
        missing = "a prompt" if content.prompt is None else "an answer"
        raise BadInput(f"Event {event.id} has no {missing}; there is nothing to label.", "Reject it, or send it on.")
    second, other = answer or content.better, None
    if not second:
        other = repository.waiting_for(session, content.prompt.sha256, content.answer, now_ms())
        second = _content(other).answer if other is not None else ""
    if second == content.answer:
        raise BadInput("Both answers are the same text; there is nothing to prefer.", "Give another answer.")
    if not second:
        repository.decide(session, event, "wait", by, context, reason=reason, target=target)
        return [f"Event {event.id} waits for a second answer."]
    pair = prepare(ParsedPair(content.prompt, Response(content.answer), Response(second)))
    pair_id = repository.store_pair(session, event, pair, context)
    notes = [f"Event {event.id} is pair {pair_id}."]
    for one in filter(None, (event, other)):
        repository.decide(session, one, "label", by, context, reason=reason, pair_id=pair_id, target=target)
    if other is not None:
        notes.append(f"Its second answer is that of event {other.id}.")
    return notes


def _item(event: FeedbackEvent, expected: Expected) -> SuiteItem:
    content = _content(event)
    if content.prompt is None:
        raise BadInput(f"Event {event.id} has no prompt; a suite measures answers to prompts.", "Reject it instead.")
    slices = {"source": "feedback", "feedback": event.kind, "category": content.category, "language": content.language}
    return SuiteItem(
        id=_ITEM.format(event.sha256[:16]),
        prompt=content.prompt,
        expected=expected,
        slices={name: value for name, value in slices.items() if value},
    )


def _with_items(session: Session, name: str, items: list[SuiteItem], context: WriteContext) -> tuple[str, int]:
    """Store the next version of a suite with further items; return its title and how many are new."""
    before = suites.newest_of(session, name)
    old = suites.get(session, before.title) if before is not None else Suite(name, 0, tuple(items), origin="workspace")
    known = {item.id for item in old.items} if before is not None else set()
    new = [item for item in items if item.id not in known]
    if before is not None and not new:
        return before.title, 0
    whole = old if before is None else replace(old, items=(*old.items, *new))
    return _stored(session, whole, context, [item.id for item in new]), len(new)


def _left_suite(session: Session, event: FeedbackEvent, context: WriteContext) -> list[str]:
    if event.decision is None or event.decision.op != "suite":
        return []
    name = str(event.decision.target["suite"]).rpartition(" v")[0]
    newest = suites.newest_of(session, name)
    if newest is None:
        return []
    old = suites.get(session, newest.title)
    rest = tuple(item for item in old.items if item.id != event.decision.target["item"])
    if len(rest) == len(old.items):
        return []
    if not rest:
        return [f"{newest.title} keeps the item: a suite has at least one."]
    return [f"{_stored(session, replace(old, items=rest), context, [])} is without the item."]


def _stored(session: Session, suite: Suite, context: WriteContext, added: list[str]) -> str:
    made = suites.add(session, suite, context, {"from": "feedback", "added": added})
    told = {"sha256": made.sha256, "items": made.n}
    summary = f"Stored suite {made.title}: {counted(made.n, 'item')}"
    events.log(session, context, "suite.add", summary, subject="suite", subject_id=made.id, detail=told)
    return made.title
