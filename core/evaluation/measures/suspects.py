"""Which labels a model contradicts with confidence: confident learning for two classes.

Source: C. Northcutt, L. Jiang and I. Chuang, Journal of Artificial Intelligence Research 70 (2021) 1373. The class is
the side that a label names (A or B), so that a model that favours one side has a threshold of its own for each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def confident_suspects(right: ArrayLike, names_first: ArrayLike) -> NDArray[np.int64]:
    """Return the places of the labels that the confident joint puts on the other side, the most certain first.

    A label counts for a side when the model's probability of that side reaches the mean probability of the side among
    the labels that name it; where it reaches both, the likelier side counts. Ordered by the margin 2 p - 1.

    Args:
        right: (n,) probability of the side that the label names, out of sample or after training.
        names_first: (n,) whether the label names the first side.
    """
    p, first = np.asarray(right, dtype=np.float64), np.asarray(names_first, dtype=bool)
    of_first = np.where(first, p, 1 - p)
    limit_first = of_first[first].mean() if first.any() else np.inf
    limit_second = (1 - of_first)[~first].mean() if (~first).any() else np.inf
    says_first, says_second = of_first >= limit_first, 1 - of_first >= limit_second
    first_wins = says_first & (~says_second | (of_first > 0.5))
    second_wins = says_second & (~says_first | (of_first < 0.5))
    places = np.flatnonzero((first & second_wins) | (~first & first_wins))
    return places[np.argsort(p[places], kind="stable")]
