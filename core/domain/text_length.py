"""How long a text is, in the unit that its script counts in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff]"
)
_SHARE = 0.3  # of the letters, from which a text counts as written without spaces


@dataclass(frozen=True, slots=True)
class TextLength:
    """The length of a text.

    Attributes:
        count: words, or characters without blanks.
        unit: ``words`` where blanks part them; ``characters`` for Chinese, Japanese, Thai, Lao, Khmer and Burmese.
    """

    count: int
    unit: Literal["words", "characters"]

    def __str__(self) -> str:
        unit = self.unit.removesuffix("s") if self.count == 1 else self.unit
        return f"{self.count:,} {unit}"


def text_length(text: str) -> TextLength:
    """Return how long a text is: in words, or in characters where its script puts no blanks between words.

    >>> str(text_length("one two")), str(text_length("\u6771\u4eac\u3067\u3059"))
    ('2 words', '4 characters')
    """
    if text.isascii():
        return TextLength(len(text.split()), "words")
    unspaced = len(_UNSPACED.findall(text))
    if unspaced and unspaced >= _SHARE * sum(map(str.isalpha, text)):
        return TextLength(sum(map(len, text.split())), "characters")
    return TextLength(len(text.split()), "words")
