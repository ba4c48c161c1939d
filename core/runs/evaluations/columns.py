"""Columns: one value of one metric for each item of a suite, by arm. Every number of the evidence is made of them.

A column of kind "share" holds 0, 1/2 (a tie) or 1; one of kind "mean" holds numbers with a unit. Items without a value
(an answer that an arm could not give) are not in the column, so that two arms are compared on the items that both have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from core.domain.evaluation_events import AnswerRow, KlRow, ScoreRow
from core.domain.evaluation_record import Arm
from core.domain.suite import SuiteItem
from core.domain.text_language import LANGUAGES, text_language
from core.evaluation.measures.degeneration import distinct, is_empty, repetition, switches_language

Kind = Literal["share", "mean"]
_PER_TOKEN = "nats a token"
SIMILARITY_UNIT = "squared hidden units"


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one metric under one arm.

    Attributes:
        metric: its name in the evidence.
        what: begins the words of the estimator.
        values: by item id.
        unit: of the values; "" for a share.
        is_primary: whether the paired difference to the reference is tested with the others of its suite.
    """

    metric: str
    kind: Kind
    what: str
    values: Mapping[str, float]
    unit: str = ""
    is_primary: bool = False


@dataclass(frozen=True, slots=True)
class ArmRows:
    """What the ledger holds of one arm and suite, by item id."""

    arm: Arm
    answers: Mapping[str, AnswerRow] = field(default_factory=dict)
    scores: Mapping[str, ScoreRow] = field(default_factory=dict)
    kl: Mapping[str, KlRow] = field(default_factory=dict)


def answer_columns(rows: ArmRows, items: Sequence[SuiteItem] = ()) -> list[Column]:
    """Return the columns that every answered suite has: length, end, language and repeats of the answers.

    A measure that no answer is long enough for has none.
    """
    answers = rows.answers
    if not answers:
        return []
    lengths = {id_: float(row.tokens) for id_, row in answers.items()}
    again = {id_: repetition(row.text) for id_, row in answers.items()}
    different = {id_: distinct(row.text) for id_, row in answers.items()}
    ended = {id_: float(row.finished) for id_, row in answers.items()}
    empty = {id_: float(is_empty(row.text)) for id_, row in answers.items()}
    asked = {item.id: _language(item) for item in items}
    switched = _known({i: switches_language(row.text, asked.get(i, "")) for i, row in answers.items()})
    other = Column("other_language", "share", "share of answers in another language than the request", switched)
    found = [
        Column("length", "mean", "mean length of an answer", lengths, "tokens", is_primary=True),
        Column("finished", "share", "share of answers that end by themselves", ended),
        Column("repetition", "mean", "mean share of repeated 4-grams in an answer", _known(again)),
        Column("distinct_2", "mean", "mean share of different 2-grams in an answer", _known(different)),
        Column("empty", "share", "share of answers without a word", empty),
        other,
    ]
    return [column for column in found if column.values]


def _language(item: SuiteItem) -> str:
    """Return the code of the language that an answer is expected in; "" where a constraint or the text leaves it open.

    A request that asks for an answer in a language by a constraint is judged by that constraint.
    """
    if any(constraint.kind == "language" for constraint in item.constraints):
        return ""
    said = item.slices.get("language", "")
    found = said if said in LANGUAGES else text_language(item.prompt.last_text)
    return found if found in LANGUAGES else ""


def _known(values: Mapping[str, float]) -> dict[str, float]:
    """Return the values that are numbers: a short answer has none."""
    return {id_: value for id_, value in values.items() if math.isfinite(value)}


def kl_columns(rows: ArmRows) -> list[Column]:
    """Return the columns of the sequence KL(arm || reference) and of the entropy along the same answers."""
    if not rows.kl:
        return []
    spread = _known({id_: row.entropy / row.tokens for id_, row in rows.kl.items() if row.tokens})
    change = {i: spread[i] - rows.kl[i].reference_entropy / rows.kl[i].tokens for i in spread}
    entropy = [
        Column("entropy", "mean", "mean entropy of the next token, of an answer of the policy", spread, _PER_TOKEN),
        Column("entropy_change", "mean", "mean entropy minus the reference's at the same places", change, _PER_TOKEN),
    ]
    horizon = "KL(policy || reference) of sampled answers, Rao-Blackwellised"
    return [
        Column("sequence_kl", "mean", horizon, {id_: row.rb for id_, row in rows.kl.items()}, "nats"),
        Column("kl_cut", "share", "share of these answers that the horizon cut",
               {id_: float(not row.finished) for id_, row in rows.kl.items()}),
        *(entropy if spread else []),
    ]  # fmt: skip


