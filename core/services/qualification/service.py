"""Qualification: the lead sets or waives a quiz of gold items for a rubric version; reviewers take and practise it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from core.domain.changes import Changes, Outcome
from core.domain.errors import BadInput
from core.domain.judgement import ReviewerKind, Task
from core.domain.pair_table import PairFilter
from core.domain.qualification import (
    QUIZ_ITEMS,
    ClauseDisagreement,
    Qualification,
    Quiz,
    QuizResult,
    Waiver,
    status_of,
)
from core.domain.rubric import RubricState
from core.domain.team import PASS_MARK
from core.services.annotation.views import QueueSettings
from core.services.qualification.standing import (
    asked_of,
    counts_of,
    explanation_of,
    facts_of,
    gold_of,
    hidden_pairs,
    published,
    qualification_of,
    to_practise,
)
from core.services.quality.service import QualityService
from core.store import judgement_views, qualifications, reviewers, rubrics
from core.store.sqlite.database import Session, Store

_CHANGED = Changes.REVIEWERS


class QualificationService:
    """Keeps quizzes and tells who passed. What the lead says is logged for good; the newest word counts."""

    def __init__(self, store: Store, quality: QualityService) -> None:
        """Args: store: of the open workspace. quality: whose labels tell what is worth practising."""
        self._store, self._quality = store, quality

    # The lead

    def set_quiz(
        self,
        version_id: int,
        *,
        pass_mark: float = PASS_MARK,
        items: int = QUIZ_ITEMS,
        pair_ids: Sequence[int] = (),
        by: int | None = None,
    ) -> Outcome[Quiz]:
        """Set the quiz of a rubric version and of those of the same major number; first answers to items stay first.

        Args:
            version_id: a published version.
            pass_mark: share of items to be answered right.
            items: how many gold items are drawn, explained ones first; fewer where there are fewer.
            pair_ids: these gold items instead.
            by: the lead.

        Raises:
            BadInput: there are no gold items, a named pair is none, or the version is a draft.
        """
        context = self._store.write_context()

        def job(session: Session) -> Quiz:
            version, accepted = published(session, version_id)
            gold = gold_of(session, accepted)
            if wrong := [key for key in pair_ids if key not in gold]:
                raise BadInput(
                    f"Pair {wrong[0]} is no gold item under {version.title}; the quiz is as before.",
                    "Gold items are pairs with a decision of this outcome: adjudicate WS --list",
                )
            chosen = tuple(dict.fromkeys(pair_ids)) or _drawn(session, accepted, gold, items, version_id)
            quiz = Quiz(version_id, pass_mark, chosen)
            qualifications.set_quiz(session, quiz, version.title, by, context)
            return qualifications.read(session, accepted).quiz or quiz

        return Outcome(self._store.write(job, "setting a quiz"), _CHANGED)

    def explain(self, version_id: int, pair_id: int, text: str, by: int | None = None) -> Outcome[None]:
        """Write what reviewers are told of a gold item after their answer; "" goes back to the decision's reason.

        Raises:
            BadInput: the pair is no gold item under this version.
        """
        context = self._store.write_context()

        def job(session: Session) -> None:
            version, accepted = published(session, version_id)
            if pair_id not in gold_of(session, accepted):
                raise BadInput(f"Pair {pair_id} is no gold item under {version.title}; nothing was stored.")
            qualifications.explain(session, version_id, pair_id, text.strip(), by, context)

        self._store.write(job, "explaining a gold item")
        return Outcome(None, _CHANGED)

    def waive(
        self, version_id: int, reviewer_id: int, *, waived: bool = True, reason: str = "", by: int | None = None
    ) -> Outcome[None]:
        """State that a reviewer needs no quiz of a version, or needs it after all.

        Raises:
            BadInput: the reviewer is no person, or the version is a draft.
        """
        context = self._store.write_context()

        def job(session: Session) -> None:
            version, _ = published(session, version_id)
            one = reviewers.get(session, reviewer_id)
            if one.kind is not ReviewerKind.HUMAN:
                raise BadInput(f"{one.name} is no person and takes no quiz.", "Name a person.")
            said = Waiver(reviewer_id, waived, reason.strip(), "")
            qualifications.waive(session, version_id, version.title, one.name, said, by, context)

        self._store.write(job, "waiving a quiz")
        return Outcome(None, _CHANGED)

    # How everybody stands

    def of_version(self, version_id: int) -> Qualification:
        """Return the quiz of a version and how every person stands.

        Raises:
            BadInput, NotFound: the version is a draft, or there is none.
        """
        with self._store.read() as session:
            return qualification_of(session, facts_of(session, version_id))

    def newest(self) -> list[Qualification]:
        """Return the same for the newest published version of each authored rubric, where a quiz or waiver is set."""
        with self._store.read() as session:
            found = []
            for key, _, kind in rubrics.names(session):
                version = rubrics.latest(session, key, RubricState.PUBLISHED) if kind == "authored" else None
                if version is not None:
                    facts = facts_of(session, version.id)
                    if facts.log.quiz is not None or facts.log.waivers:
                        found.append(qualification_of(session, facts))
        return found

    def gold_items(self, version_id: int) -> dict[int, str]:
        """Return the gold items under a version with what reviewers would be told of each, "" where nobody said why."""
        with self._store.read() as session:
            facts = facts_of(session, version_id)
            shown = [key for key in sorted(facts.gold) if key not in facts.hidden]
            return {key: explanation_of(session, facts, key) for key in shown}

    # A reviewer

    def queue(self, version_id: int, reviewer_id: int) -> QueueSettings:
        """Return the queue of the quiz, for ``AnnotationService.open_queue``; without a quiz it is empty."""
        with self._store.read() as session:
            wanted = asked_of(session, facts_of(session, version_id), reviewer_id)
        return _queue(version_id, reviewer_id, wanted)

    def practice_queue(self, version_id: int, reviewer_id: int, clause: str = "") -> QueueSettings:
        """Return a queue of gold items outside of the quiz that show what this reviewer disagrees on most.

        Args:
            version_id: the rubric version.
            reviewer_id: who practises.
            clause: only items of this clause; "" takes those of all clauses, the worst first.
        """
        found = self.disagreements(version_id, reviewer_id)
        wanted = [key for one in found if clause in ("", one.key) for key in one.practice]
        return _queue(version_id, reviewer_id, list(dict.fromkeys(wanted)))

    def disagreements(self, version_id: int, reviewer_id: int) -> tuple[ClauseDisagreement, ...]:
        """Return the clauses on which a reviewer names another side than others, the most first."""
        # numpy and scipy take a second to import, and only this needs them.
        from core.services.qualification.practice import clause_disagreements

        with self._store.read() as session:
            facts = facts_of(session, version_id)
            ready = to_practise(session, facts, reviewer_id)
        labels = self._quality.labels_under(facts.accepted)
        return clause_disagreements(facts.version.body.criteria, labels, reviewer_id, ready)

    def result(self, version_id: int, pair_id: int, reviewer_id: int) -> QuizResult:
        """Return right or wrong, the decision and why, to the reviewer who has answered a gold item.

        Raises:
            BadInput: there is no answer of this reviewer yet, so the decision stays hidden.
        """
        with self._store.read() as session:
            facts = facts_of(session, version_id, [pair_id])
            own, gold = facts.answers.get(reviewer_id, {}).get(pair_id), facts.decided.get(pair_id)
            if own is None or gold is None:
                raise BadInput(f"Pair {pair_id} has no answer of this reviewer yet, so its decision stays hidden.")
            answered, asked, right = counts_of(session, facts, reviewer_id)
            drafts = {one.id: one.draft for one in judgement_views.many(session, [own.judgement_id, gold.judgement_id])}
            mine, theirs = drafts[own.judgement_id], drafts[gold.judgement_id]
            assert mine is not None  # both are labels
            assert theirs is not None
            names = {clause.id: clause.name for clause in facts.version.body.criteria}
            differs = [
                names.get(key, key)
                for key, value in theirs.criteria.items()
                if key in mine.criteria and _sign(mine.criteria[key]) != _sign(value)
            ]
            quiz = facts.log.quiz
            return QuizResult(
                pair_id,
                own.judgement_id,
                mine,
                theirs,
                own.agrees_with(gold),
                explanation_of(session, facts, pair_id),
                tuple(differs),
                answered,
                asked,
                right,
                status_of(quiz, facts.log.waivers.get(reviewer_id), asked, answered, right),
                PASS_MARK if quiz is None else quiz.pass_mark,
            )


def _drawn(
    session: Session, accepted: Sequence[int], gold: Mapping[int, set[int]], items: int, seed: int
) -> tuple[int, ...]:
    """Draw gold items that can be shown, those with a reason first; the same gold and version draw the same ones."""
    hidden = hidden_pairs(session)
    decided, texts = qualifications.decisions(session, accepted), qualifications.read(session, accepted).texts
    reasons = qualifications.with_rationale(session, (one.judgement_id for one in decided.values()))
    ready = [key for key in sorted(gold) if key not in hidden]
    random.Random(seed).shuffle(ready)
    explained = [key for key in ready if key in texts or decided[key].judgement_id in reasons]
    others = [key for key in ready if key not in set(explained)]
    return tuple(sorted([*explained, *others][: max(0, items)]))


def _queue(version_id: int, reviewer_id: int, pair_ids: Sequence[int]) -> QueueSettings:
    return QueueSettings(
        reviewer_id,
        version_id,
        PairFilter(pair_ids=tuple(pair_ids)),
        "random",
        seed=version_id,
        task=Task.GOLD,
        revisit_skipped=True,
    )


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
