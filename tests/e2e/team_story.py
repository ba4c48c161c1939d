"""Three reviewers, two of them on desks of their own: from pairs to a second dataset version, in one function."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

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


@dataclass(frozen=True)
class Says:
    """What one reviewer says of the rows; ``turned`` says the opposite in every fifth."""

    rows: dict[str, TableRow60]
    number: int
    turned: bool = False

    def of(self, shown: PresentationView) -> tuple[int, list[str]]:
        """Return the strength (0 is a tie, below 0 prefers A) and the clauses that are answered alike."""
        row = self.rows[shown.prompt.last_text]
        place, said = list(self.rows).index(row.prompt), row.says[self.number]
        if self.turned and place % 5 == 0:
            said = {0: 0, 1: 2, 2: 1}[said]
        a_text = shown.left if shown.left_is == "A" else shown.right
        strength = 0 if not said else -2 if (a_text == row.first) == (said == 1) else 2
        return strength, ["right", "plain"] if place % 2 else ["right"]


@dataclass
class Story:
    """What happened on the way."""

    home: Path
    orders: dict[str, str] = field(default_factory=dict)
    conflicts: int = 0
    stale: int = 0
    versions: list[DatasetVersion] = field(default_factory=list)


class Hands(Protocol):
    """How the people of the story open a workspace and answer what is asked there."""

    def at(self, folder: Path) -> AbstractContextManager[Desk]:
        """Open a workspace."""
        ...


class Desk(Protocol):
    """An open workspace and somebody in front of it."""

    app: Application

    def answer(self, who: int, batch: int, says: Says) -> None:
        """Answer all that a queue has for a reviewer: slots of a batch, or stale labels where it is 0."""
        ...

    def decide(self, who: int, version_id: int, request: str) -> int:
        """Decide every conflict for what most said and return how many; the first asks for a change if there is one."""
        ...


def tell(rows: Sequence[TableRow60], place: Path, hands: Hands) -> Story:
    """Label, merge in both orders, decide, revise the rubric, label again what is stale, and freeze twice."""
    story, by_prompt = Story(place / "home"), {row.prompt: row for row in rows}
    says = [Says(by_prompt, number) for number in range(len(NAMES))]
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
    with hands.at(story.home) as desk:
        desk.answer(people[0], batch, says[0])
    for number, name in enumerate(NAMES[1:], 1):
        with hands.at(place / name) as desk:
            desk.answer(1, 1, says[number])
            desk.app.bundles.send_back(place / f"{name}.return")
    shutil.copytree(story.home, place / "other")
    returned = [place / f"{name}.return" for name in NAMES[1:]]
    for folder, order in ((story.home, returned), (place / "other", returned[::-1] + returned)):
        with Application.open(folder) as app:
            app.bundles.merge(order, lead)
            story.orders[folder.name] = app.bundles.content_sha256()
    with hands.at(story.home) as desk:
        app = desk.app
        app.batches.draw_due(batch)
        for number, who in enumerate(people):
            desk.answer(who, batch, says[number])
        story.conflicts = desk.decide(lead, version.id, "Say that fewer words win.")
        everything = FreezePolicy(splits=(1.0, 0.0, 0.0))
        story.versions.append(app.datasets.freeze("House", everything, created_by="lea").value)
        draft = app.rubrics.draft_of_requests(version.rubric_id).value
        clauses = (draft.body.criteria[0], replace(draft.body.criteria[1], question="Which needs fewer words?"))
        app.rubrics.save_draft(draft.id, replace(draft.body, criteria=clauses))
        second = app.rubrics.publish(draft.id, ChangeLevel.MAJOR).value
        story.stale = app.rubrics.stale(second.id)
        for number, who in enumerate(people):
            desk.answer(who, 0, replace(says[number], turned=True))
        desk.decide(lead, second.id, "")
        story.versions.append(app.datasets.freeze("House", everything, created_by="lea").value)
    return story


def items_of(app: Application, version: DatasetVersion) -> dict[int, FrozenItem]:
    """Return pair -> item of a version."""
    return {one.pair_id: one for one in app.datasets.items(version.id, limit=1000)}


def total_of(app: Application, version_id: int, pair_id: int) -> int:
    """Return the sum of the strengths that the labels of a pair in conflict say: below 0 most prefer A."""
    (votes,) = (one for one in app.adjudication.conflicts(version_id) if one.pair_id == pair_id)
    return sum(one.judgement.draft.strength or 0 for one in votes.labels if one.judgement.draft)


class ByServices:
    """People without a window."""

    @contextmanager
    def at(self, folder: Path) -> Iterator[Desk]:
        """Open a workspace."""
        with Application.open(folder) as app:
            yield _ServiceDesk(app)


@dataclass
class _ServiceDesk:
    app: Application

    def answer(self, who: int, batch: int, says: Says) -> None:
        version = self.app.rubrics.published()[0].id
        queue = self.app.batches.queue(batch, who) if batch else QueueSettings(who, version, task=Task.RELABEL)
        opened = self.app.annotation.open_queue(queue)
        while shown := self.app.annotation.next(opened):
            strength, clauses = says.of(shown[0])
            verdict = Verdict.PREFER if strength else Verdict.TIE
            draft = JudgementDraft(verdict, strength or None, criteria=dict.fromkeys(clauses, strength))
            self.app.annotation.commit(shown[0].presentation_uid, draft)

    def decide(self, who: int, version_id: int, request: str) -> int:
        queue, count = self.app.annotation.open_queue(QueueSettings(who, version_id, task=Task.ADJUDICATE)), 0
        while shown := self.app.annotation.next(queue):
            pair_id = shown[0].pair_id
            total = total_of(self.app, version_id, pair_id)
            draft = JudgementDraft(Verdict.PREFER, -2 if total < 0 else 2) if total else JudgementDraft(Verdict.TIE)
            self.app.annotation.commit(shown[0].presentation_uid, draft)
            words = DecisionDraft("reviewer_slip", "gold")
            if request and not count:
                words = DecisionDraft("rubric_gap", "change_request", clause="plain", request=request)
            self.app.adjudication.decide(pair_id, version_id, who, words)
            count += 1
        return count
