"""Conversations written as one text, in the HH-RLHF manner: blank line, speaker, colon."""

from __future__ import annotations

import re

from core.domain.conversation import Message, Prompt, Role
from core.services.importing.limits import RowRejected

_TURN = re.compile(r"(?:\n\n|\r\n\r\n)(Human|Assistant|System):[ ]?")
_FIRST_TURN = re.compile(r"\s*(Human|Assistant|System):[ ]?")
_TIGHT_TURN = re.compile(r"\r?\n(Human|Assistant):")
_LAST_MARK = "\n\nAssistant:"
_SPEAKER = re.compile(r"(?im)^(prompter|user|human|assistant|bot|model)[ ]?:|<\|(prompter|user|human|assistant)\|>")
_ROLES: dict[str, Role] = {"Human": "user", "Assistant": "assistant", "System": "system"}


def split_transcript(text: str) -> list[Message]:
    """Return the turns of a transcript; empty when ``text`` does not begin with a speaker.

    One space after the colon belongs to the notation, all else to the turn, byte for byte.
    """
    first = _FIRST_TURN.match(text)
    if first is None:
        return []
    marks = [first, *_TURN.finditer(text, first.end())]
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [Message(_ROLES[m.group(1)], text[m.end() : end]) for m, end in zip(marks, ends, strict=True)]


def is_transcript(text: object) -> bool:
    """Say whether a cell is a text that begins with a speaker and holds a turn of the assistant."""
    return isinstance(text, str) and _FIRST_TURN.match(text) is not None and "Assistant:" in text


def marks_speakers(text: str) -> bool:
    """Say whether two speakers are named in a text that is kept as one turn, such as ``prompter:`` and ``bot:``."""
    if ":" not in text and "<|" not in text:
        return False
    return len({(m.group(1) or m.group(2)).lower() for m in _SPEAKER.finditer(text)}) > 1


def prompt_from_text(text: str) -> Prompt:
    """Return the prompt of a text: several turns when it is written as a transcript, else one user turn.

    A transcript whose first speaker mark was cut off (it opens with the user's words and continues with
    ``\\n\\nAssistant:`` and ``\\n\\nHuman:``) is one too.
    """
    if "Human:" not in text and "Assistant:" not in text and "System:" not in text:
        return Prompt.from_text(text)
    turns = split_transcript(text) or _headless(text)
    if len(turns) == 1 and not text[:1].isspace():  # "System: Windows 10" is what somebody wrote, not a turn
        return Prompt.from_text(text)
    if turns and turns[-1].role == "assistant" and not turns[-1].content.strip():
        turns = turns[:-1]
    if turns and turns[-1].role != "assistant":
        return Prompt(tuple(turns))
    return Prompt.from_text(text)


def _headless(text: str) -> list[Message]:
    mark = _TURN.search(text)
    if mark is None or mark.group(1) != "Assistant":
        return []
    turns = split_transcript(text[mark.start() :])
    roles = [turn.role for turn in turns]
    alternates = all(role == ("assistant", "user")[i % 2] for i, role in enumerate(roles))
    if not alternates or len(roles) < 2:
        return []
    return [Message("user", text[: mark.start()]), *turns]


def split_pair(first: str, second: str) -> tuple[Prompt, str, str]:
    """Return the shared turns of two transcripts and the two last answers.

    Raises:
        RowRejected: see :func:`split_answers`; or when one is no transcript.
    """
    cut, other = first.rfind(_LAST_MARK), second.rfind(_LAST_MARK)
    end = cut + len(_LAST_MARK)
    same = cut > 0 and cut == other and first[:cut] == second[:cut]
    if same and not _TURN.search(first, end) and not _TURN.search(second, end):
        turns = split_transcript(first[:end])  # the usual case: both share the parsed turns
        if len(turns) > 1:
            return Prompt(tuple(turns[:-1])), first[end:].removeprefix(" "), second[end:].removeprefix(" ")
    one, another = split_transcript(first), split_transcript(second)
    if not one or not another:
        raise RowRejected("it is no transcript of Human and Assistant turns")
    if (len(one) == 1 and _TIGHT_TURN.search(first)) or (len(another) == 1 and _TIGHT_TURN.search(second)):
        raise RowRejected("its turns are not parted by blank lines, so they cannot be told from the text")
    return split_answers(one, another)


def split_answers(first: list[Message], second: list[Message]) -> tuple[Prompt, str, str]:
    """Return what two conversations share and the two last answers in which they differ.

    Raises:
        RowRejected: when they differ earlier, do not end in an answer, or share no prompt.
    """
    for turns in (first, second):
        if not turns or turns[-1].role != "assistant":
            raise RowRejected("the conversation does not end with an answer of the assistant")
    shared, other = first[:-1], second[:-1]
    if shared != other:
        at = next(
            (i for i, (x, y) in enumerate(zip(shared, other, strict=False)) if x != y), min(len(shared), len(other))
        )
        raise RowRejected(f"the prompts of the two answers differ from turn {at + 1} on")
    if not shared:
        raise RowRejected("there is no prompt before the answers")
    return Prompt(tuple(shared)), first[-1].content, second[-1].content


def split_plain(first: str, second: str) -> tuple[Prompt, str, str]:
    """Return the words with which both texts begin as the prompt, and what follows in each.

    The cut is after the last white space that both share, so that no word is split.

    Raises:
        RowRejected: when they share no beginning.
    """
    end = next((i for i, (x, y) in enumerate(zip(first, second, strict=False)) if x != y), min(len(first), len(second)))
    while end and not first[end - 1].isspace():
        end -= 1
    prompt = first[:end].rstrip()
    if not prompt:
        raise RowRejected("the two texts share no beginning that could be the prompt")
    return Prompt.from_text(prompt), first[end:], second[end:]
