"""What each column of a file of suite items becomes; what is not known is asked, never guessed."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from core.domain.errors import BadInput, UsageError
from core.domain.suite import EXPECTED, Expected
from core.services.importing.formats.column_names import PROMPTS, SYSTEM
from core.services.importing.reading import Answer, Question
from core.services.importing.refusal import ask

Row = Mapping[str, object]

FIELDS: dict[str, str] = {
    "prompt": "the prompt, a text or messages",
    "system": "a system message before the prompt",
    "id": "the id of the item",
    "expected": "what is expected",
    "chosen": "the better answer",
    "rejected": "the other answer",
    "target": "probability that people prefer the chosen answer",
    "is_tie": "whether people called both answers equally good",
    "constraints": "constraints on the answer",
    "slices": "slice values by name",
    "slice": "a slice",
    "unused": "nothing",
}
"""What a column can become, as in ``--map COLUMN=FIELD``; ``slice:NAME`` names the slice."""
_NAMES: dict[str, tuple[str, ...]] = {
    "prompt": PROMPTS,
    "system": SYSTEM,
    "id": ("id", "item_id", "idx"),
    "expected": ("expected", "label"),
    "chosen": ("chosen",),
    "rejected": ("rejected",),
    "target": ("target",),
    "is_tie": ("is_tie",),
    "constraints": ("constraints",),
    "slices": ("slices",),
}
_CATEGORY = ("category", "type", "slice", "topic")
_LANGUAGE = ("language", "lang")
_WORDS: dict[str, Expected] = {
    **{word: word for word in EXPECTED},
    "safe": "comply",
    "benign": "comply",
    "unsafe": "refuse",
    "harmful": "refuse",
}
"""Words of a column that say what is expected; any other value is asked for."""
_SHORT = 60  # characters of a value by which items are grouped
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class SuiteChoices:
    """What the user says about a file; everything left out is found out or asked.

    Attributes:
        expected: of every item; empty when a column says it.
        columns: column -> field, one of :data:`FIELDS` or ``slice:NAME``.
        values: value of the column that says what is expected -> one of ``EXPECTED``.
        encoding: of the text. part: name of the list to read of a JSON file with several.

    Raises:
        UsageError: for an unknown field or expectation.
    """

    expected: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    part: str | None = None

    def __post_init__(self) -> None:
        for wanted in (*self.values.values(), *filter(None, [self.expected])):
            if wanted not in EXPECTED:
                raise UsageError(f"A suite cannot expect {wanted!r}.", f"Use {', '.join(EXPECTED)}.")
        for column, wanted in self.columns.items():
            if wanted not in FIELDS and not (wanted.startswith("slice:") and wanted[6:].strip()):
                raise UsageError(
                    f"The column {column!r} cannot become {wanted!r}.", f"Use {', '.join(FIELDS)}, or slice:NAME."
                )


@dataclass(frozen=True, slots=True)
class SuiteColumn:
    """One column: what it becomes in words, and how many rows have something in it."""

    name: str
    becomes: str
    filled: int


@dataclass(frozen=True, slots=True)
class BoundColumns:
    """How the rows of a file are read.

    Attributes:
        fields: field -> column, for the fields that stand once.
        slices: column -> name of the slice.
        values: value of the column of ``expected``, folded -> what it means.
        expected: of every item; empty when a column says it.
        columns: every column of the file, in its order.
    """

    fields: Mapping[str, str]
    slices: Mapping[str, str]
    values: Mapping[str, Expected]
    expected: str
    columns: tuple[SuiteColumn, ...]


def bind(path: Path, rows: Sequence[Row], choices: SuiteChoices) -> BoundColumns:
    """Decide what each column becomes.

    Raises:
        OpenQuestions: something is not known; its flags are named.
        UsageError: a choice names a column that is not there, or contradicts another one.
        BadInput: no column can hold prompts.
    """
    filled: Counter[str] = Counter()
    for row in rows:
        for name, value in row.items():
            filled[str(name)] += value not in (None, "")
    for name in choices.columns:
        if name not in filled:
            raise UsageError(
                f"{path.name} has no column {name!r}.", f"It has {', '.join(map(repr, list(filled)[:_SHOWN]))}."
            )
    free = [name for name in filled if name not in choices.columns]
    fields = _chosen(choices)
    questions = _find_fields(fields, free, filled)
    expected, values, open_values = _expectation(fields, rows, choices)
    slices = _slices(choices, [name for name in free if name not in fields.values()], rows)
    questions += open_values
    if questions:
        raise ask(path, questions)
    columns = tuple(
        SuiteColumn(name, _becomes(name, fields, slices, expected), count) for name, count in filled.items()
    )
    return BoundColumns(fields, slices, values, expected, columns)


def folded(value: object) -> str:
    """Return a cell that says what is expected as it is looked up."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value).strip().casefold()


def _chosen(choices: SuiteChoices) -> dict[str, str]:
    fields: dict[str, str] = {}
    for column, wanted in choices.columns.items():
        if wanted in ("slice", "unused") or wanted.startswith("slice:"):
            continue
        if wanted in fields:
            raise UsageError(f"Two columns cannot both become {wanted}: {fields[wanted]!r} and {column!r}.")
        fields[wanted] = column
    return fields


