"""Arms with a guardrail: their answers are made of those of another arm, and compared with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.domain.evaluation_events import AnswerRow
from core.domain.evaluation_record import Arm
from core.domain.suite import SuiteItem
from core.domain.threshold import Threshold
from core.evaluation.guard_scores import prompt_text
from core.evaluation.guardrail import Guardrail
from core.runs.evaluations.columns import ArmRows, Column

BATCH = 64
"""Answers that are guarded and stored together."""


def guardrail_of(arm: Arm) -> Guardrail:
    """Return the guardrail of an arm.

    Raises:
        BadInput: when its threshold or its detector cannot be read.
    """
    return Guardrail.of(Threshold.from_plain(arm.guard))


def guarded_answers(
    arm: Arm, guardrail: Guardrail, rows: Sequence[AnswerRow], items: Sequence[SuiteItem]
) -> list[AnswerRow]:
    """Return answers of the arm without the guardrail as this arm gives them."""
    return guardrail.arm(rows, prompt_texts(items), arm.name)


def prompt_texts(items: Sequence[SuiteItem]) -> dict[str, str]:
    """Return by item what a guardrail reads of its prompt."""
    return {item.id: prompt_text(item.prompt) for item in items}


def guard_columns(arm: Arm, base: ArmRows, items: Sequence[SuiteItem]) -> list[Column]:
    """Return the share of answers on which the guardrail acts, whether it refuses or flags them."""
    if not base.answers:
        return []
    texts = prompt_texts(items)
    ids = list(base.answers)
    found = guardrail_of(arm).guard([(texts[id_], base.answers[id_].text) for id_ in ids])
    acted: Mapping[str, float] = {id_: float(one.acted) for id_, one in zip(ids, found, strict=True)}
    return [Column("guardrail_acted", "share", "share of answers on which the guardrail acts", acted, is_primary=True)]
