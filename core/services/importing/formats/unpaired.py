"""Rows with one answer and a mark, paired by equal prompt: KTO files, and rows with one rated answer each.

TRL's page on dataset formats calls them unpaired: ``prompt``, ``completion`` and ``label`` (true for a good answer).
LLaMA-Factory writes whole conversations with ``kto_tag``; HelpSteer2 rates each answer in a row of its own. They are
only paired when the user says so: the two answers were never compared with each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from core.domain.conversation import Message, Prompt
from core.domain.counting import counted
from core.domain.pair import GenerationRecord, Response
from core.services.importing.formats import column_names as known
from core.services.importing.formats.codings import side_label
from core.services.importing.formats.column_reader import ColumnReader
from core.services.importing.formats.columns import prompt_reader, read_score
from core.services.importing.formats.messages import prompt_of
from core.services.importing.formats.row_format import BoundFormat, FormatOption, RowFormat, RowHeld
from core.services.importing.formats.sample import Row, Sample
from core.services.importing.limits import Limits, RowRejected, describe_type
from core.services.importing.reading import Answer, ColumnRole, Question
from core.services.importing.rows import ParsedPair

_ONE = ("completion", "response", "answer", "output", "generation")
_TALKS = ("messages", "conversations")
_MARKS = (
    "label",
    "labels",
    "kto_tag",
    "desirable",
    "thumbs_up",
    "liked",
    "score",
    "rating",
    "reward",
    "helpfulness",
    "feedback",
    "thumbs",
    "vote",
    "reaction",
)
_WORDS = {
    **dict.fromkeys(
        (
            "true",
            "good",
            "desirable",
            "chosen",
            "up",
            "thumbs up",
            "like",
            "liked",
            "positive",
            "yes",
            "👍",
            "thumbsup",
            "upvote",
        ),
        1.0,
    ),
    **dict.fromkeys(
        (
            "false",
            "bad",
            "undesirable",
            "rejected",
            "down",
            "thumbs down",
            "dislike",
            "negative",
            "no",
            "👎",
            "thumbsdown",
            "downvote",
        ),
        0.0,
    ),
}
_QUESTION = "pairing"
_BY_PROMPT, _NOTHING = "by_prompt", "nothing"
_MOST_CHARS = 256 << 20  # of the answers that wait
_MOST_WAITING = 64  # answers to one prompt
_ALONE = "no answer with another mark stands to its prompt"


@dataclass(frozen=True, slots=True)
class _Marked:
    line: int
    text: str
    mark: float


class PromptJoiner:
    """Keeps the answers of a file by prompt until one with another mark comes.

    Attributes:
        line: of the row that is added; whoever reads the rows sets it.
        joined: rows that found their place in a pair with the last one, itself included.
    """

    def __init__(self) -> None:
        self.line = self.joined = 0
        self.clear()

    def clear(self) -> None:
        """Forget all answers: rows are read once to look at them, and once more to store them."""
        self._waiting: dict[str, list[_Marked]] = defaultdict(list)
        self._paired: set[tuple[str, int]] = set()
        self._chars = self._rows = self.line = 0

    def add(self, prompt: Prompt, text: str, mark: float) -> list[ParsedPair]:
        """Return the pairs of an answer with those to the same prompt that have another mark.

        Raises:
            RowHeld: when there is none yet.
            RowRejected: for a further answer where too many wait.
        """
        self._rows += 1
        key, row = prompt.sha256, _Marked(self.line or self._rows, text, mark)
        waiting = self._waiting[key]
        if len(waiting) >= _MOST_WAITING or self._chars > _MOST_CHARS:
            raise RowRejected("too many answers wait for one with another mark to their prompt")
        others = [other for other in waiting if other.mark != mark and other.text != text]
        waiting.append(row)
        self._chars += len(text)
        if not others:
            raise RowHeld()
        fresh = {(key, other.line) for other in others} - self._paired
        self._paired |= {*fresh, (key, row.line)}
        self.joined = 1 + len(fresh)
        return [_pair(prompt, row, other) for other in others]

    def alone(self) -> Iterator[tuple[int, str]]:
        """Yield line and reason of every answer that no other one was found for, in the order of the file."""
        left = [
            (m.line, _ALONE) for key, rows in self._waiting.items() for m in rows if (key, m.line) not in self._paired
        ]
        yield from sorted(left)


def bind_unpaired(sample: Sample, limits: Limits, option: str = "") -> BoundFormat | None:
    """Bind to rows with one answer and a mark.

    Args:
        sample: of the file.
        limits: what a field may hold.
        option: ``by_prompt`` to pair them; asked for when empty.
    """
    if sample.pick("chosen", "rejected", "response_a", "response_1", "response1") or sample.pick(*known.LISTS):
        return None
    mark = sample.pick(*_MARKS)
    reader = _answer_reader(sample, limits)
    if mark is None or reader is None or not any(_mark(value) is not None for value in sample.values(mark)):
        return None
    chosen = option or sample.choices.answers.get(_QUESTION, "")
    if chosen == _NOTHING:
        return None
    joiner = PromptJoiner()

    def convert(row: Row) -> list[ParsedPair]:
        value = _mark(row.get(mark))
        if value is None:
            raise RowRejected(f"{mark} is {_said(row.get(mark))}, which marks no answer as good or bad")
        prompt, text = reader(row)
        return joiner.add(prompt, text, value)

    questions = () if chosen else (_question(sample, mark, convert, joiner),)
    note = f"answers to an equal prompt with different values of {mark} are pairs; nobody compared them with each other"
    return BoundFormat(convert, (note,), chosen, roles={mark: ColumnRole.SCORE}, questions=questions, joiner=joiner)


def _answer_reader(sample: Sample, limits: Limits) -> Callable[[Row], tuple[Prompt, str]] | None:
    """Return what gives prompt and answer of a row, from two columns or from a conversation."""
    column, prompt = sample.pick(*_ONE), prompt_reader(sample, limits)
    if column is not None and prompt is not None and sample.pick(*_TALKS) is None:
        answer = ColumnReader.of(sample, column, limits)
        return lambda row: (prompt(row), answer.answer(row))
    talk = sample.pick(*_TALKS)
    if talk is None:
        return None
    turns = ColumnReader.of(sample, talk, limits)

    def read(row: Row) -> tuple[Prompt, str]:
        messages: list[Message] = turns.messages(row)
        if messages[-1].role != "assistant":
            raise RowRejected(f"{talk} does not end with a message of the assistant")
        return prompt_of(messages[:-1], talk), messages[-1].content

    return read


def _mark(value: object) -> float | None:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and (word := value.strip().lower().replace("_", " ")) in _WORDS:
        return _WORDS[word]
    return read_score(value)


def _said(value: object) -> str:
    return repr(value[:40]) if isinstance(value, str) else describe_type(value)


def _pair(prompt: Prompt, one: _Marked, other: _Marked) -> ParsedPair:
    """Return the pair with the better answer first."""
    better, worse = (one, other) if one.mark > other.mark else (other, one)
    first, second = (Response(m.text, GenerationRecord(extra={"score": m.mark})) for m in (better, worse))
    return ParsedPair(prompt, first, second, (side_label(-1),))


def _question(sample: Sample, mark: str, convert: Callable[[Row], list[ParsedPair]], joiner: PromptJoiner) -> Question:
    """Return the question, with what pairing would give for the rows that were looked at."""
    pairs = 0
    for row in sample.rows:
        try:
            pairs += len(convert(row))
        except RowRejected:
            continue
    alone = sum(1 for _ in joiner.alone())
    joiner.clear()
    sentence = f"each row has one answer, marked in {mark}, and no pair; pair the answers to equal prompts?"
    tried = f"in {counted(len(sample.rows), 'row')}: {counted(pairs, 'pair')}, {counted(alone, 'answer')} alone"
    return Question(
        _QUESTION,
        sentence,
        (
            Answer(
                _BY_PROMPT,
                f"a better and a worse answer to one prompt are a pair ({tried})",
                f"--answer {_QUESTION}={_BY_PROMPT}",
            ),
            Answer(_NOTHING, "the file is not read", f"--answer {_QUESTION}={_NOTHING}"),
        ),
    )


FORMATS = (
    RowFormat(
        "unpaired",
        "One marked answer a row",
        "prompt, one answer, and a mark such as label or score",
        0.5,
        bind_unpaired,
        options=(
            FormatOption(_BY_PROMPT, "answers to equal prompts are paired", partial(bind_unpaired, option=_BY_PROMPT)),
        ),
    ),
)
