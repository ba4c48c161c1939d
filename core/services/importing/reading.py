"""How a file is read: the words in which the import tells what it found and in which the user answers.

A format states what each column becomes, how each value of the label columns is read, and what it cannot know. Preview,
report, window and command line show these values; :class:`Choices` carries the answers back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from core.domain.counting import counted
from core.services.importing.rows import ParsedPair


class ColumnRole(StrEnum):
    """What a column of the file becomes; the value is the word shown to people and written in JSON."""

    PROMPT = "prompt"
    CHOSEN = "chosen answer"
    REJECTED = "rejected answer"
    FIRST = "first answer"
    SECOND = "second answer"
    ANSWERS = "answers"
    LABEL = "label"
    REVIEWER = "reviewer"
    SCORE = "score"
    MODEL = "model"
    SYSTEM = "system"
    METADATA = "metadata"
    UNUSED = "unused"


Reads = Literal["first", "second", "tie", "neither", "no label", "refused", "open"]
"""What a value of a label column says. "open": not known until the user answers a question."""

PairChoice = Literal["best", "decisive"]
"""Which pairs a ranked list of answers gives: the best against each other one, or every pair with different ranks."""

FlagAction = Literal["keep", "leave_out", "reject"]
"""What is done with a pair whose texts look wrong; see ``flag_actions.py``."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user says about a file; everything left out is detected.

    Attributes:
        fmt: key of a format, with or without its option: ``hh``, ``table:signed``.
        columns: column of the file -> field that it is read as, one of :data:`FIELDS`. ``chosen.answer`` names a key
            inside a column that holds objects.
        coding: key of a coding of the label columns, see ``formats/codings.py``.
        values: value of a label column, as the preview writes it -> first, second, tie, neither or "no label".
        reviewer_columns: columns that each hold the labels of one reviewer.
        pairs: which pairs a ranked list gives; None for the format's own way.
        encoding: of the file's text.
        part: name of the list to read of a JSON file that holds several, or ``all``.
        answers: key of a :class:`Question` -> key of the :class:`Answer` taken, for all questions that have no field
            of their own here.
        flag_actions: key of a text flag -> what is done with a pair that carries it; left out: it is kept and flagged.
    """

    fmt: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    coding: str | None = None
    values: Mapping[str, Reads] = field(default_factory=dict)
    reviewer_columns: tuple[str, ...] = ()
    pairs: PairChoice | None = None
    encoding: str | None = None
    part: str | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    flag_actions: Mapping[str, FlagAction] = field(default_factory=dict)


FIELDS: Mapping[str, ColumnRole] = {
    "prompt": ColumnRole.PROMPT,
    "chosen": ColumnRole.CHOSEN,
    "rejected": ColumnRole.REJECTED,
    "first": ColumnRole.FIRST,
    "second": ColumnRole.SECOND,
    "answers": ColumnRole.ANSWERS,
    "label": ColumnRole.LABEL,
    "reviewer": ColumnRole.REVIEWER,
    "score_first": ColumnRole.SCORE,
    "score_second": ColumnRole.SCORE,
    "scores": ColumnRole.SCORE,
    "model_first": ColumnRole.MODEL,
    "model_second": ColumnRole.MODEL,
    "system": ColumnRole.SYSTEM,
    "unused": ColumnRole.UNUSED,
}
"""The fields that a column can be read as, in ``--map column=field`` and in the dialog, and the role of each."""


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """One column: what it becomes, and how many rows have something in it.

    Attributes:
        holds: what kind of values, in a few words.
        sample: the first value, on one line and cut; two uses with other samples are equal.
    """

    name: str
    role: ColumnRole
    filled: int
    holds: str = field(default="", compare=False)
    sample: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ValueUse:
    """One value of the label columns: how often it stands there, and how it is read.

    Attributes:
        value: as text; a blank cell is not listed.
        strength: 1..3 where the value also says how much better, None where it does not.
    """

    value: str
    count: int
    reads: Reads
    strength: int | None = None


@dataclass(frozen=True, slots=True)
class CodingUse:
    """How the label columns are read.

    Attributes:
        columns: the label columns; each is a reviewer of its own where there are several.
        key: of the coding, empty where words say it.
        meaning: the coding in a few words.
        values: every value with its count, the most frequent first.
    """

    columns: tuple[str, ...]
    key: str
    meaning: str
    values: tuple[ValueUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One possible answer to a question.

    Attributes:
        key: what is put into :class:`Choices`.
        meaning: what it would mean for this file, with counts, as half a sentence.
        flag: how the command line says it, such as ``--coding one_based``.
    """

    key: str
    meaning: str
    flag: str


