"""Programmatic constraints on answers: what a ``check`` item of a suite asks for, and whether an answer keeps it.

A kind is one function with the decorator :func:`constraint_kind`: its row says what argument it takes. Import, command
line and evaluation read the rows. Texts are compared in Unicode's NFKC form without regard to case, so that full-width
digits of a Chinese answer are digits. An empty answer keeps no constraint.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.counting import counted
from core.domain.errors import BadInput
from core.domain.suite import Constraint, SuiteItem
from core.domain.text_language import LANGUAGES, may_be, text_language
from core.evaluation import text_counts

Finding = tuple[bool, str]
"""Whether a constraint holds, and what was found in words."""
_BOUNDS = {"exactly", "at_least", "at_most"}
_FENCE = re.compile(r"\A\s*```[\w-]*\n(.*?)\n?```\s*\Z", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?")
_ANY_NUMBER = re.compile(r"(?:(?<![\w.])[+-])?\d+(?:,\d{3})*(?:\.\d+)?")
_AROUND = " \t\r\n.!?\u3002\uff01\uff1f\u061f\"'\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb*_`"
_LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class ConstraintKind:
    """The row of a kind.

    Attributes:
        kind: its name in files.
        meaning: what it asks for, for help and messages.
        example: an argument that it takes.
        accepts: says whether it takes an argument.
        check: whether an answer keeps it, for an argument that it takes.
    """

    kind: str
    meaning: str
    example: Any
    accepts: Callable[[Any], bool]
    check: Callable[[str, Any], Finding]


@dataclass(frozen=True, slots=True)
class ConstraintResult:
    """Whether an answer keeps one constraint, and what was found in it ("4 list items")."""

    constraint: Constraint
    passed: bool
    found: str


CONSTRAINT_KINDS: dict[str, ConstraintKind] = {}
"""Every kind by name."""


def check_answer(item: SuiteItem, text: str) -> list[ConstraintResult]:
    """Return the result of each constraint of an item; the item is passed when all hold.

    Raises:
        BadInput: for a constraint that :func:`checked_constraint` refuses.
    """
    return [_result(checked_constraint(constraint), text) for constraint in item.constraints]


def keeps_all(item: SuiteItem, text: str) -> bool | None:
    """Return whether an answer keeps all constraints of a ``check`` item; None for an item of another kind."""
    return all(result.passed for result in check_answer(item, text)) if item.constraints else None


def checked_constraint(constraint: Constraint) -> Constraint:
    """Return a constraint that can be checked.

    Raises:
        BadInput: its kind is unknown, or does not take its argument.
    """
    row = CONSTRAINT_KINDS.get(constraint.kind)
    if row is None:
        raise BadInput(
            f"There is no constraint {constraint.kind!r}.",
            f"The constraints are: {', '.join(sorted(CONSTRAINT_KINDS))}.",
        )
    if not row.accepts(constraint.value):
        example = json.dumps(row.example, ensure_ascii=False)
        raise BadInput(
            f"The constraint {constraint.kind!r} ({row.meaning}) does not take {_shown(constraint.value)}.",
            f"It takes for example {example}.",
        )
    return constraint


def constraint_kind(
    kind: str, meaning: str, example: Any, accepts: Callable[[Any], bool]
) -> Callable[[Callable[[str, Any], Finding]], Callable[[str, Any], Finding]]:
    """Register a kind; see :class:`ConstraintKind`."""

    def register(check: Callable[[str, Any], Finding]) -> Callable[[str, Any], Finding]:
        assert kind not in CONSTRAINT_KINDS, kind
        CONSTRAINT_KINDS[kind] = ConstraintKind(kind, meaning, example, accepts, check)
        return check

    return register


def _result(constraint: Constraint, text: str) -> ConstraintResult:
    if not text.strip():
        return ConstraintResult(constraint, False, "an empty answer")
    passed, found = CONSTRAINT_KINDS[constraint.kind].check(text, constraint.value)
    return ConstraintResult(constraint, passed, found)


# What arguments are


def is_count(value: Any) -> bool:
    """Say whether an argument is a number of things, or an object of ``exactly``, ``at_least``, ``at_most``."""
    if isinstance(value, Mapping):
        low, high = value.get("at_least", 0), value.get("at_most", _LONGEST)
        known = bool(value) and value.keys() <= _BOUNDS and ("exactly" not in value or len(value) == 1)
        return known and all(map(_is_whole, value.values())) and (low <= high)
    return _is_whole(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LONGEST


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_texts(value: Any) -> bool:
    return _is_text(value) or (isinstance(value, list) and bool(value) and all(map(_is_text, value)))


def _is_keys(value: Any) -> bool:
    return value is True or (isinstance(value, list) and bool(value) and all(isinstance(key, str) for key in value))


def _is_number(value: Any) -> bool:
    return value is True or (isinstance(value, int | float) and not isinstance(value, bool))


def _is_known_number(value: Any) -> bool:
    return _is_number(value) and value is not True


# Counts


def _within(count: int, bounds: Any) -> bool:
    if not isinstance(bounds, Mapping):
        return count == bounds
    low, high = bounds.get("at_least", 0), bounds.get("at_most", count)
    return low <= count <= high and count == bounds.get("exactly", count)


@constraint_kind("bullets", "a number of list items, bulleted or numbered", 3, is_count)
def _bullets(text: str, bounds: Any) -> Finding:
    count = text_counts.list_items(text)
    return _within(count, bounds), counted(count, "list item")


@constraint_kind("words", "a number of words; of characters in Chinese and Japanese", {"at_most": 50}, is_count)
def _words(text: str, bounds: Any) -> Finding:
    count = text_counts.words(text)
    return _within(count, bounds), counted(count, "word")


@constraint_kind("characters", "a number of characters, blanks inside included", {"at_most": 280}, is_count)
def _characters(text: str, bounds: Any) -> Finding:
    count = text_counts.characters(text)
    return _within(count, bounds), counted(count, "character")


@constraint_kind("sentences", "a number of sentences", {"at_least": 1, "at_most": 2}, is_count)
def _sentences(text: str, bounds: Any) -> Finding:
    count = text_counts.sentences(text)
    return _within(count, bounds), counted(count, "sentence")


@constraint_kind("paragraphs", "a number of paragraphs, parted by blank lines", 2, is_count)
def _paragraphs(text: str, bounds: Any) -> Finding:
    count = text_counts.paragraphs(text)
    return _within(count, bounds), counted(count, "paragraph")


# Language and form


@constraint_kind(
    "language",
    f"the language of the answer: {', '.join(LANGUAGES)}",
    "de",
    lambda value: isinstance(value, str) and value in LANGUAGES,
)
def _language(text: str, code: str) -> Finding:
    return may_be(text, code), LANGUAGES.get(found := text_language(text), found or "a language that cannot be told")


@constraint_kind(
    "json", "JSON and nothing else, a code fence around it allowed; optionally keys that it has", True, _is_keys
)
def _json(text: str, keys: Any) -> Finding:
    fenced = _FENCE.match(text)
    try:
        value = json.loads(fenced.group(1) if fenced else text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False, "no JSON"
    if keys is True:
        return True, "JSON"
    if not isinstance(value, dict):
        return False, "JSON, but no object"
    missing = [key for key in keys if key not in value]
    return not missing, f"JSON without {', '.join(missing)}" if missing else "JSON with all keys"


@constraint_kind(
    "case",
    "letters all upper or all lower case",
    "upper",
    lambda value: isinstance(value, str) and value in ("upper", "lower"),
)
def _case(text: str, case: str) -> Finding:
    lower, upper = any(map(str.islower, text)), any(map(str.isupper, text))
    found = "both cases" if lower and upper else "lower case" if lower else "upper case" if upper else "no letters"
    return (upper if case == "upper" else lower) and not (lower and upper), found


@constraint_kind("number", "a number and nothing else; optionally which one", 42, _is_number)
def _number(text: str, wanted: Any) -> Finding:
    bare = unicodedata.normalize("NFKC", text).strip(_AROUND)
    if not bare or not any(map(str.isdigit, bare)) or not _NUMBER.fullmatch(bare):
        return False, "more than a number" if any(map(str.isdigit, text)) else "no number"
    value = float(bare.replace(",", ""))
    return wanted is True or value == float(wanted), f"the number {bare}"


@constraint_kind("last_number", "the last number of the answer, whatever stands around it", 42, _is_known_number)
def _last_number(text: str, wanted: float) -> Finding:
    found = _ANY_NUMBER.findall(unicodedata.normalize("NFKC", text))
    if not found:
        return False, "no number"
    return float(found[-1].replace(",", "")) == float(wanted), f"the number {found[-1]}"


# Contents


@constraint_kind("contains", "a text, or each text of a list, somewhere", ["sun", "moon"], _is_texts)
def _contains(text: str, wanted: Any) -> Finding:
    missing = [one for one in _list(wanted) if _plain(one) not in _plain(text)]
    return not missing, f"no {_quoted(missing)}" if missing else "all of it"


@constraint_kind("contains_any", "at least one text of a list", ["yes", "no"], _is_texts)
def _contains_any(text: str, wanted: Any) -> Finding:
    there = [one for one in _list(wanted) if _plain(one) in _plain(text)]
    return bool(there), _quoted(there) if there else "none of them"


@constraint_kind("excludes", "none of these texts, whole words where they are words", ["very"], _is_texts)
def _excludes(text: str, unwanted: Any) -> Finding:
    there = [one for one in _list(unwanted) if _has_word(text, one)]
    return not there, _quoted(there) if there else "none of them"


@constraint_kind("one_of", "one of these texts and nothing else, but for signs around it", ["yes", "no"], _is_texts)
def _one_of(text: str, wanted: Any) -> Finding:
    bare = _plain(text).strip(_AROUND)
    passed = bare in {_plain(one).strip(_AROUND) for one in _list(wanted)}
    return passed, _shown(bare)


@constraint_kind("starts_with", "a text, or one of several, at the beginning", "Dear", _is_texts)
def _starts_with(text: str, wanted: Any) -> Finding:
    plain = _plain(text).lstrip()
    return any(plain.startswith(_plain(one).lstrip()) for one in _list(wanted)), _shown(text.strip()[:30])


@constraint_kind("ends_with", "a text, or one of several, at the end", "?", _is_texts)
def _ends_with(text: str, wanted: Any) -> Finding:
    plain = _plain(text).rstrip()
    return any(plain.endswith(_plain(one).rstrip()) for one in _list(wanted)), _shown(text.strip()[-30:])


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _has_word(text: str, word: str) -> bool:
    """Whether a text holds a word; letters of scripts without spaces, and signs, are found anywhere."""
    wanted = _plain(word).strip()
    before = r"(?<!\w)" if _is_spaced_letter(wanted[0]) else ""
    after = r"(?!\w)" if _is_spaced_letter(wanted[-1]) else ""
    return re.search(before + re.escape(wanted) + after, _plain(text)) is not None


def _is_spaced_letter(character: str) -> bool:
    return character.isalnum() and text_counts.is_spaced(character)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join(map(repr, texts))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
