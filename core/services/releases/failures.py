"""The failure queue of an evaluation in the workspace: what is in it, who opened and tagged it, where it was sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.domain.changes import Changes, Outcome
from core.domain.errors import NotFound, UsageError
from core.domain.evaluation_events import ScoreRow
from core.domain.names import cleaned_name
from core.domain.suite import SuiteItem
from core.evaluation.failure_queue import Case, Failure, failure_queue
from core.evaluation.gate_input import FailureCoverage
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.ledger import EvaluationLedger
from core.runs.evaluations.verify import folder_state, require_unaltered
from core.services.releases.sending import Rooms, SentFailure
from core.store import failure_steps as repository
from core.store.failure_steps import FailureStep
from core.store.sqlite.database import Session, Store

TAGS = ("policy", "label", "rubric", "suite", "detector", "accepted")
"""What a failure is tagged with: where its cause lies, or that it is accepted."""


@dataclass(frozen=True, slots=True)
class QueuedFailure:
    """A failure with what people did to it."""

    failure: Failure
    opened_by: tuple[str, ...] = ()
    tag: str = ""
    note: str = ""
    sent: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether it was opened and tagged."""
        return bool(self.opened_by) and bool(self.tag)


class FailuresService:
    """Computes the queue and stores the acts on it. Thread-safe."""

    def __init__(self, store: Store, rooms: Rooms) -> None:
        self._store, self._rooms = store, rooms

    def queue(self, folder: EvaluationFolder) -> list[QueuedFailure]:
        """Return the failures of a finished evaluation, rule by rule and the worst first.

        Raises:
            NotFound: before everything is measured.
            BadInput: when a part of it was altered.
        """
        require_unaltered(folder)
        return self._queue(folder)

    def _queue(self, folder: EvaluationFolder) -> list[QueuedFailure]:
        if folder.evidence() is None:
            raise NotFound("This evaluation is not finished; it has no failure queue yet.", "Resume it.")
        with self._store.read() as session:
            steps = repository.of_evaluation(session, folder.record().evaluation_id)
        by_key: dict[str, list[FailureStep]] = {}
        for step in steps:
            by_key.setdefault(step.failure, []).append(step)
        failures = _failures_of(str(folder.path), folder_state(folder))
        return [_queued(failure, by_key.get(failure.key, ())) for failure in failures]

    def coverage(self, folder: EvaluationFolder) -> FailureCoverage:
        """Return how many failures there are, and how many were opened and tagged; of an altered evaluation too."""
        queue = self._queue(folder)
        both = sum(one.done for one in queue)
        return FailureCoverage(len(queue), both, both)

    def open(self, folder: EvaluationFolder, key: str, reviewer_id: int) -> Outcome[None]:
        """Note that a reviewer opened a failure.

        Raises:
            NotFound: when the queue has no such failure.
        """
        return self._add(folder, key, "open", reviewer_id)

    def tag(self, folder: EvaluationFolder, key: str, reviewer_id: int, tag: str, note: str = "") -> Outcome[None]:
        """Tag a failure that was opened.

        Raises:
            NotFound: when the queue has no such failure.
            UsageError: for an unknown tag, or a failure that nobody opened.
        """
        if tag not in TAGS:
            raise UsageError(f"There is no tag {tag!r}.", f"Use one of: {', '.join(TAGS)}.")
        known = next((one for one in self.queue(folder) if one.failure.key == key), None)
        if known is not None and not known.opened_by:
            raise UsageError("Nobody has opened this failure; a tag would say nothing.", "Open it first.")
        return self._add(folder, key, "tag", reviewer_id, tag=tag, note=note)

    def send(
        self, folder: EvaluationFolder, key: str, reviewer_id: int, to: str, rubric: str = ""
    ) -> Outcome[SentFailure]:
        """Send a failure on and note where it went; see :meth:`core.services.releases.sending.Rooms.send`.

        Raises:
            NotFound: when the queue has no such failure.
            UsageError: for an unknown destination.
            BadInput: for an item of a sealed test, or what the room refuses; nothing was noted then.
        """
        failure = self._find(folder, key)
        sent = self._rooms.send(folder, failure, reviewer_id, to, rubric)
        self._add(folder, key, "send", reviewer_id, tag=to, target=sent.to_plain())
        return Outcome(sent, Changes.FAILURES | Changes.FEEDBACK | Changes.PAIRS)

    def _find(self, folder: EvaluationFolder, key: str) -> Failure:
        for one in self.queue(folder):
            if one.failure.key == key:
                return one.failure
        raise NotFound(f"The failure queue has no {key!r}.", "Name one of its failures.")

    def _add(
        self, folder: EvaluationFolder, key: str, op: repository.FailureOp, reviewer_id: int, *, tag: str = "",
        note: str = "", target: Mapping[str, Any] | None = None,
    ) -> Outcome[None]:  # fmt: skip
        self._find(folder, key)
        evaluation, context = folder.record().evaluation_id, self._store.write_context()
        said = cleaned_name(note, "-") if note.strip() else ""

        def write(session: Session) -> None:
            repository.add(session, context, evaluation, key, op, reviewer_id, tag=tag, note=said, target=target)

        self._store.write(write, "noting a look at a failure")
        return Outcome(None, Changes.FAILURES)


