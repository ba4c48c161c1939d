"""Forms in which texts are compared: what looks the same, and what asks the same."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple

_CONTROLS = bytes(code for code in (*range(0x20), 0x7F) if code not in b"\t\n\r")
_BLANKS = bytes(range(0x09, 0x0E)) + bytes(range(0x1C, 0x21))
_NOT_SEEN = _BLANKS + _CONTROLS
_SIGNS = bytes(code for code in range(0x80) if not chr(code).isalnum())
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u180e\u200b\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\U000e0000-\U000e007f]"
    "|(?<=[\x00-\u024f])[\u200c\u200d]|^[\u200c\u200d]|[\u200c\u200d](?=[\x00-\u024f]|$)"
)
_NO_WORD = re.compile(r"[\W_]+")
_BITS = 60  # a positive number that every database and language holds


def has_hidden_characters(text: str) -> bool:
    """Say whether a text holds control characters, bidi overrides or characters that nothing shows.

    Tab, line feed and carriage return are ordinary; so are the marks that Arabic and Hebrew texts use, and the joiners
    of emoji and Indic scripts.
    """
    if text.isascii():
        data = text.encode("ascii")
        return len(data.translate(None, _CONTROLS)) != len(data)
    return _HIDDEN.search(text) is not None


def letters_differ(first: str, second: str) -> bool:
    """Say whether two ASCII texts differ in more than blanks and control characters; False for other texts.

    Where it is true, :func:`collapsed` differs too; it takes a tenth of the time.
    """
    if not (first.isascii() and second.isascii()):
        return False
    one, other = (text.encode("ascii").translate(None, _NOT_SEEN) for text in (first, second))
    return one != other


def collapsed(text: str) -> str:
    """Return a text as it looks: NFC, every run of blanks one space, nothing at the ends, no invisible characters."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    words = text.split()
    if not all(map(str.isprintable, words)):
        words = _UNSEEN.sub("", text).split()
    return " ".join(words)


class PromptKeys(NamedTuple):
    """Two numbers that say which prompts belong together.

    Attributes:
        same: equal for prompts that differ only in case, blanks, Unicode form or invisible characters.
        words: equal for prompts with the same letters and digits in the same order, whatever stands between them, and
            whatever the system turn says.
    """

    same: int
    words: int


def prompt_keys(turns: Iterable[Mapping[str, str]]) -> PromptKeys:
    """Return the keys of a prompt, given as plain turns with ``role`` and ``content``.

    >>> ask = lambda text: prompt_keys([{"role": "user", "content": text}])
    >>> ask("What is  7 SQUARED ?").same == ask("what is 7 squared?\\n").same
    True
    >>> ask("Name a river.").words == ask("Name: a river").words, ask("Name a river.").same == ask("Name: a river").same
    (True, False)
    """
    same, words = b"", b""
    for turn in turns:
        role, (compact, letters) = turn["role"].encode(), _compact(turn["content"])
        same += b"\x00%b\x00%b" % (role, compact)
        if role != b"system":
            words += b"\x00%b\x00%b" % (role, letters or compact)
    key = _number(same)
    return PromptKeys._make((key, _number(words) if words else key))


def _compact(text: str) -> tuple[bytes, bytes]:
    """Return a text in lower case without blanks, and the same without anything but letters and digits."""
    if text.isascii():
        compact = text.encode("ascii").lower().translate(None, _NOT_SEEN)
        return compact, compact.translate(None, _SIGNS)
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    plain = "".join(folded.split())
    if not plain.isprintable():
        plain = _UNSEEN.sub("", plain)
    return plain.encode("utf-8"), _NO_WORD.sub("", plain).encode("utf-8")


def _number(data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "big") >> (64 - _BITS)
