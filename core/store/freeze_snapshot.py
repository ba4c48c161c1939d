"""What a freeze reads: every pair with its consent, flags and current labels, in one snapshot."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from core.domain.adjudication import SUBJECTIVE
from core.domain.aggregation import Label
from core.domain.changeset import DataRules
from core.domain.clock import now_ms
from core.domain.judgement import Task, Verdict
from core.domain.on_policy import PolicyMark
from core.store import adjudications, consents, data_rules, generated, licences, pair_tags, stale_labels
from core.store.chain.material import EVIDENCE, digest_of
from core.store.plain import fetch


@dataclass(frozen=True, slots=True)
class Candidate:
    """One pair as a freeze sees it.

    Attributes:
        same: key of its prompt, and ``words``; see ``core.domain.text_form``.
        text_flags: what looks wrong in its texts, see ``core.domain.text_flags``.
    """

    pair_id: int
    sha256: str
    prompt_sha256: str
    source_ids: tuple[int, ...]
    prompt_id: int
    same: int
    words: int
    text_flags: int


@dataclass(frozen=True, slots=True)
class FrozenRubric:
    """A published rubric version: its identity, content hash and whether a later major version came after it."""

    id: int
    rubric_id: int
    title: str
    sha256: str
    stale: bool


@dataclass(slots=True)
class FreezeSnapshot:
    """Everything that decides what a freeze gives.

    Attributes:
        labels: pair id -> current labels, gold and retest answers left out.
        flags: pair id -> flags of its current judgements, of reviewers whose consent holds.
        tags: pair id -> the tags that people put on it.
        source_licences, reviewer_licences: id -> licence, of those of which one was stated.
        consents: source id -> consent as it counts for training now: granted, unknown, withdrawn or "other use".
        evidence: judgement id -> sha256 of what the judgement says, for the root hash.
        subjective: pair -> rubric versions under which it was decided to be truly subjective.
        still_valid: judgements under a stale version that the later major versions do not concern.
        rules: what approved changesets, consent and attacks say of pairs.
        policies: pair -> the policies that its answers were sampled from, for generated pairs.
        snapshot_version: equal for two snapshots between which nothing that matters was written.
    """

    candidates: list[Candidate] = field(default_factory=list)
    labels: dict[int, list[Label]] = field(default_factory=dict)
    flags: dict[int, set[str]] = field(default_factory=dict)
    tags: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    consents: dict[int, str] = field(default_factory=dict)
    source_licences: dict[int, str] = field(default_factory=dict)
    reviewer_licences: dict[int, str] = field(default_factory=dict)
    evidence: dict[int, str] = field(default_factory=dict)
    rubrics: dict[int, FrozenRubric] = field(default_factory=dict)
    still_valid: frozenset[int] = frozenset()
    subjective: dict[int, set[int]] = field(default_factory=dict)
    rules: DataRules = field(default_factory=DataRules)
    policies: dict[int, tuple[PolicyMark, ...]] = field(default_factory=dict)
    snapshot_version: tuple[Any, ...] = ()


def snapshot(session: Session) -> FreezeSnapshot:
    """Read everything that a freeze needs, in the transaction of ``session``."""
    now = now_ms()
    found = FreezeSnapshot(snapshot_version=snapshot_version(session, now))
    of_source = consents.of_sources(session)
    found.consents = {key: consent.effective(now) for key, consent in of_source.items()}
    found.source_licences, found.reviewer_licences = licences.of_sources(session), licences.of_reviewers(session)
    found.rules = data_rules.data_rules(session, now, of_source)
    found.rubrics = _rubrics(session)
    rubric_of = {key: version.rubric_id for key, version in found.rubrics.items()}
    found.candidates = _candidates(session)
    found.policies = generated.marks(session)
    found.still_valid = stale_labels.still_valid(session)
    found.subjective = adjudications.pairs_with(session, SUBJECTIVE)
    labels: dict[int, list[Label]] = defaultdict(list)
    tasks, verdicts = {task.value: task for task in Task}, {verdict.value: verdict for verdict in Verdict}
    query = """SELECT pair_id, judgement_id, reviewer_id, rubric_version_id, task, verdict, strength
        FROM current_label WHERE task NOT IN('gold','retest') ORDER BY judgement_id"""
    for pair_id, judgement_id, reviewer_id, version_id, task, verdict, strength in fetch(session, query):
        labels[pair_id].append(
            Label(
                judgement_id, reviewer_id, rubric_of[version_id], version_id, tasks[task], verdicts[verdict], strength
            )
        )
    found.labels = dict(labels)
    found.evidence = _evidence(session)
    flags: dict[int, set[str]] = defaultdict(set)
    query = """SELECT c.pair_id, c.reviewer_id, j.flags FROM current_label c JOIN judgement j ON j.id=c.judgement_id
        WHERE c.flagged>0"""
    for pair_id, reviewer_id, text in fetch(session, query):
        if reviewer_id not in found.rules.reviewers:
            flags[pair_id].update(json.loads(text))
    found.flags, found.tags = dict(flags), pair_tags.current(session)
    return found


def snapshot_version(session: Session, at_ms: int | None = None) -> tuple[Any, ...]:
    """Return a value that changes whenever a later snapshot could differ; the time is now when None."""
    (highest,) = fetch(
        session,
        """SELECT (SELECT max(id) FROM judgement), (SELECT max(id) FROM pair), (SELECT count(*) FROM pair_source),
            (SELECT count(*) FROM rubric_version WHERE state='published'),
            (SELECT count(*) FROM source WHERE consent='granted'),
            (SELECT max(id) FROM event_log WHERE op IN('source.consent','pair.tag','pair.untag','reviewer.licence')),
            (SELECT max(id) FROM adjudication)""",
    )
    return (*highest, *data_rules.snapshot_version(session, now_ms() if at_ms is None else at_ms))


def _evidence(session: Session) -> dict[int, str]:
    query = f"""SELECT c.judgement_id, CAST({EVIDENCE} AS BLOB) FROM current_label c
        JOIN judgement j ON j.id=c.judgement_id JOIN presentation p ON p.id=j.presentation_id
        JOIN rubric_version v ON v.id=j.rubric_version_id WHERE c.task NOT IN('gold','retest')"""
    rows = session.connection().exec_driver_sql(query)
    return {key: digest_of(raw) for key, raw in rows}


def _candidates(session: Session) -> list[Candidate]:
    sources: dict[int, list[int]] = defaultdict(list)
    for pair_id, source_id in fetch(session, "SELECT pair_id, source_id FROM pair_source ORDER BY pair_id, source_id"):
        sources[pair_id].append(source_id)
    query = """SELECT p.id, p.sha256, q.sha256, p.source_id, q.id, coalesce(k.same, -q.id), coalesce(k.words, -q.id),
          coalesce(f.flags, 0)
        FROM pair p JOIN prompt q ON q.id=p.prompt_id LEFT JOIN prompt_key k ON k.prompt_id=q.id
        LEFT JOIN pair_flag f ON f.pair_id=p.id ORDER BY p.id"""
    return [
        Candidate(key, sha, prompt, tuple(sources.get(key, ())) or (source,), *rest)
        for key, sha, prompt, source, *rest in fetch(session, query)
    ]


def _rubrics(session: Session) -> dict[int, FrozenRubric]:
    query = """SELECT v.id, v.rubric_id, r.name, v.number, v.sha256, v.major,
            (SELECT max(major) FROM rubric_version w WHERE w.rubric_id=v.rubric_id AND w.state='published')
        FROM rubric_version v JOIN rubric r ON r.id=v.rubric_id WHERE v.state='published' ORDER BY v.id"""
    return {
        key: FrozenRubric(key, rubric_id, f"{name} {number}", sha, major < newest)
        for key, rubric_id, name, number, sha, major, newest in fetch(session, query)
    }
