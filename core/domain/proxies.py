"""A proxy is a number that stands for quality and that training can raise without any. Each has a counter-metric.

Source: C. Goodhart (1975); L. Gao et al., arXiv 2210.10760 for reward models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.domain.estimate import Estimate
from core.domain.evidence import plain


@dataclass(frozen=True, slots=True)
class RegisteredProxy:
    """One proxy as an evaluation shows it.

    Attributes:
        key: its name for machines. title: for people.
        proxy, counter: names of the two numbers.
        value, against: the numbers; None where nothing was measured.
        alarm: why the proxy rises without the quality that it stands for; "" without alarm.
        missing: what must be measured before the alarm can say anything; "" when all is there.
        watermarks: what every page that shows the proxy says beside it.
    """

    key: str
    title: str
    proxy: str
    counter: str
    value: Estimate | None
    against: Estimate | None
    alarm: str = ""
    missing: str = ""
    watermarks: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "proxy": {"name": self.proxy, **(plain(self.value) if self.value else {})},
            "counter": {"name": self.counter, **(plain(self.against) if self.against else {})},
            "alarm": self.alarm,
            "missing": self.missing,
            "watermarks": list(self.watermarks),
        }


@dataclass(frozen=True, slots=True)
class CheckpointProxies:
    """The register at one evaluated checkpoint; ``step`` 0 is the run's result."""

    evaluation_id: str
    name: str
    step: int
    proxies: tuple[RegisteredProxy, ...]
