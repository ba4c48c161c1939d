"""From an order of several answers to pairs of two: the best against each other one, or every pair that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.domain.conversation import Prompt
from core.domain.counting import counted
from core.domain.pair import Response
from core.services.importing.formats.codings import side_label
from core.services.importing.limits import RowRejected
from core.services.importing.reading import Answer, PairChoice, Question
from core.services.importing.rows import ParsedLabel, ParsedPair

MOST_ANSWERS = 64
"""Answers to one prompt; every pair of more would be thousands of pairs a row."""


def pairs_offer(default: PairChoice) -> Question:
    """Return the choice which pairs a ranked list gives."""
    answers = (
        Answer("best", "the best answer with each other one, equal ranks being a tie", "--pairs best"),
        Answer("decisive", "every two answers with different ranks", "--pairs decisive"),
    )
    return Question("pairs", "Which answers of a ranked list make pairs?", answers, default)


@dataclass(frozen=True, slots=True)
class AnswerOrder:
    """How one reviewer orders the answers.

    Attributes:
        ranks: index of an answer -> its rank, the lower the better; answers without a rank are not judged.
        reviewer: empty where the file has only one.
    """

    ranks: Mapping[int, float]
    reviewer: str = ""


def ranked_pairs(
    prompt: Prompt,
    answers: Sequence[Response],
    rankings: Sequence[AnswerOrder],
    choice: PairChoice,
    labels: Sequence[ParsedLabel] = (),
) -> list[ParsedPair]:
    """Return the pairs that the rankings decide, each with a label of every reviewer who ranks both answers.

    Two answers are one pair, labelled or not. Of more answers, ``best`` pairs each reviewer's best with each other one,
    equal ranks being a tie; ``decisive`` takes every two with different ranks. Without a ranking the first answer is
    paired with each other one. The answer that the first reviewer prefers stands first.

    Args:
        prompt: of the answers.
        answers: in the order of the file.
        rankings: of the reviewers; those that rank fewer than two of the answers say nothing.
        choice: which pairs to take of more than two answers.
        labels: further labels of the one pair that two answers make, the first answer being the file's first.

    Raises:
        RowRejected: for fewer than two different answers, for too many, or when no two are ranked differently.
    """
    kept = _different(answers)
    if len(kept) < 2:
        raise RowRejected("all answers are the same text" if len(answers) > 1 else "it has fewer than two answers")
    if len(kept) > MOST_ANSWERS:
        raise RowRejected(f"it has {counted(len(kept), 'answer')}, more than the {MOST_ANSWERS} allowed")
    if len(kept) == 2 or not any(ranking.ranks for ranking in rankings):
        wanted = [(kept[0], other) for other in kept[1:]]
    elif choice == "best":
        wanted = list(dict.fromkeys(pair for ranking in rankings for pair in _with_best(ranking, kept)))
    else:
        wanted = [(i, j) for n, i in enumerate(kept) for j in kept[n + 1 :] if _decides(rankings, i, j)]
    if not wanted:
        raise RowRejected("no two of its answers are ranked differently")
    if labels and len(kept) == 2:
        return [_labelled(prompt, answers, kept[0], kept[1], rankings, labels)]
    return [_pair(prompt, answers, i, j, rankings) for i, j in wanted]


def _different(answers: Sequence[Response]) -> list[int]:
    """Return the indices of the answers, of equal texts the first."""
    seen: dict[str, int] = {}
    for index, answer in enumerate(answers):
        seen.setdefault(answer.text, index)
    return list(seen.values())


def _with_best(ranking: AnswerOrder, kept: Sequence[int]) -> Iterator[tuple[int, int]]:
    ranked = [index for index in kept if index in ranking.ranks]
    if len(ranked) < 2:
        return
    best = min(ranked, key=lambda index: ranking.ranks[index])
    for other in ranked:
        if other != best:
            yield min(best, other), max(best, other)


def _decides(rankings: Sequence[AnswerOrder], i: int, j: int) -> bool:
    return any(i in r.ranks and j in r.ranks and r.ranks[i] != r.ranks[j] for r in rankings)


def _pair(prompt: Prompt, answers: Sequence[Response], i: int, j: int, rankings: Sequence[AnswerOrder]) -> ParsedPair:
    judged = [ranking for ranking in rankings if i in ranking.ranks and j in ranking.ranks]
    if judged and judged[0].ranks[j] < judged[0].ranks[i]:
        i, j = j, i
    return ParsedPair(prompt, answers[i], answers[j], tuple(_label(ranking, i, j) for ranking in judged))


def _labelled(
    prompt: Prompt,
    answers: Sequence[Response],
    i: int,
    j: int,
    rankings: Sequence[AnswerOrder],
    labels: Sequence[ParsedLabel],
) -> ParsedPair:
    ranked = tuple(_label(ranking, i, j) for ranking in rankings if i in ranking.ranks and j in ranking.ranks)
    return ParsedPair(prompt, answers[i], answers[j], (*ranked, *labels))


def _label(ranking: AnswerOrder, i: int, j: int) -> ParsedLabel:
    one, other = ranking.ranks[i], ranking.ranks[j]
    return side_label((other < one) - (one < other), ranking.reviewer)
