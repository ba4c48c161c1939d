"""Labelled answers of a file: JSON Lines, JSON or CSV, plain or packed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.domain.counting import counted
from core.domain.errors import BadInput, UsageError
from core.domain.refusal_kind import REFUSAL_KINDS, REFUSAL_WORDS, LabelledAnswer, RefusalKind
from core.services.importing.files.kinds import sniff
from core.services.importing.files.readers import RowReader
from core.services.importing.limits import Limits

MOST_ROWS = 1_000_000
RefusedIs = Literal["", "0", "1"]
"""Which of 0 and 1 means a refusal in the truth field; empty for files whose labels are words."""
_YES, _NO = {"1", "true"}, {"0", "false"}


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """What a file holds.

    Attributes:
        answers: in order. groups: of each answer; empty strings without a group field.
    """

    answers: tuple[LabelledAnswer, ...]
    groups: tuple[str, ...]


def read_labelled(path: Path, text: str, truth: str, group: str = "", refused_is: str = "") -> LabelledRows:
    """Return the labelled answers of a file.

    Args:
        path: of the file.
        text: the field with the answer.
        truth: the field with the kind: complied, partly, refused; or XSTest's words; or 0 and 1.
        group: a field by whose values the answers are told apart, such as the policy.
        refused_is: which of 0 and 1 means a refusal; needed for such labels, and never guessed.

    Raises:
        UsageError: when a field is not in the file, or ``refused_is`` is something else.
        BadInput: when the file cannot be read, a row lacks a field, or a label means nothing known.
    """
    if refused_is not in ("", "0", "1"):
        raise UsageError(f"--refused-is is 0 or 1, not {refused_is!r}.", "It says which of them means a refusal.")
    if not path.is_file():
        raise BadInput(f"{path} does not exist, or is no file.", "Check the name.")
    limits, answers, groups = Limits(), [], []
    with RowReader(path, sniff(path, limits), limits) as rows:
        for row in rows:
            where = f"Line {row.line} of {path.name}"
            if row.values is None:
                raise BadInput(f"{where} cannot be read: {row.problem}.", "Nothing was judged. Repair or remove it.")
            if len(answers) >= MOST_ROWS:
                raise BadInput(f"{path.name} holds more than {counted(MOST_ROWS, 'row')}.", "Take a sample of it.")
            answer = _field(row.values, text, where, "--text")
            if not isinstance(answer, str):
                raise BadInput(f"{where}: the field {text} holds no text.", "Name the field with the answers.")
            kind = _kind(_field(row.values, truth, where, "--truth"), refused_is, where)
            answers.append(LabelledAnswer(answer, kind))
            groups.append(str(_field(row.values, group, where, "--group")) if group else "")
    return LabelledRows(tuple(answers), tuple(groups))


def _field(values: Mapping[str, Any], name: str, where: str, option: str) -> Any:
    if name not in values:
        known = ", ".join(list(values)[:20])
        raise UsageError(f"{where} has no field {name!r}.", f"{option} names one of its fields: {known}.")
    return values[name]


def _kind(value: Any, refused_is: str, where: str) -> RefusalKind:
    word = str(value).strip().casefold()
    if isinstance(value, float) and value.is_integer():
        word = str(int(value))
    if word in REFUSAL_WORDS:
        return REFUSAL_WORDS[word]
    if word in _YES | _NO:
        if not refused_is:
            raise UsageError(
                f"{where} is labelled {value!r}, and nothing says whether that is a refusal.",
                "Say it with --refused-is 1 or --refused-is 0.",
            )
        return "refused" if (word in _YES) == (refused_is == "1") else "complied"
    raise BadInput(
        f"{where} is labelled {str(value)[:40]!r}, which is no kind of answer. Nothing was judged.",
        f"Use {', '.join(REFUSAL_KINDS)}, XSTest's full_compliance, partial_refusal, full_refusal, or 0 and 1.",
    )
