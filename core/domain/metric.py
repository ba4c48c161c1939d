"""One number of a run: what it is called, measured in, and which way is good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", "neither"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a run.

    Attributes:
        key: field name in the events named by ``events``.
        name: short title of a plot, tile or column.
        unit: what one of it is; "" for a pure number; "share" is shown as a percentage.
        better: which way is an improvement; "neither" when a change says nothing by itself.
        explains: one plain sentence for tooltip and glossary.
        formula: the definition in the glossary's symbols.
        events: names of the events that carry it (``step``, ``eval``, ``kl``).
        decimals: significant digits shown.
        reference: where a dashed line is drawn, such as 0 or ln 2.
    """

    key: str
    name: str
    unit: str
    better: Better
    explains: str
    formula: str = ""
    events: tuple[str, ...] = ("step",)
    decimals: int = 4
    reference: float | None = None