@lru_cache(maxsize=8)
def _failures_of(path: str, _: tuple[object, ...]) -> tuple[Failure, ...]:
    """Return the failures of an evaluation in one state of its files: each look at one asks for all of them."""
    return tuple(failure_queue(list(cases_of(EvaluationFolder(Path(path))))))


def _queued(failure: Failure, steps: Sequence[FailureStep]) -> QueuedFailure:
    tags = [step for step in steps if step.op == "tag"]
    return QueuedFailure(
        failure,
        tuple(dict.fromkeys(step.reviewer for step in steps if step.op == "open")),
        tags[-1].tag if tags else "",
        tags[-1].note if tags else "",
        tuple(step.tag for step in steps if step.op == "send"),
    )


def cases_of(folder: EvaluationFolder) -> Iterator[Case]:
    """Yield what the folder of an evaluation knows of each item under its policy.

    The items of a sealed test are in none of its files; of these the ids and log-probs are known.
    """
    record, ledger, items = folder.record(), EvaluationLedger(folder.ledger), folder.items()
    aligned = next((arm.name for arm in record.arms if arm.kind == "aligned"), "")
    reference = next((arm.name for arm in record.arms if arm.kind == "reference"), "")
    outcomes = {(row["suite"], row["item"]): row for row in folder.outcomes() if row["arm"] == aligned}
    for suite in record.suites:
        answers = {row.item: row for row in ledger.answers(suite.title, aligned)}
        scores = {row.item: row for row in ledger.scores(suite.title, aligned)}
        before = {row.item: row for row in ledger.scores(suite.title, reference)}
        known = {item.id: item for item in items.get(suite.title, ())}
        for id_ in dict.fromkeys([*known, *scores, *answers]):
            said, answer = outcomes.get((suite.title, id_), {}), answers.get(id_)
            yield Case(
                suite.title,
                id_,
                **_item(known.get(id_), id_ in scores),
                **_ranking(scores.get(id_), before.get(id_)),
                text=answer.text if answer else None,
                finished=answer.finished if answer else True,
                refusal=str(said.get("refusal", "")),
                passed=said.get("passed"),
            )


def _item(item: SuiteItem | None, scored: bool) -> dict[str, Any]:
    if item is None:
        return {"expected": "preference" if scored else "open"}
    return {"expected": item.expected, "slices": dict(item.slices), "is_tie": item.is_tie}


def _ranking(own: ScoreRow | None, before: ScoreRow | None) -> dict[str, Any]:
    if own is None or before is None:
        return {}
    return {
        "margin": own.logp_chosen - own.logp_rejected,
        "ref_margin": before.logp_chosen - before.logp_rejected,
        "chosen_change": own.logp_chosen - before.logp_chosen,
        "rejected_change": own.logp_rejected - before.logp_rejected,
    }
