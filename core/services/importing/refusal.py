"""Why a file cannot be imported: what its columns hold, and what of a pair is missing.

A refusal speaks of the columns and rows that are there, never of a format that nobody meant.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.domain.counting import counted
from core.domain.errors import BadInput, UsageError
from core.services.importing.formats import column_names as known
from core.services.importing.formats.columns import answer_columns, prompt_column
from core.services.importing.formats.foreign_names import foreign_fields
from core.services.importing.formats.registry import FORMATS
from core.services.importing.formats.row_format import BoundFormat
from core.services.importing.formats.sample import Sample
from core.services.importing.limits import Limits, RowRejected
from core.services.importing.reading import Question

_SHOWN = 12
_REASONS = 5
_TRIED = 200
_ANSWER_WORDS = ("response", "answer", "completion", "output", "reply", "generation", "candidate", "text")
_PROMPT_WORDS = ("prompt", "question", "instruction", "query", "input", "request", "text", "message")
_TRANSCRIPT = re.compile(r"\s*(?:Human|Assistant|System):")
_KEY_WORDS = ("text", "content", "answer", "response", "value", "body", "question", "prompt")
_SINGLE = ("completion", "response", "answer", "output", "text", "chosen", "rejected")
_BETTER = ("chosen", "prefer", "accept", "better", "best", "win", "good", "positive")
_HINT = "A pair needs a prompt and two answers in each row. Name columns with --map COLUMN=prompt, =first, =second."

_NO_NAMES = "The first line is taken for the names of the columns; where it is a row, put a line with names above it."
_LONG_NAME = 40


class OpenQuestions(UsageError):
    """The file can be read in several ways and the user has not said which; nothing was stored.

    Attributes:
        questions: what is open.
    """

    def __init__(self, message: str, hint: str = "", questions: tuple[Question, ...] = ()) -> None:
        super().__init__(message, hint)
        self.questions = questions

    def __reduce__(self) -> tuple[type[OpenQuestions], tuple[str, str, tuple[Question, ...]]]:  # type: ignore[override]
        return (type(self), (self.message, self.hint, self.questions))


def ask(path: Path, questions: Iterable[Question]) -> OpenQuestions:
    """Return the error for a file that leaves something open: each question with every possible answer."""
    questions = tuple(questions)
    parts = [f"{path.name}: {question.sentence} {_possible(question)}" for question in questions]
    return OpenQuestions(
        " ".join(parts) + " Nothing was stored.",
        "Run the command again with one of them; --dry-run shows how the rows are then read.",
        questions,
    )


def _possible(question: Question) -> str:
    return "Possible: " + "; ".join(f"{a.flag} ({a.meaning})" for a in question.answers) + "."


def no_rows(path: Path, total: int, problems: Mapping[str, tuple[int, int]]) -> BadInput:
    """Return the refusal of a file without a readable row."""
    if not total:
        return BadInput(f"{path.name} holds no rows; there is nothing to import.", "Check that it is the right file.")
    reasons = [(reason, count, line) for reason, (count, line) in problems.items()]
    return unusable(path.name, total, reasons)


def unusable(name: str, rows: int, reasons: Iterable[tuple[str, int, int]]) -> BadInput:
    """Return the refusal of a file of which no row can be used.

    Args:
        name: of the file.
        rows: how many it has.
        reasons: why, for how many rows, and the line of the first.
    """
    found = sorted(reasons, key=lambda reason: -reason[1])
    told = "; ".join(f"{reason} ({_rows(count)}, first in line {line})" for reason, count, line in found[:_REASONS])
    more = f"; and {len(found) - _REASONS} other reasons" if len(found) > _REASONS else ""
    whole = f"None of the {rows:,} rows of {name} can be used" if rows > 1 else f"The one row of {name} cannot be used"
    return BadInput(
        f"{whole}; nothing was stored. Why: {told}{more}.",
        "Correct the file, or say what its columns are (--map) or its label values mean (--coding, --value).",
    )


def refuse(path: Path, sample: Sample, limits: Limits) -> BadInput:
    """Say why no format fits, from what the columns hold."""
    if packed := _records_inside(path, sample):
        return packed
    prompt, answers = prompt_column(sample), answer_columns(sample) or sample.pick_pair([("chosen", "rejected")])
    reasons = _reasons(sample, limits, prompt) if prompt or not _plain_texts(sample, answers) else None
    if reasons:
        told = "; ".join(f"{reason} ({_rows(count)})" for reason, count in reasons.most_common(_REASONS))
        tried = min(len(sample.rows), _TRIED)
        which = f"none of its {tried:,} rows" if tried > 1 else "its one row does not give a pair"
        which = f"almost none of {tried:,} rows tried" if tried < sample.total else which
        which += "" if which.endswith("pair") else " gives a pair"
        return BadInput(
            f"{path.name} cannot be used: {which}. Why: {told}. Its columns: {column_list(sample)}.",
            _key_hint(sample) or _HINT,
        )
    single = sample.pick(*_SINGLE)
    if answers is None and prompt and single:
        what = f"each row has one answer ({single!r}) to its prompt ({prompt!r}), and a pair needs two"
    elif answers is None:
        missing = "the two answers" if prompt else "the prompt and the two answers"
        what = f"no columns are known to hold {missing}"
    else:
        what = f"{answers[0]!r} and {answers[1]!r} hold answers, but no column is known to hold their prompt"
    return BadInput(
        f"{path.name} holds no pairs that can be read: {what}. Its columns: {column_list(sample)}.",
        _map_hint(sample, prompt, answers),
    )


def _records_inside(path: Path, sample: Sample) -> BadInput | None:
    """Return the refusal of a file of which one column holds whole records as JSON texts; None for others."""
    for column in sample.tallies:
        texts = [value for value in sample.values(column)[:_TRIED] if isinstance(value, str)]
        found = [row for text in texts if (row := _record(text))]
        keys = set.intersection(*map(set, found)) if found else set[str]()
        if len(keys) > 1 and len(found) * 10 >= len(texts) * 9:
            named = ", ".join(repr(key) for key in found[0] if key in keys)
            return BadInput(
                f"{path.name} holds no pairs that can be read: the texts in its column {str(column)!r} are whole JSON "
                f"records of their own, with the keys {named}.",
                "Write each of these texts as a line of its own (JSON Lines, .jsonl), without the column around it, "
                "and import that file.",
            )
    return None


def _record(text: str) -> dict[str, object]:
    """Return the object that a text is the JSON of; an empty one for other texts."""
    if not text.lstrip().startswith("{"):
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _plain_texts(sample: Sample, answers: tuple[str, str] | None) -> bool:
    """Say whether both answers are texts without turns, which cannot hold their prompt."""
    if answers is None:
        return False
    cells = [value for name in answers for value in sample.values(name)[:_TRIED]]
    return not any(isinstance(cell, list | dict) or _TRANSCRIPT.match(str(cell)) for cell in cells)


def column_list(sample: Sample) -> str:
    """Return the columns with what each holds."""
    shown = [f"{str(name)[:40]!r} ({tally.describe()})" for name, tally in list(sample.tallies.items())[:_SHOWN]]
    more = f" and {len(sample.tallies) - _SHOWN} others" if len(sample.tallies) > _SHOWN else ""
    return ", ".join(shown) + more


def _reasons(sample: Sample, limits: Limits, prompt: str | None) -> Counter[str]:
    """Return why rows are refused by the formats whose columns are there, the most telling format's only."""
    best: Counter[str] = Counter()
    for entry in FORMATS:
        bound = entry.bind(sample, limits)
        if bound is None:
            continue
        reasons = Counter(reason for row in sample.rows[:_TRIED] if (reason := _refused(bound, row)))
        if prompt is not None and not any(prompt in reason for reason in reasons) and best:
            continue
        if not best or len(reasons) < len(best):
            best = reasons
    return best


