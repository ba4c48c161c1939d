"""Drawing splits by prompt, so that no prompt is ever on both sides of a measurement."""

from __future__ import annotations

from core.domain.dataset import Split
from core.domain.ids import sha256_text


def split_of(prompt_sha256: str, seed: int, shares: tuple[float, float, float]) -> Split:
    """Return the split of a prompt: a draw that depends on the seed and the prompt's content alone.

    A prompt therefore keeps its split when data are added, imported again, or frozen on another machine. The sizes
    are those of independent draws: close to the shares, not equal to them.

    Args:
        prompt_sha256: names the prompt; all pairs of one prompt fall together.
        seed: another seed is another draw.
        shares: of train, dev and test; they add up to 1.
    """
    point = int(sha256_text(f"{seed}:{prompt_sha256}")[:13], 16) / 16**13  # 52 bits: exact as a float
    train, dev, test = shares
    if point < train or dev + test <= 0:
        return "train"
    if test <= 0 or (dev > 0 and point < train + dev):
        return "dev"
    return "test"
