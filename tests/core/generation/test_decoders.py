"""The fused decoder writes what the general one and plain rows give, and is not used where it would not."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import torch

from core.domain.errors import ModelRefused
from core.generation import decoders, fused_decoder, working_weights
from core.generation.decoders import open_decoder, open_pair_decoder
from core.generation.sampler import DecoderSettings, sample, sample_both
from core.generation.seeds import derive_seed
from tests.core.training.forward.scorer_twin import adapter_policy
from tests.tiny_families import FAMILIES, family_model
from tests.tiny_models import tiny_model

HEADER = [40, 41, 42, 43, 44, 45]
PROMPTS = [[*HEADER, *rest] for rest in ([5, 9, 12], [7], [30, 31, 32, 33, 34, 35, 36], [7], [99, 100, 101, 102])]
SEEDS = [11, 12, 13, 14, 15]
STOPS = (0, *range(200, 240))
SETTINGS = DecoderSettings(max_new_tokens=12)
GREEDY = DecoderSettings(temperature=0, max_new_tokens=12)
FUSED = [name for name in FAMILIES if name.split()[0] in ("llama", "qwen2", "qwen3", "mistral")]


def answers(model, kind, settings=SETTINGS, prompts=PROMPTS, seeds=SEEDS, **options):
    with open_decoder(model, prompts, kind=kind, **options) as decoder:
        assert decoder.name == kind
        found = sample(model, None, prompts, seeds, settings, stop_ids=STOPS, decoder=decoder)
    return [answer.token_ids for answer in found]


def plain(model, prompt, settings, seed):
    """One prompt, no cache, no padding, no working weights."""
    with open_decoder(model, [prompt], kind="plain") as decoder:
        return sample(model, None, [prompt], [seed], settings, stop_ids=STOPS, decoder=decoder)[0].token_ids


@pytest.mark.parametrize("family", [f for f in FUSED if "dynamic" not in f and "windows" not in f])
@pytest.mark.parametrize("settings", [SETTINGS, GREEDY], ids=["sampled", "greedy"])
def test_that_all_decoders_write_the_same_answers(family, settings):
    model = family_model(family).double()
    expected = [plain(model, p, settings, s) for p, s in zip(PROMPTS, SEEDS, strict=True)]
    assert answers(model, "fused", settings) == answers(model, "general", settings) == expected
    assert settings == GREEDY or len({len(ids) for ids in expected}) > 1


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("family", ["llama", "qwen3"])
def test_that_policy_and_reference_write_together_what_each_writes_alone(family, dtype):
    pair = adapter_policy(family, dtype=dtype)
    pair.tokenizer = None
    ours = answers(pair.model, "fused", GREEDY)
    assert ours == answers(pair.model, "general", GREEDY)
    with pair.reference() as reference:
        theirs = answers(reference, "fused", GREEDY)
        assert theirs == answers(reference, "general", GREEDY)
    assert ours != theirs
    for kind in ("fused", "general"):
        with open_pair_decoder(pair, PROMPTS, kind=kind) as decoder:
            both = sample_both(pair, PROMPTS, SEEDS, GREEDY, stop_ids=STOPS, decoder=decoder)
        assert [(a.token_ids, b.token_ids) for a, b in both] == list(zip(ours, theirs, strict=True))


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_that_answers_do_not_depend_on_how_many_are_written_at_once(rows, monkeypatch):
    model = tiny_model("llama")
    seeds = [derive_seed(0, i) for i in range(23)]
    prompts = [[*HEADER, *range(3 + i, 5 + i + i % 4)] for i in range(23)]
    expected = answers(model, "fused", prompts=prompts, seeds=seeds)
    assert answers(model, "fused", prompts=prompts, seeds=seeds, rows=rows) == expected
    assert answers(model, "general", prompts=prompts, seeds=seeds, rows=rows) == expected
    monkeypatch.setattr(fused_decoder, "READ_TOKENS", 24)
    assert answers(model, "fused", prompts=prompts, seeds=seeds) == expected


def test_that_memory_bounds_the_rows_and_changes_no_answer(monkeypatch):
    model = tiny_model("llama")
    expected = answers(model, "fused")
    made = []

    class Watched(fused_decoder.KeyValues):
        def __init__(self, slots, capacity, *rest):
            super().__init__(slots, capacity, *rest)
            made.append(sum(t.nbytes for t in (*self.keys, *self.values)))

    monkeypatch.setattr(fused_decoder, "KeyValues", Watched)
    monkeypatch.setitem(decoders.CACHE_BYTES, "cpu", 20_000)
    assert answers(model, "fused") == expected
    assert made
    assert max(made) <= 20_000
    monkeypatch.setattr(working_weights, "COPY_BYTES", 0)
    assert answers(model, "fused") == answers(model, "general") == expected


def test_that_equal_prompts_and_common_starts_are_read_once(monkeypatch):
    model, read = tiny_model("llama"), []
    forward = fused_decoder.forward

    def counted(model, ids, *rest, **options):
        read.append(len(ids))
        return forward(model, ids, *rest, **options)

    with open_decoder(model, PROMPTS, kind="fused") as decoder:
        monkeypatch.setattr(fused_decoder, "forward", counted)
        one = DecoderSettings(max_new_tokens=1)
        sample(model, None, PROMPTS * 3, SEEDS * 3, one, stop_ids=(), decoder=decoder)
    assert read == [len(HEADER), 3 + 1 + 7 + 4]


def test_that_hidden_states_of_answers_are_those_of_whole_rows():
    pair = adapter_policy("llama", dtype=torch.float64)
    rows = [(p, (9, 8, 7, 6)[: 1 + i % 4]) for i, p in enumerate(PROMPTS)]
    with open_pair_decoder(pair, PROMPTS, kind="fused") as fused, open_pair_decoder(pair, PROMPTS, kind="plain") as own:
        for group in (0, 1):  # the library's norms are float32 in any model
            found, expected = fused.answer_hidden(rows, group), own.answer_hidden(rows, group)
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", ["gpt2", "gemma3", "bloom", "mpt", "mixtral", "mamba"])
def test_that_other_families_decode_by_their_own_layers_with_a_note(family):
    model = family_model(family)
    with open_decoder(model, PROMPTS) as decoder:
        assert decoder.name == "general"
        assert "is not one of llama" in decoder.note
    with pytest.raises(ModelRefused, match="is not one of llama"), open_decoder(model, PROMPTS, kind="fused"):
        pass


def test_that_a_window_shorter_than_the_prompts_is_left_to_the_general_path():
    model = family_model("mistral windows")
    with open_decoder(model, [list(range(5, 30))]) as decoder:
        assert decoder.name == "general"
        assert "exceed its attention window of 16" in decoder.note


def test_that_a_decoder_that_computes_something_else_is_not_used(monkeypatch):
    model = tiny_model("llama")
    monkeypatch.setattr(fused_decoder.KeyValues, "lengths", lambda self: self._lengths[: self.open])
    with open_decoder(model, PROMPTS) as decoder:
        assert decoder.name == "general"
        assert "differ from its own forward pass" in decoder.note


def test_that_two_models_of_their_own_decode_one_after_the_other():
    ours, theirs = tiny_model("llama"), tiny_model("llama", seed=1)

    class Pair:
        model, tokenizer = ours, None

        @contextmanager
        def reference(self):
            yield theirs

    both = sample_both(Pair(), PROMPTS, SEEDS, SETTINGS, stop_ids=STOPS)
    assert [a.token_ids for a, _ in both] == answers(ours, "general")
    assert [b.token_ids for _, b in both] == answers(theirs, "general")


def test_that_layers_and_weights_are_left_as_they_were():
    pair = adapter_policy("llama")
    before = {name: tensor.clone() for name, tensor in pair.model.state_dict().items()}
    for kind in ("fused", "general"):
        answers(pair.model, kind)
    assert all("forward" not in module.__dict__ for module in pair.model.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in pair.model.state_dict().items())
