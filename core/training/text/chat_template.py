"""The layout of a model's chat template, measured by rendering marker messages through it.

A template is a program that comes with the model. It is rendered in a sandbox with a budget of operations and
characters for each conversation. Before it is used for training data it must render every message of a marked
conversation exactly once and in order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.conversation import Message, Prompt
from core.domain.counting import counted
from core.domain.errors import BadInput, ModelRefused
from core.domain.ids import sha256_text
from core.model_files.template_guard import guard_error
from core.training.text.bounded_template import compiled
from core.training.text.template_inputs import NO_INPUTS, TemplateInputs, require_read, template_source
from core.training.text.thought_header import split_headers

MAX_TEMPLATE_CHARS = 128 * 1024
MAX_RENDERED_CHARS = 4 * 1024 * 1024
EOS_IDS = "pairwright_eos_ids"
"""Attribute of a tokenizer: the ids that end generation, as the files of its folder name them."""
_REFUSES = "The model's chat template refuses a conversation of"
_MARKS = ("sys0Kqz", "ask1Wvx", "say2Hjf", "ask3Bnm", "say4Rty")


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """The layout of a conversation in a template.

    Attributes:
        tail: text after the answer of a finished conversation.
        stop_at: characters of ``tail`` before the token that ends the response; -1 if there is none.
        stop_id: the id of that token; without one, the tokenizer's EOS (-1 when it has none either).
        takes_system: whether a system message is rendered; if not, it is put before the first user turn.
        sha256: hash of the template, stored with the run.
    """

    tail: str
    stop_at: int
    stop_id: int
    takes_system: bool
    sha256: str


def template_words(refusal: str) -> str:
    """Return what a template says itself in a sentence that :func:`render` refuses a conversation with."""
    return refusal.partition(_REFUSES)[2].partition(": ")[2] or refusal


def plain_format(tokenizer: Any) -> ChatFormat:
    """Return the format of plain text: the answer, then EOS."""
    eos = tokenizer.eos_token_id
    return ChatFormat(tokenizer.eos_token or "", 0 if eos is not None else -1, -1 if eos is None else eos, True, "")


def render(
    tokenizer: Any, messages: Sequence[Message], *, generation_prompt: bool, inputs: TemplateInputs = NO_INPUTS
) -> str:
    """Render messages through the model's chat template, as text; ``inputs`` is what it reads besides them.

    Raises:
        BadInput: when the template refuses these messages, with the template's own message.
    """
    rows = [{"role": m.role, "content": m.content} for m in messages]
    try:
        template = compiled(template_source(tokenizer.chat_template, inputs))
        text = template.render(
            rows,
            generation_prompt=generation_prompt,
            specials=tokenizer.special_tokens_map,
            arguments=inputs.arguments,
            moment=inputs.moment,
        )
    except Exception as error:  # a template may raise anything
        raise BadInput(
            f"{_REFUSES} {counted(len(rows), 'message')}: {error}",
            "Check the order of roles, or set template to none.",
        ) from error
    if len(text) > MAX_RENDERED_CHARS:
        raise BadInput(f"The chat template made {len(text):,} characters of one conversation.", "Shorten the prompt.")
    return text


def fold_system(messages: Sequence[Message], chat: ChatFormat) -> tuple[Message, ...]:
    """Return the messages for the template; a system text it cannot render opens the first user turn."""
    messages = tuple(messages)
    if chat.takes_system or len(messages) < 2 or messages[0].role != "system" or messages[1].role != "user":
        return messages
    return (Message("user", f"{messages[0].content}\n\n{messages[1].content}"), *messages[2:])


def render_prompt(tokenizer: Any, prompt: Prompt, *, template: str = "model") -> str:
    """Render a prompt up to and including the generation header; "none" gives the plain text."""
    if template == "none":
        return prompt.as_text()
    return render(tokenizer, fold_system(prompt.messages, probe(tokenizer)), generation_prompt=True)


def check_template(template: str, specials: dict[str, str] | None = None) -> None:
    """Refuse a template that is too large, reaches for Python's internals, or does not render in time.

    Raises:
        ModelRefused: naming the reason.
    """
    if len(template) > MAX_TEMPLATE_CHARS:
        raise ModelRefused(
            f"The chat template is {len(template):,} characters long; {MAX_TEMPLATE_CHARS:,} is the limit.",
            "Choose a model from a source you trust.",
        )
    dunder = re.search(r"__[a-z]+__", template)
    reason = f"it reaches for Python's internals ({dunder.group()})" if dunder else ""
    reason = reason or guard_error(template, tuple(sorted((specials or {}).items())))
    if reason:
        raise ModelRefused(
            f"The chat template cannot be used: {reason}.",
            "Use the model's original template, or set template to none.",
        )


def probe(tokenizer: Any, inputs: TemplateInputs = NO_INPUTS, *, rules: int = 2) -> ChatFormat:
    """Return how the chat template renders system messages, turns and the end of a response.

    Args:
        tokenizer: of the model.
        inputs: what the template reads besides the messages.
        rules: 1 ends a response with special tokens only, as runs before ``row_rules`` did.

    Raises:
        ModelRefused: when there is no template, or it loses, repeats or swaps messages.
        UsageError: when it does not read one of the arguments.
    """
    template = template_source(tokenizer.chat_template, inputs)
    if not template:
        raise ModelRefused(
            "This model has no chat template.",
            "Set template to none to train on plain text, or choose an instruction-tuned model.",
        )
    known = getattr(tokenizer, "pairwright_formats", {})
    key = (template, inputs, rules)
    if key in known:
        return known[key]
    check_template(template, {k: v for k, v in tokenizer.special_tokens_map.items() if isinstance(v, str)})
    require_read(template, inputs)
    found = _probe(tokenizer, inputs, rules, sha256_text(template))
    tokenizer.pairwright_formats = {**known, key: found}
    return found


def _probe(tokenizer: Any, inputs: TemplateInputs, rules: int, digest: str) -> ChatFormat:
    roles = ("user", "assistant", "user", "assistant")
    turns = [Message(role, mark) for role, mark in zip(roles, _MARKS[1:], strict=True)]  # type: ignore[arg-type]
    text = render(tokenizer, turns, generation_prompt=False, inputs=inputs)
    _require_order(text, _MARKS[1:])
    _require_roles(tokenizer, text, turns, inputs)
    takes_system = _takes_system(tokenizer, turns, inputs)
    tail = text[text.rindex(_MARKS[-1]) + len(_MARKS[-1]) :]
    stop_at, stop_id = _stop_token(tokenizer, tail, rules)
    return ChatFormat(tail, stop_at, stop_id, takes_system, digest)


def _require_order(text: str, marks: Sequence[str]) -> None:
    places = [text.find(mark) for mark in marks]
    if any(text.count(mark) != 1 for mark in marks) or places != sorted(places):
        raise ModelRefused(
            "The chat template loses, repeats or swaps messages: a marked conversation was not rendered whole.",
            "Use the model's original template, or set template to none.",
        )


def _require_roles(tokenizer: Any, text: str, turns: list[Message], inputs: TemplateInputs) -> None:
    """Require that the roles have different headers and that generation starts under the assistant's own header.

    The two headers may differ by a thought, as :func:`core.training.text.thought_header.split_headers` says.
    """
    second, third, fourth = (text.index(mark) + len(mark) for mark in _MARKS[2:])
    to_user = text[second : third - len(_MARKS[3])]
    to_assistant = text[third : fourth - len(_MARKS[4])]
    prompt = render(tokenizer, turns[:3], generation_prompt=True, inputs=inputs)
    header = prompt[prompt.rindex(_MARKS[3]) + len(_MARKS[3]) :]
    if to_user == to_assistant or split_headers(header, to_assistant) is None:
        raise ModelRefused(
            "The chat template swaps or hides roles: a response is not rendered under the header that generation "
            "starts from.",
            "Use the model's original template, or set template to none.",
        )


def _takes_system(tokenizer: Any, turns: list[Message], inputs: TemplateInputs) -> bool:
    try:
        with_system = [Message("system", _MARKS[0]), *turns]
        text = render(tokenizer, with_system, generation_prompt=False, inputs=inputs)
    except BadInput:
        return False
    return text.count(_MARKS[0]) == 1


def _stop_token(tokenizer: Any, tail: str, rules: int) -> tuple[int, int]:
    """Return (offset, id) of the token in ``tail`` that ends a response; without one (-1, EOS id or -1).

    It is the first that is special or ends generation by the tokenizer or ``generation_config.json``; where the tail
    has none of these, the first that was added to the vocabulary, blanks left out.
    """
    found, others = [], []
    ends = set() if rules == 1 else set(getattr(tokenizer, EOS_IDS, ()))
    for token_id, token in tokenizer.added_tokens_decoder.items():
        at = tail.find(token.content)
        if at >= 0 and token.content.strip():
            where = found if token.special or int(token_id) in ends else others
            where.append((at, -len(token.content), int(token_id)))
    if not found and rules != 1:
        found = others
    if found:
        at, _, token_id = min(found)
        return at, token_id
    return -1, -1 if tokenizer.eos_token_id is None else int(tokenizer.eos_token_id)


def rules_matter(tokenizer: Any, inputs: TemplateInputs = NO_INPUTS) -> bool:
    """Return whether a run's row rules may make other rows of this template than those before them did.

    They do where a thought or a text stands between header and answer, and where a turn ends with an added token that
    is not special.

    Raises:
        BadInput: when the template refuses a plain conversation.
    """
    if "think" in template_source(tokenizer.chat_template, inputs).lower():
        return True
    question, answer = Message("user", _MARKS[1]), Message("assistant", _MARKS[2])
    text = render(tokenizer, [question, answer], generation_prompt=False, inputs=inputs)
    prompt = render(tokenizer, [question], generation_prompt=True, inputs=inputs)
    header, mark, tail = text.partition(_MARKS[2])
    return bool(mark) and (header != prompt or _stop_token(tokenizer, tail, 1) != _stop_token(tokenizer, tail, 2))


def turn_end_id(tokenizer: Any, inputs: TemplateInputs = NO_INPUTS, *, rules: int = 2) -> int | None:
    """Return the id of the token that ends an assistant's turn in the chat template, if there is one."""
    if not template_source(tokenizer.chat_template, inputs):
        return None
    found = probe(tokenizer, inputs, rules=rules)
    return found.stop_id if found.stop_at >= 0 else None
