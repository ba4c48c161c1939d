"""Cutting the prompt off answers that repeat it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.domain.errors import UsageError
from core.domain.pair import Response
from core.domain.text_flags import without_prompt
from core.services.importing.formats.sample import Row
from core.services.importing.reading import Answer, Choices, Question
from core.services.importing.rows import ParsedPair

OFFER = Question(
    "cut_prompt",
    "Answers begin with their prompt.",
    (
        Answer("no", "they are stored as they are", "--answer cut_prompt=no"),
        Answer("yes", "the prompt is cut off them", "--cut-prompt"),
    ),
    "no",
)
Convert = Callable[[Row], list[ParsedPair]]
QUESTION, YES, NO = "cut_prompt", "yes", "no"


def wants_cut(choices: Choices) -> bool:
    """Say whether the user wants the prompt cut off answers that repeat it.

    Raises:
        UsageError: for another answer than yes or no.
    """
    said = choices.answers.get(QUESTION, NO)
    if said not in (YES, NO):
        raise UsageError(f"{QUESTION} cannot be {said!r}.", f"Use {YES} or {NO}.")
    return said == YES


def cutting(convert: Convert) -> Convert:
    """Return what converts a row and cuts the prompt off the answers."""
    return lambda row: [_cut(pair) for pair in convert(row)]


def _cut(pair: ParsedPair) -> ParsedPair:
    question = pair.prompt.last_text
    first, second = (_without(question, response) for response in (pair.first, pair.second))
    if first is pair.first and second is pair.second:
        return pair
    return replace(pair, first=first, second=second)


def _without(question: str, response: Response) -> Response:
    text = without_prompt(question, response.text)
    return response if text == response.text else replace(response, text=text)
