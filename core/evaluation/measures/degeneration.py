"""Signs that a policy degenerates: repetition, few different words, no end, another language."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.domain.estimate import Estimate
from core.domain.text_language import text_language
from core.evaluation.measures.means import bootstrap_by_prompt, mean_by_prompt
from core.evaluation.measures.shares import share_by_prompt

N = 4
_WORDS = re.compile(r"[぀-ヿ㐀-鿿豈-﫿]|\w+|[^\w\s]")
"""Words, single signs of scripts without blanks, and punctuation."""


@dataclass(frozen=True, slots=True)
class Degeneration:
    """What the answers of one arm look like.

    Attributes:
        repetition: mean over answers of the share of n-grams that stood before in the same answer.
        distinct: different n-grams of all answers over all their n-grams (n = 2).
        finished: share that ended by itself. empty: share without a word.
        entropy: mean entropy of the next token, nats; None where it was not measured.
    """

    repetition: Estimate
    distinct: Estimate
    finished: Estimate
    empty: Estimate
    entropy: Estimate | None


def repetition(text: str, n: int = N) -> float:
    """Return the share of n-grams that stood before in the text: 0 for none, near 1 for a loop; 0 for a short text."""
    grams = list(_grams(text, n))
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def distinct(texts: Sequence[str], groups: Sequence[Hashable] | None = None, n: int = 2) -> Estimate:
    """Return the different n-grams of all texts over all their n-grams, bootstrap by prompt.

    It falls with the number and length of texts: compare arms on the same prompts. Source: J. Li et al., arXiv
    1510.03055. The interval is that of the share of n-grams that no earlier text of the sample held.
    """
    seen: set[tuple[str, ...]] = set()
    rows = []
    for text in texts:
        grams = list(_grams(text, n))
        new = set(grams) - seen
        seen |= new
        rows.append((len(new), len(grams)))
    if not sum(count for _, count in rows):
        return Estimate(math.nan, math.nan, math.nan, len(rows), "", f"distinct-{n}; no n-grams")
    table = np.array(rows, dtype=np.float64)
    return bootstrap_by_prompt(_new_share, table, groups, "", f"distinct-{n}, different n-grams over all")


def degeneration(
    texts: Sequence[str],
    finished: Sequence[bool],
    groups: Sequence[Hashable] | None = None,
    entropies: ArrayLike | None = None,
) -> Degeneration:
    """Return the signs of degeneration of the answers of one arm.

    Args:
        texts: (n,) answers.
        finished: (n,) whether each ended by itself, not at the limit of tokens.
        groups: (n,) the prompt of each; None when each has its own.
        entropies: (n,) mean entropy of the next token of each, nats; None when not measured.
    """
    loops = mean_by_prompt([repetition(text) for text in texts], groups, "", f"mean share of repeated {N}-grams")
    ended = share_by_prompt(finished, groups, "share of answers that ended by themselves")
    empty = share_by_prompt([not text.strip() for text in texts], groups, "share of answers without a word")
    entropy = None
    if entropies is not None:
        entropy = mean_by_prompt(entropies, groups, "nats", "mean entropy of the next token")
    return Degeneration(loops, distinct(texts, groups), ended, empty, entropy)


def language_switches(
    texts: Sequence[str], expected: Sequence[str], groups: Sequence[Hashable] | None = None
) -> Estimate:
    """Return the share of answers in another language than expected; answers whose language is unsure are left out.

    Args:
        texts: (n,) answers.
        expected: (n,) language code of each prompt; empty where none is expected.
        groups: (n,) the prompt of each; None when each has its own.
    """
    own = list(groups) if groups is not None else list(range(len(texts)))
    found = [
        (language != wanted, group)
        for text, wanted, group in zip(texts, expected, own, strict=True)
        if wanted and (language := text_language(text))
    ]
    return share_by_prompt(
        [other for other, _ in found], [group for _, group in found], "share of answers in another language"
    )


def _grams(text: str, n: int) -> Iterator[tuple[str, ...]]:
    words = _WORDS.findall(text.casefold())
    return zip(*(words[i:] for i in range(n)), strict=False)


def _new_share(rows: np.ndarray) -> float:
    return float(rows[:, 0].sum() / rows[:, 1].sum()) if rows[:, 1].sum() else math.nan
