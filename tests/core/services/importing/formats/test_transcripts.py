from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.conversation import Message, Prompt
from core.services.importing.formats.transcripts import prompt_from_text, split_answers, split_plain, split_transcript
from core.services.importing.limits import RowRejected

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\n\x00"), min_size=1, max_size=30)


def test_that_a_transcript_is_cut_at_its_speakers_and_keeps_every_other_byte() -> None:
    text = "\n\nHuman: Hi \n\nthere\n\nAssistant:  two blanks\n\nHuman: bye\n\nAssistant: "
    assert split_transcript(text) == [
        Message("user", "Hi \n\nthere"),
        Message("assistant", " two blanks"),
        Message("user", "bye"),
        Message("assistant", ""),
    ]


def test_that_plain_text_is_no_transcript() -> None:
    assert split_transcript("Human nature is kind.") == []
    assert split_transcript("Hello\n\nHuman: there") == []


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4), WORDS)
def test_that_the_text_form_of_a_prompt_reads_back_as_the_prompt(turns: list[tuple[str, str]], last: str) -> None:
    messages = [m for q, a in turns for m in (Message("user", q), Message("assistant", a))]
    prompt = Prompt((*messages, Message("user", last)))
    assert prompt_from_text(prompt.as_text()) == prompt


def test_that_a_transcript_without_its_first_speaker_mark_is_a_conversation_too() -> None:
    prompt = prompt_from_text("I am stuck.\n\nAssistant: With what?\n\nHuman: Maths.")
    assert [m.role for m in prompt.messages] == ["user", "assistant", "user"]
    assert prompt.messages[0].content == "I am stuck."


def test_that_a_text_that_only_mentions_an_assistant_stays_one_turn() -> None:
    text = "Write a play.\n\nAssistant: enters the room"
    assert prompt_from_text(text) == Prompt.from_text(text)


def test_that_the_shared_turns_are_the_prompt() -> None:
    shared = [Message("user", "q")]
    prompt, first, second = split_answers([*shared, Message("assistant", "x")], [*shared, Message("assistant", "y")])
    assert (prompt, first, second) == (Prompt.from_text("q"), "x", "y")


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (["q", "x"], ["other", "y"], "differ from turn 1 on"),
        (["q", "x", "more", "z"], ["q", "y"], "differ from turn 2 on"),
        (["q"], ["q"], "does not end with an answer"),
        ([], [], "does not end with an answer"),
    ],
)
def test_that_conversations_with_different_prompts_are_rejected(first: list, second: list, reason: str) -> None:
    turns = [
        [Message("assistant" if i % 2 else "user", text) for i, text in enumerate(texts)] for texts in (first, second)
    ]
    with pytest.raises(RowRejected) as caught:
        split_answers(*turns)
    assert reason in caught.value.reason


def test_that_an_implicit_prompt_ends_between_words() -> None:
    prompt, first, second = split_plain("The sky is blue.", "The sky is bright.")
    assert prompt == Prompt.from_text("The sky is")
    assert (first, second) == ("blue.", "bright.")
    with pytest.raises(RowRejected, match="share no beginning"):
        split_plain("blue", "bright")
