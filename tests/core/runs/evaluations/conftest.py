"""A run of a tiny model with a result, two small suites, and evaluations on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from core.domain.conversation import Message, Prompt
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.run_config import RunConfig
from core.domain.suite import Suite, SuiteItem
from core.runs.creation import NewRun, create_run
from core.runs.evaluations.creation import NewEvaluation, create_evaluation
from core.runs.evaluations.driver import evaluate
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.hosting import EvaluationHost
from core.runs.folder import RunFolder
from core.runs.hosting.driver import HostOptions, drive
from tests.tiny_models import save_tiny, tiny_pairs

SMALL = EvaluationConfig().with_values({
    "max_new_tokens": 6, "batch_answers": 3, "kl_prompts": 3, "kl_max_new_tokens": 4, "device": "cpu", "threads": 1,
})  # fmt: skip


def preference_suite(count: int = 6) -> Suite:
    """Pairs that no run trains on; the last is a tie."""
    pairs = tiny_pairs(count, seed=7)
    items = [
        SuiteItem(
            f"pair-{n}", pair.prompt, "preference", {"side": "even" if n % 2 == 0 else "odd"}, (), pair.chosen,
            pair.rejected, is_tie=n == count - 1,
        )
        for n, pair in enumerate(pairs)
    ]  # fmt: skip
    return Suite("rankings", 1, tuple(items))


def open_suite(count: int = 5) -> Suite:
    """Benign questions, each with a system turn."""
    asks = ("a bicycle chain", "sourdough bread", "prime numbers", "the tides", "café hours", "a night train")
    items = [
        SuiteItem(
            f"ask-{n}", Prompt((Message("system", "Be brief."), Message("user", f"Tell me about {asks[n]}."))), "open"
        )
        for n in range(count)
    ]
    return Suite("asks", 2, tuple(items))


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Return a run of four steps on a tiny model; the folders of tests that use this fixture share one."""
    return _trained(tmp_path_factory.getbasetemp() / "trained")


@cache
def _trained(place: Path) -> RunFolder:
    place.mkdir()
    model = save_tiny(place / "model")
    pairs = [replace(pair, split="train" if n < 6 else "dev") for n, pair in enumerate(tiny_pairs(8))]
    config = RunConfig().with_values({
        "steps": 4, "batch_size": 2, "lr": 0.05, "lora_r": 4, "max_length": 128, "device": "cpu", "threads": 1,
        "eval_every": 0, "kl_every": 0, "sample_every": 0, "checkpoint_every": 2, "warmup": 0,
    })  # fmt: skip
    folder = create_run(place / "run", NewRun(config, model, pairs), run_id="r" * 32)
    assert drive(folder.path, HostOptions(host="terminal")).event == "finished"
    return folder


def new_evaluation(path: Path, run: RunFolder, **changes: object) -> EvaluationFolder:
    """Return a new evaluation of the run on both suites."""
    new = NewEvaluation(run.path, (preference_suite(), open_suite()), config=SMALL)
    return create_evaluation(path, replace(new, **changes), evaluation_id="e" * 32)  # type: ignore[arg-type]


@pytest.fixture
def make_evaluation(tmp_path: Path, trained_run: RunFolder) -> Callable[..., EvaluationFolder]:
    def make(name: str = "evaluation", **changes: object) -> EvaluationFolder:
        return new_evaluation(tmp_path / name, trained_run, **changes)

    return make


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, trained_run: RunFolder) -> EvaluationFolder:
    """Return a finished evaluation that no test changes."""
    folder = new_evaluation(tmp_path_factory.mktemp("finished") / "evaluation", trained_run)
    assert evaluate(folder.path, EvaluationHost(host="terminal")).event == "finished"
    return folder