def text_columns(rows: ArmRows, items: Sequence[SuiteItem]) -> list[Column]:
    """Return the column of neutral texts: how unlikely a token of a text is, which a policy should leave as it was."""
    neutral = {item.id for item in items if item.expected == "neutral"}
    known = {id_: row for id_, row in rows.scores.items() if id_ in neutral and row.tokens_chosen}
    if not known:
        return []
    what = "mean negative log-prob of a token of a neutral text"
    unlikely = {id_: -row.logp_chosen / row.tokens_chosen for id_, row in known.items()}
    return [Column("neutral_nll", "mean", what, unlikely, _PER_TOKEN, is_primary=True)]


def preference_columns(rows: ArmRows, reference: ArmRows, items: Sequence[SuiteItem]) -> list[Column]:
    """Return the columns of preference items: rankings, and what moved against the reference.

    Ties of people count in no accuracy. The reward accuracy compares h of both answers, which the reference has 0 of,
    so only a policy has one; the ranking accuracy compares log-probs and every local arm has it.
    """
    decisive = {item.id for item in items if item.expected == "preference" and not item.is_tie}
    scored = {id_: row for id_, row in rows.scores.items() if id_ in decisive}
    if not scored:
        return []
    ranked = {id_: _half(row.logp_chosen - row.logp_rejected) for id_, row in scored.items()}
    found = [
        Column("ranking_accuracy", "share", "share whose chosen answer has the higher log-prob, ties one half", ranked,
               is_primary=True),
        *_similarity_columns(scored),
    ]  # fmt: skip
    if rows.arm.kind == "reference" or not reference.scores:
        return found
    moved = {id_: _moved(row, reference.scores[id_]) for id_, row in scored.items() if id_ in reference.scores}
    if rows.arm.is_policy:
        right = {id_: _half(chosen - rejected) for id_, (chosen, rejected) in moved.items()}
        found.append(Column("preference_accuracy", "share", "share with h above 0, ties one half", right))
    words = "mean displacement of"
    return [
        *found,
        Column("displacement_chosen", "mean", f"{words} chosen", {i: m[0] for i, m in moved.items()}, "nats"),
        Column("displacement_rejected", "mean", f"{words} rejected", {i: m[1] for i, m in moved.items()}, "nats"),
        Column("h", "mean", "mean of h", {i: m[0] - m[1] for i, m in moved.items()}, "nats"),
        Column("both_down", "share", "share with both answers less likely than under the reference",
               {i: float(m[0] < 0 and m[1] < 0) for i, m in moved.items()}),
        Column("chosen_down", "share", "share with the chosen answer less likely than under the reference",
               {i: float(m[0] < 0) for i, m in moved.items()}),
    ]  # fmt: skip


def _similarity_columns(scored: Mapping[str, ScoreRow]) -> list[Column]:
    """Return the column of how alike both answers are to the arm; none for rows of earlier versions."""
    alike = _known({id_: row.ches_by_length for id_, row in scored.items()})
    what = "mean CHES by length of the two answers' hidden states"
    return [Column("ches", "mean", what, alike, SIMILARITY_UNIT)] if alike else []


def ceiling(items: Sequence[SuiteItem]) -> dict[str, float]:
    """Return by item how often one person agrees with the majority, where the targets say so; else nothing."""
    known = {i.id: max(i.target, 1 - i.target) for i in items if i.expected == "preference" and not i.is_tie}
    return known if any(target < 1 for target in known.values()) else {}


def _moved(row: ScoreRow, reference: ScoreRow) -> tuple[float, float]:
    """Return the displacement of chosen and rejected, nats."""
    return row.logp_chosen - reference.logp_chosen, row.logp_rejected - reference.logp_rejected


def _half(margin: float) -> float:
    return 0.5 if margin == 0 else float(margin > 0)
