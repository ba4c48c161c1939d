"""Reading a file of feedback: every record becomes an event or a rejected line with its reason.

The file is read twice: first to find its columns and the words that name a kind or a thumb, then to make events. A word
that no kind is known for is a question; nothing is stored while one is open.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from core.domain.consent import Consent, date_ms
from core.domain.conversation import Prompt
from core.domain.counting import counted, verb
from core.domain.errors import BadInput, UserError
from core.domain.feedback import KINDS, FeedbackContent, FeedbackKind
from core.domain.ids import canonical_json
from core.services.feedback.columns import FIELDS, SKIP, FeedbackChoices, columns_of
from core.services.importing.files.kinds import FileKind, sniff
from core.services.importing.files.readers import RowReader
from core.services.importing.formats.messages import (
    looks_like_messages,
    read_answer,
    read_messages,
    read_prompt,
    shape_of,
)
from core.services.importing.limits import Limits, RowRejected, check_text, describe_type, parse_json
from core.services.importing.reading import Answer, Question
from core.services.importing.refusal import ask
from core.services.importing.rows import RawRow
from core.store.feedback import NewEvent

_SHAPED = 200
_MOST_WORDS = 40
_MOST_NAMES = 500
_MS = 100_000_000_000
"""Numbers from here on are times in milliseconds, smaller ones in seconds."""
_TEXTS = ("note", "author", "release", "run", "category", "language")


@dataclass(slots=True)
class FeedbackLook:
    """What the first reading found.

    Attributes:
        columns: field -> columns. unused: columns without a field.
        kinds, thumbs: words of those columns with their counts; "" for records without one.
    """

    kind: FileKind
    rows: int = 0
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    kinds: Counter[str] = field(default_factory=Counter)
    thumbs: Counter[str] = field(default_factory=Counter)
    prompts_as_json: bool = False
    answers_as_json: bool = False

    def cell(self, values: Mapping[str, object], name: str) -> tuple[str, object]:
        """Return the column and the value of a field in a record: the first that is filled, None for none."""
        columns = self.columns.get(name, ())
        filled = ((column, values[column]) for column in columns if values.get(column) not in (None, "", []))
        return next(filled, (columns[0] if columns else name, None))


def look_at_feedback(path: Path, choices: FeedbackChoices, limits: Limits) -> FeedbackLook:
    """Read a file once and return how it is read.

    Raises:
        BadInput: when it cannot be read, or has nothing of an event.
        OpenQuestions: when a word names no known kind or thumb, with all possible answers.
    """
    kind = sniff(path, limits, choices.encoding or None)
    if kind.kind == "parquet":
        raise BadInput(f"{path.name} is a Parquet file.", "Feedback is read from JSON Lines, JSON or CSV, also packed.")
    look = FeedbackLook(kind)
    names: dict[str, None] = {}
    shaped: dict[str, list[object]] = {"prompt": [], "answer": []}
    with RowReader(path, kind, limits) as reader:
        for row in reader:
            look.rows += 1
            if row.values is None:
                continue
            if len(names) < _MOST_NAMES and (new := [str(name) for name in row.values if str(name) not in names]):
                names.update(dict.fromkeys(new))
                look.columns = columns_of(names, choices)
            _note_words(look, row.values)
            for part, values in shaped.items():
                if len(values) < _SHAPED:
                    values.append(look.cell(row.values, part)[1])
    used = {name for columns in look.columns.values() for name in columns}
    look.unused = tuple(name for name in names if name not in used)
    look.prompts_as_json, look.answers_as_json = (shape_of(shaped[part], limits).as_json for part in shaped)
    if not {"prompt", "note"} & look.columns.keys():
        raise BadInput(
            f"{path.name} holds no feedback that can be read: no column is known to hold a prompt or a note. Its "
            f"columns: {', '.join(list(names)[:20])}.",
            f"Name columns with --map COLUMN=FIELD. Fields: {', '.join(FIELDS)}.",
        )
    if questions := _questions(look, choices):
        raise ask(path, questions)
    return look


def read_feedback(
    path: Path, look: FeedbackLook, choices: FeedbackChoices, limits: Limits, consent: Consent
) -> Iterator[tuple[int, NewEvent | str]]:
    """Yield (line, event) or (line, why it is rejected) of every record; ``consent`` is of records that say nothing."""
    maker = _EventMaker(look, choices, limits, consent)
    with RowReader(path, look.kind, limits) as rows:
        for row in rows:
            yield row.line, maker.event(row)


def _note_words(look: FeedbackLook, values: Mapping[str, object]) -> None:
    for name, words in (("kind", look.kinds), ("thumb", look.thumbs)):
        said = _word(look.cell(values, name)[1])
        if said in words or len(words) < _MOST_WORDS:
            words[said] += 1


def _word(value: object) -> str:
    """Return a cell as a word: true and numbers as JSON writes them."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()[:80]
    return canonical_json(value)[:80] if isinstance(value, bool | int) else describe_type(value)


