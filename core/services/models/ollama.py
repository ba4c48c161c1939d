"""The Ollama ``Modelfile`` of an exported run: where the weights are, the chat template in Go, what ends an answer.

A chat template is a program, and Ollama wants another language. Conversations of marker words are rendered through the
model's own template; the pieces between them make a template that repeats. It is used only where it gives other
conversations exactly, so that the model is asked as it was trained; where it does not, the template is left out and the
file says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.domain.conversation import Message
from core.domain.errors import UserError
from core.domain.run_record import RunRecord
from core.model_files.gguf_header import read_header
from core.model_files.template_files import TemplateFiles, template_files
from core.training.text.chat_template import check_template, render
from core.training.text.template_inputs import TemplateInputs, template_source

_SYSTEM, _FIRST, _SAID, _SECOND = "sys0Kqz", "ask1Wvx", "say2Hjf", "ask3Bnm"
_NO_TEMPLATE = "No TEMPLATE: {why} Set one by hand, or Ollama asks the model otherwise than it was trained."


@dataclass(frozen=True, slots=True)
class TemplatePieces:
    """What a chat template writes around the messages of a conversation.

    Attributes:
        before_system, after_system: around a system message; None where the template takes none.
        without_system: at the start of a conversation without one.
        before_user: before a question. after_user: behind it, up to where the answer begins.
        after_answer: behind an answer.
    """

    before_system: str | None
    after_system: str
    without_system: str
    before_user: str
    after_user: str
    after_answer: str

    def rendered(self, messages: Sequence[Message]) -> str:
        """Return a conversation that ends with a question, as these pieces write it."""
        start, rest = self.without_system, list(messages)
        if rest and rest[0].role == "system":
            start = f"{self.before_system or ''}{rest.pop(0).content}{self.after_system}"
        turns = [
            f"{self.before_user}{m.content}{self.after_user}" if m.role == "user" else f"{m.content}{self.after_answer}"
            for m in rest
        ]
        return "".join([start, *turns])

    @property
    def go(self) -> str:
        """The same as a template of Ollama. No blank is trimmed in it: every character counts."""
        start = self.without_system
        if self.before_system is not None:
            other = f"{{{{ else }}}}{self.without_system}" if self.without_system else ""
            start = f"{{{{ if .System }}}}{self.before_system}{{{{ .System }}}}{self.after_system}{other}{{{{ end }}}}"
        return (
            f"{start}{{{{ range .Messages }}}}"
            f'{{{{ if eq .Role "user" }}}}{self.before_user}{{{{ .Content }}}}{self.after_user}'
            f'{{{{ else if eq .Role "assistant" }}}}{{{{ .Content }}}}{self.after_answer}{{{{ end }}}}{{{{ end }}}}'
        )


def modelfile(record: RunRecord, weights: Path) -> str:
    """Return the text of the ``Modelfile`` of a run.

    Args:
        record: of the run; its model's folder holds the chat template.
        weights: the GGUF file, which Ollama finds beside the ``Modelfile``.
    """
    lines = [
        f"# {_one_line(record.name)}: run {record.run_id}, fingerprint {record.fingerprint[:12]}, from Pairwright.",
        f"# Use it with: ollama create NAME -f {weights.stem}.Modelfile",
        f"FROM ./{weights.name}",
    ]
    files = None
    try:
        if record.config.template == "none":
            return "\n".join([*lines, "# It was trained on plain text.", 'TEMPLATE """{{ .Prompt }}"""', ""])
        files = template_files(Path(record.model_dir))
        pieces = pieces_of(files, TemplateInputs.of(record.config)) if files is not None else None
        why = "the base model is one GGUF file." if files is None else "its chat template is of no known form."
    except UserError as error:
        pieces, why = None, f"its chat template cannot be read ({_one_line(error.message)})"
    if pieces is None:
        return "\n".join([*lines, f"# {_NO_TEMPLATE.format(why=why)}", ""])
    pieces = _without_bos(pieces, files, weights)
    if pieces.before_system is None:
        lines.append("# The chat template takes no system message.")
    stops = [f'PARAMETER stop "{stop}"' for stop in stop_texts(pieces, files) if '"' not in stop]
    return "\n".join([*lines, f'TEMPLATE """{pieces.go}"""', *stops, ""])


def pieces_of(files: TemplateFiles, inputs: TemplateInputs) -> TemplatePieces | None:
    """Return the pieces of a chat template; None where it cannot be taken apart so that it gives the same texts.

    Args:
        files: of the model's folder.
        inputs: what the run gave to the template besides the messages.

    Raises:
        UserError: when the template is refused, or refuses an ordinary conversation.
    """
    source = template_source(files.chat_template, inputs)
    if not source:
        return None
    check_template(source, files.special_tokens_map)
    template = _Template(files, inputs)
    one, three = template.text([_FIRST]), template.text([_FIRST, _SAID, _SECOND])
    if any(whole.count(mark) != 1 for whole, mark in ((one, _FIRST), (three, _SAID), (three, _SECOND))):
        return None
    start, after_user = one.split(_FIRST)
    between = three.partition(_SAID)[2].partition(_SECOND)[0]
    around = template.around_system()
    starts = [start, between, *([around[1]] if around else [])]
    before_user = _shared_end([start, between[_end_of_answer(between, files) :], *starts[2:]])
    start, between, after_system = (part.removesuffix(before_user) for part in (*starts, *([] if around else [""])))
    before_system = around[0] if around else None
    pieces = TemplatePieces(before_system, after_system, start, before_user, after_user, between)
    return pieces if template.is_given_by(pieces) else None


@dataclass(frozen=True, slots=True)
class _Template:
    """A chat template that renders conversations of plain words, up to where the next answer begins."""

    files: TemplateFiles
    inputs: TemplateInputs

    def text(self, turns: Sequence[str], system: str = "") -> str:
        return render(self.files, _conversation(turns, system), generation_prompt=True, inputs=self.inputs)

    def around_system(self) -> tuple[str, str] | None:
        """Return what stands before and behind a system message; None where there is no place for one."""
        try:
            whole = self.text([_FIRST], _SYSTEM)
        except UserError:
            return None
        before, mark, rest = whole.partition(_SYSTEM)
        return (before, rest.partition(_FIRST)[0]) if mark and rest.count(_FIRST) == 1 else None

    def is_given_by(self, pieces: TemplatePieces) -> bool:
        """Return whether the pieces give other conversations as the template does, and can stand in a Modelfile."""
        written = pieces.go.replace("{{ ", "").replace(" }}", "")
        if any(sign in written for sign in ('"""', "{{", "}}")):
            return False
        turns = ["Why?", "Because.", "And then?\n- one", "Nothing <b>more</b>.", "Who says so?"]
        systems = ["", "Be brief.\nBe kind."] if pieces.before_system is not None else [""]
        return all(
            pieces.rendered(_conversation(turns[:count], system)) == self.text(turns[:count], system)
            for count in (1, 3, 5)
            for system in systems
        )


