"""The preflight of a tiny model: what it finds and when, and what it says a run will take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.domain.pair import TrainingPair
from core.domain.preflight_report import Check, PreflightReport
from core.domain.run_config import RunConfig
from core.runs.child_processes import look_costs
from core.runs.child_processes.look_costs import LookCosts
from core.runs.child_processes.preflight_program import examine
from core.runs.child_processes.written_lengths import WrittenLengths
from core.runs.folder import PAIRS, pairs_text
from tests.tiny_models import save_tiny, tiny_pairs

CONFIG = RunConfig(
    lora_r=2, lora_alpha=4, device="cpu", steps=10, batch_size=2, max_length=64, threads=1, look_share=1.0
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("preflight") / "model")


def examined(
    model: Path, place: Path, config: RunConfig = CONFIG, pairs: Sequence[TrainingPair] = ()
) -> tuple[PreflightReport, list[tuple[str, Check | str]]]:
    """Return the report, and what was told meanwhile: checks and phases."""
    told: list[tuple[str, Any]] = []
    (place / PAIRS).write_text(pairs_text(pairs or tiny_pairs(6)), encoding="utf-8")
    request = {"config": config.to_plain(), "model_dir": str(model), "pairs_dir": str(place), "place": str(place)}
    plain = examine(
        request,
        lambda done, total, text: told.append(("phase", text)),
        lambda part: told.append(("check", Check(**part))),
    )
    return PreflightReport.from_plain(plain), told


def test_that_cheap_checks_are_told_before_the_step_begins(model: Path, tmp_path: Path) -> None:
    report, told = examined(model, tmp_path)
    kinds = [what.key if isinstance(what, Check) else what for _, what in told]
    first_step = next(i for i, what in enumerate(kinds) if what.startswith("One step"))
    assert [what for what in kinds[:first_step] if what in ("model", "tokens")] == ["model", "tokens"]
    early = [what for kind, what in told if kind == "check"]
    assert list(report.checks[: len(early)]) == early
    assert [check.key for check in report.checks][-3:] == ["memory", "disk", "time"]


def test_that_the_time_of_a_run_is_the_sum_of_its_work(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = look_costs.open_pair_decoder
    monkeypatch.setattr(look_costs, "open_pair_decoder", lambda m, ids: asked.append(len(ids)) or real(m, ids))
    config = CONFIG.with_values({"eval_every": 5, "kl_every": 10, "sample_every": 0, "kl_prompts": 4})
    report, _ = examined(model, tmp_path, config)
    assert asked == [6], "answers are timed on the prompts of the whole run, not on the two of the tried step"
    assert set(report.look_seconds) == {"eval", "kl"}
    looks = 2 * report.look_seconds["eval"] + report.look_seconds["kl"]
    assert report.start_seconds > 0
    assert report.eta_s == pytest.approx(
        10 * report.step_seconds + report.reference_seconds + report.start_seconds + looks
    )
    assert 0 < report.eta_low_s < report.eta_s < report.eta_high_s
    assert report.eta_high_s - report.eta_s == pytest.approx(report.eta_s - report.eta_low_s)


def test_that_a_run_without_measurements_costs_its_steps_and_reference(model: Path, tmp_path: Path) -> None:
    config = CONFIG.with_values({"eval_every": 0, "kl_every": 0, "sample_every": 0})
    report, _ = examined(model, tmp_path, config)
    assert report.look_seconds == {}
    assert report.eta_s == pytest.approx(10 * report.step_seconds + report.reference_seconds)


def test_that_the_cost_of_a_measurement_follows_from_pairs_prompts_and_tokens() -> None:
    config = CONFIG.with_values({"kl_max_new_tokens": 46, "sample_every": 5})
    timed = {"pair_s": 0.5, "open_s": 3.0, "prompt_s": 0.2, "step_s": 0.04, "token_s": 0.01, "score_s": 0.1}
    costs = LookCosts(config, **timed, pair_tokens=100.0, prompt_tokens=14.0, answer_tokens=6.0)
    found = costs.seconds(8, 10, pair_tokens=50.0, prompt_tokens=7.0)  # the run's are half as long as those timed
    assert found["eval"] == pytest.approx(8 * 0.5 / 2)
    assert found["kl"] == pytest.approx(3.0 + 10 * (0.2 / 2 + 46 * 0.01 + 0.1 * 53 / 20))
    assert found["sample"] == pytest.approx(2 * 4 * 0.2 / 2 + 96 * 0.04 + 4 * 0.1 * (7 + 96) / 20)
    short = replace(costs, lengths=WrittenLengths((1, 1), 2, 96)).seconds(
        8, 10, pair_tokens=50.0, prompt_tokens=7.0
    )  # one token each
    assert short["kl"] == pytest.approx(3.0 + 10 * (0.2 / 2 + 0.01 + 0.1 * 8 / 20))


def test_that_a_probe_is_counted_with_the_pairs_that_a_run_scores(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def seconds(_self: LookCosts, probed: int, answered: int, **_tokens: float) -> dict[str, float]:
        asked.append((probed, answered))
        return {"eval": 1.0}

    monkeypatch.setattr(LookCosts, "seconds", seconds)
    pairs = [replace(pair, split="dev" if i > 3 else "train") for i, pair in enumerate(tiny_pairs(6))]
    config = CONFIG.with_values({"eval_every": 5, "kl_every": 5, "kl_prompts": 7, "sample_every": 0})
    examined(model, tmp_path, config, pairs)
    examined(model, tmp_path, config.with_values({"look_share": 0.01}), pairs)
    assert asked == [(2 + 2, 7), (2 + 2, 4)]  # as many training pairs as held-out ones; a short run answers fewer
