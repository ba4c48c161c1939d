"""A list of answers beside a column that says which of them is the chosen one: its number, its letter or its text.

``{"prompt": ..., "responses": ["x", "y", "z"], "chosen": 1}`` is written by scripts and by exports of annotation tools.
Whether the numbers begin with 0 or 1 is read from the file where only one of the two is possible, and asked otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.domain.counting import counted
from core.domain.errors import UsageError
from core.domain.pair import Response
from core.services.importing.formats import column_names as known
from core.services.importing.formats.columns import prompt_reader, read_score
from core.services.importing.formats.messages import read_answer
from core.services.importing.formats.rankings import AnswerOrder, ranked_pairs
from core.services.importing.formats.row_format import BoundFormat, RowFormat
from core.services.importing.formats.sample import Row, Sample, cell_text
from core.services.importing.limits import Limits, RowRejected, describe_type, parse_json
from core.services.importing.reading import Answer, ColumnRole, Question
from core.services.importing.rows import ParsedPair

_LISTS = (*known.LISTS, "outputs", "options", "texts", "summaries", "output")
_STEMS = ("chosen", "best", "preferred", "selected", "winner", "better", "choice")
_ENDS = ("_index", "_idx", "_id", "_number", "")
_CHOSEN = (
    *(f"{stem}{end}" for end in _ENDS for stem in _STEMS),
    "best_answer",
    "best_response",
    "label",
    "preference",
)
_REJECTED = tuple(f"rejected{end}" for end in _ENDS)
_QUESTION = "numbers"
_UNLABELLED = "a row that names no chosen answer has no label"
_TEXTS = ("text", "content", "response", "completion", "answer", "output")

Finder = Callable[[object, Sequence[str]], int | None]


def _number(value: object, texts: Sequence[str], least: int) -> int | None:
    text = None if isinstance(value, bool) else cell_text(value)
    try:
        number = float(text) if text is not None else -1.0
    except ValueError:
        return None
    index = int(number) - least if number.is_integer() else -1
    return index if 0 <= index < len(texts) else None


def _letter(value: object, texts: Sequence[str]) -> int | None:
    if not isinstance(value, str) or len(value.strip()) != 1:
        return None
    index = ord(value.strip().upper()) - ord("A")
    return index if 0 <= index < min(26, len(texts)) else None


def _same_text(value: object, texts: Sequence[str]) -> int | None:
    return texts.index(value) if isinstance(value, str) and texts.count(value) == 1 else None


_WAYS: dict[str, tuple[str, Finder]] = {
    "from_0": ("the first answer is 0, the second 1", lambda value, texts: _number(value, texts, 0)),
    "from_1": ("the first answer is 1, the second 2", lambda value, texts: _number(value, texts, 1)),
    "letters": ("the first answer is A, the second B", _letter),
    "text": ("it repeats the text of the answer", _same_text),
}


def bind_numbered(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to a prompt, a list of answers, and a column that says which is the chosen one."""
    column, prompt, better = sample.pick(*_LISTS), prompt_reader(sample, limits), sample.pick(*_CHOSEN)
    if column is None or prompt is None or better is None or column == better:
        return None
    worse = sample.pick(*_REJECTED)
    ways = _ways(sample, column, tuple(name for name in (better, worse) if name), limits)
    said = sample.choices.answers.get(_QUESTION, "")
    if said and said not in _WAYS:
        raise UsageError(f"{better} cannot be read as {said!r}.", f"Use one of {', '.join(_WAYS)}.")
    if not ways and not said:
        return None
    way = said or ways[0]
    meaning, find = _WAYS[way]
    scores = sample.pick(*known.LIST_SCORES)

    def convert(row: Row) -> list[ParsedPair]:
        texts = _answers(row.get(column), column, sample, limits)
        order = _order(row, texts, better, worse, find)
        if order is None:
            sample.remarks.count(_UNLABELLED)
        elif scores and _scored_higher(row.get(scores), order):
            sample.remarks.count(f"{scores} ranks another answer above the one that {better} names, which counts")
        return ranked_pairs(prompt(row), [Response(t) for t in texts], [order] if order else [], "best")

    roles = {column: ColumnRole.ANSWERS, better: ColumnRole.LABEL} | ({worse: ColumnRole.LABEL} if worse else {})
    rest = f"it is paired with the one that {worse} names" if worse else "it is paired with each other answer"
    note = f"{better} says which answer of {column} is the chosen one ({meaning}); {rest}"
    asked = len(ways) > 1 and not said
    return BoundFormat(
        convert, () if asked else (note,), roles=roles, questions=(_question(better, column, ways),) if asked else ()
    )


