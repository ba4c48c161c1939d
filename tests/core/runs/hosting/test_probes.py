"""The standard probes on the golden model: the KL is 0 at step 0 and positive later."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.domain.run_config import RunConfig
from core.domain.run_events import EvalDone, Failed, Finished, KlDone, RunEvent, SampleDone, StepDone, Warned
from core.evaluation.sequence_kl import SequenceKl
from core.runs.child_processes.preflight_program import kl_check
from core.runs.hosting import probes, reference_side
from core.runs.hosting.driver import HostOptions, drive
from core.runs.hosting.probes import NO_INTERVAL, PromptRoom, StandardProbe, prompt_room
from core.runs.run_reader import RunReader
from core.training.forward.prefix_layout import RowScorer
from core.training.policy.read_model import read_tokenizer
from tests.core.runs.golden_cli import golden_run
from tests.core.training.tiny_runs import run, some_pairs
from tests.tiny_models import save_tiny, tiny_model

pytestmark = pytest.mark.timeout(600)


def events_of(path: Path, **settings: object) -> list[RunEvent]:
    folder = golden_run(path, **settings)
    last = drive(folder.path, HostOptions(host="thread"))
    assert isinstance(last, Finished), last
    return RunReader(folder.path).poll(rows=True)


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[RunEvent]:
    return events_of(tmp_path_factory.mktemp("probes") / "run", steps=6, eval_every=3, kl_every=3, sample_every=3)


def of(events: list[RunEvent], kind: type) -> list:
    return [event for event in events if isinstance(event, kind)]


def test_that_probes_come_at_the_start_at_their_cadence_and_at_the_end(events: list[RunEvent]) -> None:
    assert [(e.step, e.split) for e in of(events, EvalDone)] == [
        (s, split) for s in (0, 3, 6) for split in ("dev", "train")
    ]
    assert [e.step for e in of(events, KlDone)] == [0, 3, 6]
    assert [e.step for e in of(events, SampleDone)] == [s for s in (0, 3, 6) for _ in range(4)]


def test_that_at_step_0_loss_is_ln_2_and_every_kl_is_exactly_zero(events: list[RunEvent]) -> None:
    for probe in of(events, EvalDone)[:2]:
        assert probe.loss == pytest.approx(0.6931471805599453, abs=1e-12)
        assert (probe.margin, probe.accuracy, probe.kl_chosen, probe.kl_rejected) == (0.0, 0.5, 0.0, 0.0)
        assert all(row.h == 0.0 for row in probe.rows)
    first = of(events, KlDone)[0]
    assert (first.kl, first.se, first.k1) == (0.0, 0.0, 0.0)
    assert all(s.policy == s.reference and s.kl == 0.0 for s in of(events, SampleDone)[:4])


def test_that_training_moves_the_policy_away_and_never_to_a_negative_kl(events: list[RunEvent]) -> None:
    kls = [e.kl for e in of(events, KlDone)]
    assert kls[0] == 0.0 < kls[1]
    token = [(e.kl_chosen, e.kl_rejected) for e in of(events, EvalDone)]
    assert all(a >= 0 and b >= 0 for a, b in token)
    assert token[-1][0] > 0


def test_that_every_probe_measures_the_same_pairs_prompts_and_seeds(events: list[RunEvent]) -> None:
    for split in ("dev", "train"):
        sets = {tuple(row.pair_id for row in e.rows) for e in of(events, EvalDone) if e.split == split}
        assert len(sets) == 1
    samples = of(events, SampleDone)
    assert [(s.pair_id, s.seed) for s in samples[:4]] == [(s.pair_id, s.seed) for s in samples[-4:]]
    held_out = {row.pair_id for row in of(events, EvalDone)[0].rows}
    assert samples[0].pair_id in held_out


def test_that_runs_of_other_seeds_are_measured_on_the_same_pairs(tmp_path: Path) -> None:
    quiet = {"steps": 1, "eval_every": 1, "probe_pairs": 2, "kl_every": 0, "sample_every": 0}
    measured = {
        (seed, drawn): {row.pair_id for probe in of(events_of(tmp_path / f"{seed}{drawn}", **quiet, seed=seed,
                        probe_seed=drawn), EvalDone) for row in probe.rows}
        for seed, drawn in ((0, 0), (1, 0), (0, 1))
    }  # fmt: skip
    assert measured[0, 0] == measured[1, 0]
    assert measured[0, 0] != measured[0, 1]


def test_that_probes_do_not_change_what_is_trained(events: list[RunEvent], tmp_path: Path) -> None:
    plain = events_of(tmp_path / "run", steps=6, eval_every=0, kl_every=0, sample_every=0)
    assert of(plain, EvalDone) == of(plain, KlDone) == of(plain, SampleDone) == []
    pairs = zip(of(events, StepDone), of(plain, StepDone), strict=True)
    assert all(one.rows == two.rows and one.grad_norm == two.grad_norm for one, two in pairs)


def test_that_a_run_stops_when_the_kl_is_over_its_budget(tmp_path: Path) -> None:
    events = events_of(
        tmp_path / "run", steps=12, kl_every=2, kl_budget=1e-6, eval_every=0, sample_every=0, kl_prompts=6
    )
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.reason == "kl_budget"
    assert last.step < 12
    assert any(w.code == "kl_budget" for w in of(events, Warned))
    assert RunReader(tmp_path / "run").status().state == "finished"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_that_a_budget_is_not_kept_by_a_kl_that_is_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    broken = SequenceKl(value, math.nan, value, math.nan, value, 6, 6, 8, 0.5)
    monkeypatch.setattr(probes, "summarise_answers", lambda answers, horizon: broken)
    quiet = {"steps": 4, "eval_every": 0, "kl_every": 2, "sample_every": 0, "kl_max_new_tokens": 4}
    folder = save_tiny(tmp_path / "model")
    last = run(folder, tmp_path / "run", probe=StandardProbe(), **quiet, kl_budget=5.0)[-1]
    assert isinstance(last, Failed)
    assert (last.step, f"the KL is {value}" in last.message) == (2, True)


def test_that_a_budget_needs_more_than_one_prompt(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "model")
    alike = [replace(pair, prompt=some_pairs()[0].prompt) for pair in some_pairs()]
    quiet = {"steps": 1, "eval_every": 0, "kl_every": 1, "sample_every": 0, "kl_max_new_tokens": 4}
    last = run(folder, tmp_path / "run", pairs=alike, probe=StandardProbe(), **quiet, kl_budget=5.0)[-1]
    assert isinstance(last, Failed)
    assert NO_INTERVAL in last.message
    config = RunConfig(kl_max_new_tokens=4, kl_budget=5.0)
    (check,) = kl_check(config, read_tokenizer(folder), tiny_model("llama"), alike)
    assert (check.level, check.text) == ("bad", NO_INTERVAL)
    assert kl_check(config, read_tokenizer(folder), tiny_model("llama"), some_pairs()) == []


def test_that_answers_of_the_kl_have_room_for_their_horizon_and_samples_for_a_quarter() -> None:
    config = RunConfig(max_length=1000, kl_max_new_tokens=48)
    assert prompt_room(config, positions=128) == PromptRoom(for_kl=81, for_samples=105)
    assert prompt_room(config, positions=0) == PromptRoom(1000, 1000)
    assert prompt_room(config, positions=0, trained=512) == PromptRoom(512 - 96, 512 - 96)


def test_that_a_run_without_room_for_its_kl_says_so_before_step_1_and_is_refused_with_a_budget(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "gpt2", "gpt2", n_positions=64)
    quiet = {"max_length": 64, "steps": 1, "eval_every": 0, "kl_every": 1, "kl_max_new_tokens": 60, "sample_every": 1}
    events = run(folder, tmp_path / "run", probe=StandardProbe(), **quiet)
    assert isinstance(events[-1], Finished), events[-1]
    told = next(i for i, e in enumerate(events) if isinstance(e, Warned) and e.code == "no_kl")
    assert told < next(i for i, e in enumerate(events) if isinstance(e, StepDone))
    assert of(events, KlDone) == []
    assert of(events, SampleDone)
    last = run(folder, tmp_path / "budget", probe=StandardProbe(), **quiet, kl_budget=5.0)[-1]
    assert isinstance(last, Failed)
    assert "at most 5 tokens" in last.message
    assert "its budget cannot be kept" in last.message
    checks = kl_check(RunConfig(kl_max_new_tokens=60, kl_budget=5.0), read_tokenizer(folder), tiny(64), some_pairs())
    assert [(check.key, check.level) for check in checks] == [("kl", "bad")]
    assert kl_check(RunConfig(kl_max_new_tokens=8), read_tokenizer(folder), tiny(64), some_pairs()) == []


def tiny(positions: int) -> Any:
    """A GPT-2 with this many positions."""
    return tiny_model("gpt2", n_positions=positions)


def test_that_looks_are_as_if_policy_and_reference_had_been_measured_each_time(
    events: list[RunEvent], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "is_policy", lambda _session, _step: False)
    monkeypatch.setattr(reference_side, "HIDDEN_BYTES", 0)
    monkeypatch.setattr(reference_side.ReferenceSide, "answers", lambda _self, _key: None)
    measured = events_of(tmp_path / "run", steps=6, eval_every=3, kl_every=3, sample_every=3)
    for kind in (EvalDone, SampleDone):
        assert of(events, kind) == of(measured, kind)
    first, *later = of(measured, KlDone)
    assert of(events, KlDone) == [replace(first, censored=0.0), *later]  # no answer of the start was drawn


def test_that_the_reference_reads_a_held_out_pair_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    whole = RowScorer.score_and_hidden

    def count(self: Any, pairs: Any, **options: Any) -> Any:
        read.extend(pair.pair_id for pair in pairs if not options.get("policy", True))
        return whole(self, pairs, **options)

    hidden = RowScorer.response_hidden

    def count_hidden(self: Any, pairs: Any, *, policy: bool = True) -> Any:
        read.extend(pair.pair_id for pair in pairs if not policy)
        return hidden(self, pairs, policy=policy)

    chosen = probes.choose_sets

    def choose(session: Any) -> Any:
        read.clear()  # what the forward passes were compared on
        return chosen(session)

    monkeypatch.setattr(probes, "choose_sets", choose)
    monkeypatch.setattr(RowScorer, "score_and_hidden", count)
    monkeypatch.setattr(RowScorer, "response_hidden", count_hidden)
    found = events_of(tmp_path / "run", steps=4, eval_every=2, kl_every=0, sample_every=0)
    held_out = {row.pair_id for e in of(found, EvalDone) if e.split == "dev" for row in e.rows}
    assert held_out
    assert {pair_id: read.count(pair_id) for pair_id in held_out} == dict.fromkeys(held_out, 1)
