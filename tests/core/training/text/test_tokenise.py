from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.domain.conversation import Message, Prompt
from core.domain.errors import BadInput, ModelRefused
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.token_notes import cut_words, token_notes
from core.training.text.encoded_pair import EncodedPair
from core.training.text.tokenise import PairEncoder, drop_oldest_turn, encode_pairs
from tests.tiny_models import CHAT_TEMPLATE, tiny_pairs, tiny_tokenizer

CHAT = RunConfig(max_length=512)
PLAIN = replace(CHAT, template="none")
END = 0


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return tiny_tokenizer()


def pair(prompt: str, chosen: str, rejected: str, name: str = "p") -> TrainingPair:
    return TrainingPair(name, Prompt.from_text(prompt), chosen, rejected)


def one(tokenizer: Any, config: RunConfig, *pairs: TrainingPair) -> EncodedPair:
    (encoded,), _ = encode_pairs(pairs, tokenizer, config)
    return encoded


def response(tokenizer: Any, encoded: EncodedPair) -> tuple[str, str]:
    sides = (encoded.chosen_ids, encoded.chosen_mask), (encoded.rejected_ids, encoded.rejected_mask)
    chosen, rejected = (tokenizer.decode([i for i, m in zip(ids, mask, strict=True) if m]) for ids, mask in sides)
    return chosen, rejected


def test_that_a_row_is_exactly_what_the_template_renders_up_to_its_stop_token(tokenizer: Any) -> None:
    item = tiny_pairs(1, system=True, turns=2)[0]
    encoded = one(tokenizer, CHAT, item)
    turns = [*item.prompt.to_plain(), {"role": "assistant", "content": item.chosen}]
    text = tokenizer.apply_chat_template(turns, tokenize=False).removesuffix("\n")
    assert list(encoded.prompt_ids + encoded.chosen_ids) == tokenizer(text, add_special_tokens=False)["input_ids"]


def test_that_the_response_is_the_answer_and_its_stop_token(tokenizer: Any) -> None:
    encoded = one(tokenizer, CHAT, pair("How do I check a bicycle chain?", "Wipe it.", "No. No."))
    assert response(tokenizer, encoded) == ("Wipe it.<|end|>", "No. No.<|end|>")
    assert tokenizer.decode(encoded.prompt_ids).endswith("<|start|>assistant\n")


def test_that_a_common_start_of_both_answers_is_response_and_not_prompt(tokenizer: Any) -> None:
    encoded = one(tokenizer, CHAT, pair("Ask", "The moon pulls.", "The moon sleeps."))
    assert response(tokenizer, encoded) == ("The moon pulls.<|end|>", "The moon sleeps.<|end|>")
    assert set(encoded.chosen_mask) == {1}


def test_that_plain_text_is_prompt_answer_and_end(tokenizer: Any) -> None:
    encoded = one(tokenizer, PLAIN, pair("User: Hi\nAssistant:", " Yes.", " No."))
    assert tokenizer.decode(encoded.prompt_ids) == "User: Hi\nAssistant:"
    assert response(tokenizer, encoded) == (" Yes.<|end|>", " No.<|end|>")


def test_that_an_end_already_written_is_not_doubled(tokenizer: Any) -> None:
    encoded = one(tokenizer, PLAIN, pair("Q:", " Yes.<|end|>", " No."))
    assert encoded.chosen_ids.count(END) == 1


def test_that_several_turns_of_plain_text_form_a_transcript_with_a_space_before_the_answer(tokenizer: Any) -> None:
    prompt = Prompt((Message("user", "a"), Message("assistant", "b"), Message("user", "c")))
    encoded = one(tokenizer, PLAIN, TrainingPair("p", prompt, "yes", " no"))
    assert tokenizer.decode(encoded.prompt_ids) == "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant:"
    assert response(tokenizer, encoded) == (" yes<|end|>", " no<|end|>")


def test_that_an_empty_answer_is_its_stop_token_alone(tokenizer: Any) -> None:
    encoded = one(tokenizer, CHAT, pair("Ask", "", "No."))
    assert encoded.chosen_ids == (END,)


