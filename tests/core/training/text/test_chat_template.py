from __future__ import annotations

import pytest

from core.domain.conversation import Message, Prompt
from core.domain.errors import BadInput, ModelRefused
from core.model_files.template_guard import guard_error
from core.training.text.chat_template import (
    check_template,
    fold_system,
    plain_format,
    probe,
    render,
    render_prompt,
    turn_end_id,
)
from tests.tiny_models import CHAT_TEMPLATE, tiny_tokenizer

LOOP = "{% for m in messages %}"
HEADER = "{% if add_generation_prompt %}{{ '<|start|>assistant\\n' }}{% endif %}"


def templated(template: str):
    return tiny_tokenizer(chat_template=template)


def test_that_the_end_of_a_turn_is_found() -> None:
    chat = probe(tiny_tokenizer())
    assert (chat.tail, chat.stop_at, chat.stop_id, chat.takes_system) == ("<|end|>\n", 0, 0, True)
    assert turn_end_id(tiny_tokenizer()) == 0


def test_that_a_template_without_a_special_end_names_eos_and_no_place() -> None:
    chat = probe(templated(LOOP + "{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"))
    assert (chat.stop_at, chat.stop_id) == (-1, 0)
    assert turn_end_id(tiny_tokenizer(chat=False)) is None


def test_that_plain_text_ends_with_eos() -> None:
    assert plain_format(tiny_tokenizer()).tail == "<|end|>"


@pytest.mark.parametrize(
    ("template", "word"),
    [
        (LOOP + "{{ '<|start|>user\n' + m['content'] + '<|end|>' }}{% endfor %}" + HEADER, "roles"),
        (
            LOOP
            + "{% set other = {'user': 'assistant', 'assistant': 'user'}[m['role']] %}"
            + "{{ '<|start|>' + other + '\n' + m['content'] + '<|end|>' }}"
            + "{% endfor %}"
            + HEADER,
            "roles",
        ),
        ("{% for m in messages|reverse %}{{ m['role'] + m['content'] }}{% endfor %}", "loses, repeats or swaps"),
        (LOOP + "{% if m['role'] == 'user' %}{{ m['content'] }}{% endif %}{% endfor %}", "loses, repeats or swaps"),
        (LOOP + "{{ m['role'] + m['content'] + m['content'] }}{% endfor %}", "loses, repeats or swaps"),
        ("{{ messages[-1]['content'] }}", "loses, repeats or swaps"),
        (LOOP + "{{ m['content'] }}\n{% endfor %}", "roles"),
    ],
)
def test_that_a_template_that_loses_repeats_or_swaps_messages_is_refused(template: str, word: str) -> None:
    with pytest.raises(ModelRefused, match=word):
        probe(templated(template))


def test_that_thinking_templates_pass() -> None:
    opened = CHAT_TEMPLATE.replace("'<|start|>assistant\\n'", "'<|start|>assistant\\n<think>\\n'")
    shown = CHAT_TEMPLATE.replace(
        "message['content'] +", "('<think></think>' if message['role'] == 'assistant' else '') + message['content'] +"
    )
    assert probe(templated(opened)).stop_at == 0
    assert probe(templated(shown)).stop_at == 0


def test_that_generation_blocks_of_training_templates_pass() -> None:
    marked = (
        LOOP + "{{ '<|start|>' + m['role'] + '\n' }}{% generation %}{{ m['content'] + '<|end|>' }}{% endgeneration %}"
        "{% endfor %}" + HEADER
    )
    assert probe(templated(marked)).stop_at == 0


def test_that_a_system_text_is_folded_only_where_it_must_be() -> None:
    turns = (Message("system", "s"), Message("user", "u"))
    assert fold_system(turns, probe(tiny_tokenizer())) == turns
    strict = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    chat = probe(templated(strict + CHAT_TEMPLATE))
    assert fold_system(turns, chat) == (Message("user", "s\n\nu"),)
    assert fold_system(turns[1:], chat) == turns[1:]


def test_that_a_prompt_is_rendered_up_to_the_generation_header() -> None:
    prompt = Prompt.from_text("Hi")
    assert render_prompt(tiny_tokenizer(), prompt) == "<|start|>user\nHi<|end|>\n<|start|>assistant\n"
    assert render_prompt(tiny_tokenizer(), prompt, template="none") == "Hi"


def test_that_what_a_template_says_when_it_refuses_is_passed_on() -> None:
    tokenizer = templated("{{ raise_exception('roles must alternate') }}")
    with pytest.raises(BadInput, match="roles must alternate"):
        render(tokenizer, [Message("user", "x")], generation_prompt=True)


def test_that_a_huge_template_is_refused_unread() -> None:
    with pytest.raises(ModelRefused, match="characters long"):
        check_template("x" * 200_000)


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ (messages|attr('__class__'))|attr('__base__') }}",
        "{% set x = messages.append(1) %}",
        "{% include '/etc/passwd' %}",
    ],
)
def test_that_a_template_that_reaches_out_of_its_sandbox_is_refused(template: str) -> None:
    with pytest.raises(ModelRefused, match="cannot be used"):
        check_template(template)


def test_that_an_endless_template_is_killed_in_time() -> None:
    endless = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    assert any(words in guard_error(endless) for words in ("ran longer than", "still running after"))


def test_that_a_template_that_fills_the_memory_or_the_output_is_refused() -> None:
    assert guard_error("{{ 'x' * 99999999999 }}")
    assert "MiB" in guard_error("{% for i in range(99999) %}{{ 'x' * 100 }}{% endfor %}")


def test_that_the_guard_passes_special_tokens_on() -> None:
    template = "{{ bos_token + messages[0]['content'] }}"
    assert guard_error(template, (("bos_token", "<s>"),)) == ""
    assert guard_error(template) != ""


def test_that_the_probe_is_made_once_for_each_template() -> None:
    tokenizer = tiny_tokenizer()
    first = probe(tokenizer)
    assert probe(tokenizer) is first
    tokenizer.chat_template = CHAT_TEMPLATE.replace("<|end|>", "<|end|> ")
    assert probe(tokenizer) is not first
