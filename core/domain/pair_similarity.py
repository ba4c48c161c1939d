"""Which pairs are the likeliest to take probability from their own chosen answer, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PairSimilarity:
    """How alike both answers of a pair are to the model that a run would begin with.

    Attributes:
        pair_id: of the pair.
        ches: <s_w, s_l> - |s_w|² of the summed final hidden states. by_length: the same of their means.
        tokens_chosen, tokens_rejected: of the answers.
    """

    pair_id: str
    ches: float
    by_length: float
    tokens_chosen: int
    tokens_rejected: int


@dataclass(frozen=True, slots=True)
class SimilarPairs:
    """The training pairs of a run, the most alike by length first.

    Attributes:
        pairs: ranked. of: how many pairs the run has; those that it cannot use are left out.
    """

    pairs: tuple[PairSimilarity, ...]
    of: int

    @classmethod
    def ranked(cls, found: Iterable[PairSimilarity], of: int) -> SimilarPairs:
        """Return the pairs in the order of how far they would move their chosen answers, by the id where equal."""
        return cls(tuple(sorted(found, key=lambda pair: (-pair.by_length, pair.pair_id))), of)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {"pairs": [asdict(pair) for pair in self.pairs], "of": self.of}

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> SimilarPairs:
        """Return what :meth:`to_plain` gave."""
        return cls(tuple(PairSimilarity(**pair) for pair in row["pairs"]), int(row["of"]))
