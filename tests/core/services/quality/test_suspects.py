"""Labels that a run contradicts: by hand for the confident joint, and with a made-up run for what came after."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from core.domain.batch import BatchPolicy
from core.domain.conversation import Prompt
from core.domain.errors import BadInput
from core.domain.judgement import Task
from core.domain.pair import TrainingPair
from core.domain.pair_table import PairFilter
from core.evaluation.measures.suspects import confident_suspects
from core.evaluation.statistics import wilson
from core.services.annotation.views import QueueSettings
from core.services.batches.service import BatchesService
from core.services.quality.suspects import SuspectsService
from tests.fakes.workspaces import opened, person, prefer


def test_that_each_side_has_a_threshold_of_its_own() -> None:
    # P(A): labels A have .9 .8 .1 (mean .6), labels B have .3 .7 .2, so P(B) .7 .3 .8 (mean .6).
    right, first = [0.9, 0.8, 0.1, 0.7, 0.3, 0.8], [True, True, True, False, False, False]
    assert confident_suspects(right, first).tolist() == [2, 4]
    # A policy that gives A too much: labels B have P(B) .45 .4 .35, mean .4; nothing is contradicted by P(A) .65.
    assert confident_suspects([0.9, 0.9, 0.9, 0.45, 0.4, 0.35], first).tolist() == []
    assert confident_suspects([], []).tolist() == []


def by_hand(right: list[float], first: list[bool]) -> list[int]:
    """Return the off-diagonal of the confident joint as its definition says, label by label."""
    p = [[r, 1 - r] if f else [1 - r, r] for r, f in zip(right, first, strict=True)]
    said = [0 if f else 1 for f in first]
    limits = []
    for side in (0, 1):
        own = [p[n][side] for n in range(len(p)) if said[n] == side]
        limits.append(sum(own) / len(own) if own else float("inf"))
    found = []
    for n, row in enumerate(p):
        reached = [side for side in (0, 1) if row[side] >= limits[side]]
        if reached and max(reached, key=lambda side: row[side]) != said[n]:
            found.append(n)
    return sorted(found, key=lambda n: right[n])


def test_that_the_confident_joint_is_that_of_its_definition_on_small_matrices() -> None:
    rng = np.random.default_rng(17)
    for size in (1, 2, 7, 40, 200):
        right, first = rng.beta(2, 1, size).tolist(), (rng.random(size) < 0.6).tolist()
        assert confident_suspects(right, first).tolist() == by_hand(right, first)


@dataclass
class MadeUpRun:
    """A run whose margins are given: of training pairs and of the newest probe."""

    pairs: list[TrainingPair]
    margins: dict[str, float]
    held_out: dict[str, float] = field(default_factory=dict)

    def reader(self, run_id: str) -> MadeUpRun:
        assert run_id == "r"
        return self

    @property
    def folder(self) -> SimpleNamespace:
        return SimpleNamespace(pairs=lambda: self.pairs)

    def worst(self, n: int) -> list[SimpleNamespace]:
        return _visits(self.margins)[:n]

    def newest_probe(self, kind: str) -> list[SimpleNamespace]:
        assert kind == "dev"
        return _visits(self.held_out)


def _visits(margins: dict[str, float]) -> list[SimpleNamespace]:
    return [SimpleNamespace(pair_id=key, row=SimpleNamespace(margin=margin)) for key, margin in margins.items()]


def test_that_suspects_say_whether_the_run_trained_on_them_and_what_a_later_answer_says(tmp_path: Path) -> None:
    with opened(tmp_path / "ws", 6) as app:
        queue = app.annotation.open_queue(QueueSettings(1, 1))
        labels = [
            app.annotation.commit(shown.presentation_uid, prefer(strength)).value
            for shown, strength in zip(app.annotation.next(queue, 6), (-1, -1, -1, 1, 1, 1), strict=True)
        ]
        pairs = [
            TrainingPair(str(one.pair_id), Prompt.from_text("q"), "c", "r", judgement_ids=(one.id,)) for one in labels
        ]
        margins = {"1": 2.0, "2": 1.5, "3": -2.0, "4": 2.0, "5": -1.0, "6": 9.0}
        run = MadeUpRun(pairs, margins, {"6": 1.5})
        service = SuspectsService(app.store, run)  # type: ignore[arg-type]
        report = service.of_run("r")
        assert [(one.pair_id, one.held_out, one.contradicted) for one in report.suspects] == [
            (3, False, None),
            (5, False, None),
        ]
        assert report.pairs == 6 and report.flipped.value == pytest.approx(2 / 6) and report.precision == {}
        assert report.suspects[0].right == pytest.approx(0.1192, abs=1e-4)

        # Bo labels pair 3 the other way, and Ann repeats what she said of pair 5.
        bo = person(app.store, "Bo")
        queue = app.annotation.open_queue(QueueSettings(bo.id, 1))
        for shown, strength in zip(app.annotation.next(queue, 3), (-1, -1, 2), strict=True):
            app.annotation.commit(shown.presentation_uid, prefer(strength))
        again = app.annotation.open_queue(QueueSettings(1, 1, task=Task.RETEST))
        for shown, strength in zip(app.annotation.next(again, 5), (-1, -1, -1, 1, 1), strict=True):
            app.annotation.commit(shown.presentation_uid, prefer(strength))
        newest = {one.pair_id: one.contradicted for one in service.of_run("r").suspects}
        assert newest == {3: False, 5: False}, "the newest answer counts: Ann repeated pair 3 after Bo"
        assert app.quality.report().disagreed == (3,), "nothing was flipped"

        # A batch of the suspects: pair 4 is no suspect and stands among them; Cy sees none of the labels.
        cy = person(app.store, "Cy").id
        batches = BatchesService(app.store, run, service)  # type: ignore[arg-type]
        policy = BatchPolicy((cy,), filter=PairFilter(label="any", pair_ids=(3, 4, 5)), order="suspects", runs=("r",),
                             limit=3, random_share=0.34, gold_share=0, retest_share=0)  # fmt: skip
        made = batches.create("Again", 1, policy).value
        marks = {one.pair_id: (one.rank, one.judgement_id) for one in made.suspects}
        assert marks == {3: (1, labels[2].id), 5: (2, labels[4].id), 4: (0, labels[3].id)}
        (known,) = service.of_batches()
        assert (known.suspects, known.judged, known.precision[2].n) == (2, 2, 2), "Ann repeated both"
        queue = app.annotation.open_queue(batches.queue(made.id, cy))
        for shown in app.annotation.next(queue, 9):
            app.annotation.commit(shown.presentation_uid, prefer(1))
        (found,) = service.of_batches()
        assert (found.run_id, found.precision[2].value, found.precision[2].n) == ("r", 0.5, 2), "3 is, 5 is not"
        low, high = wilson(1, 2)
        assert (found.precision[2].low, found.precision[2].high) == pytest.approx((low, high))
        assert "Wilson" in found.precision[2].estimator
        assert found.others is not None and (found.others.value, found.others.n) == (0.0, 1)
        assert found.to_plain()["precision"][0]["hits"] == 1
        assert service.of_run("r").precision == {}, "no ten suspects"

        strangers = MadeUpRun([TrainingPair("1", Prompt.from_text("q"), "c", "r")], {"1": 1.0})
        with pytest.raises(BadInput, match="no pair with a label"):
            SuspectsService(app.store, strangers).of_run("r")  # type: ignore[arg-type]
