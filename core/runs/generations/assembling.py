"""From stored answers to pairs: which answers belong together, their margins, and why a pair may be left out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.domain.evaluation_events import AnswerRow, ScoreRow
from core.domain.generated_pairs import GeneratedAnswer, GeneratedPair
from core.domain.generation import LeaveReason, PairGeneration
from core.domain.suite import SuiteItem
from core.domain.text_form import collapsed
from core.runs.evaluations.ledger import EvaluationLedger

_WORD = re.compile(r"\w+")


def made_pairs(
    ledger: EvaluationLedger, record: PairGeneration, items: Sequence[SuiteItem]
) -> dict[str, GeneratedPair]:
    """Return the pair of each item that both sides answered, by the item's id, in the order of the items."""
    a, b = ({row.item: row for row in ledger.answers(side.letter, side.name)} for side in record.sides)
    return {
        item.id: GeneratedPair(
            item.prompt, int(item.id.rpartition(".")[2]), answer_of(a[item.id]), answer_of(b[item.id])
        )
        for item in items
        if item.id in a and item.id in b
    }


def with_margins(
    pairs: Mapping[str, GeneratedPair], scores: Mapping[str, Sequence[Sequence[ScoreRow]]]
) -> dict[str, GeneratedPair]:
    """Return the pairs with what each side's run says of them.

    Args:
        pairs: by the item's id.
        scores: by the letter of a side, the log-probs of both answers under policy and under reference, nats; A stands
            as the chosen answer.
    """
    found = {key: dict[str, float]() for key in pairs}
    for letter, (policy, reference) in scores.items():
        known = {row.item: row for row in reference}
        for row in policy:
            if row.item in known and row.item in found:
                found[row.item][letter] = h_difference(row, known[row.item])
    return {key: replace(pair, margins=found[key]) for key, pair in pairs.items()}


def h_difference(policy: ScoreRow, reference: ScoreRow) -> float:
    """Return the displacement of the first answer minus that of the second, nats."""
    first = policy.logp_chosen - reference.logp_chosen
    return first - (policy.logp_rejected - reference.logp_rejected)


def assembled(pair: GeneratedPair, nearly: float) -> GeneratedPair:
    """Return the pair with all reasons to leave it out.

    Args:
        pair: two answers.
        nearly: Jaccard similarity of the sets of words from which answers that differ count as nearly equal.
    """
    a, b = pair.a, pair.b
    equal = collapsed(a.text) == collapsed(b.text)
    told: dict[LeaveReason, bool] = {
        "equal": equal,
        "nearly_equal": not equal and word_similarity(a.text, b.text) >= nearly,
        "empty": not (collapsed(a.text) and collapsed(b.text)),
        "truncated": not (a.finished and b.finished),
    }
    return replace(pair, reasons=tuple(reason for reason, holds in told.items() if holds))


def word_similarity(first: str, second: str) -> float:
    """Return the Jaccard similarity of the sets of words of two texts, whatever their case: |X and Y| / |X or Y|.

    >>> word_similarity("Wipe the chain.", "wipe the old chain"), word_similarity("", "one")
    (0.75, 0.0)
    """
    x, y = (frozenset(_WORD.findall(text.casefold())) for text in (first, second))
    return len(x & y) / len(x | y) if x | y else 0.0


def answer_of(row: AnswerRow) -> GeneratedAnswer:
    """Return a stored answer as one of a pair."""
    return GeneratedAnswer(row.text, row.tokens, row.finished, row.seed, row.prompt_tokens, row.dropped_turns)
