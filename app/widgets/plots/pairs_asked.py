"""What a press on a plot asks for: the pairs behind a cell, a slice or a dot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PairsAsked:
    """Some measurements of a run.

    Attributes:
        title: what they have in common, in words.
        kind: rows of the ledger: "train", "dev" or "probe_train". first, last: their steps.
        visits: step and pair of each.
        single: whether the one pair shall be opened, and not listed.
    """

    title: str
    kind: str
    first: int
    last: int
    visits: frozenset[tuple[int, str]]
    single: bool = False