def test_that_a_token_across_the_boundary_is_a_response_token_and_counted(tokenizer: Any) -> None:
    word = max((w for w in tokenizer.get_vocab() if w.isascii() and w.isalpha()), key=len)
    (encoded,), report = encode_pairs([pair("?" + word[:-2], word[-2:], "!")], tokenizer, PLAIN)
    assert report.merged_boundaries == 1
    assert encoded.merged_boundary
    joint = tokenizer("?" + word + "<|end|>", add_special_tokens=False)["input_ids"]
    assert list(encoded.prompt_ids + encoded.chosen_ids) == joint
    assert response(tokenizer, encoded) == (word + "<|end|>", "!<|end|>")
    assert tokenizer.decode(encoded.prompt_ids) == "?"
    assert 0 in encoded.rejected_mask


def test_that_white_space_answers_keep_their_tokens(tokenizer: Any) -> None:
    encoded = one(tokenizer, PLAIN, pair("Say nothing:", "\n\n  \n", " x"))
    assert response(tokenizer, encoded)[0] == "\n\n  \n<|end|>"
    assert not encoded.merged_boundary


def test_that_every_response_ends_with_the_stop_token_unless_it_was_cut(tokenizer: Any) -> None:
    encoded, _ = encode_pairs(tiny_pairs(30), tokenizer, CHAT)
    assert all(p.chosen_ids[-1] == p.rejected_ids[-1] == END for p in encoded)


def test_that_what_the_template_writes_after_the_stop_token_is_not_trained(tokenizer: Any) -> None:
    newline = tokenizer("\n")["input_ids"][-1]
    encoded = one(tokenizer, CHAT, pair("Ask", "Yes", "No"))
    assert newline not in (encoded.chosen_ids[-1], encoded.rejected_ids[-1])


def test_that_eos_is_appended_where_the_template_ends_with_nothing() -> None:
    bare = (
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    )
    tokenizer = tiny_tokenizer(chat_template=bare)
    (encoded,), report = encode_pairs([pair("Ask", "Yes", "No")], tokenizer, CHAT)
    assert response(tokenizer, encoded) == ("Yes<|end|>", "No<|end|>")
    assert report.eos_added == 1
    assert "ends an answer of 1 pair without" in token_notes(report, CHAT)["stop_added"]
    _, ended = encode_pairs([pair("Ask", "Yes", "No")], tiny_tokenizer(), CHAT)
    _, plain = encode_pairs([pair("Ask", "Yes", "No")], tokenizer, PLAIN)
    assert (token_notes(ended, CHAT), token_notes(plain, PLAIN)) == ({}, {})


def test_that_text_between_answer_and_stop_token_belongs_to_the_response() -> None:
    spaced = CHAT_TEMPLATE.replace("message['content'] + '<|end|>'", "message['content'] + ' <|end|>'")
    tokenizer = tiny_tokenizer(chat_template=spaced)
    assert response(tokenizer, one(tokenizer, CHAT, pair("Ask", "Yes", "No"))) == ("Yes <|end|>", "No <|end|>")


def test_that_a_system_message_the_template_refuses_opens_the_first_user_turn() -> None:
    strict = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    tokenizer = tiny_tokenizer(chat_template=strict + CHAT_TEMPLATE)
    prompt = Prompt((Message("system", "Be brief."), Message("user", "Ask")))
    encoded = one(tokenizer, CHAT, TrainingPair("p", prompt, "Yes", "No"))
    assert tokenizer.decode(encoded.prompt_ids) == "<|start|>user\nBe brief.\n\nAsk<|end|>\n<|start|>assistant\n"


def test_that_a_refused_conversation_names_the_pair() -> None:
    strict = "{% if messages|length > 8 %}{{ raise_exception('too many turns') }}{% endif %}" + CHAT_TEMPLATE
    tokenizer = tiny_tokenizer(chat_template=strict)
    with pytest.raises(BadInput, match=r"Pair p0: .*too many turns"):
        encode_pairs(tiny_pairs(1, turns=6), tokenizer, CHAT)


def test_that_a_model_without_a_template_says_what_to_do() -> None:
    with pytest.raises(ModelRefused) as caught:
        encode_pairs(tiny_pairs(1), tiny_tokenizer(chat=False), CHAT)
    assert "template to none" in caught.value.hint


def test_that_plain_text_gets_one_bos_when_the_tokenizer_adds_one() -> None:
    tokenizer = tiny_tokenizer(bos=True)
    encoded = one(tokenizer, PLAIN, pair("Q:", " Yes.", " No."))
    assert encoded.prompt_ids[0] == tokenizer.bos_token_id
    assert encoded.prompt_ids.count(tokenizer.bos_token_id) == 1
    written = one(tokenizer, PLAIN, pair("<|start|>Q:", " Yes.", " No."))
    assert written.prompt_ids == encoded.prompt_ids


