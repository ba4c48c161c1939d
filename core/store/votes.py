"""Rounds of votes in the database: rounds and items are added and never change; votes are judgements of their pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlmodel import Session

from core.domain.errors import NotFound
from core.domain.ids import canonical_json, new_uid
from core.domain.judgement import ReviewerKind
from core.domain.names import cleaned_name
from core.domain.pair import Side
from core.domain.votes import Vote, VoteItem, VoteRound
from core.store import rubrics
from core.store.import_rows import NewPair, NewRow, Target
from core.store.imports import add_batch, known_pairs
from core.store.judgements import LABEL_TASKS
from core.store.plain import fetch, insert_row, read_json
from core.store.sqlite.bulk_insert import insert_many
from core.store.sqlite.write_context import WriteContext
from core.store.tables import SourceRow, VoteRoundRow

FORMAT = "votes"
"""Marks the sources of pairs that were made for votes."""
_ROUND = """SELECT r.id, r.uid, r.request_sha256, r.evaluation, r.name, r.first_arm, r.second_arm, r.rubric_version_id,
      b.name || ' ' || v.number, r.source_id, r.votes_per_item, r.planned,
      (SELECT count(*) FROM vote_item i WHERE i.round_id=r.id), r.created_ms, r.detail
    FROM vote_round r JOIN rubric_version v ON v.id=r.rubric_version_id JOIN rubric b ON b.id=v.rubric_id"""
_TASKS = ",".join(f"'{task}'" for task in LABEL_TASKS)


# What keeps the pairs apart from training


def all_pair_ids(session: Session) -> set[int]:
    """Return the pairs that were made for votes; no other queue shows them."""
    return {key for (key,) in fetch(session, "SELECT DISTINCT pair_id FROM vote_item")}


def sources_of_pairs(session: Session) -> dict[int, frozenset[int]]:
    """Return pair -> sources of votes that it is in; none for a pair that shows a prompt of a sealed test."""
    rows = fetch(
        session,
        """SELECT i.pair_id, r.source_id, max(i.is_sealed) OVER (PARTITION BY i.pair_id)
        FROM vote_item i JOIN vote_round r ON r.id=i.round_id""",
    )
    found: dict[int, set[int]] = defaultdict(set)
    for pair_id, source_id, is_sealed in rows:
        found[pair_id] |= set() if is_sealed else {source_id}
    return {key: frozenset(named) for key, named in found.items()}


def known_elsewhere(session: Session, sha256s: Sequence[str]) -> set[str]:
    """Return those of some pair hashes that the workspace holds for another purpose than votes."""
    there = known_pairs(session, sha256s)
    query = """SELECT DISTINCT p.sha256 FROM json_each(?) j CROSS JOIN pair p ON p.sha256=j.value
        JOIN vote_item i ON i.pair_id=p.id"""
    return there - {sha for (sha,) in fetch(session, query, (canonical_json(sorted(there)),))}


def tallies(session: Session) -> dict[str, int]:
    """Return how many pairs were made for votes, how many of them have a vote, and how many votes count now."""
    query = """SELECT (SELECT count(DISTINCT pair_id) FROM vote_item), count(DISTINCT pair_id), count(*)
        FROM current_label WHERE pair_id IN(SELECT pair_id FROM vote_item)"""
    return dict(zip(("pairs", "labelled", "labels"), fetch(session, query)[0], strict=True))


def cast_by_kind(session: Session) -> dict[ReviewerKind, int]:
    """Return how many votes count now, by the kind of reviewer."""
    query = f"""SELECT w.kind, count(*) FROM current_label c JOIN reviewer w ON w.id=c.reviewer_id
        WHERE c.task IN({_TASKS}) AND c.pair_id IN(SELECT pair_id FROM vote_item) GROUP BY w.kind"""
    return {ReviewerKind(kind): count for kind, count in fetch(session, query)}


# Asking


def open_source(session: Session, name: str, context: WriteContext) -> Target:
    """Return the source of the pairs of a new round; it has a name of its own."""
    base = cleaned_name(name, "votes")
    free, number = base, 1
    while fetch(session, "SELECT 1 FROM source WHERE name=?", (free,)):
        number += 1
        free = f"{base} ({number})"
    key = insert_row(
        session, SourceRow, uid=new_uid(), name=free, kind="generator", consent="unknown", format=FORMAT,
        created_ms=context.at_ms,
    )  # fmt: skip
    return Target(key, free, "", "", FORMAT)


def add(
    session: Session, new: VoteRound, target: Target, items: Sequence[tuple[NewPair, VoteItem]], context: WriteContext
) -> VoteRound:
    """Store a round with its pairs and items, and return it with its id; ``pair_id`` of the items is filled in."""
    add_batch(session, target, [NewRow(line, (pair,)) for line, (pair, _) in enumerate(items, 1)], context)
    wanted = canonical_json([pair.sha256 for pair, _ in items])
    query = "SELECT p.sha256, p.id FROM json_each(?) j CROSS JOIN pair p ON p.sha256=j.value"
    ids = dict(map(tuple, fetch(session, query, (wanted,))))
    key = insert_row(
        session,
        VoteRoundRow,
        uid=new.uid,
        request_sha256=new.request_sha256,
        evaluation=new.evaluation,
        name=new.name,
        first_arm=new.first_arm,
        second_arm=new.second_arm,
        rubric_version_id=new.rubric_version_id,
        source_id=target.source_id,
        votes_per_item=new.votes_per_item,
        planned=new.planned,
        detail=canonical_json(dict(new.detail)),
        created_ms=context.at_ms,
        session=context.session,
    )
    rows = [
        (ids[pair.sha256], one.suite, one.item, one.a_is, int(one.is_sealed), canonical_json(dict(one.detail)))
        for pair, one in items
    ]
    insert_many(session, "vote_item(pair_id, suite, item, a_is, is_sealed, detail)", rows, {"round_id": key})
    return get(session, key)


# Reading


def listed(session: Session, evaluation: str = "") -> list[VoteRound]:
    """Return every round, or those of an evaluation, oldest first."""
    query = f"{_ROUND} WHERE r.evaluation=? OR ?='' ORDER BY r.id"
    return [_round(row) for row in fetch(session, query, (evaluation, evaluation))]


def get(session: Session, round_id: int) -> VoteRound:
    """Return a round.

    Raises:
        NotFound: when there is none with this id.
    """
    found = fetch(session, f"{_ROUND} WHERE r.id=?", (round_id,))
    if not found:
        raise NotFound(f"There is no round of votes {round_id}.", "See them with: votes list WS")
    return _round(found[0])


def by_request(session: Session, sha256: str) -> VoteRound | None:
    """Return the round that was made of an equal request, None when there is none."""
    found = fetch(session, f"{_ROUND} WHERE r.request_sha256=?", (sha256,))
    return _round(found[0]) if found else None


def items(session: Session, round_id: int) -> list[VoteItem]:
    """Return the items of a round in the order in which they were stored."""
    query = "SELECT pair_id, suite, item, a_is, is_sealed, detail FROM vote_item WHERE round_id=? ORDER BY id"
    return [
        VoteItem(pair_id, suite, item, a_is, bool(is_sealed), read_json(detail))
        for pair_id, suite, item, a_is, is_sealed, detail in fetch(session, query, (round_id,))
    ]


def texts(session: Session, round_id: int) -> dict[int, tuple[str, str]]:
    """Return pair -> answers of the first and of the second arm of a round."""
    query = """SELECT p.id, CASE i.a_is WHEN 1 THEN p.a_text ELSE p.b_text END,
        CASE i.a_is WHEN 1 THEN p.b_text ELSE p.a_text END
        FROM vote_item i JOIN pair p ON p.id=i.pair_id WHERE i.round_id=?"""
    return {pair_id: (first, second) for pair_id, first, second in fetch(session, query, (round_id,))}


def pair_ids(session: Session, round_id: int) -> list[int]:
    """Return the pairs of a round in the order in which they were stored."""
    return [key for (key,) in fetch(session, "SELECT pair_id FROM vote_item WHERE round_id=? ORDER BY id", (round_id,))]


def cast(session: Session, one: VoteRound) -> list[Vote]:
    """Return the votes of people that count now, in the order of the log; judges' and imported ones are not in it."""
    query = f"""SELECT c.pair_id, w.name, c.verdict, c.strength, i.a_is, p.left_is, c.judgement_id
        FROM vote_item i CROSS JOIN current_label c ON c.pair_id=i.pair_id
        JOIN judgement j ON j.id=c.judgement_id JOIN presentation p ON p.id=j.presentation_id
        JOIN reviewer w ON w.id=c.reviewer_id
        WHERE i.round_id=? AND c.task IN({_TASKS}) AND w.kind=?
          AND c.rubric_version_id IN(SELECT value FROM json_each(?)) ORDER BY c.judgement_id"""
    accepted = canonical_json(list(rubrics.compatible_ids(session, one.rubric_version_id)))
    rows = fetch(session, query, (one.id, ReviewerKind.HUMAN.value, accepted))
    return [_vote(*row) for row in rows]


