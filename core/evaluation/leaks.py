"""The leak gate: test items of which a copy or a near copy stands in what a policy was trained or tuned on.

Two prompts, or two items (prompt and answers together), match

- exactly, when they differ only in case, blanks, Unicode form or invisible characters
  (``core.domain.text_form.prompt_keys``); the order of the answers does not matter;
- nearly, when the Jaccard similarity of their 5-grams is 0.8 or more: |X and Y| / |X or Y| of the sets of five words in
  a row, or of five characters where the script puts no blanks between words. Candidates come from MinHash (Broder 1997)
  with locality-sensitive hashing (``datasketch``); each is then counted exactly, so that every hit is one.

The system turn is no part of the near comparison: it is shared by prompts that ask different things. A text that is
quoted inside a much longer one is not found.

Cost: near-linear. A text of the other side is looked up only when four fifths of its grams occur in the test at all,
which any match of 0.8 needs: |X and Y| >= 0.8 |X or Y| >= 0.8 |X|.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from datasketch import MinHash, MinHashLSH

from core.domain.conversation import Prompt
from core.domain.counting import counted, verb
from core.domain.errors import UserError
from core.domain.pair import TrainingPair
from core.domain.suite import SuiteItem
from core.domain.text_form import collapsed, prompt_keys
from core.domain.text_length import text_length

SIMILAR = 0.8
GRAM = 5
LISTED = 10
"""Most hits that are listed of one test item in one place; a template that fills a dataset would list millions."""
_BANDS, _ROWS = 32, 4
"""Of 128 hash values: a pair of similarity 0.8 is missed with probability (1 - 0.8^4)^32 = 5e-8."""
_WORD = re.compile(r"[^\W_]+")
_EVERY = 500

Matched = Literal["prompt", "prompt and answers"]
Grams = frozenset[int]


@dataclass(frozen=True, slots=True)
class ComparedItem:
    """One item of either side of the comparison.

    Attributes:
        id: names it in the report.
        answers: of an item with preferences, both answers; else empty.
        only_copies: only an exact copy of prompt and answers counts as a hit.
    """

    id: str
    prompt: Prompt
    answers: tuple[str, ...] = ()
    only_copies: bool = False

    @classmethod
    def of_suite(cls, item: SuiteItem) -> ComparedItem:
        """Return what is compared of a suite item."""
        return cls(item.id, item.prompt, (item.chosen, item.rejected) if item.expected == "preference" else ())

    @classmethod
    def of_pair(cls, pair: TrainingPair) -> ComparedItem:
        """Return what is compared of a pair that a run uses."""
        return cls(pair.pair_id, pair.prompt, (pair.chosen, pair.rejected))


@dataclass(frozen=True, slots=True)
class LeakHit:
    """A test item that stands elsewhere too.

    Attributes:
        test_id, other_id: the two items.
        place: where the other one stands: ``train``, ``dev``, ``imports``, or the title of a suite.
        matched: what is alike.
        similarity: Jaccard similarity of the 5-grams; 1 for an exact copy.
        exact: whether both are the same apart from case, blanks, Unicode form and invisible characters.
    """

    test_id: str
    other_id: str
    place: str
    matched: Matched
    similarity: float
    exact: bool

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as reports hold them."""
        return {
            "test": self.test_id,
            "other": self.other_id,
            "place": self.place,
            "matched": self.matched,
            "similarity": round(self.similarity, 4),
            "exact": self.exact,
        }