def stop_texts(pieces: TemplatePieces, files: TemplateFiles | None) -> list[str]:
    """Return what ends an answer: the first token behind it, and the tokenizer's EOS."""
    if files is None:
        return []
    eos = files.special_tokens_map.get("eos_token", "")
    _, token = _first_token(pieces.after_answer, files)
    return list(dict.fromkeys(text for text in (token, eos) if text))


def _first_token(text: str, files: TemplateFiles) -> tuple[int, str]:
    """Return place and text of the first token of the vocabulary's additions in a text; (-1, "") without one."""
    known = {token.content for token in files.added_tokens_decoder.values()} | set(files.special_tokens_map.values())
    places = [(text.find(token), -len(token), token) for token in known if token.strip()]
    found = min((place for place in places if place[0] >= 0), default=None)
    return (-1, "") if found is None else (found[0], found[2])


def _end_of_answer(between: str, files: TemplateFiles) -> int:
    """Return how much of what stands between an answer and the next question belongs to the answer."""
    at, token = _first_token(between, files)
    if at < 0:
        return 0
    rest = between[at + len(token) :]
    return len(between) - len(rest.lstrip())


def _shared_end(texts: Sequence[str]) -> str:
    """Return the longest text that all of the texts end with."""
    shortest = min(texts, key=len)
    return next(shortest[n:] for n in range(len(shortest) + 1) if all(t.endswith(shortest[n:]) for t in texts))


def _conversation(turns: Sequence[str], system: str) -> list[Message]:
    said = [Message("assistant" if n % 2 else "user", turn) for n, turn in enumerate(turns)]
    return [Message("system", system), *said] if system else said


def _without_bos(pieces: TemplatePieces, files: TemplateFiles | None, weights: Path) -> TemplatePieces:
    """Return the pieces without the first token where the GGUF file says that its reader writes it."""
    bos = "" if files is None else files.special_tokens_map.get("bos_token", "")
    if not bos or not read_header(weights).values.get("tokenizer.ggml.add_bos_token"):
        return pieces
    before = None if pieces.before_system is None else pieces.before_system.removeprefix(bos)
    return replace(pieces, before_system=before, without_system=pieces.without_system.removeprefix(bos))


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
