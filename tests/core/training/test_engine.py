"""A run from first to last event: order, control, probes, failures, what it leaves behind."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from core.domain.run_config import RunConfig
from core.domain.run_events import (
    CheckpointSaved,
    Failed,
    Finished,
    GateReport,
    PhaseChanged,
    RunStarted,
    StateChanged,
    StepDone,
    TokenReport,
    Warned,
    from_plain,
    to_plain,
)
from core.durable import verify_folder
from core.model_files import identity
from core.model_files.identity import run_inputs
from core.training.steps.session import TrainSession
from tests.core.training.tiny_runs import Script, Switch, Watcher, kinds, run, some_pairs, start, steps_of


def test_that_a_run_begins_with_started_passes_the_gate_and_ends_with_finished(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    events = run(tiny_llama_dir, tmp_path, run_id="r1")
    first, last = events[0], events[-1]
    assert isinstance(first, RunStarted)
    assert (first.run_id, first.total_steps, first.n_train, first.n_dev) == ("r1", 4, 8, 2)
    assert (first.device, first.dtype, first.resumed_from, first.attempt) == ("cpu", "float32", 0, 1)
    assert isinstance(last, Finished)
    assert (last.reason, last.step) == ("completed", 4)
    assert sum(isinstance(e, Finished | Failed) for e in events) == 1
    phases = [e.phase for e in events if isinstance(e, PhaseChanged)]
    assert [p for i, p in enumerate(phases) if i == 0 or phases[i - 1] != p] == [
        "load", "tokenise", "forward", "reference", "gate", "train", "save", "train", "save",
    ]  # fmt: skip
    assert next(e for e in events if isinstance(e, GateReport)).passed
    assert next(e for e in events if isinstance(e, TokenReport)).pairs == 10
    assert [e.step for e in events if isinstance(e, StepDone)] == [1, 2, 3, 4]
    assert all(from_plain(to_plain(event)) == event for event in events)


def test_that_the_first_step_starts_at_ln_2_and_training_raises_the_margin(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    steps = steps_of(run(tiny_llama_dir, tmp_path, steps=12, batch_size=8, lr=1e-2, scheduler="constant"))
    assert steps[0].loss == pytest.approx(0.6931471805599453, abs=1e-12)
    assert all(row.h == 0.0 and row.weight == 0.5 for row in steps[0].rows)
    assert steps[-1].margin > steps[0].margin + 0.1
    assert steps[-1].loss < steps[0].loss
    assert steps[-1].grad_norm > 0
    assert all(len(step.rows) == step.pairs == 8 for step in steps)


def test_that_a_step_tells_the_memory_of_its_process_and_of_no_card(tiny_llama_dir: Path, tmp_path: Path) -> None:
    (step,) = (e for e in run(tiny_llama_dir, tmp_path, steps=1) if isinstance(e, StepDone))
    assert step.resident_bytes is not None and 2**25 < step.resident_bytes < psutil.virtual_memory().total
    assert step.cuda_peak_bytes is None


@pytest.mark.parametrize(
    ("settings", "loss"),
    [({"ld_alpha": 0.3}, math.log(2)), ({"label_smoothing": 0.2}, math.log(2)), ({"loss": "ipo", "beta": 0.05}, 100.0)],
)
def test_that_variants_start_at_their_closed_form_on_both_sides(
    tiny_llama_dir: Path, tmp_path: Path, settings: dict, loss: float
) -> None:
    first = steps_of(run(tiny_llama_dir, tmp_path, **settings, steps=1))[0]
    assert first.loss == pytest.approx(loss, rel=1e-12)
    assert all(row.h == 0.0 for row in first.rows)


def test_that_the_likelihood_term_has_a_curve_of_its_own(tiny_llama_dir: Path, tmp_path: Path) -> None:
    first = steps_of(run(tiny_llama_dir, tmp_path, rpo_alpha=0.5, steps=1))[0]
    nll = -sum(row.logp_chosen for row in first.rows) / sum(row.tokens_chosen for row in first.rows)
    assert first.extra["preference_loss"] == pytest.approx(math.log(2))
    assert first.extra["nll"] == pytest.approx(nll)
    assert first.loss == pytest.approx(math.log(2) + 0.5 * nll)


def test_that_weights_and_soft_targets_reach_the_step(tiny_llama_dir: Path, tmp_path: Path) -> None:
    pairs = some_pairs(6, 0)
    options = {"batch_size": 6, "steps": 2, "shuffle": False, "loss": "hinge"}
    plain = steps_of(run(tiny_llama_dir, tmp_path / "plain", pairs=pairs, **options))
    heavy = [replace(pair, weight=2.0) for pair in pairs]
    weighted = steps_of(run(tiny_llama_dir, tmp_path / "heavy", pairs=heavy, **options))
    assert weighted[0].loss == pytest.approx(2 * plain[0].loss)
    assert weighted[0].grad_norm == pytest.approx(2 * plain[0].grad_norm, rel=1e-6)
    undecided = [replace(pair, target=0.5) for pair in pairs]
    soft = steps_of(run(tiny_llama_dir, tmp_path / "soft", pairs=undecided, **options))
    assert soft[0].grad_norm == pytest.approx(0.0, abs=1e-6)


def test_that_every_train_pair_is_visited_once_an_epoch_and_dev_pairs_never(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    steps = steps_of(run(tiny_llama_dir, tmp_path, steps=0, epochs=2.0))
    assert [step.pairs for step in steps] == [3, 3, 2, 3, 3, 2]
    for epoch in (steps[:3], steps[3:]):
        assert sorted(row.pair_id for step in epoch for row in step.rows) == [f"p{i}" for i in range(8)]
    assert [step.epoch for step in steps] == [0.375, 0.75, 1.0, 1.375, 1.75, 2.0]


def test_that_the_result_is_a_peft_adapter_that_plain_libraries_load(tiny_llama_dir: Path, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    sessions: list[TrainSession] = []
    events = run(tiny_llama_dir, tmp_path, probe=Watcher(lambda session, step: sessions.append(session)))
    last = events[-1]
    assert last.adapter_path == str(tmp_path / "adapter")
    identity = verify_folder(tmp_path / "adapter")
    assert (identity["kind"], identity["step"]) == ("adapter", 4)
    base = AutoModelForCausalLM.from_pretrained(tiny_llama_dir)
    loaded = PeftModel.from_pretrained(base, last.adapter_path).eval()
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        assert torch.equal(loaded(input_ids=ids).logits, sessions[-1].model.model(input_ids=ids).logits)


def test_that_full_fine_tuning_leaves_a_whole_model(tiny_llama_dir: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    events = run(tiny_llama_dir, tmp_path, lora_r=0, lr=1e-3)
    assert events[-1].reason == "completed"
    assert steps_of(events)[0].loss == pytest.approx(0.6931471805599453, abs=1e-12)
    assert all(row.h == 0.0 and row.weight == 0.5 for row in steps_of(events)[0].rows)
    assert steps_of(events)[0].accuracy == 0.5
    assert steps_of(events)[-1].margin != 0
    assert verify_folder(tmp_path / "model")["kind"] == "model"
    AutoTokenizer.from_pretrained(tmp_path / "model")
    trained = AutoModelForCausalLM.from_pretrained(tmp_path / "model").state_dict()
    before = AutoModelForCausalLM.from_pretrained(tiny_llama_dir).state_dict()
    assert any(not torch.equal(trained[name], before[name]) for name in before)


def test_that_a_probe_is_called_at_the_start_at_each_cadence_and_at_the_end(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    probe = Watcher()
    events = run(tiny_llama_dir, tmp_path, probe=probe, steps=6, eval_every=2, kl_every=3, sample_every=0)
    assert probe.calls == [(0, False), (2, False), (3, False), (4, False), (6, True)]
    at = {e.step: i for i, e in enumerate(events) if isinstance(e, CheckpointSaved)}
    looked = {e.step: i for i, e in enumerate(events) if isinstance(e, Warned) and e.code == "looked"}
    assert looked[2] < at[2]


def test_that_a_failing_or_meddling_probe_changes_nothing_of_the_run(tiny_llama_dir: Path, tmp_path: Path) -> None:
    def meddle(session: TrainSession, step: int) -> None:
        torch.manual_seed(step + 99)
        for parameter in session.model.trainable().values():
            parameter.grad = torch.ones_like(parameter)
        if step == 2:
            raise ValueError("broken ruler")

    quiet = run(tiny_llama_dir, tmp_path / "quiet")
    watched = run(tiny_llama_dir, tmp_path / "watched", probe=Watcher(meddle), eval_every=2)
    assert steps_of(watched) == steps_of(quiet)
    (warning,) = [e for e in watched if isinstance(e, Warned) and e.code == "probe_failed"]
    assert warning.step == 2
    assert "broken ruler" in warning.message
    assert watched[-1].reason == "completed"


def test_that_a_session_gives_rows_reference_sums_and_held_out_ids(tiny_llama_dir: Path, tmp_path: Path) -> None:
    seen: dict[str, object] = {}

    def act(session: TrainSession, step: int) -> None:
        if step:
            return
        pairs = [session.encoded[i] for i in (*session.dev_ids, "p0")]
        for batch in (1, 2, 8):
            seen[f"rows {batch}"] = session.pair_rows(pairs, batch=batch)
        seen["sums"] = [session.reference_logps(pair) for pair in pairs]
        seen["ids"] = (session.train_ids, session.dev_ids)

    run(tiny_llama_dir, tmp_path, probe=Watcher(act), steps=1)
    assert seen["ids"] == (tuple(f"p{i}" for i in range(8)), ("p8", "p9"))
    assert seen["rows 1"] == seen["rows 2"] == seen["rows 8"]
    rows = seen["rows 2"]
    assert [(row.ref_chosen, row.ref_rejected) for row in rows] == seen["sums"]  # type: ignore[attr-defined]
    assert all(row.h == 0.0 for row in rows)  # type: ignore[attr-defined]


def test_that_a_probe_can_end_the_run_at_a_kl_budget(tiny_llama_dir: Path, tmp_path: Path) -> None:
    probe = Watcher(lambda session, step: session.request_stop("kl_budget") if step == 2 else None)
    events = run(tiny_llama_dir, tmp_path, probe=probe, eval_every=2)
    assert isinstance(events[-1], Finished)
    assert (events[-1].reason, events[-1].step) == ("kl_budget", 2)
    assert probe.calls == [(0, False), (2, False)]
    assert (tmp_path / "adapter").is_dir()


def test_that_pause_holds_the_run_between_micro_batches_and_changes_nothing(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    free = run(tiny_llama_dir, tmp_path / "free")
    control = Script(*["run"] * 9, "pause", "pause", "pause", "run")
    held = run(tiny_llama_dir, tmp_path / "held", control=control)
    assert [e.state for e in held if isinstance(e, StateChanged)] == ["paused", "running"]
    assert control.waits == 2
    assert steps_of(held) == steps_of(free)


def test_that_stop_and_save_saves_the_last_finished_step_and_drops_the_half_done_one(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    control = Switch()
    events = []
    for event in start(tiny_llama_dir, tmp_path, control=control, checkpoint_every=0):
        events.append(event)
        if isinstance(event, StepDone) and event.step == 3:
            control.now = "stop_and_save"
    assert kinds(events)[-4:] == ["state", "phase", "checkpoint", "finished"]
    last = events[-1]
    assert (last.reason, last.step) == ("stopped", 3)
    assert last.adapter_path == str(tmp_path / "checkpoints" / "step-3" / "adapter")
    assert not (tmp_path / "adapter").exists()


def test_that_stop_now_saves_nothing_and_keeps_what_was_saved(tiny_llama_dir: Path, tmp_path: Path) -> None:
    control = Switch()
    events = []
    for event in start(tiny_llama_dir, tmp_path, control=control):
        events.append(event)
        if isinstance(event, StepDone) and event.step == 3:
            control.now = "stop_now"
    assert (events[-1].reason, events[-1].step) == ("stopped_without_saving", 3)
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step-2"]


def test_that_stopping_before_the_first_step_ends_cleanly(tiny_llama_dir: Path, tmp_path: Path) -> None:
    for command, reason in (("stop_and_save", "stopped"), ("stop_now", "stopped_without_saving")):
        events = run(tiny_llama_dir, tmp_path / command, control=Script(command))
        assert (events[-1].reason, events[-1].step) == (reason, 0)
        assert not any(isinstance(e, StepDone) for e in events)


def test_that_a_checkpoint_is_made_on_request(tiny_llama_dir: Path, tmp_path: Path) -> None:
    events = run(tiny_llama_dir, tmp_path, control=Script("run", checkpoints=1), checkpoint_every=0, steps=3)
    assert [e.step for e in events if isinstance(e, CheckpointSaved)] == [1, 3]


def test_that_ties_stay_out_of_losses_that_cannot_read_them(tiny_llama_dir: Path, tmp_path: Path) -> None:
    pairs = [replace(pair, is_tie=i < 2) for i, pair in enumerate(some_pairs(8, 0))]
    plain = run(tiny_llama_dir, tmp_path / "plain", pairs=pairs, steps=0)
    assert [e.code for e in plain if isinstance(e, Warned)] == ["ties_left_out"]
    assert sum(step.pairs for step in steps_of(plain)) == 6
    aware = run(tiny_llama_dir, tmp_path / "aware", pairs=pairs, steps=0, loss="davidson")
    assert sum(step.pairs for step in steps_of(aware)) == 8
    losses = {row.pair_id: row.loss for row in steps_of(aware)[0].rows}
    assert losses  # wins start at ln 4, ties at ln 2
    assert all(
        loss == pytest.approx(0.693147 if pair_id in ("p0", "p1") else 1.386294, abs=1e-5)
        for pair_id, loss in losses.items()
    )


def test_that_swapping_chosen_and_rejected_flips_the_gradient(tiny_llama_dir: Path, tmp_path: Path) -> None:
    pairs = some_pairs(6, 0)
    swapped = [replace(pair, chosen=pair.rejected, rejected=pair.chosen) for pair in pairs]
    one = steps_of(run(tiny_llama_dir, tmp_path / "one", pairs=pairs, batch_size=6, steps=2, shuffle=False))
    two = steps_of(run(tiny_llama_dir, tmp_path / "two", pairs=swapped, batch_size=6, steps=2, shuffle=False))
    assert one[0].grad_norm == pytest.approx(two[0].grad_norm, rel=1e-5)
    assert one[0].logp_chosen == pytest.approx(two[0].logp_rejected, rel=1e-6)
    assert one[0].displacement_chosen == two[0].displacement_rejected == 0.0


def test_that_the_order_of_pairs_in_a_step_does_not_matter(tiny_llama_dir: Path, tmp_path: Path) -> None:
    pairs = some_pairs(6, 0)
    there = steps_of(run(tiny_llama_dir, tmp_path / "there", pairs=pairs, batch_size=6, steps=3, shuffle=False))
    back = steps_of(run(tiny_llama_dir, tmp_path / "back", pairs=pairs[::-1], batch_size=6, steps=3, shuffle=False))
    for one, other in zip(there, back, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-6)
        assert one.grad_norm == pytest.approx(other.grad_norm, rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"wpo": True, "loss": "aot"}, "refused"),
        ({"device": "cuda:99"}, "refused"),
        ({"init_adapter": "/nowhere"}, "bad_input"),
    ],
)
def test_that_a_bad_setting_ends_in_a_sentence_not_a_traceback(
    tiny_llama_dir: Path, tmp_path: Path, settings: dict, kind: str
) -> None:
    events = run(tiny_llama_dir, tmp_path, **settings)
    assert isinstance(events[0], RunStarted)
    last = events[-1]
    assert isinstance(last, Failed)
    assert (last.kind, last.traceback) == (kind, "")
    assert last.message
    assert last.hint


def test_that_no_pair_to_train_on_is_said(tiny_llama_dir: Path, tmp_path: Path) -> None:
    events = run(tiny_llama_dir, tmp_path, pairs=some_pairs(0, 3))
    assert kinds(events) == ["started", "failed"]
    assert "no pair" in events[-1].message


def test_that_a_failed_gate_names_its_cause(tiny_llama_dir: Path, tmp_path: Path, monkeypatch) -> None:
    from core.training import preparing

    def poisoned(*arguments, **options):
        model = original(*arguments, **options)
        model.model.get_base_model().model.layers[0].mlp.up_proj.base_layer.weight.data[0, 0] += 1.0
        return model

    original = preparing.load_model
    monkeypatch.setattr(preparing, "load_model", poisoned)
    events = run(tiny_llama_dir, tmp_path)
    report, last = events[-2], events[-1]
    assert isinstance(report, GateReport)
    assert not report.passed
    assert last.kind == "gate:adapter_changes_base" == f"gate:{report.cause}"


def test_that_an_error_of_the_program_is_reported_once_with_its_traceback(
    tiny_llama_dir: Path, tmp_path: Path, monkeypatch
) -> None:
    from core.training import loop

    def broken(*_: object) -> float:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(loop, "learning_rate", broken)
    events = run(tiny_llama_dir, tmp_path)
    last = events[-1]
    assert kinds(events).count("failed") == 1
    assert last.kind == "error"
    assert "oops" in last.message
    assert "ZeroDivisionError" in last.traceback


def test_that_inputs_that_were_verified_are_not_hashed_again(
    tiny_llama_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run(tiny_llama_dir, tmp_path / "plain", steps=1)
    inputs = run_inputs(some_pairs(), RunConfig(), tiny_llama_dir)
    monkeypatch.setattr(identity, "hash_files", lambda *_, **__: pytest.fail("a file was hashed"))
    given = run(tiny_llama_dir, tmp_path / "given", steps=1, inputs=inputs)
    assert given[0].fingerprint == plain[0].fingerprint
    assert steps_of(given)[0].rows == steps_of(plain)[0].rows


def test_that_a_folder_with_checkpoints_is_not_overwritten(tiny_llama_dir: Path, tmp_path: Path) -> None:
    run(tiny_llama_dir, tmp_path)
    events = run(tiny_llama_dir, tmp_path)
    assert kinds(events) == ["started", "failed"]
    assert events[-1].kind == "refused"


def test_that_closing_the_generator_early_leaves_no_thread_of_it(tiny_llama_dir: Path, tmp_path: Path) -> None:
    events = start(tiny_llama_dir, tmp_path)
    for event in events:
        if isinstance(event, StepDone):
            break
    events.close()
    with pytest.raises(StopIteration):
        next(events)


def test_that_the_reference_is_kept_between_runs_and_shared_by_other_objectives(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    cold = run(tiny_llama_dir, tmp_path / "a", cache_dir=tmp_path / "cache", steps=3)
    warm = run(tiny_llama_dir, tmp_path / "b", cache_dir=tmp_path / "cache", steps=3)
    other = run(tiny_llama_dir, tmp_path / "c", cache_dir=tmp_path / "cache", steps=3, beta=0.7, loss="ipo", lr=1e-4)
    assert cold[-1].summary["reference_computed"] == 8
    assert warm[-1].summary["reference_computed"] == other[-1].summary["reference_computed"] == 0
    assert steps_of(warm) == steps_of(cold)


def test_that_a_run_without_a_learning_rate_says_so_at_its_start_and_at_its_end(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    events = run(tiny_llama_dir, tmp_path, lr=0.0, steps=2)
    codes = [event.code for event in events if isinstance(event, Warned)]
    assert [code for code in codes if code in ("lr_zero", "untrained")] == ["lr_zero", "untrained"]
    last = events[-1]
    assert isinstance(last, Finished) and last.summary["untrained"] is True


def test_that_one_step_with_the_usual_warm_up_changes_the_adapter(tiny_llama_dir: Path, tmp_path: Path) -> None:
    events = run(tiny_llama_dir, tmp_path, steps=1, warmup=0.1)
    assert steps_of(events)[0].lr == 3e-3
    assert "untrained" not in [event.code for event in events if isinstance(event, Warned)]
    adapter = load_file(tmp_path / "adapter/adapter_model.safetensors")
    assert any(bool(tensor.any()) for name, tensor in adapter.items() if "lora_B" in name)
