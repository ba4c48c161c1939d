"""What looks wrong in the texts of a pair: found at import, shown in Data, counted at a freeze.

A flag changes nothing and rejects nothing: the texts stay byte for byte. It says that a person should look before the
pair is trained on.
"""

from __future__ import annotations

import re
from enum import IntFlag

from core.domain.errors import BadInput
from core.domain.text_form import collapsed, has_hidden_characters, letters_differ


class TextFlag(IntFlag):
    """One bit for each finding, so that a pair's flags are one small number in the database.

    The values are stored and never change their meaning; a new flag takes the next bit.
    """

    EQUAL_LOOKING = 1
    EMPTY_ANSWER = 2
    REPEATS_PROMPT = 4
    TEMPLATE_TOKENS = 8
    MOJIBAKE = 16
    HIDDEN_CHARACTERS = 32


FLAG_WORDS: dict[TextFlag, str] = {
    TextFlag.EQUAL_LOOKING: "the answers differ only in blanks, Unicode form or invisible characters",
    TextFlag.EMPTY_ANSWER: "an answer is empty",
    TextFlag.REPEATS_PROMPT: "an answer begins with the prompt",
    TextFlag.TEMPLATE_TOKENS: "a text holds control tokens of a chat template",
    TextFlag.MOJIBAKE: "a text was decoded with the wrong encoding",
    TextFlag.HIDDEN_CHARACTERS: "a text holds control characters, bidi overrides or invisible characters",
}
"""What each flag says of a pair, as half a sentence."""

FLAG_TITLES: dict[str, str] = {
    "equal_looking": "Answers look equal",
    "empty_answer": "Empty answer",
    "repeats_prompt": "Answer repeats the prompt",
    "template_tokens": "Chat template tokens",
    "mojibake": "Wrong encoding",
    "hidden_characters": "Hidden characters",
}
"""The names of the flags for lists and menus."""

FLAG_KEYS: tuple[str, ...] = tuple(flag.name.lower() for flag in FLAG_WORDS if flag.name)
"""The names of the flags on the command line, in policies and in reports."""

_TOKEN = re.compile(
    r"<\|[A-Za-z][\w ]{1,40}\|>|<\uff5c[^<>\uff5c]{1,40}\uff5c>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
)
_CONTINUES = (  # what Latin-1 and Windows-1252 show for the second and later bytes of UTF-8
    "\u0080-\u00bf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d"
    "\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178"
)
_WRONG_TWO = re.compile(
    f"[\u00c2\u00c3\u00ce\u00cf\u00d0\u00d1][{_CONTINUES}]|\u00e2[\u0080\u20ac][{_CONTINUES}]|\u00f0[\u009f\u0178]"
)
_LEADS = "\u00c2\u00c3\u00ce\u00cf\u00d0\u00d1\u00e2\u00f0"
_WRONG_THREE = re.compile(f"[\u00e0-\u00ef][{_CONTINUES}]{{2}}")
_LONG_PROMPT = 20  # characters from which a repeated beginning is no coincidence
_SPEAKER = "Assistant:"


def flag_named(key: str) -> TextFlag:
    """Return the flag called ``key``.

    Raises:
        BadInput: when there is none.

    >>> flag_named("mojibake")
    <TextFlag.MOJIBAKE: 16>
    """
    if key not in FLAG_KEYS:
        raise BadInput(f"There is no text flag {key!r}.", f"The text flags are: {', '.join(FLAG_KEYS)}.")
    return TextFlag[key.upper()]


def flag_keys(flags: int) -> tuple[str, ...]:
    """Return the names of the flags in a stored number, in the order of :data:`FLAG_KEYS`.

    >>> flag_keys(3)
    ('equal_looking', 'empty_answer')
    """
    return tuple(key for key in FLAG_KEYS if flags & TextFlag[key.upper()])


