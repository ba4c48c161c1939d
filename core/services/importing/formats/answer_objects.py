"""Records whose chosen and rejected answers are objects, such as ``{"answer": ..., "score": ..., "actions": ...}``."""

from __future__ import annotations

from core.domain.errors import UsageError
from core.services.importing.formats.chosen_rejected import ANSWERS, answer_roles, chosen_pair
from core.services.importing.formats.column_reader import ColumnReader
from core.services.importing.formats.columns import Provenance, prompt_reader
from core.services.importing.formats.row_format import BoundFormat, RowFormat
from core.services.importing.formats.sample import Row, Sample
from core.services.importing.limits import Limits, RowRejected, check_text, describe_type
from core.services.importing.reading import Answer, Question
from core.services.importing.rows import ParsedPair

_QUESTION = "answer_key"


def bind_objects(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to a prompt and two objects; which of their keys is the answer is asked where several hold texts."""
    names, prompt = sample.pick_pair(ANSWERS), prompt_reader(sample, limits)
    if names is None or prompt is None:
        return None
    first, second = (ColumnReader.of(sample, name, limits) for name in names)
    if not (first.shape.objects and second.shape.objects):
        return None
    keys = _text_keys(sample, names)
    if not keys:
        return None
    key = sample.choices.answers.get(_QUESTION)
    if key is not None and key not in keys:
        raise UsageError(
            f"{names[0]} and {names[1]} have no key {key!r} with a text.", f"Use one of {', '.join(keys)}."
        )
    asked = key is None and len(keys) > 1
    key = key or keys[0]
    provenance = Provenance.of(sample)

    def convert(row: Row) -> list[ParsedPair]:
        chosen, rejected = (_text(row.get(name), name, key, limits) for name in names)
        return [chosen_pair(prompt(row), chosen, rejected, provenance, row)]

    held = f"{names[0]} and {names[1]} are objects with the keys {', '.join(first.shape.keys)}"
    note = f"{held}; the answer is {key}, the other keys are not kept"
    return BoundFormat(convert, (note,), roles=answer_roles(names), questions=(_question(held, keys),) if asked else ())


def _text_keys(sample: Sample, names: tuple[str, str]) -> list[str]:
    """Return the keys that hold texts in both answers of most rows, the commonest first."""
    counts: dict[str, int] = {}
    for row in sample.rows:
        one, other = row.get(names[0]), row.get(names[1])
        if isinstance(one, dict) and isinstance(other, dict):
            for name in one:
                if isinstance(one[name], str) and isinstance(other.get(name), str):
                    counts[name] = counts.get(name, 0) + 1
    return [name for name in counts if 2 * counts[name] >= len(sample.rows)]


def _text(value: object, name: str, key: str, limits: Limits) -> str:
    if not isinstance(value, dict):
        raise RowRejected(f"{name} is {describe_type(value)}, not an object with the key {key}")
    return check_text(value.get(key), f"{name}.{key}", limits)


def _question(held: str, keys: list[str]) -> Question:
    answers = tuple(Answer(key, f"{key} is the answer", f"--answer {_QUESTION}={key}") for key in keys)
    return Question(_QUESTION, f"{held}; which of them is the answer?", answers)


FORMATS = (
    RowFormat(
        "objects", "Answers as objects", "a prompt; chosen and rejected are objects with a text", 0.96, bind_objects
    ),
)