def test_that_a_second_bos_is_taken_out_and_counted() -> None:
    template = "{{ bos_token }}" + CHAT_TEMPLATE
    tokenizer = tiny_tokenizer(bos=True, chat_template=template)
    (encoded,), report = encode_pairs([pair("Ask", "Yes", "No")], tokenizer, CHAT)
    single = one(tiny_tokenizer(), CHAT, pair("Ask", "Yes", "No"))
    assert report.double_bos == 1
    assert encoded.content_key == single.content_key


def test_that_the_oldest_turns_go_first_and_the_system_text_stays(tokenizer: Any) -> None:
    item = tiny_pairs(1, system=True, turns=5)[0]
    whole = one(tokenizer, CHAT, item)
    (encoded,), report = encode_pairs([item], tokenizer, replace(CHAT, max_length=max(len(whole.prompt_ids) - 60, 80)))
    text = tokenizer.decode(encoded.prompt_ids)
    assert text.startswith("<|start|>system\nAnswer briefly.<|end|>\n<|start|>user\n")
    assert text.endswith(item.prompt.last_text + "<|end|>\n<|start|>assistant\n")
    assert 1 <= text.count("<|start|>user") < 5
    assert encoded.truncated
    assert report.truncated_ids == ("p0",)
    assert response(tokenizer, encoded) == response(tokenizer, whole)


def test_that_a_long_last_turn_loses_its_oldest_text_and_never_the_generation_header(tokenizer: Any) -> None:
    long = " ".join(f"word{i}" for i in range(300)) + " and the question?"
    encoded = one(tokenizer, replace(CHAT, max_length=128), pair(long, "Yes.", "No."))
    text = tokenizer.decode(encoded.prompt_ids)
    assert text.startswith("<|start|>user\n")
    assert text.endswith("and the question?<|end|>\n<|start|>assistant\n")
    assert len(encoded.prompt_ids) + len(encoded.chosen_ids) <= 128
    assert response(tokenizer, encoded)[0] == "Yes.<|end|>"
    assert len(encoded.prompt_ids) > 100


def test_that_a_long_answer_loses_its_end_and_gets_no_stop_token(tokenizer: Any) -> None:
    long = "Yes " * 400
    encoded = one(tokenizer, replace(CHAT, max_length=100), pair("Ask a thing?", long, "No."))
    assert len(encoded.prompt_ids) + len(encoded.chosen_ids) == 100
    assert encoded.chosen_ids[-1] != END
    assert encoded.rejected_ids[-1] == END
    assert tokenizer.decode(encoded.prompt_ids).endswith("<|start|>assistant\n")


def test_that_a_question_keeps_a_quarter_of_the_room_however_long_the_answer_is(tokenizer: Any) -> None:
    question = " ".join(f"w{i}" for i in range(200))
    encoded = one(tokenizer, replace(CHAT, max_length=120), pair(question, "Yes " * 400, "No."))
    assert 30 <= len(encoded.prompt_ids) < 60
    assert sum(encoded.chosen_mask) > 50


def test_that_pairs_with_too_short_a_response_are_dropped_by_name(tokenizer: Any) -> None:
    items = [pair("Ask", "Yes " * 100, "No " * 100, "long"), pair("Ask", "Yes", "No", "short")]
    config = replace(CHAT, max_length=40, min_response=30)
    encoded, report = encode_pairs(items, tokenizer, config)
    assert encoded == []
    assert report.dropped_ids == ("long", "short")


def test_that_plain_text_keeps_its_start_and_drops_pairs_whose_prompt_fills_it(tokenizer: Any) -> None:
    items = [pair("word " * 60, "Yes", "No", "full"), pair("Ask:", " Yes" * 60, " No", "cut")]
    (encoded,), report = encode_pairs(items, tokenizer, replace(PLAIN, max_length=40))
    assert (encoded.pair_id, report.dropped_ids, report.truncated_ids) == ("cut", ("full",), ("cut",))
    whole = one(tokenizer, PLAIN, items[1])
    assert encoded.prompt_ids + encoded.chosen_ids == (whole.prompt_ids + whole.chosen_ids)[:40]


def test_that_pairs_equal_after_truncation_are_dropped_and_counted(tokenizer: Any) -> None:
    same = "the same start " * 40
    encoded, report = encode_pairs([pair("Ask", same + "A", same + "B")], tokenizer, replace(CHAT, max_length=64))
    assert encoded == []
    assert (report.identical, report.dropped) == (1, 1)


