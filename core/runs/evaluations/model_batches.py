"""What a model computes at once: prompts of similar length, and pairs that come by length, within bounds of memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.evaluation_settings import EvaluationConfig
from core.domain.suite import SuiteItem
from core.training.text.encoded_pair import EncodedPair

_SCORED_TOKENS = 2048
"""Tokens of a batch of scored pairs, both rows of each counted."""


@dataclass(frozen=True, slots=True)
class EncodedPrompt:
    """An item's prompt as an arm reads it: its token ids, and how many turns were left out to make it fit."""

    item: SuiteItem
    ids: tuple[int, ...]
    dropped_turns: int


def prompt_batches(
    prompts: Sequence[EncodedPrompt], config: EvaluationConfig, horizon: int
) -> list[list[EncodedPrompt]]:
    """Cut prompts into batches of similar length, each within the settings' bounds of answers and tokens."""
    batches: list[list[EncodedPrompt]] = []
    for prompt in sorted(prompts, key=lambda prompt: (len(prompt.ids), prompt.item.id)):
        row = len(prompt.ids) + horizon
        if batches and len(batches[-1]) < config.batch_answers and row * (len(batches[-1]) + 1) <= config.batch_tokens:
            batches[-1].append(prompt)
        else:
            batches.append([prompt])
    return batches


def pair_batches(pairs: Sequence[EncodedPair]) -> list[list[EncodedPair]]:
    """Cut pairs, which come by length, into batches that the memory holds; texts have batches of their own."""
    batches: list[list[EncodedPair]] = []
    for pair in pairs:
        fits = batches and 2 * pair.longer_row * (len(batches[-1]) + 1) <= _SCORED_TOKENS
        if fits and bool(batches[-1][0].rejected_ids) == bool(pair.rejected_ids):
            batches[-1].append(pair)
        else:
            batches.append([pair])
    return batches
