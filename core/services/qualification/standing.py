"""How reviewers stand in a quiz: which gold items they can be asked, what they answered first, what is left to try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.clock import now_ms
from core.domain.counting import counted
from core.domain.errors import BadInput
from core.domain.judgement import ReviewerKind, Task
from core.domain.qualification import Qualification, ReviewerQualification, status_of
from core.domain.rubric import RubricState, RubricVersion
from core.store import batches, qualifications, queue, reviewers, rubrics
from core.store.judgements import LABEL_TASKS
from core.store.qualifications import GoldSaid, QuizLog
from core.store.sqlite.database import Session
from core.store.withdrawn import withdrawn_pairs

_OWN = (*LABEL_TASKS, Task.ADJUDICATE.value)


@dataclass(frozen=True, slots=True)
class GoldFacts:
    """What is known of the gold items of one meaning of a rubric.

    Attributes:
        gold: pair -> who decided it; hidden: pairs that nobody is shown any more.
        decided: pair -> the decision. answers: reviewer -> pair -> first answer.
    """

    version: RubricVersion
    accepted: tuple[int, ...]
    log: QuizLog
    gold: Mapping[int, set[int]]
    hidden: set[int]
    decided: Mapping[int, GoldSaid]
    answers: Mapping[int, Mapping[int, GoldSaid]]


def published(session: Session, version_id: int) -> tuple[RubricVersion, tuple[int, ...]]:
    """Return a published version and the ids of those of the same meaning.

    Raises:
        BadInput, NotFound: it is a draft, or there is none.
    """
    version = rubrics.get(session, version_id)
    if version.state is not RubricState.PUBLISHED:
        raise BadInput(f"{version.title} is a draft; a quiz belongs to a published version.", "Publish it first.")
    return version, rubrics.compatible_ids(session, version_id)


def gold_of(session: Session, accepted: Sequence[int]) -> dict[int, set[int]]:
    """Return pair -> who decided it, of all gold items under some versions."""
    return batches.gold_pairs(session, accepted)


def facts_of(session: Session, version_id: int, more: Sequence[int] = ()) -> GoldFacts:
    """Return what is known of the gold items of a version; of ``more`` pairs the first answers too."""
    version, accepted = published(session, version_id)
    log = qualifications.read(session, accepted)
    items = (*(log.quiz.pair_ids if log.quiz is not None else ()), *more)
    return GoldFacts(
        version,
        accepted,
        log,
        gold_of(session, accepted),
        hidden_pairs(session),
        qualifications.decisions(session, accepted),
        qualifications.first_answers(session, accepted, items),
    )


def hidden_pairs(session: Session) -> set[int]:
    """Return the pairs that nobody is shown any more: test items, and those without consent."""
    return queue.sealed_pair_ids(session) | withdrawn_pairs(session, now_ms())


def asked_of(session: Session, facts: GoldFacts, reviewer_id: int) -> list[int]:
    """Return the items that a reviewer is asked: still gold, not their own work, and shown or answered already."""
    quiz = facts.log.quiz
    own = queue.labelled_by(session, reviewer_id, facts.accepted, _OWN)
    answered = facts.answers.get(reviewer_id, {})
    return [
        key
        for key in (quiz.pair_ids if quiz is not None else ())
        if key in facts.gold and key not in own and (key in answered or key not in facts.hidden)
    ]


def counts_of(session: Session, facts: GoldFacts, reviewer_id: int) -> tuple[int, int, int]:
    """Return answered, asked and right items of the quiz."""
    asked = asked_of(session, facts, reviewer_id)
    given = {key: one for key, one in facts.answers.get(reviewer_id, {}).items() if key in asked}
    return len(given), len(asked), sum(one.agrees_with(facts.decided[key]) for key, one in given.items())


def qualification_of(session: Session, facts: GoldFacts) -> Qualification:
    """Return how every active person stands."""
    # scipy takes a second to import, and a window that only labels never needs it.
    from core.evaluation.measures.shares import share_by_prompt

    away, found = reviewers.inactive_ids(session), []
    for person in reviewers.listed(session):
        if person.kind is not ReviewerKind.HUMAN or person.id in away:
            continue
        asked = asked_of(session, facts, person.id)
        given = {key: one for key, one in facts.answers.get(person.id, {}).items() if key in asked}
        hits = {key: one.agrees_with(facts.decided[key]) for key, one in given.items()}
        share = share_by_prompt(list(hits.values()), None, "gold items of the quiz answered right")
        waiver = facts.log.waivers.get(person.id)
        status = status_of(facts.log.quiz, waiver, len(asked), len(given), sum(hits.values()))
        wrong = tuple(key for key, hit in hits.items() if not hit)
        holds = waiver if waiver is not None and waiver.waived else None
        found.append(ReviewerQualification(person.id, person.name, status, len(asked), share, wrong, holds))
    return Qualification(facts.version.id, facts.version.title, facts.log.quiz, tuple(found))


def to_practise(session: Session, facts: GoldFacts, reviewer_id: int) -> list[int]:
    """Return the gold items outside of the quiz that a reviewer neither made nor was told the answer of."""
    quiz = facts.log.quiz.pair_ids if facts.log.quiz is not None else ()
    seen = queue.labelled_by(session, reviewer_id, facts.accepted, (*_OWN, Task.GOLD.value))
    seen |= qualifications.told_pairs(session, reviewer_id, facts.accepted)
    return [key for key in sorted(facts.gold) if key not in seen and key not in facts.hidden and key not in quiz]


def explanation_of(session: Session, facts: GoldFacts, pair_id: int) -> str:
    """Return why a gold item is decided as it is: the lead's words, else the reason of the decision, else ""."""
    if text := facts.log.texts.get(pair_id, ""):
        return text
    decision = facts.decided.get(pair_id)
    return qualifications.rationale(session, decision.judgement_id).strip() if decision is not None else ""


def unqualified(session: Session, version_id: int, reviewer_ids: Sequence[int]) -> str:
    """Return who of some reviewers has not passed the quiz of a version, as a sentence; "" for nobody or no quiz."""
    facts = facts_of(session, version_id)
    if facts.log.quiz is None:
        return ""
    found = qualification_of(session, facts)
    missing = [one for one in found.reviewers if one.reviewer_id in reviewer_ids and not one.qualified]
    names = ", ".join(f"{one.name} ({one.words()})" for one in missing)
    return f"{counted(len(missing), 'reviewer')} not qualified for {found.title}: {names}." if missing else ""
