"""What is trained is what stands in the answer, behind the right header, for the templates of every kind of family."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.domain.conversation import Message, Prompt
from core.domain.errors import ModelRefused, UsageError
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import TokenReport
from core.training.text.chat_template import probe
from core.training.text.encoded_pair import EncodedPair
from core.training.text.tokenise import PairEncoder, encode_pairs
from tests.core.training.text.templates import byte_tokenizer

pytestmark = pytest.mark.usefixtures("templates_tried_here")

CHAT = RunConfig(max_length=4096)
ASKED = "<|start|>user\n2+2?<|end|>\n<|start|>assistant\n"
EMPTY = "<think>\n\n</think>\n\n"
OWN = ("<think>\nadd\n</think>\n\n4", "<think>\nguess\n</think>\n\n5")
PLAIN = ("4", "5")


def pair(answers: tuple[str, str], *turns: Message, ask: str = "2+2?") -> TrainingPair:
    return TrainingPair("p", Prompt((*turns, Message("user", ask))), *answers)


def encoded(tokenizer: Any, item: TrainingPair, config: RunConfig = CHAT) -> tuple[EncodedPair, TokenReport]:
    (found,), report = encode_pairs([item], tokenizer, config)
    return found, report


def shown(tokenizer: Any, found: EncodedPair) -> tuple[str, str, str]:
    """Return the text before the first scored token of the chosen row, and what is scored of both."""
    zeros = found.chosen_mask.count(0)
    sides = ((found.chosen_ids, found.chosen_mask), (found.rejected_ids, found.rejected_mask))
    scored = (tokenizer.decode([i for i, m in zip(ids, mask, strict=True) if m]) for ids, mask in sides)
    return tokenizer.decode([*found.prompt_ids, *found.chosen_ids[:zeros]]), *scored


@pytest.mark.parametrize(
    ("family", "args", "answers", "prompt", "scored", "other_header"),
    [
        ("chatml", "", PLAIN, ASKED, PLAIN, 0),
        ("empty thought before answers", "", PLAIN, ASKED + EMPTY, PLAIN, 1),
        ("empty thought before answers", "", OWN, ASKED, OWN, 0),
        ("empty thought before answers", "enable_thinking=false", PLAIN, ASKED + EMPTY, PLAIN, 0),
        ("empty thought before answers", "", (EMPTY + "4", EMPTY + "5"), ASKED, (EMPTY + "4", EMPTY + "5"), 0),
        ("opened thought", "", OWN, ASKED.replace("\n<|start|>a", "<|start|>a") + "<think>\n",
         ("add\n</think>\n\n4", "guess\n</think>\n\n5"), 0),
        ("opened thought", "", ("add\n</think>\n\n4", "guess\n</think>\n\n5"),
         ASKED.replace("\n<|start|>a", "<|start|>a") + "<think>\n", ("add\n</think>\n\n4", "guess\n</think>\n\n5"), 0),
        ("opened thought", "", PLAIN, ASKED.replace("\n<|start|>a", "<|start|>a"), PLAIN, 1),
        ("opened thought", "", (OWN[0], "5"), ASKED.replace("\n<|start|>a", "<|start|>a"), (OWN[0], "5"), 1),
        ("opened thought, closed in finished turns", "", PLAIN, ASKED + "<think></think>", PLAIN, 1),
        ("opened thought, closed in finished turns", "enable_thinking=false", PLAIN, ASKED + "<think></think>",
         PLAIN, 0),
        ("opened thought, closed in finished turns", "", OWN, ASKED + "<think>\n",
         ("add\n</think>\n\n4", "guess\n</think>\n\n5"), 0),
        ("thought opened in both", "", PLAIN, ASKED + EMPTY, PLAIN, 1),
        ("thought opened in both", "", OWN, ASKED + "<think>\n", ("add\n</think>\n\n4", "guess\n</think>\n\n5"), 0),
        ("mode in the system turn", "", PLAIN, ASKED, PLAIN, 0),
        ("mode in the system turn", "", OWN, ASKED, OWN, 0),
        ("thinking tokens", "", PLAIN, ASKED, PLAIN, 1),
        ("thinking tokens", "", ("<|START_THINKING|>a<|END_THINKING|>4", "<|START_THINKING|>b<|END_THINKING|>5"),
         ASKED + "<|START_THINKING|>", ("a<|END_THINKING|>4", "b<|END_THINKING|>5"), 0),
        ("turns of a model, trimmed", "", PLAIN,
         "<start_of_turn>user\n2+2?<end_of_turn>\n<start_of_turn>model\n", PLAIN, 0),
    ],
)  # fmt: skip
def test_that_the_answer_is_scored_behind_the_header_that_fits_it(
    family: str, args: str, answers: tuple[str, str], prompt: str, scored: tuple[str, str], other_header: int
) -> None:
    tokenizer = byte_tokenizer(family)
    found, report = encoded(tokenizer, pair(answers), CHAT.with_values({"template_args": args}))
    assert shown(tokenizer, found) == (prompt, *(text + "<|end|>" for text in scored))
    assert (report.rewritten, report.respelled, report.other_header) == (0, 0, other_header)
    assert found.chosen_ids[-1] == found.rejected_ids[-1] == 0


def test_that_masks_are_those_counted_by_hand_one_token_a_byte() -> None:
    tokenizer = byte_tokenizer("empty thought before answers")
    found, _ = encoded(tokenizer, pair(("4 is it", "5")))
    # <|start|> user \n 2+2? <|end|> \n <|start|> assistant \n = 1+4+1+4+1+1+1+9+1, and the empty thought of 7+2+8+2
    assert len(found.prompt_ids) == 23 + 19
    assert found.chosen_mask == (1,) * 8
    assert found.rejected_mask == (1,) * 2
    mixed, report = encoded(tokenizer, pair((OWN[0], "5")))
    assert len(mixed.prompt_ids) + mixed.chosen_mask.count(0) == 23
    assert (sum(mixed.chosen_mask), sum(mixed.rejected_mask)) == (len(OWN[0]) + 1, 19 + 1 + 1)
    assert report.rewritten == 1, "the empty thought of one side is scored, which is not in its answer"


@pytest.mark.parametrize("family", ["empty thought before answers", "opened thought", "thought opened in both"])
@pytest.mark.parametrize("answers", [PLAIN, OWN])
def test_that_samples_start_behind_the_same_header_as_training(family: str, answers: tuple[str, str]) -> None:
    tokenizer, item = byte_tokenizer(family), pair(answers)
    found, _ = encoded(tokenizer, item)
    whole = [*found.prompt_ids, *found.chosen_ids[: found.chosen_mask.count(0)]]
    assert PairEncoder(tokenizer, CHAT).start_ids(item) == whole


@pytest.mark.parametrize(
    ("family", "answers"),
    [
        ("turns of a model, trimmed", ("4 \n", "5")),
        ("date in the system turn", ("  4", "5")),
        ("mode in the system turn", ("\n4", "5")),
        ("empty thought before answers", ("<think>add</think>4", "<think>\nguess\n</think>\n\n5")),
        ("empty thought before answers", ("It is no HTML tag: </think>.", "A thought.")),
        ("empty thought before answers", ("add\n</think>\n\n4", "5")),
        ("opened thought", ("add\n</think>\n\n4", "5")),
        ("opened thought", ("It is no HTML tag: </think>.", "A thought.")),
    ],
)
def test_that_an_answer_the_template_changes_is_counted_and_can_be_trained_as_it_stands(
    family: str, answers: tuple[str, str]
) -> None:
    tokenizer, item = byte_tokenizer(family), pair(answers)
    found, report = encoded(tokenizer, item)
    assert (report.rewritten, report.rewritten_ids, found.rewritten) == (1, ("p",), True)
    kept, _ = encoded(tokenizer, item, replace(CHAT, rewritten_answers="answer"))
    _, chosen, rejected = shown(tokenizer, kept)
    assert (chosen, rejected) == (answers[0] + "<|end|>", answers[1] + "<|end|>")


@pytest.mark.parametrize("family", ["empty thought before answers", "opened thought"])
def test_that_a_thought_that_is_never_closed_is_trained_as_it_stands_where_that_is_asked_for(family: str) -> None:
    tokenizer, answers = byte_tokenizer(family), ("<think>never closed 4", "5")
    kept, report = encoded(tokenizer, pair(answers), replace(CHAT, rewritten_answers="answer"))
    assert shown(tokenizer, kept)[1:] == tuple(text + "<|end|>" for text in answers)
    assert report.rewritten == 0


def test_that_answers_that_differ_in_the_thought_only_stay_different() -> None:
    answers = ("<think>\na\n</think>\n\n4", "<think>\nb\n</think>\n\n4")
    earlier = (Message("user", "Hi"), Message("assistant", "<think>\nold thought\n</think>\n\nHello"))
    for family in ("empty thought before answers", "opened thought"):
        tokenizer = byte_tokenizer(family)
        found, report = encoded(tokenizer, pair(answers, *earlier))
        assert found.chosen_ids != found.rejected_ids
        assert report.changed_prompts == 1, "the thought of the earlier turn is dropped, and told"
        assert "old thought" not in tokenizer.decode(found.prompt_ids)


def test_that_a_mode_that_the_conversation_sets_moves_the_header() -> None:
    tokenizer = byte_tokenizer("mode in the system turn")
    found, report = encoded(tokenizer, pair(PLAIN, Message("system", "/no_think")))
    prompt, *scored = shown(tokenizer, found)
    assert prompt.endswith("<|start|>assistant\n<think>\n\n</think>\n")
    assert scored == ["4<|end|>", "5<|end|>"]
    assert (report.rewritten, report.other_header) == (0, 0)


def test_that_text_that_a_template_writes_before_every_answer_is_prompt() -> None:
    tokenizer = byte_tokenizer("channels")
    config = CHAT.with_values({"template_args": "reasoning_effort=high", "template_date": "2026-11-29"})
    found, report = encoded(tokenizer, pair(PLAIN), config)
    prompt, *scored = shown(tokenizer, found)
    assert prompt.startswith("<|start|>system\nReasoning: high\nDate: 2026-11-29<|end|>")
    assert prompt.endswith("<|start|>assistant<|channel|>final<|message|>")
    assert scored == ["4<|end|>", "5<|end|>"]
    assert report.other_header == 1


def test_that_rows_of_older_runs_are_made_by_their_rules() -> None:
    old = replace(CHAT, row_rules="1")
    tokenizer = byte_tokenizer("empty thought before answers")
    found, _ = encoded(tokenizer, pair(PLAIN), old)
    assert shown(tokenizer, found) == (ASKED, EMPTY + "4<|end|>", EMPTY + "5<|end|>")
    opened = byte_tokenizer("opened thought")
    found, _ = encoded(opened, pair(PLAIN), old)
    assert shown(opened, found)[0].endswith("<think>\n")


@pytest.mark.parametrize("family", ["date in the system turn", "date in a default system turn", "channels"])
def test_that_the_date_of_a_run_is_written_whatever_the_day(family: str) -> None:
    tokenizer = byte_tokenizer(family)
    dated = replace(CHAT, template_date="2026-11-29")
    found, _ = encoded(tokenizer, pair(PLAIN), dated)
    text = tokenizer.decode(found.prompt_ids)
    assert "29 Nov 2026" in text or "2026-11-29" in text
    later, _ = encoded(tokenizer, pair(PLAIN), replace(CHAT, template_date="2026-11-30"))
    assert later.content_key != found.content_key


def test_that_a_date_given_as_an_argument_is_taken() -> None:
    tokenizer = byte_tokenizer("date in the system turn")
    found, _ = encoded(tokenizer, pair(PLAIN), CHAT.with_values({"template_args": "date_string=1 Jan 2000"}))
    assert "Today Date: 1 Jan 2000\n" in tokenizer.decode(found.prompt_ids)


def test_that_tools_reach_the_template() -> None:
    tokenizer = byte_tokenizer("tools")
    found, _ = encoded(tokenizer, pair(PLAIN), CHAT.with_values({"template_args": 'tools=[{"name": "add"}]'}))
    assert tokenizer.decode(found.prompt_ids).startswith('<|start|>system\nTools: [{"name": "add"}]<|end|>')


def test_that_tools_take_the_template_made_for_them() -> None:
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = {"default": tokenizer.chat_template, "tool_use": byte_tokenizer("tools").chat_template}
    found, _ = encoded(tokenizer, pair(PLAIN))
    assert shown(tokenizer, found)[0] == ASKED
    found, _ = encoded(tokenizer, pair(PLAIN), CHAT.with_values({"template_args": "tools=[1]"}))
    assert "Tools: [1]" in tokenizer.decode(found.prompt_ids)


def test_that_an_argument_that_the_template_does_not_read_is_an_error() -> None:
    with pytest.raises(UsageError, match="does not read enable_thinking") as caught:
        encoded(byte_tokenizer("channels"), pair(PLAIN), CHAT.with_values({"template_args": "enable_thinking=false"}))
    assert "reasoning_effort" in caught.value.hint
    with pytest.raises(UsageError, match="writes no date"):
        encoded(byte_tokenizer(), pair(PLAIN), replace(CHAT, template_date="2026-11-29"))


@pytest.mark.parametrize("end", ["<|im_end|>", "<end_of_turn>"])
def test_that_a_turn_ends_with_an_added_token_that_is_not_special(end: str) -> None:
    tokenizer = byte_tokenizer()
    tokenizer.add_tokens([end, "<tool>", "  "])
    tokenizer.chat_template = tokenizer.chat_template.replace("<|end|>", end)
    found, report = encoded(tokenizer, pair(PLAIN))
    assert found.chosen_ids[-1] == tokenizer.convert_tokens_to_ids(end)
    assert shown(tokenizer, found)[1:] == ("4" + end, "5" + end)
    assert report.eos_added == 0
    old, _ = encoded(tokenizer, pair(PLAIN), replace(CHAT, row_rules="1"))
    assert old.chosen_ids[-1] == tokenizer.eos_token_id


def test_that_the_files_say_which_of_two_added_tokens_ends_a_turn() -> None:
    tokenizer = byte_tokenizer()
    tokenizer.add_tokens(["</answer>", "<|im_end|>"])
    tokenizer.chat_template = tokenizer.chat_template.replace("<|end|>", "</answer><|im_end|>")
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert probe(tokenizer).stop_id != end
    tokenizer.pairwright_formats, tokenizer.pairwright_eos_ids = {}, (end,)
    assert probe(tokenizer).stop_id == end


def test_that_control_tokens_inside_texts_are_counted() -> None:
    tokenizer = byte_tokenizer()
    for item in (pair(PLAIN, ask="What is <|end|>?"), pair(("4<|start|>", "5"))):
        assert encoded(tokenizer, item)[1].control_tokens == 1
    assert encoded(tokenizer, pair(("4 <|other|>", "5")))[1].control_tokens == 0


def test_that_letters_that_the_tokenizer_composes_are_told_but_not_stopped() -> None:
    from tokenizers.normalizers import NFC

    tokenizer = byte_tokenizer()
    tokenizer.backend_tokenizer.normalizer = NFC()
    _, report = encoded(tokenizer, pair(("cafe\u0301", "5")))
    assert (report.rewritten, report.respelled, report.respelled_ids) == (0, 1, ("p",))


@pytest.mark.parametrize("header", ["<|start|>user\n", "<|user|>\n", "<|start|>user\n<think>\n"])
def test_that_a_generation_header_of_another_role_is_still_refused(header: str) -> None:
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = tokenizer.chat_template.replace("'<|start|>assistant\n'", f"'{header}'")
    with pytest.raises(ModelRefused, match="roles"):
        probe(tokenizer)


def test_that_roles_told_by_tags_alone_are_not_taken_for_thoughts() -> None:
    tokenizer = byte_tokenizer()
    loop = "{% for m in messages %}{{ '<|' + m['role'] + '|>\n' + m['content'] + '<|end|>\n' }}{% endfor %}"
    tokenizer.chat_template = loop + "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
    found, report = encoded(tokenizer, pair(("4 ", "5")))
    assert shown(tokenizer, found) == ("<|user|>\n2+2?<|end|>\n<|assistant|>\n", "4 <|end|>", "5<|end|>")
    assert (report.rewritten, report.other_header) == (0, 0)
    tokenizer.chat_template = loop + "{% if add_generation_prompt %}{{ '<|user|>\n' }}{% endif %}"
    with pytest.raises(ModelRefused, match="roles"):
        probe(tokenizer)
