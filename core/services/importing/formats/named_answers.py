"""The fields of a record of an annotation tool: which is the prompt, which are the answers that a verdict names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.domain.conversation import Prompt
from core.domain.counting import counted
from core.domain.pair import Response
from core.services.importing.formats.messages import read_answer, read_prompt
from core.services.importing.formats.rankings import AnswerOrder
from core.services.importing.formats.verdicts import label_of
from core.services.importing.limits import Limits, RowRejected
from core.services.importing.reading import Remarks
from core.services.importing.rows import ParsedLabel

_PROMPTS = ("prompt", "instruction", "question", "query", "input", "request", "context", "text", "source", "document")
_NUMBERED = re.compile(r"(?P<stem>.*?[^\W\d_])[-_ ]?(?P<number>\d{1,2}|[a-d])")
_SIDES = (("chosen", "rejected"), ("left", "right"))


def plain_name(name: object) -> str:
    """Return a name as it is compared: the tools write ``response-1`` and ``response_1`` for the same field."""
    return re.sub(r"[-_ ]", "", str(name).lower())


@dataclass(frozen=True, slots=True)
class NamedAnswers:
    """The fields of the records of one file.

    Attributes:
        prompt: field with the prompt.
        answers: fields with the answers, in order.
    """

    prompt: str
    answers: tuple[str, ...]

    @classmethod
    def find(cls, names: Sequence[str], said: Iterable[object] = ()) -> NamedAnswers | None:
        """Return which of some fields are prompt and answers; None when they cannot be told.

        Args:
            names: of the fields.
            said: values of verdicts, which may be the names of the answers.
        """
        wanted = {plain_name(value) for value in said}
        answers = [name for name in names if plain_name(name) in wanted]
        if len(answers) < 2:
            answers = _numbered(names) or next(
                (
                    [n for n in names if n.lower() in pair]
                    for pair in _SIDES
                    if sum(n.lower() in pair for n in names) == 2
                ),
                [],
            )
        left = {name.lower(): name for name in names if name not in answers}
        prompt = next((left[name] for name in _PROMPTS if name in left), None)
        if prompt is None and len(left) == 1:
            prompt = next(iter(left.values()))
        return cls(prompt, tuple(answers)) if prompt is not None and len(answers) > 1 else None

    def texts(self, fields: Mapping[str, object], limits: Limits, remarks: Remarks) -> tuple[Prompt, list[Response]]:
        """Return prompt and answers of a record; an answer field that is empty is left out.

        Raises:
            RowRejected: for what is no text.
        """
        prompt = read_prompt(fields.get(self.prompt), self.prompt, limits, remarks)
        found = [(name, fields.get(name)) for name in self.answers]
        if len(found) > 2:
            found = [(name, value) for name, value in found if value is not None]
        return prompt, [Response(read_answer(value, name, limits, remarks)) for name, value in found]

    def index(self, name: object) -> int | None:
        """Return which answer a verdict names, or None."""
        wanted = plain_name(name)
        return next((i for i, answer in enumerate(self.answers) if plain_name(answer) == wanted), None)


def verdict_of(value: object, answers: NamedAnswers, name: str, reviewer: str) -> AnswerOrder | ParsedLabel | None:
    """Return what one answer to a question says of the texts; None when it says nothing of them.

    A list is an order, the best first, unless its items bring ranks of their own. The name of an answer makes it the
    best.

    Raises:
        RowRejected: for a word that names no answer.
    """
    if isinstance(value, dict):
        if isinstance(value.get("value"), list) and isinstance(value.get("rank"), list):
            pairs = [{"value": v, "rank": r} for v, r in zip(value["value"], value["rank"], strict=False)]
            return verdict_of(pairs, answers, name, reviewer)
        return verdict_of(value.get("value"), answers, name, reviewer) if "value" in value else None
    if isinstance(value, list):
        if len(value) == 1 and not isinstance(value[0], dict):
            return verdict_of(value[0], answers, name, reviewer)
        ranks = _ranks(value, answers)
        return AnswerOrder(ranks, reviewer) if len(ranks) > 1 else None
    if not isinstance(value, str) or not value.strip():
        return None
    best = answers.index(value)
    if best is not None:
        return AnswerOrder({i: int(i != best) for i in range(len(answers.answers))}, reviewer)
    label = label_of(value, name, reviewer)
    if label is not None and len(answers.answers) != 2:
        raise RowRejected(
            f"{name} is {value.strip()[:40]!r}, which names none of {counted(len(answers.answers), 'answer')}"
        )
    return label


def _ranks(items: Sequence[object], answers: NamedAnswers) -> dict[int, float]:
    found: dict[int, float] = {}
    for place, item in enumerate(items):
        rank: object = place
        if isinstance(item, dict):
            item, rank = item.get("value"), item.get("rank", place)
        index = answers.index(item)
        if index is not None and isinstance(rank, int | float) and not isinstance(rank, bool):
            found[index] = rank
    return found


def _numbered(names: Sequence[str]) -> list[str]:
    """Return the fields that differ only in a number or letter at the end, such as response_1 and response_2."""
    groups: dict[str, list[str]] = {}
    for name in names:
        if found := _NUMBERED.fullmatch(name.lower()):
            groups.setdefault(found["stem"], []).append(name)
    return next((group for group in groups.values() if len(group) > 1), [])
