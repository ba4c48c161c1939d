"""Which texts are likest to another one by the words they share, the rare ones counting most."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from core.evaluation.measures.degeneration import units

_LOOKED_AT = 8000
"""Characters of a text that are read."""


def nearest_texts(text: str, texts: Sequence[str], most: int) -> list[tuple[int, float]]:
    """Return place and similarity of the likest texts, the likest first; those without a common word are left out.

    The similarity is the cosine of the TF-IDF weights of words and pairs of words, 0 to 1; in scripts that put no
    blanks between words, of characters and pairs of them.

    >>> nearest_texts("a night train", ["the night train", "bread", "a train"], 2)[0][0]
    0
    """
    if not texts or not units(text[:_LOOKED_AT]) or most < 1:
        return []
    analyzer: Any = _terms  # its annotation lacks functions
    vectorizer = TfidfVectorizer(analyzer=analyzer, sublinear_tf=True)
    rows = vectorizer.fit_transform([*texts, text])
    likeness = np.asarray((rows[:-1] @ rows[-1].T).todense()).ravel()
    order = np.lexsort((np.arange(likeness.size), -likeness))[:most]
    return [(int(at), min(1.0, float(likeness[at]))) for at in order if likeness[at] > 0]


def _terms(text: str) -> list[str]:
    found = list(units(text[:_LOOKED_AT]))
    return [*found, *(f"{one} {two}" for one, two in pairwise(found))]