def _ways(sample: Sample, column: str, names: tuple[str, ...], limits: Limits) -> list[str]:
    """Return the ways in which the columns can name answers: those that fit every row, else those that fit most.

    A 0 anywhere in the file, also in rows that were not kept, shows that the numbers do not begin with 1.
    """
    fits = dict.fromkeys(_WAYS, 0)
    tried = 0
    for row in sample.rows:
        try:
            texts = _answers(row.get(column), column, sample, limits)
        except RowRejected:
            continue
        values = [value for name in names if cell_text(value := row.get(name)) is not None]
        if not values:
            continue
        tried += 1
        for way, (_, find) in _WAYS.items():
            fits[way] += all(find(value, texts) is not None for value in values)
    if any(value in ("0", "0.0") for name in names for value in sample.tally(name).values):
        fits["from_1"] = min(fits["from_1"], tried - 1)
    whole = [way for way, count in fits.items() if count == tried > 0]
    return whole or [way for way, count in fits.items() if 2 * count >= tried > 0]


def _order(row: Row, texts: Sequence[str], better: str, worse: str | None, find: Finder) -> AnswerOrder | None:
    """Return the order that a row gives its answers, None where it names none.

    Raises:
        RowRejected: when it names an answer that is not there, or the same one twice.
    """
    places: list[int] = []
    for name in (better, worse):
        value = row.get(name) if name else None
        if name is None or cell_text(value) is None:
            continue
        place = find(value, texts)
        if place is None:
            raise RowRejected(f"{name} is {_shown(value)}, which is none of its {counted(len(texts), 'answer')}")
        places.append(place)
    if not places or cell_text(row.get(better)) is None:
        return None
    if len(places) == 2:
        if places[0] == places[1]:
            raise RowRejected(f"{better} and {worse} name the same answer")
        return AnswerOrder({places[0]: 0.0, places[1]: 1.0})
    return AnswerOrder({index: float(index != places[0]) for index in range(len(texts))})


def _scored_higher(value: object, order: AnswerOrder) -> bool:
    """Whether another answer has a higher score than the chosen one."""
    if not isinstance(value, list) or len(value) < len(order.ranks):
        return False
    scores = {index: read_score(value[index]) for index in order.ranks if index < len(value)}
    best = min(order.ranks, key=lambda index: order.ranks[index])
    mine = scores.get(best)
    return mine is not None and any(score is not None and score > mine for score in scores.values())


def _answers(value: object, name: str, sample: Sample, limits: Limits) -> list[str]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = parse_json(value.strip(), limits)
    if not isinstance(value, list) or len(value) < 2:
        raise RowRejected(f"{name} is {describe_type(value)}; a list of two answers or more is expected")
    return [_text(item, f"answer {number} of {name}", sample, limits) for number, item in enumerate(value, 1)]


def _text(item: object, name: str, sample: Sample, limits: Limits) -> str:
    if isinstance(item, dict) and "role" not in item and "from" not in item:
        item = next((item[key] for key in _TEXTS if isinstance(item.get(key), str)), None)
    return read_answer(item, name, limits, sample.remarks)


def _shown(value: object) -> str:
    return repr(cell_text(value) or describe_type(value))[:60]


def _question(better: str, column: str, ways: Sequence[str]) -> Question:
    answers = tuple(Answer(way, _WAYS[way][0], f"--answer {_QUESTION}={way}") for way in ways)
    return Question(_QUESTION, f"{better} numbers the answers of {column}, from 0 or from 1 is not said.", answers)


FORMATS = (
    RowFormat(
        "numbered",
        "A list of answers and the chosen one",
        "a prompt, a list of answers, and which of them is chosen",
        0.955,
        bind_numbered,
    ),
)
