"""A chat template renders as transformers renders it, or stops at its budget before it costs time or memory."""
# ruff: noqa: E501 - templates are read best on one line

from __future__ import annotations

from typing import Any

import pytest

from core.domain.conversation import Message
from core.domain.errors import BadInput
from core.training.text.bounded_template import ChatTemplate
from core.training.text.chat_template import render
from tests.tiny_models import CHAT_TEMPLATE, tiny_tokenizer

pytestmark = pytest.mark.usefixtures("templates_tried_here")

TURNS = [
    {"role": "system", "content": "Be <kind> & \"short\"."},
    {"role": "user", "content": "Explain π = 3.14…\n\n  and </think> 'this'  "},
    {"role": "assistant", "content": "<think>why</think>\nBecause."},
    {"role": "user", "content": ""},
]  # fmt: skip

SOUND = {
    "own": CHAT_TEMPLATE,
    "chatml": "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "namespace": "{%- set ns = namespace(seen=false, n=0) -%}\n{%- for m in messages -%}\n"
    "  {%- if m.role == 'user' and not ns.seen -%}{%- set ns.seen = true -%}[INST]{%- endif -%}\n"
    "  {%- set ns.n = ns.n + 1 -%}{{ ns.n }}:{{ m.content | trim }};\n{%- endfor -%}",
    "slices": "{% set rest = messages[1:] %}{% for m in rest if m['role'] != 'tool' %}{{ loop.index0 }}{{ loop.last }}"
    "{{ m.content.split('</think>')[-1].lstrip('\n') }}{% endfor %}{{ messages | length }}",
    "filters": "{{ messages | map(attribute='role') | join(', ') }}|{{ messages | selectattr('role', 'equalto', 'user') "
    "| list | length }}|{{ messages[0].content | upper | replace('KIND', 'x') }}|{{ messages | tojson }}"
    "|{{ messages[0] | tojson(indent=2) }}|{{ {'b': 1, 'a': [1, none]} | tojson }}|{{ none }}|{{ missing is defined }}",
    "macros": "{% macro turn(m, n=1) %}<{{ m.role }} {{ n }}>{{ m.content }}{{ caller() if caller else '' }}{% endmacro %}"
    "{% for m in messages %}{{ turn(m, loop.index) }}{% if loop.index > 2 %}{% break %}{% endif %}{% endfor %}"
    "{% set block %}a{{ 1 ~ 2 ~ 'x' }}{% endset %}{{ block }}{{ '%s-%d' % ('a', 3) }}{{ 'ab' * 3 }}{{ 7 // 2 ** 2 % 5 }}",
    "generation": "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
    "{% else %}{{ m['content'] }}{% endif %}{% endfor %}{{ bos_token }}{{ eos_token }}",
    "recursive": "{% for m in messages recursive %}{{ m.role or m }}{% if m.kids %}{{ loop(m.kids) }}{% endif %}{% endfor %}",
}  # fmt: skip

