"""What a search looks for: words and quoted phrases, compared without regard to case and to how accents are encoded."""

from __future__ import annotations

import re
import unicodedata

from core.domain.errors import BadInput

MOST_CHARS = 1000
"""Characters a search may have. A longer text is a document, and looking for its many parts would take seconds."""
FOLDING = f"1/{unicodedata.unidata_version}"
"""Changes whenever :func:`fold` may give another result; a search index made under another value is made anew."""
_TERM = re.compile(r'"([^"]+)"|(\S+)')


def fold(text: str) -> str:
    """Return a text as searches compare it: composed (NFC) and without case.

    >>> fold("Stra\u00dfe") == fold("STRASSE"), fold("u\u0308") == fold("\u00dc")
    (True, True)
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def search_terms(text: str) -> tuple[str, ...]:
    """Return the folded words and quoted phrases of a search, the longest first; all must occur.

    A term that is part of another one is left out: whatever holds the longer one holds it too.

    >>> search_terms('Black cat "cat on a mat"')
    ('cat on a mat', 'black')

    Raises:
        BadInput: the search is longer than ``MOST_CHARS``.
    """
    if len(text) > MOST_CHARS:
        raise BadInput(
            f"A search has at most {MOST_CHARS:,} characters; this one has {len(text):,}.",
            "Search for a few words of it, or for one sentence in double quotes.",
        )
    found = {fold(quoted or word) for quoted, word in _TERM.findall(text)}
    kept: list[str] = []
    for term in sorted(found, key=lambda term: (-len(term), term)):
        if not any(term in longer for longer in kept):
            kept.append(term)
    return tuple(kept)
