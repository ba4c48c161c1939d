"""Three reviewers, two of them on desks of their own: from pairs to a second dataset version, in one function."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.domain.adjudication import DecisionDraft
from core.domain.batch import BatchPolicy
from core.domain.dataset import DatasetVersion, FreezePolicy, FrozenItem
from core.domain.judgement import JudgementDraft, Task, Verdict
from core.domain.pair_table import PairFilter
from core.domain.rubric import ChangeLevel, Criterion, RubricBody
from core.services.annotation.views import PresentationView, QueueSettings
from core.services.application import Application
from core.services.bundles.desk import open_desk

NAMES = ("ann", "ben", "cem")
BODY = RubricBody(
    "Which answer follows the instruction better?",
    (Criterion("right", "Right", "Which is right?"), Criterion("plain", "Plain", "Which is plainer?")),
)


@dataclass(frozen=True)
class TableRow60:
    """A row of the table: both answers, and what each of the three says: 0 equal, 1 the first, 2 the second."""

    prompt: str
    first: str
    second: str
    says: tuple[int, int, int]


@dataclass
class Story:
    """What happened on the way."""

    home: Path
    orders: dict[str, str] = field(default_factory=dict)
    conflicts: int = 0
    stale: int = 0
    versions: list[DatasetVersion] = field(default_factory=list)


def tell(rows: Sequence[TableRow60], place: Path) -> Story:
    """Label, merge in both orders, decide, revise the rubric, label again what is stale, and freeze twice."""
    story, by_prompt = Story(place / "home"), {row.prompt: row for row in rows}
    with Application.open(story.home, create=True) as app:
        source = place / "table.jsonl"
        lines = ({"prompt": r.prompt, "chosen": r.first, "rejected": r.second} for r in rows)
        source.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        app.imports.run(source, consent="granted")
        version = app.rubrics.publish(app.rubrics.create("House", BODY).value.id).value
        people = [app.reviewers.add(name).value.id for name in NAMES]
        lead = app.reviewers.add("lea").value.id
        policy = BatchPolicy(tuple(people), filter=PairFilter(), second_share=1.0, gold_share=0, retest_share=0, seed=3)
        batch = app.batches.create("Week 1", version.id, policy, lead).value.id
        for who, name in zip(people[1:], NAMES[1:], strict=True):
            open_desk(app.bundles.export(batch, who, place / f"{name}.work", lead).value.path, place / name)
        _answer(app, app.batches.queue(batch, people[0]), 0, by_prompt)
    for number, name in enumerate(NAMES[1:], 1):
        with Application.open(place / name) as desk:
            _answer(desk, desk.batches.queue(1, 1), number, by_prompt)
            desk.bundles.send_back(place / f"{name}.return")
    shutil.copytree(story.home, place / "other")
    returned = [place / f"{name}.return" for name in NAMES[1:]]
    for folder, order in ((story.home, returned), (place / "other", returned[::-1] + returned)):
        with Application.open(folder) as app:
            app.bundles.merge(order, lead)
            story.orders[folder.name] = app.bundles.content_sha256()
    with Application.open(story.home) as app:
        app.batches.draw_due(batch)
        for number, who in enumerate(people):
            _answer(app, app.batches.queue(batch, who), number, by_prompt)
        story.conflicts = _decide(app, version.id, lead, asks=True)
        everything = FreezePolicy(splits=(1.0, 0.0, 0.0))
        story.versions.append(app.datasets.freeze("House", everything, created_by="lea").value)
        draft = app.rubrics.draft_of_requests(version.rubric_id).value
        clauses = (draft.body.criteria[0], replace(draft.body.criteria[1], question="Which needs fewer words?"))
        app.rubrics.save_draft(draft.id, replace(draft.body, criteria=clauses))
        second = app.rubrics.publish(draft.id, ChangeLevel.MAJOR).value
        story.stale = app.rubrics.stale(second.id)
        for number, who in enumerate(people):
            queue = QueueSettings(who, second.id, task=Task.RELABEL)
            _answer(app, queue, number, by_prompt, turned=True)
        _decide(app, second.id, lead, asks=False)
        story.versions.append(app.datasets.freeze("House", everything, created_by="lea").value)
    return story


def items_of(app: Application, version: DatasetVersion) -> dict[int, FrozenItem]:
    """Return pair -> item of a version."""
    return {one.pair_id: one for one in app.datasets.items(version.id, limit=1000)}


def _answer(
    app: Application, queue: QueueSettings, number: int, rows: dict[str, TableRow60], *, turned: bool = False
) -> None:
    """Answer everything in a queue as the table says of one reviewer; ``turned`` says the opposite in every fifth."""
    opened = app.annotation.open_queue(queue)
    while shown := app.annotation.next(opened):
        app.annotation.commit(shown[0].presentation_uid, _said(shown[0], number, rows, turned=turned))


def _said(shown: PresentationView, number: int, rows: dict[str, TableRow60], *, turned: bool) -> JudgementDraft:
    row = rows[shown.prompt.last_text]
    place, said = list(rows).index(row.prompt), row.says[number]
    if turned and place % 5 == 0:
        said = {0: 0, 1: 2, 2: 1}[said]
    clauses = {"right": 0} | ({"plain": 0} if place % 2 else {})
    if not said:
        return JudgementDraft(Verdict.TIE, criteria=clauses)
    a_text = shown.left if shown.left_is == "A" else shown.right
    strength = -2 if (a_text == row.first) == (said == 1) else 2
    return JudgementDraft(Verdict.PREFER, strength, criteria=dict.fromkeys(clauses, strength), rationale="As it reads.")


def _decide(app: Application, version_id: int, lead: int, *, asks: bool) -> int:
    """Decide every conflict for what most said; the first one becomes a change request where ``asks``."""
    queue, count = app.annotation.open_queue(QueueSettings(lead, version_id, task=Task.ADJUDICATE)), 0
    votes = {one.pair_id: one for one in app.adjudication.conflicts(version_id)}
    while shown := app.annotation.next(queue):
        pair_id = shown[0].pair_id
        said = [one.judgement.draft.strength or 0 for one in votes[pair_id].labels if one.judgement.draft]
        total = sum(said)
        draft = JudgementDraft(Verdict.PREFER, -2 if total < 0 else 2) if total else JudgementDraft(Verdict.TIE)
        app.annotation.commit(shown[0].presentation_uid, draft)
        words = DecisionDraft("reviewer_slip", "gold")
        if asks and not count:
            words = DecisionDraft("rubric_gap", "change_request", clause="plain", request="Say that fewer words win.")
        app.adjudication.decide(pair_id, version_id, lead, words)
        count += 1
    return count
