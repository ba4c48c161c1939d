from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core.domain.errors import BadInput
from core.generation.decoding import left_padded
from core.generation.sampler import DecoderSettings, next_tokens, sample, sample_both, stop_ids_of
from core.generation.seeds import uniforms
from tests.tiny_models import tiny_model, tiny_tokenizer

PROMPTS = [[5, 9, 12], [7], [30, 31, 32, 33, 34, 35, 36], [8, 8], [99, 100, 101, 102]]
SEEDS = [11, 12, 13, 14, 15]
SHORT = DecoderSettings(max_new_tokens=12)


@pytest.fixture(scope="module")
def llama():
    return tiny_model("llama")


def slow_answer(model, prompt, seed, settings, stops):
    """The plain twin: one prompt, no cache, no padding, whole distribution sorted by id."""
    ids, numbers = list(prompt), uniforms(seed, settings.max_new_tokens)
    for number in numbers:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids])).logits[0, -1].double().numpy()
        p = np.exp(logits - logits.max())
        ids.append(int(np.searchsorted(np.cumsum(p / p.sum()), number, side="right")))
        if ids[-1] in stops:
            break
    return tuple(ids[len(prompt) :])


@pytest.mark.parametrize("family", ["llama", "qwen3", "gpt2", "gpt_neox", "phi", "gemma3"])
def test_that_batched_cached_sampling_equals_the_plain_twin(family):
    model = tiny_model(family)
    stops = (0, *range(200, 240))
    answers = sample(model, None, PROMPTS, SEEDS, SHORT, stop_ids=stops)
    expected = [slow_answer(model, p, s, SHORT, stops) for p, s in zip(PROMPTS, SEEDS, strict=True)]
    assert [a.token_ids for a in answers] == expected
    assert [a.finished for a in answers] == [ids[-1] in stops for ids in expected]
    assert len({len(ids) for ids in expected}) > 1


def test_that_an_answer_does_not_depend_on_its_batch(llama):
    together = sample(llama, None, PROMPTS, SEEDS, SHORT)
    alone = [sample(llama, None, [p], [s], SHORT)[0] for p, s in zip(PROMPTS, SEEDS, strict=True)]
    in_twos = [a for i in (0, 2, 4) for a in sample(llama, None, PROMPTS[i : i + 2], SEEDS[i : i + 2], SHORT)]
    backwards = sample(llama, None, PROMPTS[::-1], SEEDS[::-1], SHORT)[::-1]
    assert together == alone == in_twos == backwards


def test_that_a_longer_limit_only_adds_tokens(llama):
    short = sample(llama, None, PROMPTS, SEEDS, SHORT, stop_ids=())
    longer = sample(llama, None, PROMPTS, SEEDS, DecoderSettings(max_new_tokens=20), stop_ids=())
    assert [a.token_ids[:12] for a in longer] == [a.token_ids for a in short]
    assert all(not a.finished for a in longer)


def test_that_seeds_decide_and_the_global_random_state_does_not(llama):
    first = sample(llama, None, PROMPTS, SEEDS, SHORT)
    state = torch.random.get_rng_state()
    torch.manual_seed(123)
    assert sample(llama, None, PROMPTS, SEEDS, SHORT) == first
    assert sample(llama, None, PROMPTS, [s + 1 for s in SEEDS], SHORT) != first
    torch.random.set_rng_state(state)


