"""The words with which files say who won: sides, ties, degrees, and the many spellings of "no answer"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from core.services.importing.reading import Reads

BINARY_STRENGTH = 2  # of a preference without a degree: the middle of the scale


@dataclass(frozen=True, slots=True)
class Read:
    """What a value of a label column says; ``strength`` 1..3 for a side."""

    reads: Reads
    strength: int | None = None


FIRST, SECOND = Read("first", BINARY_STRENGTH), Read("second", BINARY_STRENGTH)
TIE, NEITHER, NO_LABEL = Read("tie"), Read("neither"), Read("no label")
REFUSED, OPEN = Read("refused"), Read("open")

_TIES = {
    "tie",
    "tied",
    "same",
    "equal",
    "equally good",
    "about equal",
    "about the same",
    "about same",
    "draw",
    "both",
    "both good",
    "both are good",
    "tie (both good)",
    "tie (bothgood)",
    "no preference",
    "no difference",
    "no clear preference",
    "neutral",
    "equally",
    "similar",
    "both equally good",
    "they are equal",
    "they are about the same",
    "c",
    "=",
    "==",
    "a=b",
    "a==b",
    "1=2",
    "b=a",
    "b==a",
    "2=1",
    "unentschieden", "gleich", "gleich gut", "beide gleich", "égalité", "égal", "ex aequo", "égales", "empate",
    "igual", "iguales", "pareggio", "pari", "uguali", "gelijk", "gelijkspel", "remis", "lika", "uavgjort",
    "uafgjort", "tasapeli", "remíza", "döntetlen", "egalitate", "berabere", "eşit", "ничья", "одинаково", "поровну",
    "нічия", "ισοπαλία", "平局", "一样", "一样好", "相同", "引き分け", "同じ", "同等", "무승부", "동일", "비슷함",
    "hòa", "seri", "تعادل", "תיקו",
}  # fmt: skip
_NEITHERS = {
    "neither",
    "neither is good",
    "both bad",
    "bothbad",
    "both are bad",
    "equally bad",
    "tie (bothbad)",
    "tie (both bad)",
    "keine", "keine von beiden", "beide schlecht", "aucune", "aucun", "aucune des deux", "les deux mauvaises",
    "ninguna", "ninguno", "ambas malas", "nenhuma", "nenhum", "nessuna", "nessuno", "geen", "geen van beide",
    "żadna", "hiçbiri", "ни один", "ни одна", "оба плохие", "都不好", "都差", "どちらも悪い", "どちらでもない",
    "둘 다 나쁨",
}  # fmt: skip
_BLANKS = {"null", "nan", "n/a", "na", "none", "nil", "<na>", "nat", "missing", "-", "--", "–", "?", ".", "#n/a"}
TRUTH = {"true": 1, "yes": 1, "false": 0, "no": 0}
_SIDES = {"a": -1, "b": 1, "first": -1, "second": 1, "left": -1, "right": 1, "1": -1, "2": 1, "one": -1, "two": 1}
_DEGREES = {
    **dict.fromkeys(("slightly", "marginally", "somewhat", "a little", "a bit", "barely"), 1),
    **dict.fromkeys(("", "moderately", "clearly"), 2),
    **dict.fromkeys(("much", "significantly", "strongly", "far", "a lot", "definitely", "very much"), 3),
}
_NOUN = r"(?:the )?(?P<noun>(?:response|answer|model|assistant|completion|output|option|candidate|choice|text) ?)?"
_SIDE = r"(?P<side>a|b|first|second|left|right|one|two|1|2)"
_DEGREE = r"(?P<degree>" + "|".join(sorted(filter(None, _DEGREES), key=len, reverse=True)) + ")?"
_TAIL = r"(?P<tail> (?:better|preferred|best|wins|won|is best))?"
_PHRASE = re.compile(rf"{_NOUN}{_SIDE}(?P<noun2> (?:response|answer|one))?(?: is| was)? ?{_DEGREE}{_TAIL}")
_DEGREE_FIRST = re.compile(rf"{_DEGREE} ?(?:prefer |better )?{_NOUN}{_SIDE}")
_MARKS = re.compile(r"(?P<one>a|1|b|2)(?P<sign>>{1,3}|<{1,3})(?P<other>a|1|b|2)|(?P<side>a|b)(?P<plus>\+{1,3})")
_MARKED = {("a", "b"), ("b", "a"), ("1", "2"), ("2", "1")}


def plain_word(text: str) -> str:
    """Return a value as it is looked up: lower case, plain letters, no brackets, quotes, underscores, double blanks."""
    bare = unicodedata.normalize("NFKC", text).strip().lower().strip("[]\"'`").replace("_", " ")
    return re.sub(r"\s+", " ", re.sub(r"\s*([<>=])\s*", r"\1", bare)).strip().rstrip(".!") or text.strip()


def read_words(values: Iterable[str]) -> dict[str, Read]:
    """Return what each value says that is a word; numbers, true and false and unknown words are left out.

    One mark means a slight preference where the values also hold a double one (A+ beside A++, A>B beside A>>B), and a
    plain one where they do not.
    """
    values = list(values)
    marks = {value: found for value in values if (found := _mark(value))}
    doubled = any(_length(mark) > 1 for mark in marks.values())
    reads = {value: _marked(mark, doubled) for value, mark in marks.items()}
    for value in values:
        if value not in reads and (read := _word(value)) is not None:
            reads[value] = read
    return reads


def _word(value: str) -> Read | None:
    word = plain_word(value)
    if word in _BLANKS or value.strip().lower() in _BLANKS:
        return NO_LABEL
    if word in _TIES or word.replace(" ", "") in _TIES:
        return TIE
    if word in _NEITHERS:
        return NEITHER
    found = _PHRASE.fullmatch(word) or _DEGREE_FIRST.fullmatch(word)
    if found is None:
        return None
    parts = found.groupdict()
    side = parts["side"]
    if side in ("1", "2") and not any(parts.get(key) for key in ("noun", "noun2", "degree", "tail")):
        return None  # a bare number: its coding is not known
    return Read("first" if _SIDES[side] < 0 else "second", _DEGREES[parts["degree"] or ""])


def _mark(value: str) -> re.Match[str] | None:
    found = _MARKS.fullmatch(plain_word(value))
    return found if found and (found["side"] or (found["one"], found["other"]) in _MARKED) else None


def _length(mark: re.Match[str]) -> int:
    return len(mark["sign"] or mark["plus"])


def _marked(mark: re.Match[str], doubled: bool) -> Read:
    """Return the side of ``A>>B``, ``B>A`` or ``B+``."""
    better = mark["side"] or mark["one" if mark["sign"][0] == ">" else "other"]
    first = better in ("a", "1")
    single = 1 if doubled else BINARY_STRENGTH
    return Read("first" if first else "second", single if _length(mark) == 1 else 3)
