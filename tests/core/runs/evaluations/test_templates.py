"""Other chat templates: what a model reads under each, and which ones are tried beside that of training."""

from __future__ import annotations

import pytest

from core.domain.conversation import Message
from core.runs.evaluations.templates import TEMPLATES, alternates, cut_at_next_turn, template_of_training, title_of

TURNS = (Message("system", "Be brief."), Message("user", "Name a bird."))
CHATML = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plain", "\n\nSystem: Be brief.\n\nHuman: Name a bird.\n\nAssistant:"),
        ("alpaca", "Be brief.\n\n### Instruction:\nName a bird.\n\n### Response:\n"),
        (
            "llama3",
            "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nName a bird.<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
        ),
        (
            "chatml",
            "<|im_start|>system\nBe brief.<|im_end|>\n"
            "<|im_start|>user\nName a bird.<|im_end|>\n<|im_start|>assistant\n",
        ),
    ],
)
def test_that_each_template_writes_the_turns_and_the_header_of_an_answer(name: str, text: str) -> None:
    assert TEMPLATES[name].render(TURNS) == text


def test_that_plain_text_of_one_question_is_the_question() -> None:
    assert TEMPLATES["plain"].render(TURNS[1:]) == "Name a bird."
    assert TEMPLATES["alpaca"].render(TURNS[1:]).startswith("Below is an instruction")


def test_that_the_template_of_training_is_recognised_and_never_tried_against_itself() -> None:
    assert template_of_training(CHATML, "model") == "chatml" and title_of("chatml") == "ChatML"
    assert template_of_training(CHATML, "none") == "plain"
    assert template_of_training("{{ messages }}", "model") == "" and title_of("") == "Model's own"
    assert alternates("chatml") == ("plain", "alpaca", "llama3")
    assert alternates("llama3") == ("plain", "alpaca", "chatml")
    assert alternates("plain") == ("alpaca", "llama3", "chatml")
    assert alternates("") == ("plain", "alpaca", "llama3")


def test_that_an_answer_ends_where_the_model_invents_the_next_turn() -> None:
    assert cut_at_next_turn("A robin.\n\nHuman: And a fish?", "plain") == "A robin."
    assert cut_at_next_turn("A robin.\n### Instruction:\nName a fish.", "alpaca") == "A robin."
    assert cut_at_next_turn("A robin.<|eot_id|>", "llama3") == "A robin."
    assert cut_at_next_turn("A robin.", "chatml") == "A robin."