def _refused(bound: BoundFormat, row: Mapping[str, object]) -> str:
    try:
        bound.convert(row)
    except RowRejected as error:
        return error.reason
    return ""


def _key_hint(sample: Sample) -> str:
    """Offer a key of a column that holds objects where a text is wanted."""
    seconds = {other for _, other in known.ANSWERS}
    found: dict[str, str] = {}
    for name in ("chosen", "rejected", *known.PROMPTS, *(name for pair in known.ANSWERS for name in pair)):
        column = sample.names.get(name)
        if column and dict in sample.tally(column).kinds and (keys := list(sample.tally(column).keys)):
            field = "prompt" if name in known.PROMPTS else "second" if name in seconds else "first"
            field = name if name in ("chosen", "rejected") else field
            likely = next((key for key in keys if any(word in key.lower() for word in _KEY_WORDS)), keys[0])
            if field not in found.values():
                found[f"{column}.{likely}"] = field
    if not found:
        return ""
    words = " ".join(f"--map {shlex.quote(f'{key}={field}')}" for key, field in found.items())
    return f"If these keys hold the texts, name them: {words}."


def _map_hint(sample: Sample, prompt: str | None, answers: tuple[str, str] | None) -> str:
    """Offer the text columns that no role was found for."""
    taken = {prompt, *(answers or ())}
    free = [str(name) for name, tally in sample.tallies.items() if str in tally.kinds and name not in taken]
    if nested := _nested_fields(sample, prompt, answers):
        words = " ".join(f"--map {shlex.quote(f'{name}={field}')}" for name, field in nested.items())
        return f"Keys inside the objects may hold what is missing; name them: {words}."
    wanted: dict[str, str] = {}
    if prompt is None and (named := _named(free, _PROMPT_WORDS)):
        wanted[named[0]] = "prompt"
    if answers is None and len(named := [name for name in _named(free, _ANSWER_WORDS) if name not in wanted]) > 1:
        wanted |= _sides(named[0], named[1])
    if answers is None:
        wanted = foreign_fields(free, prompt_known=prompt is not None) or wanted
    if not wanted:
        return _NO_NAMES if _without_names(sample) else _HINT
    words = " ".join(f"--map {shlex.quote(f'{name}={field}')}" for name, field in wanted.items())
    return f"If these columns hold what is missing, name them: {words}."


