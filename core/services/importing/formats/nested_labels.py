"""Labels inside a list of each row: ``annotations`` with one object for each reviewer and their verdict.

Exports of annotation tools and of scripts write ``annotations: [{"annotator": "ann", "label": "A"}, ...]`` beside the
prompt and the two answers, a plain list of verdicts (``["A", "B"]``), or an object with a verdict for each name
(``{"ann": "A"}``). Words name a side; numbers are asked, as in a label column, and numbers without a name of their own
are none: they may as well be shares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from core.services.importing.formats import column_names as known
from core.services.importing.formats.codings import (
    Coding,
    coding_of,
    coding_question,
    coding_use,
    possible_codings,
    read_values,
    to_label,
)
from core.services.importing.formats.column_reader import ColumnReader, json_notes
from core.services.importing.formats.columns import Provenance, answer_columns, one_hot_columns, prompt_reader
from core.services.importing.formats.label_columns import label_columns
from core.services.importing.formats.label_reader import ValueTable, shown, tell_of_others
from core.services.importing.formats.row_format import BoundFormat, RowFormat
from core.services.importing.formats.sample import Row, Sample, cell_text
from core.services.importing.formats.verdict_words import OPEN, REFUSED, read_words
from core.services.importing.limits import Limits, RowRejected, describe_type
from core.services.importing.reading import ColumnRole
from core.services.importing.rows import ParsedLabel, ParsedPair

_NAME, _VERDICT = "\0name", "\0verdict"
"""Keys of the entries that a list of verdicts without objects is read as; no file has them."""
_LISTS = (
    "annotations", "annotation", "votes", "judgements", "judgments", "labels", "label", "reviews", "ratings",
    "preferences", "evaluations", "verdicts", "annotators",
)  # fmt: skip
_VALUES = (_VERDICT, *known.LABELS, "value", "answer", "selected", "result")
_WHO = (_NAME, *known.WHO, "user", "user_id", "username", "completed_by", "name", "email", "by", "id")
_MOST = 100
_BLANK = "an annotation without a verdict is no label"


def bind_nested(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to a prompt, two answers and a list of objects that hold one reviewer's verdict each."""
    answers, prompt, place = answer_columns(sample), prompt_reader(sample, limits), nested_verdicts(sample)
    if answers is None or prompt is None or place is None:
        return None
    column, key = place
    first, second = (ColumnReader.of(sample, name, limits) for name in answers)
    provenance, labels = Provenance.of(sample), _NestedLabels(sample, column, key)

    def convert(row: Row) -> list[ParsedPair]:
        responses = provenance.responses(row, first.answer(row), second.answer(row))
        return [ParsedPair(prompt(row), *responses, labels.read(row.get(column)))]

    roles = {answers[0]: ColumnRole.FIRST, answers[1]: ColumnRole.SECOND, column: ColumnRole.LABEL}
    notes = (*json_notes(sample, limits), labels.note)
    return BoundFormat(convert, notes, labels.option, roles=roles, coding=labels.use, questions=labels.questions)


def nested_verdicts(sample: Sample) -> tuple[str, str] | None:
    """Return the column with a list of verdicts and their key, None where another column says who won."""
    column = _list_column(sample)
    if column is None or _has_label_column(sample, column):
        return None
    key = _key(sample, column, _VALUES)
    return None if key is None else (column, key)


