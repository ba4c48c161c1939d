"""One prompt with several answers, each with a score or a rank.

UltraFeedback holds objects with ``response`` and scores under ``completions``; Nectar ``answers`` with ``rank``, 1 the
best; distilabel the lists ``generations``, ``generation_models`` and ``ratings``; NeMo RL ``completions`` with ``rank``
from 0 and messages as ``completion``; OpenRLHF and others ``responses`` beside ``scores``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from core.domain.choices import choice_hint
from core.domain.counting import counted
from core.domain.errors import UsageError
from core.domain.pair import GenerationRecord, Response
from core.services.importing.formats import column_names as known
from core.services.importing.formats.columns import COMMA, POINT, prompt_reader, read_score
from core.services.importing.formats.messages import read_answer
from core.services.importing.formats.rankings import AnswerOrder, pairs_offer, ranked_pairs
from core.services.importing.formats.row_format import BoundFormat, RowFormat
from core.services.importing.formats.sample import Row, Sample
from core.services.importing.limits import Limits, RowRejected, check_text, describe_type, parse_json
from core.services.importing.reading import Answer, ColumnRole, Question
from core.services.importing.rows import ParsedPair

_TEXTS = ("response", "completion", "text", "content", "output", "answer", "generation", "message")
_SCORES = (
    "overall_score",
    "score",
    "fine-grained_score",
    "fine_grained_score",
    "rating",
    "reward",
    "pm_score",
    "rank",
    "ranking",
)
_RANKS = ("rank", "ranking", "ranks")
_LIST_SCORES = (*known.LIST_SCORES, "rating", "ranks")
_LIST_MODELS = ("generation_models", "models", "model_names")
_QUESTION = "score"
_NO_SCORE = "answers without a score are left out"
_TWICE = "an answer stands there twice with different scores; the better one counts"


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where answers, scores and models stand: in lists of their own, or in the objects of the answers."""

    answers: str
    scores: str | None
    models: str | None
    key: str
    commas: bool = False


