"""Other chat templates than the one a policy was trained with: is what it learned bound to the form of its prompts?

Each is written out here, so that the text that a model reads does not depend on the files of another model. Their marks
are no special tokens of most models; a model reads them as text, as it would in a tool that has the wrong template.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.domain.conversation import Message, Prompt

PLAIN = "plain"
TRAINING = "training"
"""Names the template of training, whatever it is."""
_OTHERS = 3


@dataclass(frozen=True, slots=True)
class AlternateTemplate:
    """A template by name.

    Attributes:
        title: as people know it.
        mark: text that no other template has; by it the template of training is recognised.
        render: from turns to the text that an answer starts behind.
        stops: texts at which an answer ends, because the next turn begins there.
    """

    title: str
    mark: str
    render: Callable[[Sequence[Message]], str]
    stops: tuple[str, ...]


def _plain(turns: Sequence[Message]) -> str:
    return Prompt(tuple(turns)).as_text()


def _chatml(turns: Sequence[Message]) -> str:
    text = "".join(f"<|im_start|>{turn.role}\n{turn.content}<|im_end|>\n" for turn in turns)
    return f"{text}<|im_start|>assistant\n"


def _llama3(turns: Sequence[Message]) -> str:
    text = "".join(f"<|start_header_id|>{turn.role}<|end_header_id|>\n\n{turn.content}<|eot_id|>" for turn in turns)
    return f"{text}<|start_header_id|>assistant<|end_header_id|>\n\n"


_ALPACA_SYSTEM = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request."
)


def _alpaca(turns: Sequence[Message]) -> str:
    system = "\n\n".join(turn.content for turn in turns if turn.role == "system") or _ALPACA_SYSTEM
    heads = {"user": "### Instruction:", "assistant": "### Response:"}
    said = [f"{heads.get(turn.role, '### Input:')}\n{turn.content}" for turn in turns if turn.role != "system"]
    return "\n\n".join([system, *said, "### Response:\n"])


TEMPLATES: Mapping[str, AlternateTemplate] = {
    PLAIN: AlternateTemplate("Plain text", "", _plain, ("\n\nHuman:", "\n\nAssistant:")),
    "alpaca": AlternateTemplate("Alpaca", "### Instruction:", _alpaca, ("\n### Instruction:", "\n### Input:")),
    "llama3": AlternateTemplate("Llama 3", "<|start_header_id|>", _llama3, ("<|eot_id|>", "<|start_header_id|>")),
    "chatml": AlternateTemplate("ChatML", "<|im_start|>", _chatml, ("<|im_end|>", "<|im_start|>")),
}
"""The templates, those that are tried first at the top."""


def template_of_training(source: str, setting: str) -> str:
    """Return the name of the template that a run was trained with; "" where it is none of those here.

    Args:
        source: of the model's chat template.
        setting: the run's ``template``; "none" trained on plain text.
    """
    if setting == "none":
        return PLAIN
    return next((name for name, one in TEMPLATES.items() if one.mark and one.mark in source), "")


def title_of(name: str) -> str:
    """Return a template's name as people know it."""
    return TEMPLATES[name].title if name in TEMPLATES else "Model's own"


def alternates(trained_with: str) -> tuple[str, ...]:
    """Return plain text and two chat templates, all others than the one of training."""
    return tuple(name for name in TEMPLATES if name != trained_with)[:_OTHERS]


def cut_at_next_turn(text: str, name: str) -> str:
    """Return an answer up to where the model goes on with the next turn of the conversation by itself."""
    ends = [at for stop in TEMPLATES[name].stops if (at := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text
