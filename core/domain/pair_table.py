"""The rows and filters of the pair table, and the details of one pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from core.domain.choices import choice_hint
from core.domain.errors import BadInput
from core.domain.judgement import FLAGS, Judgement, ReviewerKind
from core.domain.pair import Pair
from core.domain.search_text import search_terms
from core.domain.text_flags import FLAG_KEYS

LabelFilter = Literal["any", "none", "labelled", "tie", "neither", "cannot", "flagged", "disagree"]
PairOrder = Literal["id", "prompt", "a", "b", "state", "source", "turns", "a_chars", "b_chars", "newest"]
EXCERPT_CHARS = 240
CONSENTS = ("granted", "unknown", "withdrawn")
"""Whether those who wrote a source agreed to its use; only granted sources enter a dataset version by default."""


@dataclass(frozen=True, slots=True)
class PairFilter:
    """Which pairs to show; every condition must hold.

    Attributes:
        text: words that all occur in the prompt or one of the responses, whatever their case and however accents
            are encoded; text in double quotes is searched for as one phrase. See ``core.domain.search_text``.
        label: by current labels; ``none`` has no label. With a reviewer or rubric version it applies to
            the labels of that reviewer or under that version.
        reviewer_id: pairs this reviewer has labelled (or, with ``label="none"``, has not).
        reviewer_kind: pairs labelled by people, by imported files or by stated rules (``human``, ``imported``,
            ``scripted``; or not, with ``label="none"``).
        labelled_ms: pairs with a label made in this time (from, until), UTC milliseconds, the end not included.
        source_id: pairs found in this source.
        rubric_version_id: pairs labelled under this version (or not, with ``label="none"``).
        dataset_id: pairs that are items of this dataset version.
        pair_ids: only these; None for all.
        stale: pairs with a label that a later major version of its rubric made stale; this and the next two look only
            at labels that pass ``reviewer_id``, ``reviewer_kind``, ``rubric_version_id`` and ``labelled_ms``.
        edited: pairs with a label that holds an improved text.
        flag: pairs with a label that carries this flag, a key of ``FLAGS``.
        bookmarked: pairs that a reviewer has bookmarked.
        text_flag: pairs whose texts carry this flag, a key of ``core.domain.text_flags``.
        tag: pairs that somebody put this tag on, in the spelling of ``core.services.pairs.tags``.
        order: what the pairs are sorted by, ``id`` for the order of import.
        descending: the other way round.

    Raises:
        BadInput: for an unknown ``label``, ``flag``, ``reviewer_kind``, ``text_flag`` or ``order``, or a text too long
            to search for.
    """

    text: str = ""
    label: LabelFilter = "any"
    reviewer_id: int | None = None
    source_id: int | None = None
    rubric_version_id: int | None = None
    dataset_id: int | None = None
    pair_ids: tuple[int, ...] | None = None
    stale: bool = False
    edited: bool = False
    flag: str = ""
    text_flag: str = ""
    bookmarked: bool = False
    reviewer_kind: str = ""
    labelled_ms: tuple[int, int] | None = None
    tag: str = ""
    order: PairOrder = "id"
    descending: bool = False

    def __post_init__(self) -> None:
        search_terms(self.text)
        for what, value, allowed in (
            ("label filter", self.label, get_args(LabelFilter)),
            ("order", self.order, get_args(PairOrder)),
            ("flag", self.flag, ("", *FLAGS)),
            ("kind of reviewer", self.reviewer_kind, ("", *ReviewerKind)),
            ("text flag", self.text_flag, ("", *FLAG_KEYS)),
        ):
            if value not in allowed:
                raise BadInput(f"Unknown {what} {value!r}.", choice_hint(value, allowed))


@dataclass(frozen=True, slots=True)
class PairSummary:
    """One line of the pair table: beginnings of the texts, and how many reviewers say what.

    Each reviewer counts once, by the newest of the labels that stand: one who labelled again under a later rubric
    version says one thing.

    Attributes:
        prompt: the turn being answered, at most ``EXCERPT_CHARS`` characters; ``a`` and ``b`` likewise.
        turns: messages of the prompt.
        a_chars: characters of the whole answer A; ``b_chars`` likewise.
        text_flags: what looks wrong in the texts, as a number of ``core.domain.text_flags``.
        newest_ms: when the newest label that counts was made, 0 without one.
        tags: that people put on the pair, in that order.
    """

    id: int
    prompt: str
    a: str
    b: str
    turns: int
    source: str
    labels: int = 0
    prefer_a: int = 0
    prefer_b: int = 0
    ties: int = 0
    neithers: int = 0
    cannots: int = 0
    flagged: int = 0
    a_chars: int = 0
    b_chars: int = 0
    newest_ms: int = 0
    text_flags: int = 0
    tags: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """Return the labels in a few words: "A 2 · B 1 · tie 1", or "not labelled"."""
        named = (("A", self.prefer_a), ("B", self.prefer_b), ("tie", self.ties), ("neither", self.neithers))
        words = [f"{name} {count}" for name, count in (*named, ("cannot judge", self.cannots)) if count]
        return " · ".join(words) or "not labelled"

    @property
    def disagree(self) -> bool:
        """Say whether reviewers prefer different sides."""
        return self.prefer_a > 0 and self.prefer_b > 0


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Where pairs came from.

    Attributes:
        kind: file, feedback, votes (pairs that people compare two policies by) or generated.
        pairs: how many were found in it, shared ones included.
        parents: ids of the runs that a generated source came from.
    """

    id: int
    name: str
    kind: str
    licence: str
    consent: str
    file_name: str
    file_sha256: str
    format: str
    pairs: int
    created_ms: int
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PairInSource:
    """One place where a pair was found; ``row`` is the line or record number there."""

    source: SourceInfo
    row: int


@dataclass(frozen=True, slots=True)
class PairInDataset:
    """A frozen dataset version that holds a pair, and what the pair is in it."""

    dataset_id: int
    title: str
    split: str
    chosen: str
    strength: float
    judgement_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PairInRun:
    """A run that was given a pair."""

    run_id: str
    name: str
    state: str
    dataset_title: str
    split: str


@dataclass(frozen=True, slots=True)
class PairDetail:
    """Everything the workspace knows of one pair, oldest first.

    Attributes:
        judgements: every judgement, taken-back and superseded ones included; ``current`` tells which count.
        text_flags: what looks wrong in its texts, keys of ``core.domain.text_flags``.
        tags: that people put on it, in that order.
    """

    id: int
    sha256: str
    pair: Pair
    sources: tuple[PairInSource, ...]
    judgements: tuple[Judgement, ...]
    datasets: tuple[PairInDataset, ...]
    runs: tuple[PairInRun, ...]
    text_flags: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far the index reaches: the first ``indexed`` of ``pairs`` pairs; a search reads the texts of the others."""

    indexed: int
    pairs: int

    @property
    def complete(self) -> bool:
        """Whether every pair is in it."""
        return self.indexed >= self.pairs
