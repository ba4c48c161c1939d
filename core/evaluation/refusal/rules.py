"""Rules that know a refusal by how an answer begins.

A refusal is nearly always said at the start, so the rules look at the first sentences alone: what stands later may be a
quotation, a role or advice. Some answers that begin like a refusal only ask back; they are none.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

OPENING = 320
"""Characters of an answer in which a refusal is looked for."""
_MARKS = "*_#>- \"«'"
_SIGNS = str.maketrans("’‘“”„", '\'\'"""')
_SPEECH = re.compile(r"(?<=\S )\"[^\"]{12,300}\"")


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern of refusals.

    Attributes:
        name: what is shown beside a finding; begins with the language.
        pattern: of text as :func:`plain_text` returns it: lower case, straight apostrophes, single blanks.
        within: characters of the answer that are looked at.
    """

    name: str
    pattern: re.Pattern[str]
    within: int = OPENING


def rule(name: str, pattern: str, within: int = OPENING) -> Rule:
    """Return a rule whose pattern is compiled."""
    return Rule(name, re.compile(pattern), within)


def plain_text(answer: str) -> str:
    """Return an answer in one spelling: composed, lower case, straight apostrophes, single blanks."""
    text = unicodedata.normalize("NFC", answer[:8000]).translate(_SIGNS).casefold()
    return " ".join(text.split()).lstrip(_MARKS)


def without_speech(text: str) -> str:
    """Return a text of :func:`plain_text` without what it quotes: a person in a story may refuse."""
    return _SPEECH.sub('""', text)
