"""Tags of pairs: words that people put on a pair to find it again or to leave it out of a dataset version."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.domain.errors import BadInput
from core.domain.names import checked_name

SEPARATOR = ", "
"""Between the tags of a pair where they stand in one text."""
_ASKED = re.compile(r'(?<!\S)tag:(?:"([^"]*)"|(\S+))', re.IGNORECASE)


def checked_tag(text: str, known: Iterable[str] = ()) -> str:
    """Return a tag as it is stored: in the spelling of ``known`` where it differs by upper and lower case only.

    Raises:
        BadInput: the tag is empty, too long, or holds a comma or characters that cannot be seen.

    >>> checked_tag(" Typo "), checked_tag("typo", ["Typo"])
    ('Typo', 'Typo')
    """
    tag = checked_name(text, "tag")
    if "," in tag:
        raise BadInput(f"The tag {tag!r} holds a comma, which parts tags; nothing was changed.", "Give several tags.")
    return next((one for one in known if one.casefold() == tag.casefold()), tag)


def tags_of_text(text: str) -> tuple[str, ...]:
    """Return the tags of a text, parted by commas, each once and in order.

    >>> tags_of_text("hard,  typo, hard,")
    ('hard', 'typo')
    """
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def split_search(text: str) -> tuple[str, frozenset[str]]:
    """Return the words of a search and the tags that it asks for by ``tag:x`` or ``tag:"x y"``, folded.

    >>> words, tags = split_search('how many tag:Hard tag:"two words"')
    >>> words, sorted(tags)
    ('how many', ['hard', 'two words'])
    """
    tags = frozenset((quoted or plain).strip().casefold() for quoted, plain in _ASKED.findall(text))
    return " ".join(_ASKED.sub(" ", text).split()) if tags else text, tags


def has_tags(tags: str, wanted: Iterable[str]) -> bool:
    """Whether a text of tags, parted by commas, holds all that :func:`split_search` found.

    >>> has_tags("Hard, typo", {"hard"}), has_tags("Hard, typo", {"har"}), has_tags("", set())
    (True, False, True)
    """
    return {tag.casefold() for tag in tags_of_text(tags)}.issuperset(wanted)
