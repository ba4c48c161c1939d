"""Answers of policies that feedback can be about, of an evaluation or of a run, with how they were made.

An event that is made of one carries its generation record, so that it leads back to the run, the step and the item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.domain.conversation import Prompt
from core.domain.errors import BadInput, NotFound
from core.domain.evaluation_record import SEALED, Arm, EvaluationRecord
from core.domain.feedback import FeedbackContent, FeedbackKind
from core.runs.evaluations.ledger import EvaluationLedger
from core.services.evaluations.service import EvaluationsService
from core.services.releases.names import MAKE
from core.services.runs.service import RunsService
from core.store import events
from core.store.sqlite.database import Store


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """One answer of a policy.

    Attributes:
        place: of an evaluation its suite, of a run the step; ``item`` is the item, or the pair.
        arm: what answered.
        run: id of the run; "" for an endpoint. release: name of the newest release of that evaluation or run, or "".
        generation: how it was sampled, as plain values.
    """

    place: str
    item: str
    arm: str
    prompt: Prompt
    answer: str
    run: str = ""
    release: str = ""
    category: str = ""
    language: str = ""
    generation: Mapping[str, Any] = field(default_factory=dict)

    def feedback(
        self, kind: FeedbackKind, *, note: str = "", better: str = "", thumb: int | None = None, author: str = ""
    ) -> FeedbackContent:
        """Return what somebody says of this answer.

        Raises:
            BadInput: when a part that the kind needs is missing.
        """
        return FeedbackContent(
            kind=kind, prompt=self.prompt, answer=self.answer, better=better, thumb=thumb, note=note, author=author,
            release=self.release, run=self.run, generation=self.generation, category=self.category,
            language=self.language,
        )  # fmt: skip


class PolicyAnswersService:
    """Lists answers of policies; reads only."""

    def __init__(self, store: Store, evaluations: EvaluationsService, runs: RunsService) -> None:
        self._store, self._evaluations, self._runs = store, evaluations, runs

    def of_evaluation(self, evaluation: str, suite: str = "", arm: str = "") -> list[PolicyAnswer]:
        """Return the answers of one arm of an evaluation to one of its open suites.

        Args:
            evaluation: its id, the beginning of it, or its name.
            suite: title; the first open one when empty.
            arm: name; the first that is a trained policy when empty.

        Raises:
            NotFound: when there is no such evaluation, suite or arm.
            BadInput: for a sealed test, whose texts nobody may see.
        """
        folder = self._evaluations.find(evaluation)
        record = folder.record()
        title, which = _suite(record, suite), _arm(record, arm)
        items = {item.id: item for item in folder.items().get(title, ())}
        release = self._release("evaluation_id", record.evaluation_id)
        return [
            PolicyAnswer(
                place=title,
                item=row.item,
                arm=which.name,
                prompt=items[row.item].prompt,
                answer=row.text,
                run=which.run_id,
                release=release,
                category=items[row.item].slices.get("category", ""),
                language=items[row.item].slices.get("language", ""),
                generation=_of_evaluation(record, which, title, row.item, row.seed, row.finished),
            )
            for row in EvaluationLedger(folder.ledger).answers(title, which.name)
            if row.item in items and row.text
        ]

    def of_run(self, run_id: str, step: int | None = None) -> list[PolicyAnswer]:
        """Return the answers that a run sampled from its policy while it trained.

        Args:
            run_id: of the run.
            step: only of this step; None for the newest with samples.

        Raises:
            NotFound: when there is no such run, or it has no samples.
        """
        reader = self._runs.reader(run_id)
        samples = reader.samples(step)
        if not samples:
            raise NotFound(
                f"The run {run_id} has no samples" + ("." if step is None else f" of step {step}."),
                "Runs sample answers when their setting says so; an evaluation samples many.",
            )
        at = samples[-1].step if step is None else step
        record = reader.record()
        prompts = {pair.pair_id: pair.prompt for pair in reader.folder.pairs()}
        release = self._release("run_id", record.run_id)
        facts = {"run": record.run_id, "step": at, "model": record.inputs.get("model", "")}
        return [
            PolicyAnswer(
                place=f"step {at}",
                item=one.pair_id,
                arm="policy",
                prompt=prompts.get(one.pair_id) or Prompt.from_text(one.prompt),
                answer=one.policy,
                run=record.run_id,
                release=release,
                generation={**facts, "pair": one.pair_id, "seed": one.seed},
            )
            for one in samples
            if one.step == at and one.policy
        ]

    def suites(self, evaluation: str) -> Sequence[str]:
        """Return the open suites of an evaluation, whose answers can be seen."""
        return [one.title for one in self._evaluations.find(evaluation).record().suites if not one.sealed]

    def arms(self, evaluation: str) -> Sequence[str]:
        """Return the arms of an evaluation, trained policies first."""
        found = self._evaluations.find(evaluation).record().arms
        return [arm.name for arm in sorted(found, key=lambda arm: not arm.is_policy)]

    def one(self, found: Sequence[PolicyAnswer], item: str) -> PolicyAnswer:
        """Return the answer to an item.

        Raises:
            NotFound: when there is none.
        """
        for answer in found:
            if answer.item == item:
                return answer
        raise NotFound(f"There is no answer to {item!r}.", "Name one of: " + ", ".join(one.item for one in found[:10]))

    def _release(self, key: str, wanted: str) -> str:
        with self._store.read() as session:
            made = events.details(session, MAKE)
        return next((str(one["name"]) for one in reversed(made) if str(one.get(key, "")) == wanted), "")


def _suite(record: EvaluationRecord, wanted: str) -> str:
    if wanted.startswith(SEALED):
        raise BadInput(
            f"{wanted} is a sealed test; nobody sees its texts, and no feedback is made of them.",
            "Look for the same fault on another suite.",
        )
    open_ones = [suite.title for suite in record.suites if not suite.sealed]
    found = next((title for title in open_ones if not wanted or title == wanted), None)
    if found is None:
        raise NotFound(f"The evaluation has no open suite {wanted!r}.", f"It has: {', '.join(open_ones) or 'none'}.")
    return found


def _arm(record: EvaluationRecord, wanted: str) -> Arm:
    arms = sorted(record.arms, key=lambda arm: not arm.is_policy)
    found = next((arm for arm in arms if not wanted or arm.name == wanted), None)
    if found is None:
        raise NotFound(f"The evaluation has no arm {wanted!r}.", f"It has: {', '.join(arm.name for arm in arms)}.")
    return found


def _of_evaluation(
    record: EvaluationRecord, arm: Arm, suite: str, item: str, seed: int, finished: bool
) -> dict[str, Any]:
    """Return the generation record of an answer, without what is empty."""
    config = record.config
    known = {
        "evaluation": record.evaluation_id,
        "suite": suite,
        "item": item,
        "arm": arm.name,
        "step": arm.step or record.run.get("step", 0),
        "model": arm.inputs.get("model", ""),
        "adapter": arm.inputs.get("adapter", ""),
        "endpoint": arm.served_model,
        "system_prompt": arm.system_prompt,
        "temperature": config.temperature,
        "top_p": config.top_p,
        "top_k": config.top_k,
        "repetition_penalty": config.repetition_penalty,
        "max_new_tokens": config.max_new_tokens,
        "seed": seed,
        "finished": finished,
    }
    return {key: value for key, value in known.items() if value != ""}
