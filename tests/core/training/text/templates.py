"""Small chat templates of our own that behave as those of public model families do, and a tokenizer of one token a byte."""
# ruff: noqa: E501 - templates are read best on one line

from __future__ import annotations

from typing import Any

from tests.tiny_models import tiny_tokenizer

BYTES = 259
"""Vocabulary of a tokenizer without merges: three special tokens and every byte."""
TURN = "{{ '<|start|>' + m['role'] + '\n' + m['content'] + '<|end|>\n' }}"
LAST_QUESTION = "{% set ns = namespace(last=-1) %}{% for m in messages %}{% if m['role'] == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}"

FAMILIES: dict[str, str] = {
    "chatml": "{% for m in messages %}" + TURN + "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}{% endif %}",
    "date in the system turn": "{% if not date_string is defined %}{% if strftime_now is defined %}{% set date_string = strftime_now('%d %b %Y') %}"
    "{% else %}{% set date_string = '26 Jul 2024' %}{% endif %}{% endif %}"
    "{{ '<|start|>system\nToday Date: ' + date_string + '\n<|end|>\n' }}{% for m in messages %}{{ '<|start|>' + m['role'] + '\n' + m['content'] | trim + '<|end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}{% endif %}",
    "date in a default system turn": "{% set today = strftime_now('%Y-%m-%d') %}{% if messages[0]['role'] != 'system' %}{{ '[SYSTEM]The current date is ' + today + '.[/SYSTEM]' }}{% endif %}"
    "{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST]' + m['content'] + '[/INST]' }}{% elif m['role'] == 'system' %}{{ '[SYSTEM]' + m['content'] + '[/SYSTEM]' }}"
    "{% else %}{{ m['content'] + eos_token }}{% endif %}{% endfor %}",
    "empty thought before answers": LAST_QUESTION + "{% for m in messages %}{% set c = m['content'] %}{% if m['role'] == 'assistant' %}{% set t = '' %}"
    "{% if '</think>' in c %}{% set t = c.split('</think>')[0].split('<think>')[-1].strip('\n') %}{% set c = c.split('</think>')[-1].lstrip('\n') %}{% endif %}"
    "{{ '<|start|>assistant\n' }}{% if loop.index0 > ns.last %}{{ '<think>\n' + t + '\n</think>\n\n' }}{% endif %}{{ c + '<|end|>\n' }}"
    "{% else %}" + TURN + "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}"
    "{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}",
    "opened thought": "{% for m in messages %}{% if m['role'] == 'assistant' %}{{ '<|start|>assistant\n' + m['content'].split('</think>')[-1].lstrip('\n') + '<|end|>' }}"
    "{% else %}{{ '<|start|>' + m['role'] + '\n' + m['content'] + '<|end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant\n<think>\n' }}{% endif %}",
    "opened thought, closed in finished turns": "{% for m in messages %}{% if m['role'] == 'assistant' %}{% set c = m['content'] %}{{ '<|start|>assistant\n' }}"
    "{% if '</think>' not in c %}{{ '<think></think>' }}{% endif %}{{ c + '<|end|>\n' }}{% else %}" + TURN + "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}{{ '<think></think>' if enable_thinking is defined and not enable_thinking else '<think>\n' }}{% endif %}",
    "thought opened in both": "{% for m in messages %}{% if m['role'] == 'assistant' and loop.last %}{{ '<|start|>assistant\n<think>\n\n</think>\n\n' + m['content'] + '<|end|>\n' }}"
    "{% else %}" + TURN + "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant\n<think>\n' }}{% endif %}",
    "mode in the system turn": "{% set quiet = messages[0]['role'] == 'system' and '/no_think' in messages[0]['content'] %}{% for m in messages %}{% if m['role'] == 'assistant' %}"
    "{{ '<|start|>assistant\n' + ('<think>\n\n</think>\n' if quiet else '') + m['content'].lstrip('\n') + '<|end|>\n' }}{% else %}" + TURN + "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant\n' + ('<think>\n\n</think>\n' if quiet else '') }}{% endif %}",
    "channels": "{{ '<|start|>system\nReasoning: ' + (reasoning_effort if reasoning_effort is defined else 'medium') + '\nDate: ' + strftime_now('%Y-%m-%d') + '<|end|>' }}"
    "{% for m in messages %}{% if m['role'] == 'assistant' %}{{ '<|start|>assistant<|channel|>final<|message|>' + m['content'] + '<|end|>' }}"
    "{% else %}{{ '<|start|>' + m['role'] + '<|message|>' + m['content'] + '<|end|>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant' }}{% endif %}",
    "turns of a model, trimmed": "{{ bos_token or '' }}{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{{ '<start_of_turn>' + ('model' if m['role'] == 'assistant' else m['role']) + '\n' + m['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}",
    "thinking tokens": "{% for m in messages %}" + TURN + "{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant\n<|START_THINKING|>' }}{% endif %}",
    "tools": "{% if tools %}{{ '<|start|>system\nTools: ' + tools | tojson + '<|end|>\n' }}{% endif %}{% for m in messages %}" + TURN + "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}{% endif %}",
}  # fmt: skip


def byte_tokenizer(family: str = "chatml", **more: Any) -> Any:
    """Return a tokenizer of one token a byte, with the template of a family; ``<|end|>`` and ``<|start|>`` are one."""
    return tiny_tokenizer(chat_template=FAMILIES[family], vocab=BYTES, **more)


def source_of(family: str) -> str:
    """Return the template of a family."""
    return FAMILIES[family]
