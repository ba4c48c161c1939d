"""What a reviewer sees of an audit, and what a page and a command tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.domain.audit import AuditWord
from core.domain.conversation import Prompt
from core.domain.estimate import Estimate
from core.domain.refusal_kind import RefusalKind


@dataclass(frozen=True, slots=True)
class QueuedAnswer:
    """An answer that waits for a label. Neither its arm nor what the detector says of it is told.

    Attributes:
        number: its place in the sample, from 1.
        words, tokens: how long the answer is; 0 tokens where that is not known.
        finished: whether it ended by itself, not at the limit of tokens.
    """

    key: str
    number: int
    prompt: Prompt
    text: str
    words: str
    tokens: int
    finished: bool

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as the command line prints them."""
        return {
            "key": self.key,
            "number": self.number,
            "prompt": self.prompt.to_plain(),
            "answer": self.text,
            "tokens": self.tokens,
            "finished": self.finished,
        }


@dataclass(frozen=True, slots=True)
class PastLabel:
    """What a reviewer said of an answer, with what is told only afterwards.

    Attributes:
        key: of the answer. number: its place in the sample.
        verdict: what the detector said. agrees: whether both call it a refusal, or both do not.
    """

    key: str
    number: int
    word: AuditWord
    arm: str
    verdict: RefusalKind
    agrees: bool


@dataclass(frozen=True, slots=True)
class FlaggedAnswer:
    """An answer that somebody shall look at again, by its place in the sample, and who flagged it."""

    key: str
    number: int
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArmProgress:
    """How far one arm is audited, and how right the detector is on it so far; see ``AuditedArm``."""

    arm: str
    labelled: int
    needed: int
    unclear: int
    complete: bool
    problem: str
    fpr: Estimate
    fnr: Estimate
    youden: Estimate

    @property
    def words(self) -> str:
        """How far it is in words."""
        return f"audited {self.labelled} of {self.needed} for {self.arm}"


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The detector's error rates over all arms after some answers were labelled."""

    labelled: int
    fpr: Estimate
    fnr: Estimate


@dataclass(frozen=True, slots=True)
class AuditQueue:
    """The audit of an evaluation for one reviewer.

    Attributes:
        drawn: whether a sample was drawn. seed: of it.
        waiting: answers that the reviewer can label, in order.
        past: what the reviewer said, the newest first.
        arms: how far each arm is.
        cells: labelled and drawn answers by kind of request: comply, refuse.
        words: how many answers have which label of anybody.
        agreement: share of equal labels among answers with several reviewers.
        more: answers that were not drawn and could be.
        curve: the detector's rates while people labelled.
        flagged: answers that somebody shall look at again.
        seconds: median time of one of the reviewer's last labels; 0 before there are some.
    """

    evaluation_id: str
    name: str
    drawn: bool
    seed: int = 0
    waiting: tuple[QueuedAnswer, ...] = ()
    past: tuple[PastLabel, ...] = ()
    arms: tuple[ArmProgress, ...] = ()
    cells: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    words: Mapping[str, int] = field(default_factory=dict)
    agreement: Estimate | None = None
    more: int = 0
    seconds: float = 0.0
    curve: tuple[CurvePoint, ...] = ()
    flagged: tuple[FlaggedAnswer, ...] = ()

    @property
    def labelled(self) -> int:
        """Answers that somebody labelled."""
        return sum(done for done, _ in self.cells.values())

    @property
    def total(self) -> int:
        """Answers that were drawn."""
        return sum(total for _, total in self.cells.values())

    @property
    def complete(self) -> bool:
        """Whether every arm is audited."""
        return bool(self.arms) and all(arm.complete for arm in self.arms)
