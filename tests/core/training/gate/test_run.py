from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from core.domain.errors import GateFailed
from core.domain.gate_causes import GATE_CAUSES
from core.domain.losses import LOSSES
from core.domain.run_config import RunConfig
from core.domain.run_events import Failed, Finished, GateReport, PairMetrics, StepDone
from core.model_files.identity import model_sha256
from core.training.forward.padded import PaddedScorer
from core.training.forward.scorer import Scores
from core.training.gate import first_loss, token_audit
from core.training.gate.run import check_base_unchanged, check_first_batch, run_gate
from core.training.policy.model import LoadedModel, load_model
from core.training.policy.read_model import read_base, read_tokenizer
from core.training.reference.cache import decode_segment, encode_segment
from core.training.text.encoded_pair import EncodedPair
from core.training.text.tokenise import encode_pairs
from tests.core.training.tiny_runs import run, some_pairs
from tests.saved_models import save_result
from tests.tiny_models import CHAT_TEMPLATE, save_tiny, tiny_pairs

CONFIG = RunConfig(lora_r=4, lora_alpha=8, device="cpu")
Parts = tuple[LoadedModel, list[EncodedPair], PaddedScorer]


def parts(folder: Path, config: RunConfig = CONFIG) -> Parts:
    model = load_model(folder, config)
    encoded, _ = encode_pairs(tiny_pairs(10), model.tokenizer, config)
    return model, encoded, PaddedScorer(model)


def cause_of(call: Callable[[], Any]) -> str:
    with pytest.raises(GateFailed) as caught:
        call()
    assert caught.value.cause in GATE_CAUSES
    assert caught.value.message
    assert caught.value.hint
    return caught.value.cause


def spoil(pair: EncodedPair, **changes: Any) -> EncodedPair:
    return replace(pair, **changes)


@pytest.fixture
def sft_adapter(tiny_llama_dir: Path, tmp_path: Path) -> Path:
    """An adapter that an earlier training left behind."""
    model = load_model(tiny_llama_dir, CONFIG)
    with torch.no_grad():
        for parameter in model.trainable().values():
            parameter.add_(0.03)
    save_result(model, tmp_path / "sft")
    return tmp_path / "sft"


@pytest.mark.parametrize("loss", LOSSES)
def test_that_every_loss_starts_at_its_closed_form(tiny_llama_dir: Path, loss: str) -> None:
    config = replace(CONFIG, loss=loss)
    report = run_gate(*parts(tiny_llama_dir, config), config)
    assert report.passed
    assert report.loss == pytest.approx(report.expected_loss, rel=1e-6)
    assert report.h_max == 0.0


