"""Exports of Label Studio: pairwise, ranker, rating and choice results of every annotator.

Label Studio's pages on the task format and on the tags Pairwise and Ranker: JSON holds ``data`` and ``annotations``
with ``result`` (``value.selected`` left or right, ``value.ranker`` with ids in order, ``value.choices``). JSON-MIN and
CSV hold the data as columns, one row an annotation, with the results as JSON in the column of their control tag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from core.domain.pair import Response
from core.services.importing.formats.messages import read_answer, read_prompt
from core.services.importing.formats.named_answers import NamedAnswers
from core.services.importing.formats.rankings import AnswerOrder, ranked_pairs
from core.services.importing.formats.row_format import BoundFormat, RowFormat
from core.services.importing.formats.sample import Row, Sample
from core.services.importing.formats.verdicts import label_of
from core.services.importing.limits import Limits, RowRejected, describe_type, parse_json
from core.services.importing.reading import ColumnRole
from core.services.importing.rows import ParsedLabel, ParsedPair

_FLAT_MARKS = ("annotation_id", "lead_time", "annotator")
_ITEM_TEXTS = ("body", "text", "content", "title", "html")
_CANCELLED = "an annotation that was skipped is no label"
_EMPTY = "an annotation without a verdict is no label"
_BESIDE = "a comment or another result beside the verdict is not kept"


@dataclass(frozen=True, slots=True)
class _LabelledTask:
    """One task: its data, and the results of each annotator."""

    data: Mapping[str, object]
    said: tuple[tuple[str, list[object]], ...]


def bind_export(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to the JSON export: one row a task, with all its annotations."""
    if "data" not in sample.names or not ("annotations" in sample.names or "completions" in sample.names):
        return None
    if not any(isinstance(row.get("data"), dict) for row in sample.rows):
        return None
    column = sample.pick("annotations", "completions") or ""

    def read(row: Row) -> _LabelledTask:
        data = row.get("data")
        if not isinstance(data, dict):
            raise RowRejected(f"data is {describe_type(data)}, not an object")
        if row.get("predictions"):
            sample.remarks.count("predictions of a model are no labels")
        return _LabelledTask(data, tuple(_annotations(row.get(column), sample)))

    return _bound(sample, limits, read, {"data": ColumnRole.ANSWERS, column: ColumnRole.LABEL})