def _without_names(sample: Sample) -> bool:
    """Say whether what names the columns reads like a row of a table: a number, a sentence."""
    return bool(sample.tallies) and all(
        re.fullmatch(r"[\d.,+-]+|.*[?!.]", str(name).strip()) or len(str(name)) > _LONG_NAME for name in sample.tallies
    )


def _sides(one: str, other: str) -> dict[str, str]:
    """Return the fields of two answers: the better and the worse one where a name says so, else first and second."""
    for better, worse in ((one, other), (other, one)):
        if any(word in better.lower() for word in _BETTER) and not any(word in worse.lower() for word in _BETTER):
            return {better: "chosen", worse: "rejected"}
    return {one: "first", other: "second"}


def _nested_fields(sample: Sample, prompt: str | None, answers: tuple[str, str] | None) -> dict[str, str]:
    """Return keys inside objects that have the usual names of what is missing, with the field that each would be."""
    inside = {
        key.lower(): f"{column}.{key}"
        for column, tally in sample.tallies.items()
        for key in tally.keys
        if "." not in key
    }
    found: dict[str, str] = {}
    if prompt is None and (name := next((name for name in known.PROMPTS if name in inside), "")):
        found[inside[name]] = "prompt"
    if answers is None:
        for pair, fields in (*((p, ("first", "second")) for p in known.ANSWERS), (("chosen", "rejected"),) * 2):
            if pair[0] in inside and pair[1] in inside:
                found |= {inside[pair[0]]: fields[0], inside[pair[1]]: fields[1]}
                break
    return found


def _named(names: list[str], words: tuple[str, ...]) -> list[str]:
    return [name for name in names if any(word in name.lower() for word in words)]


def _rows(count: int) -> str:
    return counted(count, "row")