class _NestedLabels:
    """Reads the verdicts of one row's list; values and coding are those of all rows that were looked at."""

    def __init__(self, sample: Sample, column: str, key: str) -> None:
        self._column, self._key, self._remarks = column, key, sample.remarks
        self._said = f"an entry of {column}" if key == _VERDICT else f"{key} in {column}"
        self._who = _key(sample, column, _WHO)
        values = _counted(sample, column, key)
        coding: Coding | None = coding_of(sample.choices.coding) if sample.choices.coding else None
        open_values = {
            v: values[v] for v, read in read_values(values, None, sample.choices.values).items() if read is OPEN
        }
        possible = possible_codings(open_values, words=len(open_values) < len(values)) if coding is None else []
        reads = read_values(values, coding if coding or possible else "words", sample.choices.values)
        self._table = ValueTable(reads, coding, bool(possible))
        self.option = coding if coding and open_values else ""
        name = column if key == _VERDICT else f"{column}.{key}"
        self.use = coding_use((name,), values, reads, self.option)
        self.questions = (coding_question((name,), open_values, possible),) if possible else ()
        who = "its key" if self._who == _NAME else self._who
        by = f"named by {who}" if who else "numbered, because none is named"
        side = "" if key == _VERDICT else f"; {key} says which answer is better"
        self.note = f"each entry of {column} is a label of its own reviewer, {by}{side}"

    def read(self, cell: object) -> tuple[ParsedLabel, ...]:
        """Return the labels in a cell.

        Raises:
            RowRejected: when it holds verdicts of which none names a side, or is no list.
        """
        if cell in (None, "", []):
            return ()
        entries = _as_entries(cell)
        if entries is None:
            raise RowRejected(f"{self._column} is {describe_type(cell)}, not a list")
        labels: list[ParsedLabel] = []
        refused: list[object] = []
        for number, entry in enumerate(entries[:_MOST], 1):
            value = entry.get(self._key)
            tell_of_others(self._remarks, entry, (self._key, self._who), self._column)
            read = self._table.of(value)
            if read is OPEN:
                continue  # it is asked
            if read is None or read.reads == "no label":
                self._remarks.count(_BLANK)
            elif read is REFUSED:
                refused.append(value)
            else:
                labels.append(to_label(read, self._reviewer(entry, number)))
        if refused and not labels:
            raise RowRejected(f"{self._said} is {shown(refused[0])}, which names no side")
        for value in refused:
            self._remarks.count(f"{self._said} is {shown(value)}, which names no side; it is left out")
        if len(entries) > _MOST:
            self._remarks.count(f"more than {_MOST} entries in {self._column}; the others are left out")
        return tuple(labels)

    def _reviewer(self, entry: Mapping[str, object], number: int) -> str:
        value = entry.get(self._who) if self._who else None
        if isinstance(value, dict):
            value = value.get("id", value.get("name", value.get("email")))
        text = cell_text(value)
        return text.replace("\x00", "")[:80] if text else f"annotator {number}"


def _list_column(sample: Sample) -> str | None:
    """Return the column that holds lists of objects in most of its filled rows."""
    for name in _LISTS:
        column = sample.names.get(name)
        if column is not None:
            cells = [cell for cell in sample.values(column) if cell not in (None, "", [])]
            if cells and 2 * sum(map(_holds_verdicts, cells)) >= len(cells):
                return column
    return None


def _holds_verdicts(cell: object) -> bool:
    """Whether a cell holds objects, or else words of which one at least names a side."""
    if isinstance(cell, list) and isinstance(cell[0], dict):
        return True
    entries = _as_entries(cell) or ()
    words = [entry[_VERDICT] for entry in entries if entry.get(_VERDICT) not in (None, "")]
    texts = [word for word in words if isinstance(word, str)]
    reads = read_words(texts)
    return len(texts) == len(words) and any(reads[text].reads in ("first", "second") for text in texts if text in reads)


def _as_entries(cell: object) -> list[Mapping[str, object]] | None:
    """Return a cell as a list of objects: that list, or one made of plain verdicts or of a verdict for each name."""
    if isinstance(cell, dict):
        verdicts = list(cell.items())
        if any(isinstance(value, list | dict) for _, value in verdicts):
            return None
        return [{_NAME: name, _VERDICT: value} for name, value in verdicts]
    if not isinstance(cell, list):
        return None
    return [entry if isinstance(entry, dict) else {_VERDICT: entry} for entry in cell]


def _has_label_column(sample: Sample, nested: str) -> bool:
    """Whether another column says who won; a table reads that one and tells of the list as unused."""
    return one_hot_columns(sample) is not None or any(column != nested for column in label_columns(sample))


def _entries(sample: Sample, column: str) -> Iterator[Mapping[str, object]]:
    for cell in sample.values(column):
        yield from (_as_entries(cell) or [])[:_MOST]


def _key(sample: Sample, column: str, wanted: tuple[str, ...]) -> str | None:
    """Return the first wanted key that the entries of a list have with a value in it."""
    found = {
        str(k).strip().lower(): str(k)
        for entry in _entries(sample, column)
        for k, v in entry.items()
        if v not in (None, "")
    }
    return next((found[name] for name in wanted if name in found), None)


def _counted(sample: Sample, column: str, key: str) -> Counter[str]:
    texts = (cell_text(entry.get(key)) for entry in _entries(sample, column))
    return Counter(text for text in texts if text is not None)


FORMATS = (
    RowFormat(
        "nested_labels",
        "Two answers and a list of labels",
        "a prompt, two responses, annotations with a verdict of each reviewer",
        0.965,
        bind_nested,
    ),
)
