from __future__ import annotations

import math
from contextlib import contextmanager

import pytest
import torch
from peft import LoraConfig, get_peft_model

from core.domain.run_events import from_plain, to_plain
from core.evaluation.sequence_kl import AnswerKl, answer_hidden, estimates, score_answers, summarise_answers
from core.generation.sampler import DecoderSettings, sample
from core.generation.seeds import derive_seed
from tests.tiny_models import tiny_model

PROMPTS = [[5, 9, 12], [7], [30, 31, 32, 33], [2, 2]]


class Adapter:
    """Policy with a LoRA adapter, reference with it switched off."""

    tokenizer = None

    def __init__(self, family="llama", scale=0.3, **changes):
        torch.manual_seed(0)
        targets = ["c_attn"] if family == "gpt2" else ["q_proj", "v_proj", "down_proj"]
        kind = LoraConfig(target_modules=targets, r=4, lora_alpha=8, fan_in_fan_out=family == "gpt2")
        self.model = get_peft_model(tiny_model(family, **changes), kind)
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                if "lora_B" in name:
                    parameter.normal_(std=scale)

    @contextmanager
    def reference(self):
        with self.model.disable_adapter():
            yield self.model


def sequence_kl(pair, prompts, seeds, *, max_new_tokens, stop_ids=None, samples_per_prompt=1, batch_size=16, **options):
    """Sample from the policy and estimate the KL, as a run's probe does."""
    many = [ids for ids in prompts for _ in range(samples_per_prompt)]
    drawn = [derive_seed(s, k) if k else s for s in seeds for k in range(samples_per_prompt)]
    settings = DecoderSettings(max_new_tokens=max_new_tokens)
    answers = sample(pair.model, None, many, drawn, settings, stop_ids=stop_ids, batch_size=batch_size)
    found = score_answers(pair, many, answers, **options)
    scored = [AnswerKl(i // samples_per_prompt, a, e) for i, (a, e) in enumerate(zip(answers, found, strict=True))]
    return summarise_answers(scored, horizon=max_new_tokens)


def whole_logps(model, prompt, answer):
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([[*prompt, *answer]])).logits[0, len(prompt) - 1 : -1]
    return torch.log_softmax(logits.double(), -1)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_that_scores_equal_plain_forward_passes(family):
    pair = Adapter(family)
    answers = sample(pair.model, None, PROMPTS, [1, 2, 3, 4], DecoderSettings(max_new_tokens=9))
    for prompt, answer, found in zip(PROMPTS, answers, score_answers(pair, PROMPTS, answers, tile=5), strict=True):
        ours = whole_logps(pair.model, prompt, answer.token_ids)
        with pair.reference() as reference:
            theirs = whole_logps(reference, prompt, answer.token_ids)
        at = torch.tensor(answer.token_ids)[:, None]
        assert found.rb == pytest.approx(float((ours.exp() * (ours - theirs)).sum()), rel=1e-4)
        assert found.k1 == pytest.approx(float((ours - theirs).gather(1, at).sum()), rel=1e-3, abs=1e-4)


def enumerate_kl(pair, prompt, horizon, stops, vocabulary):
    """Exact KL of the process cut at ``horizon``, by visiting every prefix."""
    total, level = 0.0, [((), 0.0)]
    for _ in range(horizon):
        following = []
        for prefix, log_prob in level:
            ours = whole_logps(pair.model, [*prompt, *prefix], [0])[0]
            with pair.reference() as reference:
                theirs = whole_logps(reference, [*prompt, *prefix], [0])[0]
            total += math.exp(log_prob) * float((ours.exp() * (ours - theirs)).sum())
            following += [((*prefix, v), log_prob + float(ours[v])) for v in range(vocabulary) if v not in stops]
        level = following
    return total


def test_that_the_estimate_is_unbiased_on_a_model_small_enough_to_enumerate():
    pair = Adapter(vocab=4, scale=0.5, pad_token_id=None)
    prompt, stops, horizon, n = [1, 2], (0,), 3, 600
    exact = enumerate_kl(pair, prompt, horizon, stops, 4)
    found = sequence_kl(
        pair, [prompt] * n, range(n), max_new_tokens=horizon, stop_ids=stops, batch_size=200, token_budget=10_000
    )
    assert exact > 0.05
    assert abs(found.kl - exact) < 4 * found.se
    assert abs(found.k1 - exact) < 4 * found.k1_se
    assert found.se < 0.7 * found.k1_se
    assert 0 < found.censored < 1


def test_that_kl_is_exactly_zero_before_training():
    found = sequence_kl(Adapter(scale=0.0), PROMPTS, [1, 2, 3, 4], max_new_tokens=6)
    assert found.kl == 0.0
    assert found.k1 == 0.0
    assert found.se == 0.0


def test_that_the_figure_does_not_depend_on_batches_or_tiles():
    pair = Adapter()
    one = sequence_kl(pair, PROMPTS, [1, 2, 3, 4], max_new_tokens=8)
    other = sequence_kl(pair, PROMPTS, [1, 2, 3, 4], max_new_tokens=8, batch_size=1, token_budget=1, tile=3)
    assert [a.answer for a in one.answers] == [a.answer for a in other.answers]
    assert other.kl == pytest.approx(one.kl, rel=1e-6)
    assert one.per_token == pytest.approx(one.kl * 4 / sum(a.tokens for a in one.answers))


def test_that_answers_of_one_prompt_are_averaged_before_the_error_is_taken():
    found = sequence_kl(Adapter(), PROMPTS, [1, 2, 3, 4], max_new_tokens=5, samples_per_prompt=3)
    means = [sum(a.estimates.rb for a in found.answers if a.prompt == p) / 3 for p in range(4)]
    expected = torch.tensor(means, dtype=torch.float64)
    assert found.samples == 12
    assert found.prompts == 4
    assert found.kl == pytest.approx(float(expected.mean()))
    assert found.se == pytest.approx(float(expected.std() / 2))
    assert len({a.answer.seed for a in found.answers}) == 12


def test_that_the_event_carries_everything_and_survives_json():
    found = sequence_kl(Adapter(), PROMPTS[:1], [1], max_new_tokens=5)
    event = found.event(40)
    assert math.isnan(found.se)
    assert (event.step, event.se, event.samples, event.horizon) == (40, 0.0, 1, 5)
    assert from_plain(to_plain(event)) == event


def test_that_answers_of_a_changed_distribution_are_refused():
    pair = Adapter()
    answers = sample(pair.model, None, PROMPTS[:1], [1], DecoderSettings(temperature=0.7, max_new_tokens=3))
    with pytest.raises(ValueError, match="temperature 1"):
        score_answers(pair, PROMPTS[:1], answers)


def test_that_estimates_follow_their_definitions():
    ratio, kl = torch.tensor([0.3, -0.5]), torch.tensor([0.1, 0.2])
    found = estimates(ratio, kl)
    assert found.rb == pytest.approx(0.3)
    assert found.k1 == pytest.approx(-0.2)
    assert found.k2 == pytest.approx(0.02)
    assert found.k3_sequence == pytest.approx(math.exp(0.2) - 1 - 0.2)
    assert found.k3_tokens == pytest.approx(math.exp(-0.3) - 1 + 0.3 + math.exp(0.5) - 1 - 0.5)


def test_that_entropies_are_summed_along_the_answer_where_they_are_asked_for():
    pair = Adapter()
    answers = sample(pair.model, None, PROMPTS[:2], [1, 2], DecoderSettings(max_new_tokens=5))
    found = score_answers(pair, PROMPTS[:2], answers, tile=3, entropies=True)
    for prompt, answer, one in zip(PROMPTS, answers, found, strict=False):
        own = whole_logps(pair.model, prompt, answer.token_ids)
        with pair.reference() as reference:
            other = whole_logps(reference, prompt, answer.token_ids)
        by_hand = [-float((logp.exp() * logp).sum()) for logp in (own, other)]
        assert [one.entropy, one.reference_entropy] == pytest.approx(by_hand, rel=1e-4)
    assert score_answers(pair, PROMPTS[:1], answers[:1])[0].entropy is None


def test_that_hidden_states_of_short_rows_do_not_see_the_padding():
    model = tiny_model("llama")
    alone = answer_hidden(model, [([3, 4], [5])])
    padded = answer_hidden(model, [([3, 4], [5]), ([6] * 9, [7] * 5)])[:1]
    torch.testing.assert_close(padded, alone)