def bind_flat(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to JSON-MIN or CSV: one row an annotation."""
    if sum(name in sample.names for name in _FLAT_MARKS) < 2:
        return None
    control = next((c for c in sample.names.values() if any(_is_verdict(v, limits) for v in sample.values(c))), None)
    if control is None:
        return None
    who = sample.pick("annotator", "completed_by")

    def read(row: Row) -> _LabelledTask:
        value = _parsed(row.get(control), limits)
        results = [value] if isinstance(value, dict | str) else value if isinstance(value, list) else []
        return _LabelledTask(
            row, ((_who(row.get(who) if who else None), [{"value": _value(item)} for item in results]),)
        )

    roles = {control: ColumnRole.LABEL} | ({who: ColumnRole.REVIEWER} if who else {})
    return _bound(sample, limits, read, roles)


def _bound(
    sample: Sample, limits: Limits, read: Callable[[Row], _LabelledTask], roles: dict[str, ColumnRole]
) -> BoundFormat:
    choice = sample.choices.pairs or "decisive"

    def convert(row: Row) -> list[ParsedPair]:
        task = read(row)
        answers = _answers(task, limits, sample)
        rankings: list[AnswerOrder] = []
        labels: list[ParsedLabel] = []
        for who, results in task.said:
            verdict = _verdict(results, answers, who, sample)
            if isinstance(verdict, AnswerOrder):
                rankings.append(verdict)
            elif verdict is not None:
                labels.append(verdict)
        prompt = read_prompt(task.data.get(answers.prompt), answers.prompt, limits, sample.remarks)
        return ranked_pairs(prompt, answers.responses, rankings, choice, labels)

    return BoundFormat(convert, ("every annotator is a reviewer of their own",), roles=roles)


@dataclass(frozen=True, slots=True)
class _Answers:
    """The answers of a task: their texts, and the names that results use for them."""

    prompt: str
    names: tuple[str, ...]
    responses: tuple[Response, ...]

    def index(self, name: object) -> int | None:
        return self.names.index(str(name)) if str(name) in self.names else None


def _answers(task: _LabelledTask, limits: Limits, sample: Sample) -> _Answers:
    data = task.data
    lists = [value for value in data.values() if isinstance(value, list) and _are_items(value)]
    names = list(data)
    if lists:
        found = NamedAnswers.find([*[n for n in names if data[n] is not lists[0]], "chosen", "rejected"])
        if found is None:
            raise RowRejected("data has no field with the prompt")
        texts = [next(str(item[k]) for k in _ITEM_TEXTS if item.get(k)) for item in lists[0]]
        ids = tuple(str(item.get("id", number)) for number, item in enumerate(lists[0]))
        return _Answers(found.prompt, ids, tuple(Response(read_answer(t, "an item", limits)) for t in texts))
    said = [part for _, results in task.said for result in results for part in _to_names(result)]
    found = NamedAnswers.find([name for name in names if isinstance(data[name], str)], said)
    if found is None:
        raise RowRejected("it is not clear which of its fields are the prompt and the answers")
    _, responses = found.texts(data, limits, sample.remarks)
    return _Answers(found.prompt, found.answers, tuple(responses))


def _annotations(value: object, sample: Sample) -> Iterator[tuple[str, list[object]]]:
    for entry in value if isinstance(value, list) else ():
        if not isinstance(entry, dict):
            continue
        results = entry.get("result")
        if entry.get("was_cancelled"):
            sample.remarks.count(_CANCELLED)
        elif not results:
            sample.remarks.count(_EMPTY)
        else:
            yield _who(entry.get("completed_by")), results if isinstance(results, list) else [results]


def _verdict(results: list[object], answers: _Answers, who: str, sample: Sample) -> AnswerOrder | ParsedLabel | None:
    """Return what the results of one annotation say; the first verdict counts, grades together are one."""
    found: AnswerOrder | ParsedLabel | None = None
    grades: dict[int, float] = {}
    for result in results:
        value = result.get("value") if isinstance(result, dict) else None
        if not isinstance(value, dict):
            continue
        index = next((i for name in _to_names(result) if (i := answers.index(name)) is not None), None)
        if isinstance(value.get("rating"), int | float) and index is not None:
            grades[index] = -float(value["rating"])
            continue
        verdict = None if found is not None else _one(value, answers, who)
        if verdict is None:
            sample.remarks.count(_BESIDE)
        found = found or verdict
    if found is None and len(grades) > 1:
        return AnswerOrder(grades, who)
    if found is None:
        sample.remarks.count(_EMPTY)
    return found


def _one(value: Mapping[str, object], answers: _Answers, who: str) -> AnswerOrder | ParsedLabel | None:
    ranker = value.get("ranker")
    if isinstance(ranker, dict | list):
        lists = ranker.values() if isinstance(ranker, dict) else [ranker]
        order = next((ids for ids in lists if isinstance(ids, list) and ids), [])
        ranks = {i: float(place) for place, name in enumerate(order) if (i := answers.index(name)) is not None}
        return AnswerOrder(ranks, who) if len(ranks) > 1 else None
    choices = value.get("choices")
    word = value.get("selected") or (choices[0] if isinstance(choices, list) and len(choices) == 1 else None)
    if not isinstance(word, str) or len(answers.names) != 2:
        return None
    best = answers.index(word)
    if best is not None:
        return AnswerOrder({best: 0.0, 1 - best: 1.0}, who)
    return label_of(word, "the verdict", who)


def _to_names(result: object) -> list[str]:
    name = result.get("to_name") if isinstance(result, dict) else None
    return [part.strip() for part in name.split(",")] if isinstance(name, str) else []


def _are_items(value: list[object]) -> bool:
    return len(value) > 1 and all(isinstance(i, dict) and any(i.get(k) for k in _ITEM_TEXTS) for i in value)


def _parsed(value: object, limits: Limits) -> object:
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return parse_json(value, limits)
        except RowRejected:
            return value
    return value or None


def _value(item: object) -> object:
    return {"selected": item} if isinstance(item, str) else item


def _is_verdict(value: object, limits: Limits) -> bool:
    value = _parsed(value, limits)
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        return "selected" in value or "ranker" in value
    return isinstance(value, str) and value.strip().lower() in ("left", "right")


def _who(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("id", value.get("email", ""))
    return f"annotator {value}"[:80] if value not in (None, "") else ""


FORMATS = (
    RowFormat("label_studio", "Label Studio export", "data and annotations of each task", 0.99, bind_export),
    RowFormat(
        "label_studio_min",
        "Label Studio JSON-MIN or CSV",
        "the data of a task and one annotation a row",
        0.985,
        bind_flat,
    ),
)