def test_that_temperature_zero_takes_the_most_likely_token(llama):
    greedy = sample(llama, None, PROMPTS[:1], [1], DecoderSettings(temperature=0, max_new_tokens=4), stop_ids=())[0]
    ids = list(PROMPTS[0])
    for token in greedy.token_ids:
        with torch.no_grad():
            assert token == int(llama(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
        ids.append(token)


def test_that_every_module_gets_its_own_mode_back():
    model = tiny_model("gpt2")
    model.training = True  # as an adapter's wrapper around a model in evaluation mode
    modes = [module.training for module in model.modules()]
    sample(model, None, PROMPTS[:1], [1], SHORT)
    assert [module.training for module in model.modules()] == modes
    assert not model.transformer.drop.training


def test_that_dropout_is_off_while_sampling():
    model = tiny_model("gpt2")
    expected = sample(model, None, PROMPTS, SEEDS, SHORT)
    model.train()
    assert sample(model, None, PROMPTS, SEEDS, SHORT) == expected
    assert model.transformer.drop.training


def test_that_equal_models_give_equal_samples_side_by_side(llama):
    other = tiny_model("llama", seed=1)

    class Pair:
        model, tokenizer = llama, tiny_tokenizer()

        def __init__(self, reference):
            self._reference = reference

        @contextmanager
        def reference(self):
            yield self._reference

    same = sample_both(Pair(llama), PROMPTS, SEEDS, SHORT)
    assert all(ours == theirs for ours, theirs in same)
    different = sample_both(Pair(other), PROMPTS, SEEDS, SHORT)
    assert any(ours.text != theirs.text for ours, theirs in different)
    assert all(ours.seed == theirs.seed for ours, theirs in different)


def test_that_text_leaves_the_stop_token_out_and_ids_keep_it(llama):
    tokenizer = tiny_tokenizer()
    answers = sample(llama, tokenizer, PROMPTS, SEEDS, SHORT, stop_ids=range(0, 400, 5))
    ended = [a for a in answers if a.finished]
    assert ended
    for answer in ended:
        assert answer.text == tokenizer.decode(list(answer.token_ids[:-1]), skip_special_tokens=True)


def test_that_every_decoder_setting_is_on_record(llama):
    settings = DecoderSettings(temperature=0.7, top_p=0.9, top_k=40, max_new_tokens=3)
    answer = sample(llama, None, PROMPTS[:1], [5], settings, stop_ids=())[0]
    record = answer.record(model="tiny", model_sha256="m", template_sha256="t", system_prompt="s")
    assert record.to_plain() == {
        "model": "tiny",
        "model_sha256": "m",
        "template_sha256": "t",
        "system_prompt": "s",
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 40,
        "max_new_tokens": 3,
        "seed": 5,
        "repetition_penalty": 1.0,
        "finished": False,
    }


def test_that_picked_tokens_follow_the_distribution():
    logits = torch.log(torch.tensor([[0.1, 0.2, 0.0, 0.4, 0.3]])).expand(5, -1)
    numbers = torch.tensor([0.0, 0.0999, 0.1001, 0.3001, 0.9999], dtype=torch.float64)
    assert next_tokens(logits, numbers, DecoderSettings()).tolist() == [0, 0, 1, 3, 4]


def test_that_a_number_next_to_one_never_picks_an_impossible_token():
    logits = torch.tensor([[1.0, 1.0, float("-inf"), float("-inf")]])
    assert next_tokens(logits, torch.tensor([1 - 2**-53], dtype=torch.float64), DecoderSettings()).tolist() == [1]


def test_that_top_k_keeps_the_most_likely_and_their_ties():
    logits = torch.log(torch.tensor([[0.1, 0.3, 0.3, 0.2, 0.1]])).expand(100, -1)
    numbers = torch.linspace(0, 0.999, 100, dtype=torch.float64)
    assert set(next_tokens(logits, numbers, DecoderSettings(top_k=3)).tolist()) == {1, 2, 3}
    assert set(next_tokens(logits, numbers, DecoderSettings(top_k=1)).tolist()) == {1, 2}
    assert set(next_tokens(logits, numbers, DecoderSettings(top_k=9)).tolist()) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("size", [5, 1200])
def test_that_top_p_keeps_the_smallest_set_that_reaches_it(size):
    p = torch.softmax(torch.randn(size, generator=torch.Generator().manual_seed(0)) * 0.3, dim=0)
    order = p.argsort(descending=True)
    kept = order[: int((p[order].double().cumsum(0) < 0.8).sum()) + 1]
    numbers = torch.linspace(0, 0.99999, 8000 if size > 5 else 500, dtype=torch.float64)
    with torch.no_grad():
        seen = {
            t
            for n in numbers.split(1000)
            for t in next_tokens(p.log().expand(len(n), -1), n, DecoderSettings(top_p=0.8)).tolist()
        }
    assert seen == set(kept.tolist())


def test_that_temperature_sharpens():
    logits = torch.tensor([[0.0, 1.0]]).expand(1000, -1)
    numbers = torch.linspace(0, 0.999, 1000, dtype=torch.float64)
    share = next_tokens(logits, numbers, DecoderSettings(temperature=0.5)).float().mean()
    assert share == pytest.approx(1 / (1 + np.exp(-2)), abs=2e-3)


def test_that_prompts_end_in_the_last_column():
    ids, mask = left_padded([[1, 2, 3], [4]])
    assert ids.tolist() == [[1, 2, 3], [0, 0, 4]]
    assert mask.tolist() == [[1, 1, 1], [0, 0, 1]]


def test_that_stop_tokens_are_gathered_from_model_and_tokenizer():
    model = SimpleNamespace(
        generation_config=SimpleNamespace(eos_token_id=[3, 2]), config=SimpleNamespace(eos_token_id=None)
    )
    assert stop_ids_of(model, SimpleNamespace(eos_token_id=9)) == (2, 3, 9)


@pytest.mark.parametrize(
    "values", [{"temperature": -1}, {"top_p": 0}, {"top_p": 1.1}, {"top_k": -1}, {"max_new_tokens": 0}]
)
def test_that_settings_out_of_bounds_are_refused(values):
    with pytest.raises(BadInput):
        DecoderSettings(**values)


def test_that_empty_prompts_and_missing_seeds_are_refused(llama):
    with pytest.raises(BadInput, match="has no tokens"):
        sample(llama, None, [[1], []], [1, 2])
    with pytest.raises(BadInput, match="seeds"):
        sample(llama, None, [[1]], [1, 2])


def test_that_progress_is_told_and_may_cancel(llama):
    seen = []
    sample(llama, None, PROMPTS, SEEDS, SHORT, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (5, 5) and seen == sorted(seen) and len(seen) >= 10

    def cancel(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(llama, None, PROMPTS, SEEDS, SHORT, on_progress=cancel)
