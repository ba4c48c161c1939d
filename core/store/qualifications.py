"""Quizzes of gold items: what the lead set and waived, as log entries, and the first answers to gold items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from core.domain.ids import canonical_json
from core.domain.judgement import Task, Verdict
from core.domain.qualification import Quiz, Waiver
from core.store import events
from core.store.plain import fetch
from core.store.sqlite.write_context import WriteContext

SET, EXPLAIN, WAIVE = "qualification.quiz", "qualification.explain", "qualification.waive"
_FIRSTS = f"""SELECT j.reviewer_id, j.pair_id, j.id, j.verdict, j.strength, j.at_ms FROM judgement j
    WHERE j.task='{Task.GOLD}' AND j.kind='label' AND j.op='commit'
        AND j.rubric_version_id IN(SELECT value FROM json_each(?))
        AND j.pair_id IN(SELECT value FROM json_each(?)) ORDER BY j.id"""
_DECIDED = f"""SELECT c.pair_id, c.judgement_id, c.verdict, c.strength FROM current_label c
    WHERE c.task='{Task.ADJUDICATE}' AND c.rubric_version_id IN(SELECT value FROM json_each(?))
    ORDER BY c.judgement_id"""
_OUTSIDE = f"""SELECT DISTINCT j.pair_id FROM judgement j WHERE j.task='{Task.GOLD}' AND j.reviewer_id=?
    AND j.rubric_version_id IN(SELECT value FROM json_each(?))
    AND NOT EXISTS(SELECT 1 FROM slot_presentation s WHERE s.presentation_id=j.presentation_id)"""


@dataclass(frozen=True, slots=True)
class GoldSaid:
    """What a judgement says of a gold item, as far as right and wrong need it; ``strength`` is canonical."""

    pair_id: int
    judgement_id: int
    verdict: Verdict
    strength: int | None
    reviewer_id: int = 0
    at_ms: int = 0

    def agrees_with(self, gold: GoldSaid) -> bool:
        """Whether both name the same side, or both none; "cannot judge" agrees with nothing."""
        if Verdict.CANNOT_JUDGE in (self.verdict, gold.verdict) or (self.verdict is Verdict.NEITHER) != (
            gold.verdict is Verdict.NEITHER
        ):
            return False
        return _side(self.strength) == _side(gold.strength)


@dataclass(frozen=True, slots=True)
class QuizLog:
    """What the lead set, waived and explained; the newest word on each counts.

    Attributes:
        waivers: by reviewer. texts: pair -> explanation.
    """

    quiz: Quiz | None
    waivers: dict[int, Waiver]
    texts: dict[int, str]


def set_quiz(session: Session, quiz: Quiz, title: str, by: int | None, context: WriteContext) -> None:
    """Log the quiz that counts from now on; a later one of the same meaning takes its place."""
    detail = {"pass_mark": quiz.pass_mark, "pairs": list(quiz.pair_ids)}
    summary = f"Set a quiz of {len(quiz.pair_ids)} gold items for {title}, pass mark {quiz.pass_mark:g}"
    events.log(
        session, context, SET, summary, reviewer_id=by, subject="rubric_version", subject_id=quiz.version_id,
        detail=detail,
    )  # fmt: skip


def explain(session: Session, version_id: int, pair_id: int, text: str, by: int | None, context: WriteContext) -> None:
    """Log what is told of a gold item after an answer."""
    detail = {"version": version_id, "text": text}
    summary = f"Explained the gold item pair {pair_id}"
    events.log(
        session, context, EXPLAIN, summary, reviewer_id=by, subject="pair", subject_id=pair_id, detail=detail
    )  # fmt: skip


def waive(
    session: Session, version_id: int, title: str, name: str, said: Waiver, by: int | None, context: WriteContext
) -> None:
    """Log that a reviewer needs no quiz of a rubric version, or needs it after all."""
    summary = f"{name} {'needs no quiz' if said.waived else 'needs the quiz'} of {title}"
    detail = {"version": version_id, "waived": said.waived, "reason": said.reason}
    events.log(
        session, context, WAIVE, summary, reviewer_id=by, subject="reviewer", subject_id=said.reviewer_id,
        detail=detail,
    )  # fmt: skip


def read(session: Session, version_ids: Sequence[int]) -> QuizLog:
    """Return what the lead said of the quiz of versions of one meaning."""
    accepted = set(version_ids)
    quiz: events.Event | None = None
    texts: dict[int, str] = {}
    waivers: dict[int, Waiver] = {}
    for one in events.of_kind(session, SET, EXPLAIN, WAIVE):
        key = one.subject_id or 0
        if one.op == SET:
            quiz = one if key in accepted else quiz
        elif one.detail.get("version") not in accepted:
            continue
        elif one.op == EXPLAIN:
            texts[key] = str(one.detail.get("text", ""))
        else:
            waivers[key] = Waiver(key, bool(one.detail["waived"]), str(one.detail.get("reason", "")), one.reviewer)
    told = {key: text for key, text in texts.items() if text}
    if quiz is None:
        return QuizLog(None, waivers, told)
    pairs = tuple(int(key) for key in quiz.detail["pairs"])
    own = {key: told[key] for key in pairs if key in told}
    return QuizLog(Quiz(quiz.subject_id or 0, float(quiz.detail["pass_mark"]), pairs, own), waivers, told)


def first_answers(
    session: Session, version_ids: Sequence[int], pair_ids: Sequence[int]
) -> dict[int, dict[int, GoldSaid]]:
    """Return reviewer -> pair -> the first answer to it as a gold item, of some pairs.

    Later answers were given after the explanation, so they count nowhere; one that was taken back stays the first.
    """
    found: dict[int, dict[int, GoldSaid]] = {}
    for reviewer_id, *said, at_ms in fetch(session, _FIRSTS, (_ids(version_ids), _ids(pair_ids))):
        one = _said(said, reviewer_id, at_ms)
        found.setdefault(reviewer_id, {}).setdefault(one.pair_id, one)
    return found


def decisions(session: Session, version_ids: Sequence[int]) -> dict[int, GoldSaid]:
    """Return pair -> the newest decision of an adjudicator under these versions."""
    return {one.pair_id: one for one in map(_said, fetch(session, _DECIDED, (_ids(version_ids),)))}


def told_pairs(session: Session, reviewer_id: int, version_ids: Sequence[int]) -> set[int]:
    """Return the gold pairs whose answer a reviewer was told: those answered outside of a batch."""
    return {key for (key,) in fetch(session, _OUTSIDE, (reviewer_id, _ids(version_ids)))}


def rationale(session: Session, judgement_id: int) -> str:
    """Return the reason that a judgement gives, or ""."""
    rows = fetch(session, "SELECT rationale FROM judgement WHERE id=?", (judgement_id,))
    return str(rows[0][0]) if rows else ""


def with_rationale(session: Session, judgement_ids: Iterable[int]) -> set[int]:
    """Return the judgements among these that give a reason."""
    sql = "SELECT id FROM judgement WHERE id IN(SELECT value FROM json_each(?)) AND length(trim(rationale))>0"
    return {key for (key,) in fetch(session, sql, (_ids(list(judgement_ids)),))}


def _ids(keys: Sequence[int]) -> str:
    return canonical_json(list(keys))


def _said(row: Any, reviewer_id: int = 0, at_ms: int = 0) -> GoldSaid:
    pair_id, judgement_id, verdict, strength = row
    return GoldSaid(pair_id, judgement_id, Verdict(verdict), strength, reviewer_id, at_ms)


def _side(strength: int | None) -> int:
    return ((strength or 0) > 0) - ((strength or 0) < 0)