def test_that_zero_means_no_limit(tokenizer: Any) -> None:
    encoded = one(tokenizer, replace(CHAT, max_length=0), pair("Ask", "Yes " * 3000, "No"))
    assert not encoded.truncated


def test_that_the_prompt_for_generation_is_the_prompt_of_training(tokenizer: Any) -> None:
    item = tiny_pairs(1, system=True, turns=2)[0]
    for config in (CHAT, PLAIN):
        assert tuple(PairEncoder(tokenizer, config).prompt_ids(item.prompt)) == one(tokenizer, config, item).prompt_ids


def test_that_labels_and_weights_come_through(tokenizer: Any) -> None:
    item = replace(tiny_pairs(1)[0], weight=2.5, target=0.8, is_tie=True)
    encoded = one(tokenizer, CHAT, item)
    assert (encoded.weight, encoded.target, encoded.is_tie) == (2.5, 0.8, True)


def test_that_the_report_counts_every_pair_and_its_lengths(tokenizer: Any) -> None:
    items = tiny_pairs(700)
    seen = []
    encoded, report = encode_pairs(items, tokenizer, CHAT, on_progress=lambda done, total: seen.append((done, total)))
    assert report.pairs == len(encoded) + report.dropped == 700
    lengths = sorted(len(p.prompt_ids) + max(len(p.chosen_ids), len(p.rejected_ids)) for p in encoded)
    assert report.longest == lengths[-1]
    assert lengths[0] <= report.p50 <= report.p95 <= report.longest
    assert seen == [(512, 700), (700, 700)]


def test_that_padding_saved_with_a_tokenizer_is_not_applied(tokenizer: Any) -> None:
    expected = one(tokenizer, CHAT, pair("Ask", "Yes", "No"))
    other = tiny_tokenizer()
    other.backend_tokenizer.enable_padding(length=64)
    other.backend_tokenizer.enable_truncation(5)
    assert one(other, CHAT, pair("Ask", "Yes", "No")).content_key == expected.content_key


def test_that_turns_are_dropped_until_a_user_turn_opens_the_rest() -> None:
    turns = [Message("system", "s"), Message("user", "1"), Message("assistant", "2"), Message("user", "3")]
    assert drop_oldest_turn(turns) == [turns[0], turns[3]]
    assert drop_oldest_turn([turns[0], turns[3]]) is None
    assert drop_oldest_turn([turns[3]]) is None


def test_that_reported_lengths_are_those_before_anything_is_cut(tokenizer: Any) -> None:
    items = tiny_pairs(5, turns=3)
    _, whole = encode_pairs(items, tokenizer, CHAT)
    for config in (replace(CHAT, max_length=40), replace(PLAIN, max_length=185)):
        _, cut = encode_pairs(items, tokenizer, config)
        _, uncut = encode_pairs(items, tokenizer, replace(config, max_length=512))
        assert cut.truncated > 0
        assert (cut.p50, cut.p95, cut.longest) == (uncut.p50, uncut.p95, uncut.longest)
    assert whole.longest > 40


def test_that_what_was_cut_is_counted_by_side_and_a_lost_system_text_is_told(tokenizer: Any) -> None:
    long_ask = pair("The tides. " * 60 + "Why?", "Yes.", "No.", "ask")
    long_answer = pair("Why?", "The moon pulls. " * 60, "No.", "answer")
    _, report = encode_pairs([long_ask, long_answer, *tiny_pairs(1)], tokenizer, replace(CHAT, max_length=64))
    assert (report.truncated, report.cut_prompts, report.cut_answers) == (2, 1, 1)
    assert cut_words(report) == "1 prompt lost its start, 1 pair the end of an answer"
    assert cut_words(replace(report, cut_prompts=0)) == "1 pair lost the end of an answer"

    strict = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}" + CHAT_TEMPLATE
    turns = (Message("system", "Be brief."), Message("user", "The tides. " * 60 + "Why?"))
    folded = [TrainingPair("s", Prompt(turns), "Yes.", "No.")]
    for template, found in ((strict, (1, 1)), (CHAT_TEMPLATE, (0, 0))):
        _, report = encode_pairs(folded, tiny_tokenizer(chat_template=template), replace(CHAT, max_length=64))
        assert (report.folded_system, report.lost_system) == found
    _, whole = encode_pairs(folded, tiny_tokenizer(chat_template=strict), replace(CHAT, max_length=0))
    assert token_notes(whole, CHAT) == {
        "folded_system": "The template has no place for a system text: that of 1 pair opens the first question."
    }
