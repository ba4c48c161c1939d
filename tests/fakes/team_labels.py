"""The labels of a made-up team, as many as wanted: three people, two rubric versions, gold items, retests."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.domain.conversation import Prompt
from core.domain.ids import canonical_json, new_uid
from core.domain.pair import Response, make_pair
from core.domain.rubric import ChangeLevel, Criterion, RubricBody
from core.domain.text_form import prompt_keys
from core.services.application import Application
from core.store.sqlite.bulk_insert import insert_many
from core.store.sqlite.database import Session
from tests.fakes.workspaces import add_source, person

CLAUSES = {"steps": 0.02, "complete": 0.08, "safety": 0.14, "filler": 0.3}
"""Clause -> probability that it is answered the other way round."""
_DAY = 86_400_000
_START = 1_793_000_000_000
_WORDS = [
    "press",
    "the",
    "small",
    "button",
    "and",
    "hold",
    "it",
    "until",
    "the",
    "lamp",
    "turns",
    "green",
    "then",
    "wait",
]
_PRESENTATION = "presentation(id, uid, pair_id, reviewer_id, task, left_is, shown_ms, rubric_version_id)"
_JUDGEMENT = (
    "judgement(id, uid, presentation_id, pair_id, reviewer_id, task, verdict, strength, criteria, process, at_ms, "
    "rubric_version_id)"
)
_SAME = {"revision": 0, "kind": "label", "op": "commit", "session": "made up"}


@dataclass
class MadeUpTeam:
    """Who labels, and how.

    Attributes:
        right: name -> probability that a label names the better answer.
        left: name -> how much the left side draws, as a probability added to it.
    """

    right: dict[str, float] = field(default_factory=lambda: {"R1": 0.88, "R2": 0.97, "R3": 0.94})
    left: dict[str, float] = field(default_factory=lambda: {"R1": 0.12})
    seed: int = 7


_PART = 50_000


def fill_team(app: Application, pairs: int, team: MadeUpTeam | None = None, labelled: int | None = None) -> list[int]:
    """Add pairs and labels to an empty workspace and return the ids of the people: the first of them labels every pair
    (or the first ``labelled``), each further one a third of these; the newer half is under the second version."""
    team = team or MadeUpTeam()
    people = [person(app.store, name).id for name in team.right]
    lead = person(app.store, "lead").id
    first = app.rubrics.publish(app.rubrics.create("Workshop help desk", _body("Is it safe?")).value.id).value
    draft = app.rubrics.new_draft(first.rubric_id).value
    app.rubrics.save_draft(draft.id, _body("Could it hurt somebody?"))
    second = app.rubrics.publish(draft.id, ChangeLevel.MAJOR, "Safety reworded").value
    labels = _Labels(random.Random(team.seed), team, [first.id, second.id])
    source: list[int] = []
    _store(app, lambda session: source.append(add_source(session, "help desk June")))
    for start in range(1, pairs + 1, _PART):
        keys = range(start, min(start + _PART, pairs + 1))
        _store(app, lambda session, keys=keys: _add_pairs(session, source[0], keys, labels.rng))
    labels.give(people, lead, pairs if labelled is None else labelled)
    for start in range(0, len(labels.shown), _PART):
        part = slice(start, start + _PART)
        _store(app, lambda session, part=part: labels.store(session, part))
    return people


def _store(app: Application, job: Callable[[Session], None]) -> None:
    app.store.write(job, "making up a team")


def _body(safety: str) -> RubricBody:
    questions = dict.fromkeys(CLAUSES, "Which is better?") | {"safety": safety}
    names = {"steps": "Steps", "complete": "Complete", "safety": "Safety", "filler": "No filler"}
    return RubricBody(purpose="p", criteria=tuple(Criterion(key, names[key], questions[key]) for key in CLAUSES))


def _sha(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()


def _add_pairs(session: Session, source: int, keys: range, rng: random.Random) -> None:
    prompts, pairs, links = [], [], []
    for key in keys:
        texts = (" ".join(rng.choices(_WORDS, k=rng.randint(6, 40))) + f" {side}{key}" for side in "ab")
        prompt = Prompt.from_text(f"Question {key}?")
        pair, _ = make_pair(prompt, *map(Response, texts))
        prompts.append((key, prompt.sha256, 1, prompt.as_text(), canonical_json(prompt.to_plain())))
        shas, said = (pair.a.sha256, pair.b.sha256), (pair.a.text, pair.b.text)
        pairs.append((key, pair.sha256, key, source, *shas, 1, *said))
        links.append((key, source, key))
    insert_many(session, "prompt(id, sha256, turns, text, body)", prompts)
    asked = ((row[0], *prompt_keys(json.loads(row[4]))) for row in prompts)
    insert_many(session, "prompt_key(prompt_id, same, words)", list(asked))
    columns = "id, sha256, prompt_id, source_id, a_sha256, b_sha256, created_ms, a_text, b_text"
    insert_many(session, f"pair({columns})", pairs)
    insert_many(session, "pair_source(pair_id, source_id, row)", links)


class _Labels:
    """Labels in the order in which they were given."""

    def __init__(self, rng: random.Random, team: MadeUpTeam, versions: list[int]) -> None:
        self.rng, self._team, self._versions = rng, team, versions
        self.shown: list[tuple[Any, ...]] = []
        self.said: list[tuple[Any, ...]] = []

    def give(self, people: list[int], lead: int, pairs: int) -> None:
        """Let everybody label, and the lead decide every twentieth pair, which are then gold items."""
        names = list(self._team.right)
        for pair in range(1, pairs + 1):
            version = self._versions[pair > pairs // 2]
            best = 1 if _sha(f"t{pair}")[0] in "01234567" else -1
            at = _START + pair * 20 * _DAY // pairs
            if pair % 20 == 0:
                self._add(pair, lead, "adjudicate", "A", 2 * best, version, at)
            for place, (name, who) in enumerate(zip(names, people, strict=True)):
                if place == 0 or pair % 3 == 0:
                    self._answer(pair, who, name, best, version, at + place * 1000)

    def _answer(self, pair: int, who: int, name: str, best: int, version: int, at: int) -> None:
        rng = self.rng
        side = rng.choice("AB")
        strength = self._choose(name, best, side)
        self._add(pair, who, "label", side, strength, version, at)
        if pair % 20 == 0:
            self._add(pair, who, "gold", side, self._choose(name, best, side), version, at + 100)
        if pair % 25 == 0:
            again = rng.choice("AB")
            said = strength if rng.random() < self._team.right[name] else -strength
            self._add(pair, who, "retest", again, said, version, at + 200)

    def _choose(self, name: str, best: int, side: str) -> int:
        rng = self.rng
        if rng.random() < 0.1:
            return 0
        towards = best if rng.random() < self._team.right[name] else -best
        if rng.random() < self._team.left.get(name, 0.0):
            towards = -1 if side == "A" else 1
        return towards * rng.choice((1, 2, 2, 3))

    def _add(self, pair: int, who: int, task: str, side: str, strength: int, version: int, at: int) -> None:
        rng, key = self.rng, len(self.shown) + 1
        criteria = {name: -strength if rng.random() < flip else strength for name, flip in CLAUSES.items()}
        chosen = [strength] if rng.random() < 0.9 else [-strength or 1, strength]
        process = {"active_ms": rng.randint(3000, 40_000), "changes_of_mind": [f"{one:+d}" for one in chosen]}
        self.shown.append((key, new_uid(), pair, who, task, side, at, version))
        verdict = "prefer" if strength else "tie"
        said = (key, new_uid(), key, pair, who, task, verdict, strength or None)
        self.said.append((*said, json.dumps(criteria), json.dumps(process), at, version))

    def store(self, session: Session, part: slice) -> None:
        """Store some of them."""
        insert_many(session, _PRESENTATION, self.shown[part])
        insert_many(session, _JUDGEMENT, self.said[part], _SAME)
