"""The words of a talk on a terminal: its commands, and how a vote is written."""

from __future__ import annotations

from core.domain.errors import UsageError
from core.domain.judgement import Verdict
from core.domain.talk import TalkVote

HELP = """what can be said besides a message:
  /again             ask the last message again with a new seed; /seed N with this one
  /system TEXT       another system prompt from the next message on
  /vote WORD [WHY]   vote on the last two answers: -3 (left much better) to 3, tie or neither; then names are shown
  /names             show which answer is whose; later votes on it are not blind
  /pair              save the last exchange as a pair, with its vote as a judgement (needs --by NAME)
  /failure [NOTE]    save the policy's last answer as feedback (needs --by NAME)
  /new               begin a new talk; /quit ends. Ctrl+C stops an answer"""
_WORDS = {"tie": Verdict.TIE, "0": Verdict.TIE, "neither": Verdict.NEITHER}


def read_vote(words: str) -> TalkVote:
    """Return the vote that a person typed: a number or word, and the reason.

    >>> read_vote("-2 names a circuit to try").words()
    'Left better'

    Raises:
        UsageError: for another word.
    """
    word, _, why = words.partition(" ")
    if (verdict := _WORDS.get(word.casefold())) is not None:
        return TalkVote(verdict, rationale=why.strip())
    if word.lstrip("+-") in ("1", "2", "3") and len(word) <= 2:
        return TalkVote(Verdict.PREFER, int(word), rationale=why.strip())
    raise UsageError(f"{word!r} is no vote.", "Write -3 (left much better) to 3 (right much better), tie or neither.")
