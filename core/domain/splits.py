"""Drawing splits by prompt, so that no prompt is ever on both sides of a measurement.

Rule 1 draws each prompt by its own content. Rule 2 draws prompts that ask the same, apart from case, blanks and Unicode
form, as one: by the spelling that the workspace knew first, so that what is imported later moves no prompt, and nothing
that was once sealed in a test split is ever trained on.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.domain.dataset import Split
from core.domain.ids import sha256_text

SPLIT_RULES = (1, 2)
"""The rules by which splits are or were drawn; the policy of a frozen version says which. The last is for new ones."""


def split_of(prompt_sha256: str, seed: int, shares: tuple[float, float, float]) -> Split:
    """Return the split of a prompt: a draw that depends on the seed and the prompt's content alone.

    A prompt therefore keeps its split when data are added, imported again, or frozen on another machine. The sizes
    are those of independent draws: close to the shares, not equal to them.

    Args:
        prompt_sha256: names the prompt, or the group of prompts; all pairs of one fall together.
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


def first_spellings(prompts: Iterable[tuple[int, str, int]]) -> dict[int, str]:
    """Return key -> content hash of the prompt that was stored first among those with this key.

    Args:
        prompts: database id, content hash and key (``PromptKeys.same``) of each prompt, in any order.
    """
    found: dict[int, tuple[int, str]] = {}
    for prompt_id, sha256, key in prompts:
        if key not in found or prompt_id < found[key][0]:
            found[key] = (prompt_id, sha256)
    return {key: sha256 for key, (_, sha256) in found.items()}