BOMBS = {
    "endless loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "a filtered loop": "{% for a in range(99999) %}{% for b in range(99999) if b < 0 %}{% endfor %}{% endfor %}",
    "doubling with +": "{% set ns = namespace(x='a') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "doubling with ~": "{% set ns = namespace(x='a') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "doubling in blocks": "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set y %}{{ ns.x }}{{ ns.x }}"
    "{% endset %}{% set ns.x = y %}{% endfor %}",
    "repeated text": "{{ 'a' * 999999999 }}",
    "repeated list": "{% set x = [0] * 999999999 %}",
    "nested lists": "{% set a = ['x' * 99999] * 99999 %}{{ a }}",
    "joined lists": "{% set a = ['x' * 99999] * 99999 %}{{ a | join }}",
    "joined by method": "{% set a = ['x' * 99999] * 99999 %}{{ ''.join(a) }}",
    "json of lists": "{% set a = ['x' * 99999] * 99999 %}{{ a | tojson }}",
    "a huge power": "{{ 9 ** (9 ** 9) }}",
    "a huge product": "{% set ns = namespace(x=9) %}{% for i in range(60) %}{% set ns.x = ns.x * ns.x %}{% endfor %}",
    "padding": "{{ 'a'.ljust(999999999) }}",
    "centring": "{{ 'a' | center(999999999) }}",
    "a wide number": "{{ '%999999999d' % 3 }}",
    "a wide format": "{{ '{:999999999}'.format(3) }}",
    "a nested format": "{{ '{:{w}}'.format(3, w=999999999) }}",
    "a starred format": "{{ '%*d' % (999999999, 3) }}",
    "replacing": "{{ ('a' * 9999).replace('a', 'b' * 9999) }}",
    "replacing by filter": "{{ ('a' * 9999) | replace('a', 'b' * 9999) }}",
    "translating": "{{ ('a' * 99999).translate({97: 'b' * 99999}) }}",
    "indenting": "{{ messages | tojson(indent=999999999) }}",
    "long constant": "{% for a in range(99999) %}" + "x" * 9999 + "{% endfor %}",
    "long constant in a macro": "{% macro m() %}{% for a in range(99999) %}" + "x" * 9999 + "{% endfor %}{% endmacro %}"
    "{% set y = m() %}",
    "long comparisons": "{% set a = 'x' * 4000000 %}{% set b = 'x' * 4000000 %}{% for i in range(99999) %}{{ a == b }}"
    "{% endfor %}",
    "long searches": "{% set a = 'x' * 4000000 %}{% for i in range(99999) %}{{ 'y' in a }}{% endfor %}",
    "sums of lists": "{{ ([[1] * 99999] * 9999) | sum(start=[]) }}",
    "endless recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a cartesian macro": "{% macro m(n) %}{% for i in range(n) %}{{ m(n - 1) }}{% endfor %}{% endmacro %}{{ m(30) }}",
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("prompt", [True, False])
def test_that_a_template_renders_as_transformers_renders_it(name: str, prompt: bool) -> None:
    tokenizer: Any = tiny_tokenizer()
    tokenizer.chat_template = SOUND[name]
    expected = tokenizer.apply_chat_template(TURNS, tokenize=False, add_generation_prompt=prompt)
    found = ChatTemplate(SOUND[name]).render(TURNS, generation_prompt=prompt, specials=tokenizer.special_tokens_map)
    assert found == expected


@pytest.mark.parametrize("name", BOMBS)
def test_that_a_template_that_goes_off_for_some_conversations_stops_at_its_budget(name: str) -> None:
    tokenizer: Any = tiny_tokenizer()
    bomb = "{% if 'Explain' in messages[-1]['content'] %}" + BOMBS[name] + "{% endif %}" + CHAT_TEMPLATE
    tokenizer.chat_template = bomb
    quiet = render(tokenizer, [Message("user", "Name a colour.")], generation_prompt=True)
    assert "Name a colour." in quiet
    with pytest.raises(BadInput, match="chat template"):
        render(tokenizer, [Message("user", "Explain colours.")], generation_prompt=True)
    assert render(tokenizer, [Message("user", "Name a colour.")], generation_prompt=True) == quiet


def test_that_a_long_conversation_stays_within_the_budget() -> None:
    tokenizer: Any = tiny_tokenizer()
    tokenizer.chat_template = SOUND["namespace"]
    turns = [Message("user" if n % 2 == 0 else "assistant", "word " * 2000) for n in range(99)]
    assert render(tokenizer, turns, generation_prompt=True).count("word") == 2000 * 99


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ namespace.__init__.__globals__ }}",
        "{% set ns = namespace() %}{% set ns.__class__ = 1 %}",
        "{{ raise_exception.__globals__ }}",
        "{{ dict.__globals__ }}",
        "{{ self.__init__ }}",
        "{% include 'x' %}",
    ],
)
def test_that_the_sandbox_holds(source: str) -> None:
    try:
        found = ChatTemplate(source).render(TURNS, generation_prompt=True, specials={})
    except Exception:  # noqa: BLE001 - what it raises is its own choice
        return
    assert "object" not in found
    assert "module" not in found
