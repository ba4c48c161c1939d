"""The columns of a table from outside: names in use for prompts, answers, labels, models and scores."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import SupportsFloat

from core.domain.conversation import Message, Prompt
from core.domain.pair import GenerationRecord, Response
from core.services.importing.formats.messages import read_prompt
from core.services.importing.limits import Limits, RowRejected, check_text
from core.services.importing.reading import Choices

Row = Mapping[str, object]
PromptReader = Callable[[Row], Prompt]
_PROMPTS = (
    "prompt",
    "question",
    "instruction",
    "query",
    "user_prompt",
    "history",
    "context",
    "conversation",
    "conversations",
    "post",
    "input",
)
_ANSWERS = (
    ("response_a", "response_b"),
    ("response1", "response2"),
    ("response_1", "response_2"),
    ("response_0", "response_1"),
    ("answer_a", "answer_b"),
    ("answer1", "answer2"),
    ("answer_1", "answer_2"),
    ("answer_0", "answer_1"),
    ("completion_a", "completion_b"),
    ("completion1", "completion2"),
    ("completion_1", "completion_2"),
    ("output_a", "output_b"),
    ("output1", "output2"),
    ("output_1", "output_2"),
    ("human_ref_a", "human_ref_b"),
    ("conversation_a", "conversation_b"),
)
_MODELS = (
    ("chosen_model", "rejected_model"),
    ("chosen-model", "rejected-model"),
    ("model_a", "model_b"),
    ("model1", "model2"),
    ("model_1", "model_2"),
    ("response_a_model", "response_b_model"),
)
_SCORES = (
    ("score_chosen", "score_rejected"),
    ("chosen_score", "rejected_score"),
    ("chosen-rating", "rejected-rating"),
    ("chosen_rating", "rejected_rating"),
    ("score_a", "score_b"),
    ("score1", "score2"),
    ("score_1", "score_2"),
)
_LABELS = (
    "label",
    "labels",
    "winner",
    "preference",
    "preferred",
    "choice",
    "better",
    "better_response_id",
    "overall_preference",
    "preference_strength",
    "strength",
)
_REVIEWER = re.compile(r"(?:annotator|annotation|rater|reviewer|labeler|labeller|judge|label|worker)[ _-]?\d{1,3}")
_WHO = ("judge", "annotator", "annotator_id", "worker", "worker_id", "rater", "rater_id", "labeler", "labeler_id")
_ONE_HOT = ("winner_model_a", "winner_model_b", "winner_tie")


@dataclass(frozen=True, slots=True)
class Sample:
    """The first records of a file, from which the format is detected.

    Attributes:
        rows: their values.
        names: lower-case name -> the column's name in the file.
        choices: what the user says about the file.
    """

    rows: Sequence[Row]
    names: dict[str, str] = field(default_factory=dict)
    choices: Choices = field(default_factory=Choices)

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Sample:
        """Collect the column names of all rows; a column may be missing in some."""
        names: dict[str, str] = {}
        for row in rows:
            for name in row:
                names.setdefault(str(name).strip().lower(), name)
        return cls(rows, names)

    def pick(self, *wanted: str) -> str | None:
        """Return the first of the wanted columns that the file has, by its own name."""
        return next((self.names[name] for name in wanted if name in self.names), None)

    def pick_pair(self, wanted: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
        """Return the first wanted pair of columns that the file has."""
        for one, other in wanted:
            if one in self.names and other in self.names:
                return self.names[one], self.names[other]
        return None

    def values(self, column: str) -> list[object]:
        """Return a column's cells."""
        return [row.get(column) for row in self.rows]


def answer_columns(sample: Sample) -> tuple[str, str] | None:
    """Return the columns of the first and the second response."""
    return sample.pick_pair(_ANSWERS)


def label_columns(sample: Sample) -> list[str]:
    """Return the columns that say who won: several reviewers when there are, else the one label column."""
    reviewers = [sample.names[name] for name in sample.names if _REVIEWER.fullmatch(name)]
    if reviewers:
        return reviewers
    one = sample.pick(*_LABELS)
    return [one] if one else []


def reviewer_column(sample: Sample) -> str | None:
    """Return the column that names who gave a record's one label, as in files with a record for each judgement."""
    return sample.pick(*_WHO)


def one_hot_columns(sample: Sample) -> tuple[str, str, str | None] | None:
    """Return the three columns of an arena table that mark the winner by a 1."""
    if not all(name in sample.names for name in _ONE_HOT[:2]):
        return None
    return sample.names[_ONE_HOT[0]], sample.names[_ONE_HOT[1]], sample.names.get(_ONE_HOT[2])


def prompt_column(sample: Sample) -> str | None:
    """Return the column that holds the prompt."""
    return sample.pick(*_PROMPTS)


def prompt_reader(sample: Sample, limits: Limits) -> PromptReader | None:
    """Return the function that makes a row's prompt, or None when no column holds one.

    ``instruction`` is joined with ``input`` by a blank line, a ``system`` text becomes the system message.
    """
    column = prompt_column(sample)
    if column is None:
        return None
    extra = sample.pick("input") if column.lower() == "instruction" else None
    system = sample.pick("system", "system_prompt")

    def read(row: Row) -> Prompt:
        value = row.get(column)
        if extra is not None and (more := row.get(extra)) not in (None, ""):
            value = check_text(value, column, limits) + "\n\n" + check_text(more, extra, limits)
        prompt = read_prompt(value, column, limits)
        if system is not None and (text := row.get(system)) not in (None, ""):
            return with_system(prompt, check_text(text, system, limits))
        return prompt

    return read


def with_system(prompt: Prompt, text: str) -> Prompt:
    """Return the prompt with a system message in front, unless it has one."""
    if prompt.messages[0].role == "system":
        return prompt
    return Prompt((Message("system", text), *prompt.messages))


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which columns name the models and scores of the two answers."""

    models: tuple[str, str] | None
    scores: tuple[str, str] | None

    @classmethod
    def of(cls, sample: Sample) -> Provenance:
        """Find the columns."""
        return cls(sample.pick_pair(_MODELS), sample.pick_pair(_SCORES))

    def responses(self, row: Row, first: str, second: str) -> tuple[Response, Response]:
        """Return both responses with the model and score that the row names."""
        if self.models is None and self.scores is None:
            return Response(first), Response(second)
        return Response(first, self._record(row, 0)), Response(second, self._record(row, 1))

    def score_sides(self, row: Row) -> int | None:
        """Return -1 when the first answer's score is higher, 1 for the second's, 0 when equal, None when unknown."""
        if self.scores is None:
            return None
        one, other = (read_score(row.get(name)) for name in self.scores)
        if one is None or other is None:
            return None
        return (other > one) - (one > other)

    def _record(self, row: Row, side: int) -> GenerationRecord | None:
        model = row.get(self.models[side]) if self.models else None
        score = read_score(row.get(self.scores[side])) if self.scores else None
        name = model if isinstance(model, str) and len(model) < 200 and _storable(model) else ""
        if not name and score is None:
            return None
        return GenerationRecord(model=name, extra={} if score is None else {"score": score})


def read_score(value: object) -> float | None:
    """Return a score as a number, or None when there is none."""
    if isinstance(value, bool) or not isinstance(value, str | SupportsFloat):
        return None
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
