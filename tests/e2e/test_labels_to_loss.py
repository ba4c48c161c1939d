"""From several reviewers' labels over a freeze policy to what each pair counts in the engine's loss."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.domain.dataset import FreezePolicy
from core.domain.run_events import PairMetrics
from core.services.application import Application
from tests.core.training.tiny_runs import run, steps_of
from tests.fakes.fresh import fresh
from tests.tiny_models import save_tiny

ALL: dict[str, Any] = {"splits": (1.0, 0.0, 0.0), "aggregation": "majority"}
LABELS = {"all agree": (2, 2, 2), "two of three": (2, 2, 1), "tie": (0, 0, 0)}
"""Question -> labels of three annotators: the better answer, 0 for a tie."""


@pytest.fixture(scope="module")
def tiny_llama_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    rows = [
        {"prompt": question, "response1": "one of them", "response2": "another one"}
        | {f"annotator{i}": label for i, label in enumerate(labels, 1)}
        for question, labels in LABELS.items()
    ]
    path = tmp_path / "three.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with fresh(tmp_path / "ws") as application:
        application.imports.run(path, fmt="table:one_based", consent="granted")
        yield application


def first_rows(
    app: Application, model: Path, folder: Path, policy: FreezePolicy, **settings: Any
) -> dict[str, PairMetrics]:
    """Freeze, train one step at learning rate 0 and return question -> what the ledger says of its pair."""
    version = app.datasets.freeze("d", policy).value
    pairs = list(app.datasets.training_pairs(version.id))
    events = run(model, folder, pairs=pairs, steps=1, batch_size=len(pairs), lr=0.0, template="none", **settings)
    asked = {pair.pair_id: pair.prompt.last_text for pair in pairs}
    return {asked[row.pair_id]: row for row in steps_of(events)[0].rows}


def test_that_agreement_sets_the_target_of_the_loss(app: Application, tiny_llama_dir: Path, tmp_path: Path) -> None:
    rows = first_rows(app, tiny_llama_dir, tmp_path / "run", FreezePolicy(soft_targets=True, **ALL))
    assert set(rows) == {"all agree", "two of three"}
    assert all(row.loss == pytest.approx(math.log(2), abs=1e-6) for row in rows.values())
    # |d loss / d z| at z = 0 is target - 1/2
    assert rows["all agree"].weight == pytest.approx(1 / 2)
    assert rows["two of three"].weight == pytest.approx(2 / 3 - 1 / 2)


def test_that_agreement_weighs_the_loss(app: Application, tiny_llama_dir: Path, tmp_path: Path) -> None:
    rows = first_rows(app, tiny_llama_dir, tmp_path / "run", FreezePolicy(agreement_weights=True, **ALL))
    assert rows["all agree"].loss == pytest.approx(math.log(2), abs=1e-6)
    assert rows["two of three"].loss == pytest.approx(math.log(2) / 3, abs=1e-6)


def test_that_strength_weighs_and_aims_the_loss(app: Application, tiny_llama_dir: Path, tmp_path: Path) -> None:
    policy = FreezePolicy(strength_weights=True, strength_targets=True, **ALL)
    rows = first_rows(app, tiny_llama_dir, tmp_path / "run", policy)
    strength = abs(app.datasets.items("d")[0].strength)
    assert rows["all agree"].loss == pytest.approx(strength / 2 * math.log(2), abs=1e-6)
    assert rows["all agree"].weight == pytest.approx(1 / (1 + math.exp(-strength)) - 1 / 2)


def test_that_ties_reach_a_loss_that_reads_them(app: Application, tiny_llama_dir: Path, tmp_path: Path) -> None:
    policy = FreezePolicy(keep_ties=True, **ALL)
    rows = first_rows(app, tiny_llama_dir, tmp_path / "aware", policy, loss="davidson")
    assert rows["tie"].loss == pytest.approx(math.log(2), abs=1e-6)
    assert rows["all agree"].loss == pytest.approx(math.log(4), abs=1e-6)
    plain = first_rows(app, tiny_llama_dir, tmp_path / "plain", policy)
    assert "tie" not in plain


def test_that_label_smoothing_moves_every_target(app: Application, tiny_llama_dir: Path, tmp_path: Path) -> None:
    policy = FreezePolicy(soft_targets=True, **ALL)
    rows = first_rows(app, tiny_llama_dir, tmp_path / "run", policy, label_smoothing=0.1)
    assert rows["all agree"].weight == pytest.approx(0.9 - 0.5)
    assert rows["two of three"].weight == pytest.approx(2 / 3 * 0.9 + 1 / 3 * 0.1 - 0.5)
