"""Feedback: what people said of a released policy, as events that never change, and what was decided about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from core.domain.consent import Consent
from core.domain.conversation import Prompt
from core.domain.errors import BadInput
from core.domain.ids import canonical_json, sha256_text

FeedbackKind = Literal["thumbs", "correction", "attack", "complaint", "text"]
KINDS: tuple[FeedbackKind, ...] = get_args(FeedbackKind)
"""What an event is. An attack stays an attack: a pair that is made of it carries a mark for ever."""
FeedbackState = Literal["open", "triaged", "rejected"]
DecisionOp = Literal["label", "wait", "rubric", "suite", "reject", "undo"]
DECISIONS: tuple[DecisionOp, ...] = get_args(DecisionOp)
"""What can be decided. ``wait`` is a label batch for an event whose one answer waits for a second."""


@dataclass(frozen=True, slots=True)
class FeedbackContent:
    """What one event says. Its hash names it: the same words, imported twice, are one event.

    Attributes:
        prompt: what was asked; None where the event names none.
        answer: what the policy answered. better: the answer that its author wants instead, of a correction.
        thumb: 1 for up, -1 for down, of thumbs; else None.
        note: what the author wrote.
        author: a pseudonym.
        release, run: the release and the run whose policy answered; empty where not known.
        generation: the generation record of the answer, as plain values.
        said_ms: when it was said, UTC milliseconds; None where not known.
        category, language: for slices, as the file names them.

    Raises:
        BadInput: when a part that the kind needs is missing, or a part contradicts it.
    """

    kind: FeedbackKind
    prompt: Prompt | None = None
    answer: str = ""
    better: str = ""
    thumb: int | None = None
    note: str = ""
    author: str = ""
    release: str = ""
    run: str = ""
    generation: Mapping[str, Any] = field(default_factory=dict)
    said_ms: int | None = None
    category: str = ""
    language: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"There is no feedback of the kind {self.kind!r}.", f"Use one of {', '.join(KINDS)}.")
        if missing := _missing(self):
            raise BadInput(f"Feedback of the kind {self.kind} needs {missing}.")
        if self.kind == "correction" and self.better == self.answer:
            raise BadInput("Both answers of the correction are the same text; there is nothing to prefer.")

    def to_plain(self) -> dict[str, Any]:
        """Return plain values without the empty ones: what is hashed and stored."""
        plain = {
            "kind": self.kind,
            "prompt": None if self.prompt is None else self.prompt.to_plain(),
            "answer": self.answer,
            "better": self.better,
            "thumb": self.thumb,
            "note": self.note,
            "author": self.author,
            "release": self.release,
            "run": self.run,
            "generation": dict(self.generation),
            "said_ms": self.said_ms,
            "category": self.category,
            "language": self.language,
        }
        return {key: value for key, value in plain.items() if value not in (None, "", {})}

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> FeedbackContent:
        """Return the content of :meth:`to_plain`."""
        values = dict(row)
        if "prompt" in values:
            values["prompt"] = Prompt.from_plain(values["prompt"])
        return cls(**values)

    @property
    def body(self) -> str:
        """Canonical JSON, the text that is stored."""
        return canonical_json(self.to_plain())

    @property
    def sha256(self) -> str:
        """Content hash."""
        return sha256_text(self.body)

    @property
    def headline(self) -> str:
        """The words that tell it apart in a list: the note, or else the question."""
        return self.note or (self.prompt.last_text if self.prompt is not None else "")


def _missing(content: FeedbackContent) -> str:
    if content.kind in ("thumbs", "correction", "attack") and content.prompt is None:
        return "a prompt"
    if content.kind in ("thumbs", "correction") and not content.answer:
        return "the answer that it is about"
    if content.kind == "correction" and not content.better:
        return "the answer that is wanted instead"
    if content.kind == "thumbs" and content.thumb not in (1, -1):
        return "a thumb, up or down"
    if content.kind == "complaint" and not content.note and content.prompt is None:
        return "a note or a prompt"
    return "a note" if content.kind == "text" and not content.note else ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about an event, as it was logged.

    Attributes:
        op: see :data:`DECISIONS`.
        by: pseudonym of who decided. reason: why.
        pair_id: the pair that a label batch got, None for other decisions and while an answer is missing.
        target: rubric, suite, expectation or batch that was named.
    """

    id: int
    event_id: int
    op: DecisionOp
    by: str
    reason: str
    at_ms: int
    pair_id: int | None = None
    target: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeedbackEvent:
    """An event as it stands in the workspace.

    Attributes:
        content: what it says; None when consent is withdrawn: the texts are not shown any more.
        consent: of this event, as it was last stated.
        withdrawn: whether consent for it, or for its source, counts as withdrawn now.
        decision: the newest decision, None for none.
        pair_ids: every pair that was made of it.
    """

    id: int
    kind: FeedbackKind
    sha256: str
    source_id: int
    source: str
    line: int
    at_ms: int
    content: FeedbackContent | None
    consent: Consent = field(default_factory=Consent)
    withdrawn: bool = False
    decision: Decision | None = None
    pair_ids: tuple[int, ...] = ()

    @property
    def state(self) -> FeedbackState:
        """Open, triaged or rejected."""
        if self.decision is None or self.decision.op == "undo":
            return "open"
        return "rejected" if self.decision.op == "reject" else "triaged"

    @property
    def waits(self) -> bool:
        """Whether its one answer waits for a second."""
        return self.decision is not None and self.decision.op == "wait"


@dataclass(frozen=True, slots=True)
class FeedbackFilter:
    """Which events to list; every condition must hold.

    Attributes:
        state: open, triaged, rejected or waiting. kind: of events. decided: the newest decision, such as "rubric".
        after: continue behind this event, for paging.
        release: name of the release that the event is about.
        consent: as it counts now: granted, unknown, withdrawn or "other use".
        text: words that all occur in its texts; events without consent have none.
    """

    state: str = ""
    kind: str = ""
    decided: str = ""
    source_id: int | None = None
    after: int = 0
    limit: int | None = None
    release: str = ""
    consent: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class FeedbackCounts:
    """How many events there are: ``events`` = ``open`` + ``triaged`` + ``rejected``, always.

    Attributes:
        waiting: of the triaged ones, those whose one answer waits for a second.
        withdrawn: those without consent any more, whatever their state.
        kinds: kind -> events.
        consents: granted, unknown, withdrawn or "other use", as it counts now -> events.
    """

    events: int
    open: int
    triaged: int
    rejected: int
    waiting: int = 0
    withdrawn: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    consents: Mapping[str, int] = field(default_factory=dict)

    @property
    def adds_up(self) -> bool:
        """Whether every event is in exactly one state and one kind."""
        return self.events == self.open + self.triaged + self.rejected == sum(self.kinds.values())


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """What an import did with each record: ``rows`` = ``imported`` + ``known`` + ``rejected``, always.

    Attributes:
        known: records whose event was in the workspace, or earlier in the file.
        kinds: kind -> imported events.
        reasons: why records were rejected, with counts.
        rejects_path: the list of the rejected records with line and reason; empty when there is none.
        unused: columns that no part of an event was read from.
    """

    source_id: int
    source_name: str
    rows: int
    imported: int
    known: int
    rejected: int
    kinds: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    rejects_path: str = ""
    unused: tuple[str, ...] = ()
