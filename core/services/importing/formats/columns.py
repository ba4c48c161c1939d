"""Finding the columns of a table from outside: prompt, answers, labels, models and scores."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import SupportsFloat

from core.domain.conversation import Message, Prompt
from core.domain.pair import GenerationRecord, Response
from core.services.importing.formats import column_names as known
from core.services.importing.formats.messages import read_prompt, shape_of
from core.services.importing.formats.sample import Row, Sample, Tally
from core.services.importing.limits import Limits, RowRejected, check_text
from core.services.importing.reading import Remarks

PromptReader = Callable[[Row], Prompt]
COMMA = re.compile(r"[+-]?\d+,\d+")
POINT = re.compile(r"[+-]?\d*\.\d+")
"""Numbers with decimals as texts."""


def answer_columns(sample: Sample) -> tuple[str, str] | None:
    """Return the columns of the first and the second response."""
    return sample.pick_pair(known.ANSWERS)


def one_hot_columns(sample: Sample) -> tuple[str, str, str | None] | None:
    """Return the three columns of an arena table that mark the winner by a 1."""
    if not all(name in sample.names for name in known.ONE_HOT[:2]):
        return None
    return sample.names[known.ONE_HOT[0]], sample.names[known.ONE_HOT[1]], sample.names.get(known.ONE_HOT[2])


def prompt_column(sample: Sample) -> str | None:
    """Return the column that holds the prompt: the first of a known name, one with nothing in it only as the last."""
    named = [sample.names[name] for name in known.PROMPTS if name in sample.names]
    return next((column for column in named if sample.tally(column).filled), named[0] if named else None)


def prompt_reader(sample: Sample, limits: Limits) -> PromptReader | None:
    """Return the function that makes a row's prompt, or None when no column holds one.

    ``instruction`` is joined with ``input`` by a blank line, a ``system`` text becomes the system message.
    """
    column = prompt_column(sample)
    if column is None:
        return None
    extra = sample.pick("input") if column.lower() == "instruction" else None
    system = sample.pick(*known.SYSTEM)
    as_json = shape_of(sample.values(column), limits).as_json

    def read(row: Row) -> Prompt:
        value = row.get(column)
        if extra is not None and (more := row.get(extra)) not in (None, ""):
            value = check_text(value, column, limits) + "\n\n" + check_text(more, extra, limits)
        prompt = read_prompt(value, column, limits, sample.remarks, as_json=as_json)
        return with_system(prompt, row, system, limits, sample.remarks)

    return read


def with_system(prompt: Prompt, row: Row, column: str | None, limits: Limits, remarks: Remarks) -> Prompt:
    """Return the prompt with the text of the system column in front, unless it has a system message of its own."""
    if column is None or (text := row.get(column)) in (None, ""):
        return prompt
    text = check_text(text, column, limits)
    if prompt.messages[0].role != "system":
        return Prompt((Message("system", text), *prompt.messages))
    if prompt.messages[0].content.strip() != text.strip():
        remarks.count(f"the text of {column} stands beside a system message of the turns and is not kept")
    return prompt


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which columns name the models and scores of the two answers.

    Attributes:
        commas: for each score column, whether its decimals are written with a comma.
        remarks: counts rows whose scores contradict the label.
    """

    models: tuple[str, str] | None
    scores: tuple[str, str] | None
    commas: tuple[bool, bool] = (False, False)
    remarks: Remarks | None = None

    @classmethod
    def of(cls, sample: Sample) -> Provenance:
        """Find the columns."""
        scores = sample.pick_pair(known.SCORES)
        commas = tuple(decimal_commas(sample.tally(name)) for name in scores or ())
        one, other = commas if len(commas) == 2 else (False, False)
        return cls(sample.pick_pair(known.MODELS), scores, (one, other), sample.remarks)

    def responses(self, row: Row, first: str, second: str) -> tuple[Response, Response]:
        """Return both responses with the model and score that the row names."""
        if self.models is None and self.scores is None:
            return Response(first), Response(second)
        return Response(first, self._record(row, 0)), Response(second, self._record(row, 1))

    def score_sides(self, row: Row, labelled: int | None = -1) -> int | None:
        """Return -1 when the first answer's score is higher, 1 for the second's, 0 when equal, None when unknown.

        Args:
            row: the record.
            labelled: the side that the record's label names; a row whose scores say the other is counted. None where
                there is no label to contradict.

        Raises:
            RowRejected: when a score is written with a comma in a column where others are not.
        """
        if self.scores is None:
            return None
        one, other = self._score(row, 0), self._score(row, 1)
        if one is None or other is None:
            return None
        side = (other > one) - (one > other)
        if labelled and side == -labelled and self.remarks is not None:
            names = " and ".join(self.scores)
            self.remarks.count(f"{names} rank the answers the other way round than the label; the label is kept")
        return side

    def _score(self, row: Row, side: int) -> float | None:
        name = self.scores[side] if self.scores else ""
        return read_score(row.get(name), name, commas=self.commas[side])

    def _record(self, row: Row, side: int) -> GenerationRecord | None:
        model = row.get(self.models[side]) if self.models else None
        score = self._score(row, side) if self.scores else None
        name = model if isinstance(model, str) and len(model) < 200 and _storable(model) else ""
        if not name and score is None:
            return None
        return GenerationRecord(model=name, extra={} if score is None else {"score": score})


def decimal_commas(tally: Tally) -> bool:
    """Say whether a column of numbers writes its decimals with a comma: 3,5. One decimal point anywhere says no.

    Looked at are the counted values, a thousand different ones at most.
    """
    commas = any(COMMA.fullmatch(value) for value in tally.values)
    return commas and not any(POINT.fullmatch(value) for value in tally.values)


def read_score(value: object, name: str = "", *, commas: bool = False) -> float | None:
    """Return a score as a number, or None when there is none.

    Args:
        value: the cell.
        name: its column, for the reason.
        commas: the column writes its decimals with a comma.

    Raises:
        RowRejected: for a number with a comma where the column does not write them so, when ``name`` is given.
    """
    if isinstance(value, bool) or not isinstance(value, str | SupportsFloat):
        return None
    if isinstance(value, str) and "," in value and COMMA.fullmatch(value.strip()):
        if commas:
            value = value.replace(",", ".")
        elif name:
            raise RowRejected(f"{name} is {value.strip()[:20]!r}, but other rows write decimals with a point")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) < 1e12 else None


def _storable(text: str) -> bool:
    try:
        check_text(text, "", Limits())
    except RowRejected:
        return False
    return True