def bind_scored(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to a prompt and several completions with scores or ranks."""
    column, prompt = sample.pick(*known.LISTS), prompt_reader(sample, limits)
    if column is None or prompt is None:
        return None
    keys = _score_keys(sample, column, limits)
    opposite = _opposite_rows(sample, column, keys, limits)
    key = sample.choices.answers.get(_QUESTION) or (keys[0] if keys else "")
    if key and key not in keys:
        raise UsageError(f"The answers have no score {key!r}.", choice_hint(key, keys))
    asked = bool(opposite) and _QUESTION not in sample.choices.answers
    beside = sample.pick(*_LIST_SCORES)
    where = _Columns(column, beside, sample.pick(*_LIST_MODELS), key, _decimal_commas(sample, column, beside, limits))
    others = () if opposite else tuple(other for other in keys if other != key)
    choice = sample.choices.pairs or "best"

    def convert(row: Row) -> list[ParsedPair]:
        items = _items(row.get(column), column, limits)
        if others and _contradict(items, (key, *others)):
            raise RowRejected(f"{' and '.join((key, *others))} order its answers in opposite ways")
        answers, ranks = _read(items, row, where, sample, limits)
        return ranked_pairs(prompt(row), answers, [AnswerOrder(ranks)], choice)

    roles = {column: ColumnRole.ANSWERS}
    roles |= {name: role for name, role in ((where.scores, ColumnRole.SCORE), (where.models, ColumnRole.MODEL)) if name}
    questions = (_question(keys, opposite, len(sample.rows)),) if asked else ()
    offers = (pairs_offer("best"),) if _more_than_two(sample, column, limits) else ()
    by = where.scores or ("" if asked else key)
    return BoundFormat(convert, _notes(choice, by), roles=roles, questions=questions, offers=offers)


def _notes(choice: str, key: str) -> tuple[str, ...]:
    by = f" by {key}" if key else ""
    if key.lower() in _RANKS:
        by += " (the lowest number is the best)"
    if choice == "best":
        return (f"the best answer{by} is paired with each other one, equal scores are a tie; "
                "--pairs decisive takes every two answers with different scores",)  # fmt: skip
    return (f"every two answers with different scores{by} are a pair",)


def _more_than_two(sample: Sample, column: str, limits: Limits) -> bool:
    for value in sample.values(column):
        try:
            if len(_items(value, column, limits)) > 2:
                return True
        except RowRejected:
            continue
    return False


def _items(value: object, name: str, limits: Limits) -> list[object]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = parse_json(value.strip(), limits)
    if not isinstance(value, list):
        raise RowRejected(f"{name} is {describe_type(value)}, not a list of answers")
    if len(value) < 2:
        raise RowRejected(f"{name} is a list with fewer than two answers")
    return value


def _read(
    items: Sequence[object], row: Row, where: _Columns, sample: Sample, limits: Limits
) -> tuple[list[Response], dict[int, float]]:
    """Return the answers that have a score, and index -> rank."""
    scores, models = _beside(row, where.scores, items, limits), _beside(row, where.models, items, limits)
    sign = 1 if (where.scores or where.key).lower() in _RANKS else -1
    best: dict[str, tuple[float, Response]] = {}
    gap = False
    for index, item in enumerate(items):
        text, inner = _text(item, f"answer {index + 1} of {where.answers}", sample, limits)
        held = scores[index] if scores is not None else inner.get(where.key)
        score = read_score(held, where.scores or where.key, commas=where.commas)
        if score is None:
            gap = True
            continue
        model = models[index] if models is not None else inner.get("model")
        response = Response(text, GenerationRecord(model=_name(model, limits), extra={"score": score}))
        if text in best and best[text][0] != sign * score:
            sample.remarks.count(_TWICE)
        if text not in best or sign * score < best[text][0]:
            best[text] = (sign * score, response)
    if gap:
        sample.remarks.count(_NO_SCORE)
    if scores is None and not where.key:
        raise RowRejected(
            f"nothing that is known to order the answers of {where.answers}, no score and no rank, is there"
        )
    if len(best) < 2:
        raise RowRejected("fewer than two different answers have a score")
    return [response for _, response in best.values()], {i: rank for i, (rank, _) in enumerate(best.values())}


def _beside(row: Row, column: str | None, items: Sequence[object], limits: Limits) -> list[object] | None:
    """Return a list that stands beside the answers, such as their scores."""
    value = row.get(column) if column else None
    if value is None:
        return None
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = parse_json(value.strip(), limits)
    if not isinstance(value, list):
        return None
    if len(value) != len(items):
        raise RowRejected(f"{column} has {counted(len(value), 'value')} for {counted(len(items), 'answer')}")
    return value


def _text(item: object, name: str, sample: Sample, limits: Limits) -> tuple[str, Mapping[str, object]]:
    """Return the text of an answer and the object in which it stands."""
    if isinstance(item, dict) and "role" not in item and "from" not in item:
        value = next((item[key] for key in _TEXTS if item.get(key) is not None), None)
        return read_answer(value, name, limits, sample.remarks), item
    return read_answer(item, name, limits, sample.remarks), {}


def _name(value: object, limits: Limits) -> str:
    return check_text(value, "model", limits)[:200] if isinstance(value, str) else ""


def _score_keys(sample: Sample, column: str, limits: Limits) -> list[str]:
    """Return the keys of the answers' objects that hold a score, in the order of preference."""
    found: set[str] = set()
    for row in sample.rows:
        found.update(
            key for key in _SCORES for item in _objects(row.get(column), limits) if _number(item, key) is not None
        )
    return [key for key in _SCORES if key in found]


def _objects(value: object, limits: Limits) -> list[Mapping[str, object]]:
    try:
        items = _items(value, "", limits)
    except RowRejected:
        return []
    return [item for item in items if isinstance(item, dict)]


def _opposite_rows(sample: Sample, column: str, keys: Sequence[str], limits: Limits) -> int:
    if len(keys) < 2:
        return 0
    return sum(_contradict(_objects(row.get(column), limits), keys) for row in sample.rows)


def _contradict(items: Sequence[object], keys: Sequence[str]) -> bool:
    """Say whether two scores order two of the answers in opposite ways."""
    table = [[_better(item, key) for key in keys] for item in items if isinstance(item, dict)]
    for one, other in combinations(table, 2):
        signs = {(x > y) - (x < y) for x, y in zip(one, other, strict=True) if x is not None and y is not None}
        if {-1, 1} <= signs:
            return True
    return False


def _better(item: Mapping[str, object], key: str) -> float | None:
    number = _number(item, key)
    return None if number is None else -number if key in _RANKS else number


def _number(item: Mapping[str, object], key: str) -> float | None:
    value = item.get(key)
    return None if value is None else read_score(value, commas=True)


def _decimal_commas(sample: Sample, column: str, beside: str | None, limits: Limits) -> bool:
    """Say whether the scores that are texts write their decimals with a comma: 3,5. One point anywhere says no."""
    held = [item.get(key) for row in sample.rows for item in _objects(row.get(column), limits) for key in _SCORES]
    held += [score for row in sample.rows for score in _list_of(row.get(beside) if beside else None)]
    texts = [score.strip() for score in held if isinstance(score, str)]
    return any(map(COMMA.fullmatch, texts)) and not any(map(POINT.fullmatch, texts))


def _list_of(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _question(keys: Sequence[str], opposite: int, rows: int) -> Question:
    names = " and ".join(keys)
    sentence = (
        f"{names} order the answers in opposite ways in {opposite:,} of {counted(rows, 'row')}; which of them counts?"
    )
    answers = tuple(Answer(key, f"the answers are ordered by {key}", f"--answer {_QUESTION}={key}") for key in keys)
    return Question(_QUESTION, sentence, answers)


FORMATS = (
    RowFormat(
        "scored", "Scored completions", "one prompt, several completions with scores or ranks", 0.95, bind_scored
    ),
)
