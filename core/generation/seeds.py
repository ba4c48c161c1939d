"""Random numbers that depend on a seed alone, not on the batch, the device or the library's version.

A sampled response must not depend on the prompts in its batch, and policy and reference must be able to use the same
random numbers. So each response has its own seed, and its t-th token uses the t-th output of a counter-based generator
(Philox, Salmon et al. 2011) keyed by that seed.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

MAX_SEED = (1 << 63) - 1


def derive_seed(base: int, *parts: object) -> int:
    """Return a seed in [0, 2^63) that depends on ``base`` and on every part's text.

    >>> derive_seed(0, "p1", 0) == derive_seed(0, "p1", 0), derive_seed(0, "p1", 0) == derive_seed(0, "p1", 1)
    (True, False)
    """
    text = "\x1f".join([str(base), *map(str, parts)])
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big") & MAX_SEED


def uniforms(seed: int, count: int) -> NDArray[np.float64]:
    """Return the first ``count`` numbers of ``seed``, each in [0, 1) with 53 random bits.

    Longer streams begin with shorter ones. Raw generator output is used, which numpy promises not to change.
    """
    raw = np.random.Philox(key=seed & MAX_SEED).random_raw(count)
    return np.asarray(raw >> np.uint64(11), dtype=np.float64) * 2.0**-53
