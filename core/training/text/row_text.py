"""The text of a pair's two rows: prompt, answer and the chat template's tail, with the answer's place in characters.

The row of an answer is the finished conversation as the template renders it, where that begins with the text that
generation starts from. Templates of models that think are the exception: an answer without a thought stands behind the
empty thought that the template writes, and one with a thought stands as it is behind the header that the generation
header opens. Decision 0003 has the reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.domain.conversation import Message
from core.training.text.chat_template import ChatFormat, render
from core.training.text.template_inputs import TemplateInputs
from core.training.text.thought_header import Headers, opened_thought, split_headers

_MARK = "ans5Wkz"


@dataclass(frozen=True, slots=True)
class RowText:
    """A rendered row.

    Attributes:
        text: prompt, answer and the template's tail.
        start: characters of the prompt, header of the answer included.
        end: character at which the answer's text ends. stop: character of the stop token, -1 when there is none.
        kept: whether the scored text is the answer: all of it, or what stands of it behind the header.
    """

    text: str
    start: int
    end: int
    stop: int
    kept: bool = True

    @property
    def scored(self) -> str:
        """The text that is scored, without what follows the answer."""
        return self.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class PairTexts:
    """The texts of a pair.

    Attributes:
        prompt: what both responses start behind, and what samples of this prompt start from.
        chosen, rejected: the two rows.
        other_header: whether generation by the template starts behind another header than the responses.
    """

    prompt: str
    chosen: RowText
    rejected: RowText
    other_header: bool = False

    @property
    def kept(self) -> bool:
        """Whether the scored texts are the answers."""
        return self.chosen.kept and self.rejected.kept


@dataclass(frozen=True, slots=True)
class ChatRows:
    """Renders the rows of pairs through one chat template.

    Attributes:
        tokenizer: with the template. chat: its layout. inputs: what it reads besides the messages.
        rules: 1 makes rows as runs before the setting ``row_rules`` did: always behind the generation header.
        as_it_stands: write an answer that the template would change as it stands.
    """

    tokenizer: Any
    chat: ChatFormat
    inputs: TemplateInputs
    rules: int = 2
    as_it_stands: bool = False

    def pair(self, messages: Sequence[Message], answers: tuple[str, str]) -> PairTexts:
        """Return the texts of a pair with this prompt and these answers, chosen and rejected.

        Raises:
            BadInput: when the template refuses the conversation.
        """
        prompt = self.prompt(messages)
        texts = [self._finished(messages, answer) for answer in answers]
        if self.rules == 1:
            rows = [self._behind(prompt, text, answer) for text, answer in zip(texts, answers, strict=True)]
            kept = [replace(row, kept=row.scored.endswith(a)) for row, a in zip(rows, answers, strict=True)]
            return PairTexts(prompt, kept[0], kept[1])
        opening = opened_thought(prompt)
        if all(self._is_simple(prompt, *both, opening) for both in zip(texts, answers, strict=True)):
            return PairTexts(prompt, self._row(texts[0], len(prompt)), self._row(texts[1], len(prompt)))
        headers = self._headers(messages, prompt)
        rows = [self._answer_row(headers, text, answer) for text, answer in zip(texts, answers, strict=True)]
        placed, start = self._placed(headers, rows, answers)
        if self.as_it_stands and not all(row.kept for row in placed):
            bare = [self._row(headers.base + answer + self.chat.tail, len(headers.base)) for answer in answers]
            rows = [old if row.kept else new for row, old, new in zip(placed, rows, bare, strict=True)]
            placed, start = self._placed(headers, rows, answers)
        return PairTexts(start, placed[0], placed[1], other_header=start != prompt)

    @staticmethod
    def _placed(headers: Headers, rows: Sequence[RowText], answers: Sequence[str]) -> tuple[list[RowText], str]:
        """Return the rows behind the longest header that both begin with, and that header."""
        start = next(c for c in headers.candidates() if all(row.text.startswith(c) for row in rows))
        placed = [
            replace(row, start=len(start), kept=row.kept and _is_of(answer, row.text[len(start) : row.end], headers))
            for row, answer in zip(rows, answers, strict=True)
        ]
        return placed, start

    def prompt(self, messages: Sequence[Message]) -> str:
        """Return the text that generation starts from by the template."""
        return render(self.tokenizer, messages, generation_prompt=True, inputs=self.inputs)

    def _finished(self, messages: Sequence[Message], answer: str) -> str:
        turns = [*messages, Message("assistant", answer)]
        return render(self.tokenizer, turns, generation_prompt=False, inputs=self.inputs)

    def _is_simple(self, prompt: str, text: str, answer: str, opening: str) -> bool:
        """Return whether the finished conversation is the prompt, the answer as it stands and the tail."""
        doubled = bool(opening) and answer.lstrip().startswith(opening)
        return not doubled and text == prompt + answer + self.chat.tail

    def _headers(self, messages: Sequence[Message], prompt: str) -> Headers:
        """Return the headers of this conversation, measured with a marked answer."""
        marked = self._finished(messages, _MARK)
        place = marked.rfind(_MARK)
        found = split_headers(prompt, marked[:place]) if place >= 0 else None
        return found or Headers(prompt, "", "", "", is_open=False)

    def _answer_row(self, headers: Headers, text: str, answer: str) -> RowText:
        """Return the row of one answer; its start is set once the header of both is known."""
        tail, base = self.chat.tail, headers.base
        own, continues = headers.has_own_thought(answer), headers.continues_thought(answer)
        whole = text.startswith(base) and text.endswith(tail) and len(text) >= len(base) + len(tail)
        if (headers.is_open and (own or continues)) or self.as_it_stands or not whole:
            lead = "" if own else headers.opened if continues else headers.plain_lead
            text = base + lead + answer + tail
        row = self._row(text, len(base))
        return replace(row, kept=row.scored.endswith(answer))

    def _behind(self, prompt: str, text: str, answer: str) -> RowText:
        tail = self.chat.tail
        if not (text.startswith(prompt) and text.endswith(tail)) or len(text) < len(prompt) + len(tail):
            text = prompt + answer + tail
        return self._row(text, len(prompt))

    def _row(self, text: str, start: int) -> RowText:
        end = len(text) - len(self.chat.tail)
        return RowText(text, start, end, end + self.chat.stop_at if self.chat.stop_at >= 0 else -1)


def plain_row(chat: ChatFormat, prompt_text: str, answer: str) -> RowText:
    """Return plain prompt and answer, ended by EOS once."""
    if chat.tail and answer.endswith(chat.tail):
        answer = answer[: -len(chat.tail)]
    end = len(prompt_text) + len(answer)
    return RowText(prompt_text + answer + chat.tail, len(prompt_text), end, end if chat.stop_at >= 0 else -1)


def _is_of(answer: str, scored: str, headers: Headers) -> bool:
    """Return whether the scored text is no more than the answer, and the blanks that a template writes before it."""
    return answer.endswith(scored) or (not headers.lead.strip() and scored == headers.lead + answer)