def _questions(look: FeedbackLook, choices: FeedbackChoices) -> list[Question]:
    found = []
    for word, count in look.kinds.items():
        if choices.kind_of(word):
            continue
        flag = f"--kind {shlex.quote(word)}=" if word else "--default-kind "
        told = f"{counted(count, 'record')} {verb(count, 'names', 'name')} no kind."
        if word:
            told = f"The kind {word!r} ({counted(count, 'record')}) is not known."
        answers = [Answer(kind, kind, f"{flag}{kind}") for kind in KINDS]
        skip = Answer(SKIP, "left out, and counted", f"{flag}{SKIP}")
        found.append(Question(f"kind:{word}", told, (*answers, skip)))
    if any(choices.kind_of(word) == "thumbs" for word in look.kinds):
        for word, count in look.thumbs.items():
            if word and choices.thumb_of(word) is None:
                sides = ("up", "down")
                answers = [Answer(side, side, f"--thumb {shlex.quote(word)}={side}") for side in sides]
                told = f"The thumb {word!r} ({counted(count, 'record')}) is neither up nor down as it stands."
                found.append(Question(f"thumb:{word}", told, tuple(answers)))
    return found


class _EventMaker:
    """Makes events of records."""

    def __init__(self, look: FeedbackLook, choices: FeedbackChoices, limits: Limits, consent: Consent) -> None:
        self._look, self._choices, self._limits, self._consent = look, choices, limits, consent

    def event(self, row: RawRow) -> NewEvent | str:
        """Return the event of a record, or why there is none."""
        try:
            if row.values is None:
                return row.problem
            return NewEvent(self._content(row.values), row.line, self._consent_of(row.values))
        except RowRejected as error:
            return error.reason
        except UserError as error:
            return error.message.rstrip(".")

    def _content(self, values: Mapping[str, object]) -> FeedbackContent:
        word = _word(self._cell(values, "kind"))
        kind = self._choices.kind_of(word)
        if kind in ("", SKIP):
            raise RowRejected(f"its kind {word!r} is left out" if kind else f"its kind {word!r} is not known")
        prompt, answer = self._conversation(values)
        texts = {name: self._text(values, name) for name in _TEXTS}
        return FeedbackContent(
            kind=cast("FeedbackKind", kind),
            prompt=prompt,
            answer=answer,
            better=self._answer(values, "better") if kind == "correction" else "",
            thumb=self._thumb(values, word) if kind == "thumbs" else None,
            generation=self._generation(values),
            said_ms=self._time(values, "time"),
            **texts,
        )

    def _cell(self, values: Mapping[str, object], name: str) -> object:
        return self._look.cell(values, name)[1]

    def _text(self, values: Mapping[str, object], name: str) -> str:
        column, cell = self._look.cell(values, name)
        if cell is None:
            return ""
        as_text = str(cell) if isinstance(cell, int) and not isinstance(cell, bool) else cell
        return check_text(as_text, column, self._limits)

    def _conversation(self, values: Mapping[str, object]) -> tuple[Prompt | None, str]:
        """Return prompt and answer; messages that end with an answer give both."""
        (name, cell), as_json = self._look.cell(values, "prompt"), self._look.prompts_as_json
        answer = self._answer(values, "answer")
        if cell is None:
            return None, answer
        if not answer and (looks_like_messages(cell) or (as_json and isinstance(cell, str))):
            messages = read_messages(cell, name, self._limits)
            if len(messages) > 1 and messages[-1].role == "assistant":
                plain = [{"role": one.role, "content": one.content} for one in messages[:-1]]
                return read_prompt(plain, name, self._limits), messages[-1].content
        return read_prompt(cell, name, self._limits, as_json=as_json), answer

    def _answer(self, values: Mapping[str, object], name: str) -> str:
        column, cell = self._look.cell(values, name)
        as_json = self._look.answers_as_json and name == "answer"
        return "" if cell is None else read_answer(cell, column, self._limits, as_json=as_json)

    def _thumb(self, values: Mapping[str, object], kind_word: str) -> int | None:
        said = _word(self._cell(values, "thumb"))
        return self._choices.thumb_of(said) if said else self._choices.thumb_of(kind_word)

    def _generation(self, values: Mapping[str, object]) -> Mapping[str, Any]:
        column, cell = self._look.cell(values, "generation")
        if isinstance(cell, str) and cell.lstrip()[:1] == "{":
            cell = parse_json(cell, self._limits)
        if cell is None:
            return {}
        plain = {"id": cell} if isinstance(cell, str) else cell
        if not isinstance(plain, dict):
            raise RowRejected(f"{column} is {describe_type(cell)}, not a generation record")
        try:
            canonical_json(plain).encode()
        except (ValueError, TypeError) as error:
            raise RowRejected("its generation record holds a value that cannot be kept") from error
        return plain

    def _time(self, values: Mapping[str, object], name: str) -> int | None:
        column, cell = self._look.cell(values, name)
        if cell is None:
            return None
        if isinstance(cell, str) and not cell.strip().isdigit():
            return date_ms(cell)
        if isinstance(cell, str | int | float) and not isinstance(cell, bool) and 0 <= (at := float(cell)) < 1e14:
            return int(at * (1 if at >= _MS else 1000))
        raise RowRejected(f"{column} is {describe_type(cell)}, not a time")

    def _consent_of(self, values: Mapping[str, object]) -> Consent:
        word, scope = (self._text(values, name).strip().lower() for name in ("consent", "scope"))
        expires = self._time(values, "expires")
        if not word and not scope and expires is None:
            return self._consent
        return Consent(word or self._consent.word, scope or self._consent.scope, expires)
