"""What a run's numbers say, in words a user can act on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Insight:
    """One thing worth knowing about a run, with its evidence.

    Attributes:
        code: stable machine name; dismissing an insight dismisses its code for the run.
        since_step: first optimizer step at which it held.
        title: what happened, one short line.
        why: why it matters, with the numbers behind it.
        try_: what to do about it.
        pair_ids: all pairs that show it, strongest first; empty when it is not about single pairs.
        severity: "error" spoils the run, "warning" wants a look, "info" is good to know.
        spans: stretches of steps in which it held, first and last step of each.
        metrics: curves on which the spans are drawn, by name ("dev.margin").
        figures: the numbers behind it, label and text.
        test: how it is kept from being noise, with the level; empty for what is counted and not estimated.
        formula: what the numbers are.
        confirm: what would confirm it, or show that it is something else.
        pairs_kind: which rows of the ledger show the pairs: "train", "dev" or "probe_train".
        pairs_steps: first and last step of those rows; None takes each pair's last visit.
    """

    code: str
    since_step: int
    title: str
    why: str
    try_: str
    pair_ids: tuple[str, ...] = ()
    severity: Severity = "warning"
    spans: tuple[tuple[int, int], ...] = ()
    metrics: tuple[str, ...] = ()
    figures: tuple[tuple[str, str], ...] = ()
    test: str = ""
    formula: str = ""
    confirm: str = ""
    pairs_kind: str = "train"
    pairs_steps: tuple[int, int] | None = None

    @property
    def count(self) -> int:
        """How many pairs show it."""
        return len(self.pair_ids)

    @property
    def span_words(self) -> str:
        """The steps in which it held, in words."""
        if len(self.spans) > 1:
            return f"{len(self.spans)} stretches from step {self.spans[0][0]} to {self.spans[-1][1]}"
        if self.spans and self.spans[0][0] < self.spans[0][1]:
            return f"steps {self.spans[0][0]} to {self.spans[0][1]}"
        return f"at step {self.spans[0][0]}" if self.spans else f"since step {self.since_step}"

    @property
    def pairs_about(self) -> str:
        """Which measurements of the pairs are meant, in words."""
        name = {"dev": "held-out", "probe_train": "train probe"}.get(self.pairs_kind, "training")
        if self.pairs_steps is None:
            return f"{name}, last visit"
        first, last = self.pairs_steps
        return f"{name}, step {first}" if first == last else f"{name}, steps {first} to {last}"

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        plain = asdict(self)
        plain["try"] = plain.pop("try_")
        plain["figures"] = dict(self.figures)
        return {**plain, "pairs": self.count}
