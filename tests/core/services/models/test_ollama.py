"""The Modelfile beside a GGUF file: it asks the model as it was trained, or says that it does not know how."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.domain.run_config import RunConfig
from core.domain.run_record import RunRecord
from core.model_files.template_files import NamedToken, TemplateFiles
from core.services.models import ollama
from core.services.models.ollama import modelfile, pieces_of, stop_texts
from core.training.text.template_inputs import NO_INPUTS
from tests.core.training.text.templates import FAMILIES

SYSTEM_OF_ITS_OWN = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}"
    "{{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA = (
    "{{ bos_token }}{% for m in messages %}"
    "{{ '<|head|>' + m['role'] + '<|/head|>\n\n' + m['content'] | trim + '<|eot|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|head|>assistant<|/head|>\n\n' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}"
    "{% elif m['role'] == 'assistant' %}{{ m['content'] + eos_token }}{% else %}{{ raise_exception('No system.') }}"
    "{% endif %}{% endfor %}"
)
TURNS = ("One?", "It is {one}.", "And\ntwo?")


def files(template: str) -> TemplateFiles:
    tokens = ("<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|head|>", "<|/head|>", "<|eot|>", "<|start|>", "<|end|>")
    added = {number: NamedToken(token, special=True) for number, token in enumerate(tokens)}
    return TemplateFiles(template, {"bos_token": "<s>", "eos_token": "</s>"}, added, 1, (1,))


def go(template: str, turns: Sequence[str], system: str = "") -> str:
    """Run the few constructs of Go's templates that a Modelfile of ours uses."""
    parts = re.split(r"(\{\{ .*? \}\})", template)

    def block(at: int, values: dict[str, str], shown: bool) -> tuple[str, int, str]:
        text = ""
        while at < len(parts):
            part = parts[at]
            if not part.startswith("{{ "):
                text, at = text + part * shown, at + 1
                continue
            word = part[3:-3]
            if word == "end" or word.startswith("else"):
                return text, at, word
            if word.startswith("."):
                text, at = text + values[word] * shown, at + 1
            elif word == "range .Messages":
                rows = [{".Role": ("user", "assistant")[n % 2], ".Content": turn} for n, turn in enumerate(turns)]
                made = [block(at + 1, {**values, **row}, shown) for row in rows]
                text, at = text + "".join(one[0] for one in made), made[0][1] + 1
            else:
                done = False
                while word != "end":
                    asked = re.fullmatch(r'(?:else )?if (?:eq (\.\w+) "(\w+)"|(\.\w+))', word)
                    holds = asked is None or (values[asked[1]] == asked[2] if asked[1] else bool(values[asked[3]]))
                    inner, at, word = block(at + 1, values, shown and holds and not done)
                    text, done = text + inner, done or holds
                at += 1
        return text, at, ""

    return block(0, {".System": system}, True)[0]


def asked(template: str, turns: Sequence[str], system: str = "") -> str:
    """Render with Jinja itself."""
    import jinja2

    def refuse(message: str) -> None:
        raise ValueError(message)

    rows: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    rows += [{"role": ("user", "assistant")[n % 2], "content": turn} for n, turn in enumerate(turns)]
    words = {"bos_token": "<s>", "eos_token": "</s>", "raise_exception": refuse}
    return jinja2.Template(template).render(messages=rows, add_generation_prompt=True, **words)


@pytest.mark.parametrize(
    ("template", "has_system", "stops"),
    [
        (SYSTEM_OF_ITS_OWN, True, ["<|im_end|>", "</s>"]),
        (LLAMA, True, ["<|eot|>", "</s>"]),
        (MISTRAL, False, ["</s>"]),
        (FAMILIES["chatml"], True, ["<|end|>", "</s>"]),
    ],
    ids=["own system", "llama", "mistral", "chatml"],
)
def test_that_a_template_in_go_asks_as_the_models_own_does(template: str, has_system: bool, stops: list[str]) -> None:
    pieces = pieces_of(files(template), NO_INPUTS)
    assert pieces is not None
    for turns in (TURNS, TURNS[:1]):
        assert go(pieces.go, turns) == asked(template, turns)
        if has_system:
            assert go(pieces.go, turns, "Be\nbrief.") == asked(template, turns, "Be\nbrief.")
    assert (pieces.before_system is not None) is has_system
    assert stop_texts(pieces, files(template)) == stops


@pytest.mark.parametrize("family", ["opened thought", "thinking tokens"])
def test_that_a_template_that_does_not_repeat_is_of_no_known_form(family: str) -> None:
    assert pieces_of(files(FAMILIES[family]), NO_INPUTS) is None


def test_that_a_modelfile_says_what_it_leaves_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = RunRecord("id", "my\nrun", 1, RunConfig(), str(tmp_path), "f" * 64, 4, 0)
    monkeypatch.setattr(
        ollama, "read_header", lambda _: type("H", (), {"values": {"tokenizer.ggml.add_bos_token": True}})
    )
    monkeypatch.setattr(ollama, "template_files", lambda _: files(LLAMA))
    text = modelfile(record, tmp_path / "out.gguf")
    assert text.startswith("# my run: run id, fingerprint ffffffffffff, from Pairwright.\n")
    assert "\nFROM ./out.gguf\n" in text and "<s>" not in text and text.count('PARAMETER stop "<|eot|>"') == 1
    monkeypatch.setattr(ollama, "template_files", lambda _: files(FAMILIES["opened thought"]))
    assert "# No TEMPLATE: its chat template is of no known form. Set one by hand" in modelfile(
        record, tmp_path / "o.gguf"
    )
    monkeypatch.setattr(ollama, "template_files", lambda _: None)
    unknown = modelfile(record, tmp_path / "out.gguf")
    assert "No TEMPLATE: the base model is one GGUF file." in unknown and 'TEMPLATE "' not in unknown
