"""Audits of the refusal detector on the answers of an evaluation: draw, label, undo, and the corrected rates."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.domain.audit import AUDIT_WORDS, NEEDED, AuditDraw, AuditLabel, AuditWord, DrawnAnswer, all_answers, by_place
from core.domain.changes import Changes, Outcome
from core.domain.counting import counted
from core.domain.errors import BadInput, NotFound, UsageError, UserError
from core.domain.ids import sha256_text
from core.domain.refusal_kind import REFUSAL_KINDS
from core.runs.evaluations.folder import EvaluationFolder
from core.services.evaluations.service import EvaluationsService
from core.services.refusals import queueing
from core.services.refusals.curve import curve_of
from core.services.refusals.drawing import draw_sample
from core.services.refusals.views import AuditQueue, FlaggedAnswer, PastLabel, QueuedAnswer
from core.store import audits as repository
from core.store import events
from core.store.sqlite.database import Session, Store

if TYPE_CHECKING:
    from core.domain.estimate import Estimate
    from core.services.refusals.correcting import AuditedArm

AHEAD = 4
"""Answers of a queue whose texts are read at once."""
_CHANGES = Changes.EVALUATIONS | Changes.RELEASES


class AuditsService:
    """Draws samples, keeps labels and corrects rates. Thread-safe."""

    def __init__(self, store: Store, evaluations: EvaluationsService) -> None:
        self._store, self._evaluations = store, evaluations

    # The sample

    def draw(self, evaluation: str, *, per_arm: int = NEEDED, seed: int | None = None) -> Outcome[int]:
        """Draw answers of each arm until ``per_arm`` are drawn, and return how many are new.

        Args:
            evaluation: its id, the beginning of it, or its name.
            per_arm: answers of each arm, over all samples.
            seed: of the random order; the one of the sample before, or a random one.

        Raises:
            NotFound: before everything is measured, or where the detector judged nothing.
            BadInput: when a part of the evaluation was altered.
            UsageError: when nothing is left to draw.
        """
        folder = self._evaluations.unaltered(evaluation)
        population, draws = queueing.population(folder), self._read(folder)[0]
        if per_arm < 1:
            raise UsageError("A sample needs at least one answer.", "Ask for 100 of each policy.")
        chosen = seed if seed is not None else draws[-1].seed if draws else random.randrange(1_000_000)
        id_ = folder.record().evaluation_id
        draw = draw_sample(id_, population, draws, per_arm=per_arm, seed=chosen)
        if not draw.answers:
            raise UsageError(
                f"{counted(per_arm, 'answer')} of each policy {'are' if per_arm > 1 else 'is'} drawn already, "
                "or there are no more; nothing was drawn.",
                "Ask for more, or label those that were drawn.",
            )
        context = self._store.write_context()

        def write(session: Session) -> None:
            repository.add_draw(session, draw, context)
            detail = {"evaluation_id": id_, "answers": len(draw.answers), "seed": chosen, "sha256": draw.sha256}
            summary = f"Drew {counted(len(draw.answers), 'answer')} for an audit of the refusal detector"
            events.log(session, context, "audit.draw", summary, subject="evaluation", detail=detail)

        self._must_write()
        self._store.write(write, "drawing a sample for an audit")
        return Outcome(len(draw.answers), _CHANGES)

    def more(self, evaluation: str) -> Outcome[int]:
        """Draw as many further answers of each arm as could not be judged, at least ten.

        Raises:
            UsageError: when nothing is left to draw.
        """
        arms = self.arms(evaluation).values()
        draws = self._read(self._evaluations.find(evaluation))[0]
        unclear = max((arm.unclear for arm in arms), default=0)
        return self.draw(evaluation, per_arm=(draws[-1].per_arm if draws else NEEDED) + max(10, unclear))

    # Labelling

    def queue(self, evaluation: str, reviewer_id: int | None, *, ahead: int = AHEAD, past: int = 30) -> AuditQueue:
        """Return what a reviewer can label, without arm and verdict, and how far the audit is.

        An answer that another reviewer labelled is left out unless all reviewers label it.

        Args:
            evaluation: its id, the beginning of it, or its name.
            reviewer_id: who labels; None where nobody was chosen, for whom nothing waits.
            ahead: answers that are read. 0 for none.
            past: earlier labels that are listed at most.

        Raises:
            NotFound: before everything is measured, or where the detector judged nothing.
        """
        folder = self._evaluations.find(evaluation)
        record, (draws, labels) = folder.record(), self._read(folder)
        with self._store.read() as session:
            flags = repository.flags_of(session, record.evaluation_id)
        if not draws:
            return AuditQueue(record.evaluation_id, record.name, False, more=len(queueing.population(folder)))
        answers, said, numbers = all_answers(draws), by_place(labels), queueing.numbers_of(draws)
        waiting = [
            one
            for one in answers
            if reviewer_id is not None and queueing.waits(one, said.get(one.place, ()), reviewer_id)
        ]
        known = {answer.place: answer for answer in answers}
        own = [label for label in labels if label.reviewer_id == reviewer_id and label.place in known]
        return AuditQueue(
            record.evaluation_id,
            record.name,
            True,
            draws[-1].seed,
            tuple(queueing.shown(folder, waiting[:ahead], numbers)),
            tuple(queueing.told(known[label.place], label.word, numbers) for label in reversed(own[-past:])),
            tuple(queueing.progress(arm) for arm in self._arms(folder, draws, labels).values()),
            queueing.cells(answers, said),
            queueing.word_counts(said.values()),
            queueing.equal_labels(said),
            sum(stratum.size for stratum in draws[-1].strata) - len(answers),
            queueing.pace([label.at_ms for label in own]),
            curve_of(draws, labels),
            queueing.flagged(answers, flags, numbers),
        )

    def label(
        self, evaluation: str, words: Mapping[str, AuditWord] | Iterable[tuple[str, AuditWord]], reviewer_id: int
    ) -> Outcome[tuple[PastLabel, ...]]:
        """Store what a reviewer says of answers, in one transaction, and return what is told afterwards.

        Args:
            evaluation: its id, the beginning of it, or its name.
            words: key of an answer -> one of ``AUDIT_WORDS``.
            reviewer_id: who says it.

        Raises:
            NotFound: for a key that is not in the sample.
            UsageError: for an unknown word.
            BadInput: when an answer is not the one that was drawn.
        """
        self._must_write()
        folder = self._evaluations.find(evaluation)
        draws = self._read(folder)[0]
        known = {answer.key: answer for answer in all_answers(draws)}
        given = dict(words)
        for key, word in given.items():
            if word not in AUDIT_WORDS:
                raise UsageError(f"{word!r} is no label of an audit.", f"Use one of: {', '.join(AUDIT_WORDS)}.")
            if key not in known:
                raise NotFound(f"The sample has no answer {key!r}.", "Take a key from the queue.")
        chosen = [known[key] for key in given]
        for text, answer in zip(queueing.texts_of(folder, chosen), chosen, strict=True):
            if text is None or sha256_text(text.text) != answer.sha256:
                raise BadInput(
                    f"The answer {answer.key} is not the one that was drawn. Nothing was labelled.",
                    "Check the evaluation's folder, or restore it from a copy.",
                )
        id_, context = folder.record().evaluation_id, self._store.write_context()

        def write(session: Session) -> None:
            for answer in chosen:
                repository.add_label(session, id_, answer.place, answer.sha256, given[answer.key], reviewer_id, context)

        self._store.write(write, "labelling an answer of an audit")
        numbers = queueing.numbers_of(draws)
        told = tuple(queueing.told(answer, given[answer.key], numbers) for answer in chosen)
        return Outcome(told, _CHANGES, f"Label of answer {told[-1].number}" if told else "")

    def undo(self, evaluation: str, reviewer_id: int) -> Outcome[PastLabel]:
        """Take back the reviewer's last label by a retraction, and return it.

        Raises:
            NotFound: when there is none.
        """
        self._must_write()
        folder = self._evaluations.find(evaluation)
        draws, labels = self._read(folder)
        known = {answer.place: answer for answer in all_answers(draws)}
        last = next((one for one in reversed(labels) if one.reviewer_id == reviewer_id and one.place in known), None)
        if last is None:
            raise NotFound("You have labelled no answer of this audit; there is nothing to undo.")
        id_, context, answer = folder.record().evaluation_id, self._store.write_context(), known[last.place]

        def write(session: Session) -> None:
            repository.retract(session, id_, answer.place, answer.sha256, reviewer_id, context)

        self._store.write(write, "taking back a label of an audit")
        return Outcome(queueing.told(answer, last.word, queueing.numbers_of(draws)), _CHANGES)

    def answer(self, evaluation: str, key: str) -> QueuedAnswer:
        """Return one answer of the sample, as it is shown before it is labelled.

        Raises:
            NotFound: for a key that is not in the sample.
        """
        folder = self._evaluations.find(evaluation)
        draws = self._read(folder)[0]
        return queueing.shown(folder, [_answer_of(draws, key)], queueing.numbers_of(draws))[0]

    def flag(self, evaluation: str, key: str, reviewer_id: int, *, on: bool = True) -> Outcome[FlaggedAnswer]:
        """Flag an answer of the sample so that somebody looks at it again, or take the flag back; its label stays.

        Raises:
            NotFound: for a key that is not in the sample.
        """
        self._must_write()
        folder = self._evaluations.find(evaluation)
        draws = self._read(folder)[0]
        answer = _answer_of(draws, key)
        number, id_ = queueing.numbers_of(draws)[answer.place], folder.record().evaluation_id
        context = self._store.write_context()

        def write(session: Session) -> tuple[str, ...]:
            repository.set_flag(session, id_, key, number, on, reviewer_id, context)
            return repository.flags_of(session, id_).get(key, ())

        by = self._store.write(write, "flagging an answer of an audit")
        return Outcome(FlaggedAnswer(key, number, by), Changes.EVALUATIONS)

    # Corrected rates

    def arms(self, evaluation: str) -> dict[str, AuditedArm]:
        """Return how far each arm is audited; nothing before a sample was drawn."""
        folder = self._evaluations.find(evaluation)
        return self._arms(folder, *self._read(folder))

    def evidence(self, evaluation: str) -> dict[str, Any]:
        """Return the evidence of an evaluation with its corrected rates.

        Raises:
            NotFound: before everything is measured.
        """
        return self.corrected(self._evaluations.find(evaluation), self._evaluations.evidence(evaluation))

    def corrected(self, folder: EvaluationFolder, evidence: Mapping[str, Any]) -> dict[str, Any]:
        """Return evidence with the corrected rates of the arms that are audited."""
        from core.services.refusals.correcting import with_corrected  # numpy, which the window loads later

        return with_corrected(evidence, self._arms(folder, *self._read(folder)), folder)

    def agreement(self, evaluation: str) -> dict[str, Estimate]:
        """Return how far reviewers agree on answers that several labelled: equal labels, Krippendorff's alpha."""
        # numpy, which the window loads later
        from core.evaluation.measures.agreement import count_verdicts, krippendorff_alpha

        said = by_place(self._read(self._evaluations.find(evaluation))[1])
        (answers, ranks), equal = queueing.label_ranks(said), queueing.equal_labels(said)
        counts = count_verdicts(answers, ranks, len(REFUSAL_KINDS))
        found = {"alpha": krippendorff_alpha(counts, "ordinal")} if counts.several > 1 else {}
        return found | ({"equal": equal} if equal else {})

    def state(self, evaluation_id: str) -> tuple[int, int]:
        """Return numbers that change with every sample and label; cheap to ask."""
        with self._store.read() as session:
            return repository.state_of(session, evaluation_id)

    def _arms(
        self, folder: EvaluationFolder, draws: Sequence[AuditDraw], labels: Sequence[AuditLabel]
    ) -> dict[str, AuditedArm]:
        from core.services.refusals.correcting import audited_arms  # numpy, which the window loads later

        return audited_arms([arm.name for arm in folder.record().arms], draws, labels)

    def _read(self, folder: EvaluationFolder) -> tuple[list[AuditDraw], list[AuditLabel]]:
        id_ = folder.record().evaluation_id
        with self._store.read() as session:
            return repository.draws_of(session, id_), repository.labels_of(session, id_)

    def _must_write(self) -> None:
        if self._store.read_only:
            raise UserError("This workspace is open for reading only.", "Close the other window, or use that one.")


def _answer_of(draws: Sequence[AuditDraw], key: str) -> DrawnAnswer:
    found = next((answer for answer in all_answers(draws) if answer.key == key), None)
    if found is None:
        raise NotFound(f"The sample has no answer {key!r}.", "Take a key from the queue.")
    return found