def voters(session: Session, one: VoteRound) -> list[tuple[int, int]]:
    """Return (pair, reviewer) of every answer that counts for the queue of a round, whoever gave it."""
    query = f"""SELECT DISTINCT c.pair_id, c.reviewer_id FROM vote_item i CROSS JOIN current_label c
        ON c.pair_id=i.pair_id WHERE i.round_id=? AND c.task IN({_TASKS})
        AND c.rubric_version_id IN(SELECT value FROM json_each(?))"""
    accepted = canonical_json(list(rubrics.compatible_ids(session, one.rubric_version_id)))
    return [(pair_id, reviewer_id) for pair_id, reviewer_id in fetch(session, query, (one.id, accepted))]


def sides_shown(session: Session, pair_ids: Sequence[int], version_ids: Sequence[int]) -> dict[int, int]:
    """Return pair -> how much more often A stood left than B where reviewers answered under these versions."""
    query = """SELECT c.pair_id, sum(CASE p.left_is WHEN 'A' THEN 1 ELSE -1 END) FROM json_each(?) j
        CROSS JOIN current_label c ON c.pair_id=j.value JOIN judgement g ON g.id=c.judgement_id
        JOIN presentation p ON p.id=g.presentation_id
        WHERE c.rubric_version_id IN(SELECT value FROM json_each(?)) GROUP BY c.pair_id"""
    values = (canonical_json(list(pair_ids)), canonical_json(list(version_ids)))
    return dict(map(tuple, fetch(session, query, values)))


def _vote(
    pair_id: int, reviewer: str, verdict: str, strength: int | None, a_is: int, left_is: Side, order: int
) -> Vote:
    if verdict == "cannot_judge":
        return Vote(pair_id, reviewer, None, verdict, None, order)
    if strength is None:
        return Vote(pair_id, reviewer, 0.5, verdict, None, order)
    prefers_a = strength < 0
    return Vote(pair_id, reviewer, float(prefers_a == (a_is == 1)), verdict, prefers_a == (left_is == "A"), order)


def _round(row: Sequence[object]) -> VoteRound:
    *values, detail = row
    return VoteRound(*values, read_json(str(detail)))  # type: ignore[arg-type]
