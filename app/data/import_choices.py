"""What the user says about a file to import: plain changes of ``Choices``, and why an import cannot start yet."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.domain.counting import counted
from core.services.importing.flag_actions import KEEP
from core.services.importing.reading import Choices, ColumnUse, Question

if TYPE_CHECKING:
    from core.services.importing.report import ImportPreview

CONSENT = (("unknown", "Not known"), ("granted", "Granted"), ("withdrawn", "Withdrawn"))
READS = (
    ("first", "First wins"),
    ("second", "Second wins"),
    ("tie", "Tie"),
    ("neither", "Neither valid"),
    ("no label", "No label"),
)
"""What a value of a label column can be read as, and its words."""
FIELD_WORDS = {
    "prompt": "Prompt",
    "chosen": "Chosen answer",
    "rejected": "Rejected answer",
    "first": "First answer",
    "second": "Second answer",
    "answers": "Answers",
    "label": "Label",
    "reviewer": "Reviewer",
    "score_first": "Score of the first",
    "score_second": "Score of the second",
    "scores": "Scores",
    "model_first": "Model of the first",
    "model_second": "Model of the second",
    "system": "System prompt",
    "unused": "Unused",
}
"""The fields a column can be read as, in words."""
_TURNED = {
    "first_is_1": "second_is_1",
    "signed": "signed_first_positive",
    "scale_5": "scale_5_reversed",
    "scale_7": "scale_7_reversed",
}
_TURNED.update({other: one for one, other in _TURNED.items()})
SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".ndjson")
PACKED = (".gz", ".zst")


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the page asks for; the names are those of ``ImportsService.run``.

    Attributes:
        choices: how the file is read where the user said so.
        name: of the source, None for a name made from the file's.
        licence: of the source, free text.
        consent: of the people who wrote it: granted, unknown or withdrawn.
    """

    choices: Choices = field(default_factory=Choices)
    name: str | None = None
    licence: str = ""
    consent: str = "unknown"


def with_answer(choices: Choices, question: str, answer: str | None) -> Choices:
    """Return the choices with an answer to a question, or without one."""
    if question == "coding":
        return replace(choices, coding=answer, values={})
    if question == "pairs":
        return replace(choices, pairs=answer)  # type: ignore[arg-type]
    if question in ("encoding", "part"):
        return replace(choices, **{question: answer})
    rest = {key: value for key, value in choices.answers.items() if key != question}
    return replace(choices, answers=rest if answer is None else {**rest, question: answer})


def answer_of(choices: Choices, question: str) -> str | None:
    """Return the answer that was given to a question."""
    if question in ("coding", "pairs", "encoding", "part"):
        return getattr(choices, question)
    return choices.answers.get(question)


def with_column(choices: Choices, column: str, field_key: str | None) -> Choices:
    """Return the choices with a column read as a field, or as it was recognised."""
    rest = {key: value for key, value in choices.columns.items() if key != column}
    return replace(choices, columns=rest if field_key is None else {**rest, column: field_key})


def with_flag_action(choices: Choices, flag: str, action: Any) -> Choices:
    """Return the choices with what is done with pairs that carry a text flag."""
    rest = {key: value for key, value in choices.flag_actions.items() if key != flag}
    return replace(choices, flag_actions=rest if action == KEEP else {**rest, flag: action})


def with_value(choices: Choices, preview: ImportPreview, value: str, reads: Any) -> Choices:
    """Return the choices with a value of the label column read as a verdict."""
    return replace(choices, coding=None, values={**_by_value(choices, preview), value: reads})


def swapped(choices: Choices, preview: ImportPreview) -> Choices:
    """Return the choices with first and second answer turned round in every value of the label columns.

    Where another coding says just that, it is taken: it keeps how much better an answer is.
    """
    if choices.coding in _TURNED and not choices.values:
        return replace(choices, coding=_TURNED[choices.coding])
    coding = preview.reading.coding
    turned: dict[str, Any] = {"first": "second", "second": "first"}
    uses = coding.values if coding is not None else ()
    values = {use.value: turned[use.reads] for use in uses if use.reads in turned}
    return replace(choices, coding=None, values={**_by_value(choices, preview), **values})


def _by_value(choices: Choices, preview: ImportPreview) -> dict[str, Any]:
    """Return what the values are read as, one by one: a coding of numbers and single values exclude each other."""
    coding = preview.reading.coding
    if choices.coding is None or coding is None:
        return dict(choices.values)
    plain = {key for key, _ in READS}
    numbers = {use.value: use.reads for use in coding.values if use.reads in plain and _is_number(use.value)}
    return {**numbers, **choices.values}


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return value.lower() in ("true", "false")
    return True


def command_line(workspace: Path, path: Path, options: ImportOptions) -> str:
    """Return the command that imports a file the same way."""
    choices, words = options.choices, ["pairwright", "import", str(workspace), str(path)]
    for option, value in (
        ("--format", choices.fmt),
        ("--coding", choices.coding),
        ("--pairs", choices.pairs),
        ("--encoding", choices.encoding),
        ("--list", choices.part),
        ("--reviewer-columns", ",".join(choices.reviewer_columns)),
        ("--name", options.name),
        ("--licence", options.licence),
        ("--consent", options.consent),
    ):
        words += [option, value] if value else []
    for option, table in (
        ("--map", choices.columns),
        ("--value", choices.values),
        ("--answer", choices.answers),
        ("--flag", choices.flag_actions),
    ):
        for key, value in table.items():
            words += [option, f"{key}={'none' if value == 'no label' else value}"]
    return shlex.join(words)


def why_not(preview: ImportPreview | None, questions: Sequence[Question]) -> str:
    """Return why the import cannot start, or nothing."""
    if preview is None:
        return "The file is being read."
    if questions:
        return "Answer the question first." if len(questions) == 1 else f"Answer {len(questions)} questions first."
    return "" if preview.good else "No row of this file can be used as it is read now."


def column_summary(columns: Sequence[ColumnUse], unused: Sequence[ColumnUse]) -> str:
    """Return how many columns are used, and the names of those that are not.

    >>> from core.services.importing.reading import ColumnRole
    >>> column_summary([ColumnUse("q", ColumnRole.PROMPT, 3)], [])
    '1 column, all used'
    """
    count = counted(len(columns), "column")
    if not unused:
        return f"{count}, all used"
    names = ", ".join(use.name for use in unused[:6]) + (", …" if len(unused) > 6 else "")
    return f"{count}, {len(unused):,} unused: {names}"


def files_in(folder: Path) -> list[Path]:
    """Return the files of a folder that an import may read, by name."""
    return sorted(path for path in folder.iterdir() if path.is_file() and _readable(path))


def _readable(path: Path) -> bool:
    names = path.name.lower()
    for packed in PACKED:
        names = names.removesuffix(packed)
    return names.endswith(SUFFIXES) and not path.name.startswith(".") and ".manifest." not in path.name