def _find_fields(fields: dict[str, str], free: Sequence[str], filled: Counter[str]) -> list[Question]:
    """Add the columns whose names say what they are; return the question for a prompt that is not clear."""
    by_name = {name.strip().lower(): name for name in reversed(free)}
    for wanted, names in _NAMES.items():
        found = [by_name[name] for name in names if name in by_name and filled[by_name[name]]]
        if wanted in fields or not found:
            continue
        if wanted == "prompt" and "prompt" not in by_name and len(found) > 1:
            return [_which_prompt(found)]
        fields[wanted] = found[0]
    if "prompt" in fields:
        return []
    if "prompt" in by_name:
        fields["prompt"] = by_name["prompt"]  # every row will say that it is empty
        return []
    others = [name for name in free if filled[name] and name not in fields.values()]
    if not others:
        raise BadInput(
            "No column of the file holds prompts; nothing was stored.",
            "Name one with --map COLUMN=prompt. Pairs of whole conversations are imported as pairs, frozen, and made a "
            "suite with: suite from-dataset.",
        )
    return [_which_prompt(others[:_SHOWN])]


def _which_prompt(names: Sequence[str]) -> Question:
    answers = [Answer(name, f"{name} holds the prompts", _flag("--map", name, "prompt")) for name in names]
    return Question("prompt", "it is not clear which column holds the prompts.", tuple(answers))


def _expectation(
    fields: dict[str, str], rows: Sequence[Row], choices: SuiteChoices
) -> tuple[str, dict[str, Expected], list[Question]]:
    """Return what is expected of every item, or what the values of a column mean, and what is open."""
    column = fields.get("expected")
    if choices.expected:
        if column is not None:
            raise UsageError(
                f"The column {column!r} says what is expected, and {choices.expected!r} is given for all.",
                f"Leave out one of them: {_flag('--map', column, 'slice')} keeps the column as a slice.",
            )
        return choices.expected, {}, []
    if column is not None:
        return "", *_values(column, rows, choices)
    if {"chosen", "rejected"} <= fields.keys():
        return "preference", {}, []
    if "constraints" in fields:
        return "check", {}, []
    meanings = {
        "comply": "benign requests; a refusal is an over-refusal",
        "refuse": "harmful requests, to be declined",
        "open": "people judge the answers",
    }
    answers = tuple(Answer(key, meaning, f"--expected {key}") for key, meaning in meanings.items())
    return "", {}, [Question("expected", "it does not say what is expected of an answer.", answers)]


def _values(column: str, rows: Sequence[Row], choices: SuiteChoices) -> tuple[dict[str, Expected], list[Question]]:
    meant: dict[str, Expected] = dict(_WORDS)
    meant |= {folded(value): cast(Expected, wanted) for value, wanted in choices.values.items()}
    cells = (row.get(column) for row in rows)
    counts = Counter(folded(cell) for cell in cells if isinstance(cell, str | int | float) and cell != "")
    known: dict[str, Expected] = {value: meant[value] for value in counts if value in meant}
    unknown = [value for value, _ in counts.most_common() if value not in known]
    if not unknown:
        return known, []
    shown = ", ".join(f"{value[:_SHORT]!r} ({counts[value]:,} times)" for value in unknown[:_SHOWN])
    more = ", ..." if len(unknown) > _SHOWN else ""
    answers = (
        Answer("values", "for each of these values", _flag("--value", unknown[0][:_SHORT], "comply|refuse|open")),
        Answer("slice", "it only groups the items", f"{_flag('--map', column, 'slice')} --expected comply|refuse|open"),
    )
    sentence = f"it is not known what {shown}{more} in the column {column!r} ask of an answer."
    return known, [Question("values", sentence, answers)]


def _slices(choices: SuiteChoices, free: Sequence[str], rows: Sequence[Row]) -> dict[str, str]:
    """Return the columns by which items are grouped: those chosen, and category and language by their names."""
    slices: dict[str, str] = {}
    for column, wanted in choices.columns.items():
        if wanted == "slice" or wanted.startswith("slice:"):
            slices[column] = wanted[6:].strip() or column
    by_name = {name.strip().lower(): name for name in reversed(free)}
    for slice_name, names in (("category", _CATEGORY), ("language", _LANGUAGE)):
        found = [by_name[name] for name in names if name in by_name]
        if slice_name not in slices.values() and found and all(_is_short(row.get(found[0])) for row in rows):
            slices[found[0]] = slice_name
    return slices


def _is_short(value: object) -> bool:
    return value is None or isinstance(value, int | float) or (isinstance(value, str) and len(value) <= _SHORT)


def _becomes(name: str, fields: Mapping[str, str], slices: Mapping[str, str], expected: str) -> str:
    if name in slices:
        return f"slice {slices[name]}"
    field_ = next((key for key, column in fields.items() if column == name), "unused")
    if field_ in ("chosen", "rejected", "target", "is_tie") and expected not in ("", "preference"):
        return "nothing"
    return field_ if field_ != "unused" else "nothing"


def _flag(flag: str, name: str, value: str) -> str:
    return f"{flag} {shlex.quote(f'{name}={value}')}"