def test_that_the_report_says_what_was_measured(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    with torch.no_grad():
        reference = {p.pair_id: scorer.score([p], policy=False).token_logps[0] for p in encoded}
    report = run_gate(model, encoded, scorer, CONFIG, lambda pair: reference[pair.pair_id])
    assert isinstance(report, GateReport)
    assert report.loss == pytest.approx(math.log(2), abs=1e-7)
    assert set(report.checks) >= set(GATE_CAUSES) - {"loss"}


def test_that_the_gate_leaves_no_gradient_and_no_change_behind(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    before = model.adapter_sha256()
    run_gate(model, encoded, scorer, CONFIG)
    assert model.adapter_sha256() == before
    assert all(p.grad is None for p in model.model.parameters())


@pytest.mark.parametrize("change", [{"lora_r": 0}, {"dtype": "float64"}, {"dtype": "bfloat16"}, {"template": "none"}])
def test_that_other_ways_to_train_pass(tiny_llama_dir: Path, change: dict[str, Any]) -> None:
    config = replace(CONFIG, **change)
    assert run_gate(*parts(tiny_llama_dir, config), config).passed


def test_that_a_frozen_copy_of_the_start_adapter_passes(tiny_llama_dir: Path, sft_adapter: Path) -> None:
    config = replace(CONFIG, init_adapter=str(sft_adapter))
    report = run_gate(*parts(tiny_llama_dir, config), config)
    assert report.checks["reference_is_base"] == "frozen copy of the starting adapter"
    assert report.h_max == 0.0


def test_that_the_base_as_reference_of_a_started_adapter_is_caught(tiny_llama_dir: Path, sft_adapter: Path) -> None:
    config = replace(CONFIG, init_adapter=str(sft_adapter), reference="base")
    assert cause_of(lambda: run_gate(*parts(tiny_llama_dir, config), config)) == "reference_is_base"


@pytest.mark.parametrize("init", ["pissa", "olora"])
def test_that_an_initialisation_that_changes_the_base_is_caught(tiny_llama_dir: Path, init: str) -> None:
    from peft import LoraConfig, get_peft_model

    lora = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=init)  # type: ignore[arg-type]
    model = wrapped(tiny_llama_dir, lambda base: get_peft_model(base, lora))
    assert cause_of(lambda: gate_of(model)) == "adapter_changes_base"
    model.model.peft_config["default"].init_lora_weights = True  # as PEFT writes it into a saved adapter
    assert cause_of(lambda: gate_of(model)) == "adapter_changes_base"


def test_that_loftq_is_caught_by_name(tiny_llama_dir: Path) -> None:
    model = load_model(tiny_llama_dir, CONFIG)
    model.model.peft_config["default"].init_lora_weights = "loftq"
    assert cause_of(lambda: gate_of(model)) == "adapter_changes_base"


def test_that_dropout_left_on_is_caught(tiny_llama_dir: Path) -> None:
    model = load_model(tiny_llama_dir, CONFIG)
    layer = next(m for n, m in model.model.named_modules() if n.endswith("q_proj"))
    layer.lora_dropout["default"] = nn.Dropout(0.3)
    model.model.train()
    assert cause_of(lambda: gate_of(model)) == "dropout"


def test_that_randomness_no_module_admits_is_caught(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    model.base.get_input_embeddings().register_forward_hook(lambda m, i, out: out + 1e-3 * torch.randn_like(out))
    assert cause_of(lambda: run_gate(model, encoded, scorer, CONFIG)) == "dropout"


@pytest.mark.parametrize("change", ["other pair", "scaled", "not a number"])
def test_that_a_stale_cache_is_caught(tiny_llama_dir: Path, change: str) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)

    def stale(pair: EncodedPair) -> Any:
        index = encoded.index(pair)
        source = encoded[(index + 1) % len(encoded)] if change == "other pair" else pair
        with torch.no_grad():
            chosen, rejected = scorer.score([source], policy=False).logps[0].tolist()
        factor = {"other pair": 1.0, "scaled": 1.01, "not a number": math.nan}[change]
        return chosen * factor, rejected

    assert cause_of(lambda: run_gate(model, encoded, scorer, CONFIG, stale)) == "stale_cache"


def test_that_a_second_bos_is_caught(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    model.tokenizer.bos_token = "<|start|>"
    doubled = [spoil(encoded[0], prompt_ids=(2, *encoded[0].prompt_ids)), *encoded[1:]]
    assert encoded[0].prompt_ids[0] == 2
    assert cause_of(lambda: run_gate(model, doubled, scorer, CONFIG)) == "double_bos"
    assert run_gate(model, encoded, scorer, CONFIG).passed


def test_that_a_missing_stop_token_is_caught(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    first = encoded[0]
    cut = spoil(first, chosen_ids=first.chosen_ids[:-1], chosen_mask=first.chosen_mask[:-1])
    assert cause_of(lambda: run_gate(model, [cut, *encoded[1:]], scorer, CONFIG)) == "missing_eos"
    assert run_gate(model, [spoil(cut, truncated=True), *encoded[1:]], scorer, CONFIG).passed
    assert cause_of(lambda: token_audit.check_stop_token(encoded, ())) == "missing_eos"


def test_that_merged_boundaries_are_caught_when_they_are_the_rule(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    merged = [spoil(pair, merged_boundary=True) for pair in encoded]
    assert cause_of(lambda: run_gate(model, merged, scorer, CONFIG)) == "merged_boundary"
    rare = [merged[0], *encoded[1:]]
    assert run_gate(model, rare, scorer, CONFIG).checks["merged_boundary"].startswith("1 of")


def test_that_a_template_that_swaps_roles_is_caught(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    swap = "{% set role = {'user': 'assistant', 'assistant': 'user'}[message['role']] %}"
    turn = "{{ '<|start|>' + message['role']"
    model.tokenizer.chat_template = CHAT_TEMPLATE.replace(turn, swap + "{{ '<|start|>' + role")
    assert cause_of(lambda: run_gate(model, encoded, scorer, CONFIG)) == "template_roles"


def test_that_an_all_masked_answer_is_caught(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    masked = spoil(encoded[0], rejected_mask=(0,) * len(encoded[0].rejected_mask))
    assert cause_of(lambda: run_gate(model, [masked, *encoded[1:]], scorer, CONFIG)) == "all_masked"
    assert cause_of(lambda: run_gate(model, [], scorer, CONFIG)) == "all_masked"


def test_that_identical_answers_are_caught(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    first = encoded[0]
    same = spoil(first, rejected_ids=first.chosen_ids, rejected_mask=first.chosen_mask)
    assert cause_of(lambda: run_gate(model, [same, *encoded[1:]], scorer, CONFIG)) == "identical_answers"


def test_that_a_frozen_adapter_is_caught(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    model.model.requires_grad_(False)
    assert cause_of(lambda: run_gate(model, encoded, scorer, CONFIG)) == "frozen_adapter"


def test_that_a_tensor_no_gradient_reaches_is_caught(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    model.model.register_parameter("unused", nn.Parameter(torch.ones(2)))
    assert cause_of(lambda: run_gate(model, encoded, scorer, CONFIG)) == "frozen_adapter"


def test_that_a_layer_whose_gradient_is_cut_off_is_caught(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    model.base.get_decoder().layers[0].register_forward_hook(lambda m, i, out: out.detach())
    assert cause_of(lambda: run_gate(model, encoded, scorer, CONFIG)) == "frozen_adapter"


def test_that_the_wrong_dtype_is_caught(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    wide = replace(CONFIG, dtype="bfloat16")
    assert cause_of(lambda: run_gate(model, encoded, scorer, wide)) == "wrong_dtype"


def test_that_a_loss_off_its_closed_form_is_caught(tiny_llama_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    monkeypatch.setattr(first_loss, "mixed_start_value", lambda _case, _config, _settings: 0.7)
    assert cause_of(lambda: run_gate(model, encoded, scorer, CONFIG)) == "loss_closed_form"


def test_that_a_reference_that_is_another_model_is_caught(tiny_llama_dir: Path) -> None:
    class Shifted(PaddedScorer):
        def score(self, pairs: Any, *, policy: bool = True, **options: Any) -> Scores:
            scores = super().score(pairs, policy=policy, **options)
            if not policy:
                scores.logps = scores.logps + 0.01
            return scores

    model, encoded, _ = parts(tiny_llama_dir)
    assert cause_of(lambda: run_gate(model, encoded, Shifted(model), CONFIG)) == "loss_closed_form"


def test_that_a_changed_base_is_caught_by_the_gate_and_after_steps(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    assert check_base_unchanged(model) == "frozen weights are untouched"
    with torch.no_grad():
        model.base.get_input_embeddings().weight[5] += 1e-5
    assert cause_of(lambda: check_base_unchanged(model)) == "base_changed"
    assert cause_of(lambda: run_gate(model, encoded, scorer, CONFIG)) == "base_changed"


def test_that_an_answer_that_the_template_changes_is_caught_unless_the_run_accepts_it(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    encoded[3] = spoil(encoded[3], rewritten=True)
    assert cause_of(lambda: run_gate(model, encoded, scorer, CONFIG)) == "rewritten_answer"
    for accepted in ("template", "answer"):
        report = run_gate(model, encoded, scorer, replace(CONFIG, rewritten_answers=accepted))
        assert report.checks["rewritten_answer"].startswith("1 pair is trained")


def test_that_a_row_that_ends_with_another_stop_token_than_the_template_writes_is_caught(tiny_llama_dir: Path) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    model.stop_ids = (*model.stop_ids, 5)
    encoded[2] = spoil(encoded[2], chosen_ids=(*encoded[2].chosen_ids[:-1], 5))
    assert cause_of(lambda: run_gate(model, encoded, scorer, CONFIG)) == "missing_eos"


def test_that_numbers_that_are_not_finite_are_caught(tmp_path: Path) -> None:
    model, encoded, scorer = parts(save_tiny(tmp_path / "broken"))
    with torch.no_grad():
        model.base.get_decoder().norm.weight.fill_(1e38)
    assert cause_of(lambda: run_gate(model, encoded, scorer, CONFIG)) == "non_finite"


def test_that_every_cause_has_a_test_in_this_folder() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [cause for cause in GATE_CAUSES if f'== "{cause}"' not in source] == []


def test_that_the_readme_lists_every_cause_with_its_message() -> None:
    readme = (Path(__file__).parents[4] / "core/training/README.md").read_text(encoding="utf-8")
    section = readme.split("## What the truth gate refuses")[1].split("\n## ")[0]
    assert [line for line in section.splitlines() if line.startswith("| `")] == [
        f"| `{cause}` | {message} |" for cause, message in GATE_CAUSES.items()
    ]


def wrapped(folder: Path, wrap: Callable[[Any], Any]) -> LoadedModel:
    """A loaded model whose adapter was made by other code than ours."""
    base = read_base(folder, torch.float32).requires_grad_(False)
    return LoadedModel(
        wrap(base),
        read_tokenizer(folder),
        CONFIG,
        model_dir=folder,
        device=torch.device("cpu"),
        dtype=torch.float32,
        weights_sha256=model_sha256(folder),
    )


def gate_of(model: LoadedModel) -> GateReport:
    encoded, _ = encode_pairs(tiny_pairs(6), model.tokenizer, CONFIG)
    return run_gate(model, encoded, PaddedScorer(model), CONFIG)


def test_that_the_first_step_checks_all_its_pairs_before_a_weight_changes(tiny_llama_dir: Path, tmp_path: Path) -> None:
    cache, pairs = tmp_path / "cache", some_pairs(8, 0)
    whole = run(tiny_llama_dir, tmp_path / "first", pairs=pairs, steps=1, batch_size=8, cache_dir=cache)
    assert isinstance(whole[-1], Finished)
    segment = next(cache.rglob("*.seg"))
    records = decode_segment(segment.read_bytes())
    assert next(event for event in whole if isinstance(event, GateReport)).passed
    longest = max(records, key=lambda key: len(records[key][0]))  # the gate itself scores the first and the shortest
    records[longest] = (records[longest][0] + 0.5, records[longest][1])
    segment.write_bytes(encode_segment(records))
    *before, last = run(tiny_llama_dir, tmp_path / "second", pairs=pairs, steps=1, batch_size=8, cache_dir=cache)
    assert isinstance(last, Failed)
    assert last.kind in ("gate:loss_closed_form", "gate:stale_cache")
    assert not any(isinstance(event, StepDone) for event in before)


def test_that_the_first_step_holds_the_loss_against_its_closed_form(
    tiny_llama_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, encoded, scorer = parts(tiny_llama_dir)
    some = encoded[:3]
    with torch.no_grad():
        logps = scorer.score(some, stats=False).logps.tolist()
    rows = [
        PairMetrics(pair.pair_id, 0.7, c, r, c, r, 0, 0, 0.5, 4, 4) for pair, (c, r) in zip(some, logps, strict=True)
    ]
    check_first_batch(model, some, rows, CONFIG)
    near = [replace(row, ref_chosen=row.ref_chosen + 9e-4) for row in rows]
    check_first_batch(model, some, near, replace(CONFIG, beta=100.0))  # rounding of a cached log-prob
    moved = [replace(rows[0], ref_chosen=rows[0].ref_chosen + 0.5), *rows[1:]]
    assert cause_of(lambda: check_first_batch(model, some, moved, CONFIG)) == "loss_closed_form"
    monkeypatch.setattr("core.training.gate.run.first_loss", lambda *_: (0.7, math.log(2)))
    assert cause_of(lambda: check_first_batch(model, some, rows, CONFIG)) == "loss_closed_form"


def test_that_the_gate_reads_three_pairs_the_shortest_ones_but_for_the_first(tiny_llama_dir: Path) -> None:
    model, encoded, plain = parts(tiny_llama_dir)
    read: list[tuple[bool, bool, tuple[str, ...]]] = []

    class Counting(PaddedScorer):
        def score(self, pairs: Any, *, policy: bool = True, **options: Any) -> Scores:
            read.append((policy, torch.is_grad_enabled(), tuple(pair.pair_id for pair in pairs)))
            return plain.score(pairs, policy=policy, **options)

    run_gate(model, encoded, Counting(model), CONFIG)
    first, *rest = encoded
    shortest = [pair.pair_id for pair in sorted(rest, key=lambda pair: pair.length)[:2]]
    whole = (first.pair_id, *shortest)
    least = min(whole, key=lambda pair_id: next(p.length for p in encoded if p.pair_id == pair_id))
    assert read[:4] == [(True, False, whole), (False, False, whole), (True, False, (least,)), (True, False, (least,))]
    assert [(policy, grad, len(ids)) for policy, grad, ids in read[4:]] == [(True, True, 1)] * 2
