"""Records of Argilla: what people submitted becomes labels, what they drafted or discarded does not.

Argilla's pages on records and responses: version 2 writes ``fields``, and ``responses`` with a list for each question
(value, user_id, status), or flat columns ``QUESTION.responses``, ``QUESTION.responses.users`` and ``.status``.
Version 1 writes ``responses`` as a list with ``values`` for each user. A ranking is a list of the names of fields, the
best first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.services.importing.formats.named_answers import NamedAnswers, verdict_of
from core.services.importing.formats.rankings import AnswerOrder, pairs_offer, ranked_pairs
from core.services.importing.formats.row_format import BoundFormat, RowFormat
from core.services.importing.formats.sample import Row, Sample
from core.services.importing.limits import Limits, RowRejected, describe_type
from core.services.importing.reading import ColumnRole
from core.services.importing.rows import ParsedLabel, ParsedPair

_FLAT = ".responses"
_REMARKS = {
    "draft": "a response that was only drafted is no label",
    "discarded": "a response that was discarded is no label",
    "pending": "a response that is pending is no label",
}
_NO_QUESTION = "no submitted answer says which of the texts is better; the pairs come without labels"
_OTHER = "an answer to {} that names none of the texts is no label"


@dataclass(frozen=True, slots=True)
class _Said:
    """What one person answered to one question."""

    question: str
    value: object
    user: str
    status: str


def bind_argilla(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to records with ``fields`` and ``responses``, or to their flat form."""
    nested = "fields" in sample.names and "responses" in sample.names
    flat = {name[: -len(_FLAT)]: column for name, column in sample.names.items() if name.endswith(_FLAT)}
    flat |= {} if nested else _columns_of_responses(sample)
    if not nested and not flat:
        return None
    fields_of = _nested_fields if nested else _flat_fields(sample)
    said = [entry for row in sample.rows for entry in _responses(row, sample, flat)]
    names = dict.fromkeys(name for row in sample.rows for name in fields_of(row))
    answers = NamedAnswers.find(list(names), (word for entry in said for word in _words(entry.value)))
    if answers is None:
        return None
    question = _question(said, answers)
    choice = sample.choices.pairs or "decisive"

    def convert(row: Row) -> list[ParsedPair]:
        prompt, texts = answers.texts(fields_of(row), limits, sample.remarks)
        verdicts = [v for entry in _responses(row, sample, flat) if (v := _verdict(entry, answers, question, sample))]
        rankings = [verdict for verdict in verdicts if isinstance(verdict, AnswerOrder)]
        labels = [verdict for verdict in verdicts if isinstance(verdict, ParsedLabel)]
        return ranked_pairs(prompt, texts, rankings, choice, labels)

    asked = f"the submitted answers to {question!r} are the labels" if question else _NO_QUESTION
    roles = _roles(sample, answers, nested, flat)
    return BoundFormat(
        convert,
        (f"{answers.prompt} is the prompt, {', '.join(answers.answers)} are the answers", asked),
        roles=roles,
        offers=(pairs_offer("decisive"),) if len(answers.answers) > 2 else (),
    )


def _roles(sample: Sample, answers: NamedAnswers, nested: bool, flat: Mapping[str, str]) -> dict[str, ColumnRole]:
    if nested:
        return {sample.names["fields"]: ColumnRole.ANSWERS, sample.names["responses"]: ColumnRole.LABEL}
    roles = {answers.prompt: ColumnRole.PROMPT, **dict.fromkeys(answers.answers, ColumnRole.ANSWERS)}
    for name, column in sample.names.items():
        if name.endswith(_FLAT) or column in flat.values():
            roles[column] = ColumnRole.LABEL
        elif name.endswith(f"{_FLAT}.users"):
            roles[column] = ColumnRole.REVIEWER
        elif name.endswith(f"{_FLAT}.status"):
            roles[column] = ColumnRole.METADATA
    return roles


def _nested_fields(row: Row) -> Mapping[str, object]:
    fields = row.get("fields")
    if not isinstance(fields, dict):
        raise RowRejected(f"fields is {describe_type(fields)}, not an object")
    return fields


def _flat_fields(sample: Sample) -> Callable[[Row], Mapping[str, object]]:
    """Return what gives the columns of a row that are fields, and no responses, suggestions or ids."""
    skipped = ("id", "status", "_server_id", "metadata", "vectors")
    names = [column for name, column in sample.names.items() if name not in skipped and "." not in name]
    return lambda row: {name: row[name] for name in names if name in row}


def _columns_of_responses(sample: Sample) -> dict[str, str]:
    """Return the columns that hold a list of responses each, as version 1 wrote them to the Hugging Face Hub."""
    found = {}
    for name, column in sample.names.items():
        items = [item for value in sample.values(column) for item in _list(value)]
        if items and all(isinstance(item, dict) and {"user_id", "value", "status"} <= item.keys() for item in items):
            found[name] = column
    return found


def _responses(row: Row, sample: Sample, flat: Mapping[str, str]) -> Iterator[_Said]:
    """Yield what was answered, by whom, and whether it was submitted."""
    for name, column in flat.items():
        values = row.get(column)
        users, states = (_list(row.get(sample.names.get(f"{name}{_FLAT}.{end}", ""))) for end in ("users", "status"))
        for place, value in enumerate(_list(values)):
            if isinstance(value, dict) and "user_id" in value:
                yield _entry(name, value)
                continue
            user = users[place] if place < len(users) else ""
            yield _Said(name, value, _user(user), str(states[place] if place < len(states) else "submitted"))
    found = row.get(sample.names["responses"]) if "responses" in sample.names and not flat else None
    if isinstance(found, dict):
        for name, entries in found.items():
            for entry in _list(entries):
                if isinstance(entry, dict):
                    yield _entry(str(name), entry)
    for entry in found if isinstance(found, list) else ():
        values = entry.get("values") if isinstance(entry, dict) else None
        for name, value in values.items() if isinstance(values, dict) else ():
            status = str(entry.get("status") or "submitted")
            yield _Said(str(name), value, _user(entry.get("user_id")), status)


def _entry(question: str, entry: Mapping[str, object]) -> _Said:
    status = str(entry.get("status") or "submitted")
    return _Said(question, entry.get("value"), _user(entry.get("user_id")), status)


def _verdict(said: _Said, answers: NamedAnswers, question: str, sample: Sample) -> AnswerOrder | ParsedLabel | None:
    if said.question != question:
        return None
    status = said.status.lower().rpartition(".")[2]
    if status != "submitted":
        sample.remarks.count(_REMARKS.get(status, f"a response with the status {status[:20]!r} is no label"))
        return None
    try:
        verdict = verdict_of(said.value, answers, said.question, said.user)
    except RowRejected:
        verdict = None
    if verdict is None:
        sample.remarks.count(_OTHER.format(said.question[:60]))
    return verdict


def _question(said: Iterable[_Said], answers: NamedAnswers) -> str:
    """Return the question whose answers name the texts; the first of several."""
    for entry in said:
        try:
            if verdict_of(entry.value, answers, entry.question, entry.user) is not None:
                return entry.question
        except RowRejected:
            continue
    return ""


def _words(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from _words(value.get("value"))
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)
    elif isinstance(value, str):
        yield value


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _user(value: object) -> str:
    return str(value)[:80] if isinstance(value, str | int) and not isinstance(value, bool) else ""


FORMATS = (
    RowFormat("argilla", "Argilla records", "fields and responses with value, user_id and status", 0.99, bind_argilla),
)
