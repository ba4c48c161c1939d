"""The proof that a withdrawal holds: how much of a subject's texts or labels each frozen dataset version has."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from core.domain.clock import now_ms
from core.domain.consent import date_text
from core.domain.counting import counted, verb
from core.store import affected as repository
from core.store.affected import HoldingVersion
from core.store.sqlite.database import Store


@dataclass(frozen=True, slots=True)
class ConsentProof:
    """What the frozen dataset versions hold of a subject, before and after its newest withdrawal.

    Attributes:
        unit: what is counted: labels of a reviewer, items of the others.
        withdrawn_ms: when the withdrawal was stated, UTC; None without one that holds.
        before, after: versions frozen before and after it, oldest first; without one all are before.
    """

    subject: str
    subject_id: int
    name: str
    unit: str
    withdrawn_ms: int | None
    before: tuple[HoldingVersion, ...]
    after: tuple[HoldingVersion, ...]

    @property
    def holds(self) -> bool:
        """Whether no version frozen after the withdrawal has anything of the subject."""
        return self.withdrawn_ms is not None and not any(one.held for one in self.after)

    def sentence(self) -> str:
        """Return what is proved in one sentence."""
        if self.withdrawn_ms is None:
            return f"The consent for {self.name} is not withdrawn; there is nothing to prove."
        day = date_text(self.withdrawn_ms)[:10]
        if not self.after:
            return f"No dataset version was frozen since the consent for {self.name} was withdrawn on {day}."
        if self.holds:
            how = verb(len(self.after), "holds", "hold")
            versions = counted(len(self.after), "dataset version")
            return f"{versions} frozen since the withdrawal of {day} {how} no {self.unit} of {self.name}."
        names = ", ".join(f"{one.title} ({counted(one.held, self.unit)})" for one in self.after if one.held)
        return f"Frozen since the withdrawal of {day} with something of {self.name}: {names}."

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "subject": self.subject,
            "id": self.subject_id,
            "name": self.name,
            "counts": self.unit,
            "withdrawn_ms": self.withdrawn_ms,
            "holds": self.holds,
            "before": [asdict(one) for one in self.before],
            "after": [asdict(one) for one in self.after],
        }


def proof_of(store: Store, subject: str, subject_id: int) -> ConsentProof:
    """Return what each frozen version holds of a subject; every item and label is looked up anew.

    Raises:
        NotFound: when there is no such subject.
    """
    with store.read() as session:
        touched = repository.touched(session, subject, subject_id)
        versions = repository.holding(session, touched)
        since = repository.withdrawn_ms(session, subject, subject_id, now_ms())
    later = tuple(one for one in versions if since is not None and one.frozen_ms >= since)
    earlier = tuple(one for one in versions if one not in later)
    unit = "label" if subject == "reviewer" else "item"
    return ConsentProof(subject, subject_id, touched.name, unit, since, earlier, later)
