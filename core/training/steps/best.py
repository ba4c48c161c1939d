"""The best checkpoint of a run by one number of the held-out pairs, and when to stop waiting for a better one."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from core.domain.run_config import RunConfig
from core.domain.run_events import EvalDone

_LOWER_IS_BETTER = ("loss",)


@dataclass(frozen=True, slots=True)
class Best:
    """What is known after the measurements made so far.

    Attributes:
        metric: field of :class:`EvalDone` that decides; "" compares nothing.
        value: the best value; None before the first measurement. step: where it was measured.
        waited: measurements in a row since then that were not better.
    """

    metric: str = ""
    value: float | None = None
    step: int = 0
    waited: int = 0

    @classmethod
    def of(cls, config: RunConfig, stored: dict[str, Any]) -> Best:
        """Return the state that a checkpoint stored, or a new one where it has none or another metric decided."""
        metric = "" if config.best_metric == "off" else config.best_metric
        return cls(**stored) if stored and stored.get("metric") == metric else cls(metric)

    def after(self, event: EvalDone) -> Best:
        """Return the state after one more measurement; the one before the first step and those of train do not count.

        A value that is not a number is never better. Of equal values the earlier one stays the best.
        """
        if not self.metric or event.split != "dev" or event.step == 0:
            return self
        value = float(getattr(event, self.metric))
        if self.value is None:
            better = value == value  # not NaN
        else:
            better = value < self.value if self.metric in _LOWER_IS_BETTER else value > self.value
        if better:
            return replace(self, value=value, step=event.step, waited=0)
        return replace(self, waited=self.waited + 1)

    def exhausted(self, patience: int) -> bool:
        """Return whether the run stops: ``patience`` measurements in a row were not better (0 never stops)."""
        return bool(self.metric) and 0 < patience <= self.waited

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for a checkpoint; {} where nothing is compared."""
        return asdict(self) if self.metric else {}

    def __str__(self) -> str:
        return "" if self.value is None else f"held-out {self.metric} {self.value:.4f} at step {self.step}"