@dataclass(frozen=True, slots=True)
class Question:
    """Something that the file leaves open. While one is unanswered nothing is stored.

    Attributes:
        key: names the question: ``coding``, ``pairs``, or another key of ``Choices.answers``.
        sentence: what is not known, one sentence.
        answers: every possible one.
        default: the answer that holds until another one is given; empty for a question that must be answered.
    """

    key: str
    sentence: str
    answers: tuple[Answer, ...]
    default: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one file is read, whole.

    Attributes:
        fmt: key of the format, with its option. title: its name.
        rows: rows that were looked at. complete: they are all rows of the file.
        columns: every column, in the order of the file.
        coding: of the label columns; None where the file has none.
        notes: what else is worth knowing, one sentence each.
        questions: what is open; empty once every question is answered.
        examples: the first pairs, whole, in the order of the file.
        offers: what could be read in another way; each has an answer already and nothing waits for it.
    """

    fmt: str
    title: str
    rows: int
    complete: bool
    columns: tuple[ColumnUse, ...] = ()
    coding: CodingUse | None = None
    notes: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    examples: tuple[ParsedPair, ...] = ()
    offers: tuple[Question, ...] = ()

    @property
    def unused(self) -> tuple[ColumnUse, ...]:
        """The columns that hold something and become nothing."""
        return tuple(use for use in self.columns if use.role is ColumnRole.UNUSED and use.filled)

    def to_plain(self) -> dict[str, object]:
        """Return format, columns, coding, unused, notes and questions as plain values for JSON."""
        values = self.coding.values if self.coding is not None else ()
        return {
            "format": self.fmt,
            "columns": {use.name: use.role.value for use in self.columns},
            "coding": None if self.coding is None else {use.value: _use_plain(use) for use in values},
            "unused": {use.name: use.filled for use in self.unused},
            "notes": list(self.notes),
            "questions": [
                {
                    "key": question.key,
                    "sentence": question.sentence,
                    "answers": [{"key": a.key, "meaning": a.meaning, "flag": a.flag} for a in question.answers],
                }
                for question in self.questions
            ],
        }


def _use_plain(use: ValueUse) -> dict[str, object]:
    plain: dict[str, object] = {"count": use.count, "reads": use.reads}
    return plain if use.strength is None else {**plain, "strength": use.strength}


def winner(pair: ParsedPair) -> str:
    """Return in a word who wins a pair by the first label that came with it: first, second, tie, neither, or ""."""
    if not pair.labels:
        return ""
    label = pair.labels[0]
    if label.strength is None:
        return label.verdict.value
    return "first" if label.strength < 0 else "second"


class Remarks:
    """Counts what the conversion of rows leaves out or finds contradicting itself, and says it with counts.

    A format counts while it converts; the job says at the end what was counted.

    >>> remarks = Remarks()
    >>> remarks.line = 7
    >>> remarks.count("the tools of the conversation are left out")
    >>> remarks.sentences()
    ('1 row: the tools of the conversation are left out (first in line 7).',)
    """

    def __init__(self) -> None:
        self.line = 0
        self._counts: Counter[str] = Counter()
        self._first: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def count(self, what: str) -> None:
        """Count a row once for a remark: a clause without a full stop, the same words for every row it is true of."""
        if self.line and self._last.get(what) == self.line:
            return
        if what in self._counts or len(self._counts) < _REMARKS:
            self._counts[what] += 1
            self._last[what] = self.line
            self._first.setdefault(what, self.line)

    def clear(self) -> None:
        """Forget what was counted."""
        self._counts.clear()
        self._first.clear()
        self._last.clear()

    def sentences(self) -> tuple[str, ...]:
        """Return one sentence for each remark, the most frequent first."""
        return tuple(
            f"{counted(count, 'row')}: {what} (first in line {self._first[what]})."
            for what, count in self._counts.most_common()
        )


_REMARKS = 200
"""Different remarks that are counted; a file cannot fill the memory with them."""