@dataclass(frozen=True, slots=True)
class LeakReport:
    """What the leak gate found. It is clean or it blocks.

    Attributes:
        tested: items of the test.
        compared: place -> items that they were compared with.
        hits: at most ``LISTED`` for a test item and place.
    """

    tested: int
    compared: Mapping[str, int]
    hits: tuple[LeakHit, ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether an evaluation on this test may not be made."""
        return bool(self.hits)

    @property
    def items(self) -> frozenset[str]:
        """The test items with a hit."""
        return frozenset(hit.test_id for hit in self.hits)

    def sentence(self) -> str:
        """Return the finding in words."""
        if not self.hits:
            whole = sum(self.compared.values())
            return f"No leak: {counted(self.tested, 'test item')} compared with {counted(whole, 'other')}."
        by_place = Counter({(hit.test_id, hit.place): hit.place for hit in self.hits}.values())
        where = ", ".join(f"{place}: {n:,}" for place, n in sorted(by_place.items()))
        return (
            f"{len(self.items):,} of {counted(self.tested, 'test item')} {verb(len(self.items), 'has', 'have')} a copy"
            f" or near copy elsewhere ({where})."
        )

    def require_none(self) -> None:
        """Stop where there is a hit.

        Raises:
            UserError: with the finding and what to do.
        """
        if self.hits:
            first = self.hits[0]
            raise UserError(
                f"{self.sentence()} The first is {first.test_id} with {first.other_id} in {first.place}"
                f" ({first.matched}, similarity {first.similarity:.2f}). Nothing was evaluated, and no look was used.",
                "Take the copies out of what is trained and freeze again, or leave the suite that holds them out.",
            )

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as reports hold them."""
        return {
            "tested": self.tested,
            "compared": dict(self.compared),
            "leaked": len(self.items),
            "hits": [hit.to_plain() for hit in self.hits],
        }


def find_leaks(
    test: Iterable[ComparedItem],
    places: Mapping[str, Iterable[ComparedItem]],
    *,
    on_progress: Callable[[int, str], None] | None = None,
) -> LeakReport:
    """Compare every test item with every item of the other places.

    Args:
        test: held in memory.
        places: read once each, one item after the other.
        on_progress: called now and then with how many items were compared, and the place; may raise to cancel.
    """
    index = _Index(test)
    hits: list[LeakHit] = []
    compared: dict[str, int] = {}
    done = 0
    for place, items in places.items():
        listed: Counter[int] = Counter()
        compared[place] = 0
        for other in items:
            for hit, at in index.matches(other, place):
                listed[at] += 1
                if listed[at] <= LISTED:
                    hits.append(hit)
            compared[place] += 1
            done += 1
            if on_progress is not None and done % _EVERY == 0:
                on_progress(done, place)
    hits.sort(key=lambda hit: (not hit.exact, -hit.similarity, hit.place, hit.test_id, hit.other_id))
    return LeakReport(len(index.items), compared, tuple(hits))


def grams(text: str) -> Grams:
    """Return the 5-grams of a text, each as a 64-bit hash that holds for this process.

    Case, punctuation and Unicode form do not count. A text of fewer than five words (or characters, where the script
    has no blanks) is one gram.
    """
    shown = collapsed(text)
    words = _WORD.findall(unicodedata.normalize("NFC", shown.casefold()))
    parts: Any = "".join(words) if text_length(shown).unit == "characters" else words
    if len(parts) < GRAM:
        return frozenset((hash(tuple(parts)),)) if parts else frozenset()
    return frozenset(map(hash, zip(*(parts[at:] for at in range(GRAM)), strict=False)))


def jaccard(first: Grams, second: Grams) -> float:
    """Return the size of the intersection over the size of the union; 0 where both are empty.

    >>> jaccard(frozenset({1, 2, 3}), frozenset({2, 3, 4}))
    0.5
    """
    common = len(first & second)
    whole = len(first) + len(second) - common
    return common / whole if whole else 0.0


def prompt_grams(prompt: Prompt) -> Grams:
    """Return the grams of the turns of a prompt, the system turn left out where there are others."""
    turns = [m.content for m in prompt.messages if m.role != "system"] or [m.content for m in prompt.messages]
    return frozenset().union(*map(grams, turns))


def item_grams(item: ComparedItem) -> Grams:
    """Return the grams of prompt and answers together, in whatever order the answers stand."""
    return prompt_grams(item.prompt).union(*map(grams, item.answers))


_GRAMS: dict[Matched, Callable[[ComparedItem], Grams]] = {
    "prompt": lambda item: prompt_grams(item.prompt),
    "prompt and answers": item_grams,
}


@dataclass(slots=True)
class _Form:
    """The test's items in one form (prompts, or whole items): by exact key, as grams, and as signatures."""

    exact: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    known: set[int] = field(default_factory=set)
    near: MinHashLSH = field(default_factory=lambda: MinHashLSH(num_perm=_BANDS * _ROWS, params=(_BANDS, _ROWS)))


class _Index:
    """The test's items, to be asked for the matches of one other item at a time."""

    def __init__(self, test: Iterable[ComparedItem]) -> None:
        self.items = list(test)
        self._forms: dict[Matched, _Form] = {"prompt": _Form(), "prompt and answers": _Form()}
        self._empty = MinHash(num_perm=_BANDS * _ROWS, hashfunc=_low_bits)
        for at, item in enumerate(self.items):
            for name, form in self._forms_of(item):
                form.exact[_exact_key(item, name)].append(at)
                found = _GRAMS[name](item)
                form.known |= found
                if found:
                    form.near.insert(at, self._signature(found))

    def matches(self, other: ComparedItem, place: str) -> Iterator[tuple[LeakHit, int]]:
        """Yield the hits of one other item, at most one a test item: whole items before prompts, exact before near."""
        seen: set[int] = set()
        for name, form in reversed(list(self._forms_of(other))):
            if other.only_copies and (name == "prompt" or not other.answers):
                continue
            for at in form.exact.get(_exact_key(other, name), ()):
                if at not in seen:
                    seen.add(at)
                    yield LeakHit(self.items[at].id, other.id, place, name, 1.0, True), at
        if other.only_copies:
            return
        for name, form in reversed(list(self._forms_of(other))):
            found = _GRAMS[name](other)
            if not found or len(found & form.known) < SIMILAR * len(found):
                continue
            for at in sorted(at for at in form.near.query(self._signature(found)) if isinstance(at, int)):
                similarity = 0.0 if at in seen else jaccard(found, _GRAMS[name](self.items[at]))
                if similarity >= SIMILAR:
                    seen.add(at)
                    yield LeakHit(self.items[at].id, other.id, place, name, similarity, False), at

    def _forms_of(self, item: ComparedItem) -> Iterator[tuple[Matched, _Form]]:
        yield "prompt", self._forms["prompt"]
        if item.answers:
            yield "prompt and answers", self._forms["prompt and answers"]

    def _signature(self, found: Grams) -> MinHash:
        made = self._empty.copy()
        made.update_batch(found)
        return made


def _low_bits(value: int) -> int:
    return value & 0xFFFFFFFF


def _exact_key(item: ComparedItem, form: Matched) -> int:
    turns = item.prompt.to_plain()
    if form == "prompt":
        return prompt_keys(turns).same
    answers = [{"role": "assistant", "content": answer} for answer in item.answers]
    return prompt_keys([*turns, *sorted(answers, key=lambda turn: prompt_keys([turn]).same)]).same
