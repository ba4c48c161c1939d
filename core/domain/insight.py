"""What a run's numbers say, in words a user can act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
        pair_ids: the pairs that show it best, strongest first; empty when it is not about single pairs.
        severity: "error" spoils the run, "warning" wants a look, "info" is good to know.
    """

    code: str
    since_step: int
    title: str
    why: str
    try_: str
    pair_ids: tuple[str, ...] = ()
    severity: Severity = "warning"