def text_flags(prompt: str, question: str, first: str, second: str) -> int:
    """Return the flags of a pair as one number; 0 when nothing looks wrong.

    Args:
        prompt: all turns of the prompt as one text.
        question: the turn that is answered.
        first: one answer.
        second: the other answer.
    """
    whole = "\n".join((prompt, first, second))
    flags = 0
    if looks_equal(first, second):
        flags |= TextFlag.EQUAL_LOOKING
    if not first or not second or first.isspace() or second.isspace():
        flags |= TextFlag.EMPTY_ANSWER
    if repeats_prompt(question, first) or repeats_prompt(question, second):
        flags |= TextFlag.REPEATS_PROMPT
    marked = "<" in whole or "[" in whole  # most texts hold neither
    if marked and (has_template_tokens(whole) or any(map(_is_delimited, (prompt, first, second)))):
        flags |= TextFlag.TEMPLATE_TOKENS
    if not whole.isascii() and is_mojibake(whole):
        flags |= TextFlag.MOJIBAKE
    if has_hidden_characters(whole):
        flags |= TextFlag.HIDDEN_CHARACTERS
    return int(flags)


def looks_equal(first: str, second: str) -> bool:
    """Say whether two texts look the same though their bytes may differ. Upper and lower case look different.

    >>> looks_equal("Yes.", "Yes.\\u200b\\n"), looks_equal("yes", "Yes")
    (True, False)
    """
    if (
        first.isascii()
        and second.isascii()
        and (_clearly_differ(first[:1], second[:1]) or _clearly_differ(first[-1:], second[-1:]))
    ):
        return False  # most pairs end here
    return not letters_differ(first, second) and collapsed(first) == collapsed(second)


def _clearly_differ(one: str, other: str) -> bool:
    """Say whether the first or last characters of two ASCII texts are seen and not the same."""
    return one != other and "!" <= one <= "~" and "!" <= other <= "~"


def repeats_prompt(question: str, answer: str) -> bool:
    """Say whether an answer begins with the turn that it answers.

    A short question counts only where a line ends behind it: "Hi" is no copy of the prompt in "Hi, how are you?".
    """
    return _behind_prompt(question, answer) is not None


def without_prompt(question: str, answer: str) -> str:
    """Return the answer without the prompt that it repeats, and without the speaker's mark behind it.

    >>> without_prompt("What is 2+2?", "What is 2+2?\\n\\nAssistant: 4")
    '4'
    """
    rest = _behind_prompt(question, answer)
    if rest is None:
        return answer
    rest = rest.lstrip()
    return rest.removeprefix(_SPEAKER).removeprefix(" ") if rest.startswith(_SPEAKER) else rest


def has_template_tokens(text: str) -> bool:
    """Say whether a text holds control tokens, such as ``<|im_start|>``, ``[INST]`` or ``<start_of_turn>``."""
    if "<|" in text or "INST]" in text or "_of_turn>" in text or "SYS>>" in text or "<\uff5c" in text:
        return _TOKEN.search(text) is not None
    return False


def is_mojibake(text: str) -> bool:
    """Say whether UTF-8 was read as a Western code page on the way here, or characters were replaced by U+FFFD."""
    if "\ufffd" in text:
        return True
    if any(lead in text for lead in _LEADS) and _WRONG_TWO.search(text) is not None:
        return True
    found = [match.group() for match in _WRONG_THREE.finditer(text)]
    return len(found) > 1 and all(_decodes(run) for run in found)


def _decodes(run: str) -> bool:
    """Say whether some characters are the bytes of one UTF-8 character, read as Latin-1 or Windows-1252."""
    try:
        b"".join(c.encode("latin-1" if c < "\u0100" else "cp1252") for c in run).decode("utf-8")
    except UnicodeError:
        return False
    return True


def _is_delimited(text: str) -> bool:
    """Say whether a text begins or ends with the sentence tokens ``<s>`` and ``</s>``, which HTML also uses inside."""
    if text.startswith("<s>"):
        return "</s>" not in text or text.rstrip().endswith("</s>") or "[INST]" in text
    return text.endswith(("</s>", "</s>\n")) and "<s>" not in text


def _behind_prompt(question: str, answer: str) -> str | None:
    """Return what stands behind the repeated prompt, or None where the answer does not repeat it."""
    if answer[:1] != question[:1] and not answer[:1].isspace() and not question[:1].isspace():
        return None
    asked, text = question.strip(), answer.lstrip()
    if not asked or not text.startswith(asked):
        return None
    rest = text[len(asked) :]
    if not rest or rest[0] in "\r\n":
        return rest
    long_enough = len(asked) >= _LONG_PROMPT and not rest[0].isalnum()
    return rest if long_enough else None
