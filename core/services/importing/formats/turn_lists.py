"""Tables whose prompt and answers are lists with one text for each turn, as in LMArena's table on Kaggle."""

from __future__ import annotations

from collections.abc import Callable

from core.domain.conversation import Message, Prompt
from core.domain.counting import counted
from core.services.importing.formats.columns import prompt_column
from core.services.importing.formats.sample import Row, Sample
from core.services.importing.formats.transcripts import split_answers
from core.services.importing.limits import Limits, RowRejected, check_text, describe_type, parse_json


def turn_splitter(
    sample: Sample, answers: tuple[str, str], limits: Limits
) -> Callable[[Row], tuple[Prompt, str, str]] | None:
    """Return what splits a row into the shared turns and the two last answers; None where a column holds no lists."""
    asked = prompt_column(sample)
    if asked is None or not all(_all_lists(sample, name, limits) for name in (asked, *answers)):
        return None

    def split(row: Row) -> tuple[Prompt, str, str]:
        questions = _texts(row.get(asked), asked, limits)
        one, other = (_talk(questions, _texts(row.get(name), name, limits), name) for name in answers)
        return split_answers(one, other)

    return split


def _all_lists(sample: Sample, name: str, limits: Limits) -> bool:
    values = [value for value in sample.values(name) if value not in (None, "")]
    return bool(values) and all(_is_list(value, limits) for value in values)


def _is_list(value: object, limits: Limits) -> bool:
    if isinstance(value, str):
        if not value.startswith("["):
            return False
        try:
            value = parse_json(value, limits)
        except RowRejected:
            return False
    return isinstance(value, list) and all(isinstance(item, str | None) for item in value)


def _texts(value: object, name: str, limits: Limits) -> list[str]:
    if isinstance(value, str) and value.startswith("["):
        value = parse_json(value, limits)
    if not isinstance(value, list):
        raise RowRejected(f"{name} is {describe_type(value)}, not a list of texts")
    return [check_text(item, f"turn {number} of {name}", limits) for number, item in enumerate(value, 1)]


def _talk(questions: list[str], answers: list[str], name: str) -> list[Message]:
    if not questions or len(questions) != len(answers):
        raise RowRejected(f"{name} has {counted(len(answers), 'turn')} for {counted(len(questions), 'question')}")
    turns = zip(questions, answers, strict=True)
    return [message for asked, said in turns for message in (Message("user", asked), Message("assistant", said))]
