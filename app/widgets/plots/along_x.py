"""What a plot over steps has along x: the steps themselves, or what the run had seen up to each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.widgets.plots.curves import Curve
from core.domain.x_axis import BY_NAME, STEP, X_AXES, XAxis
from core.services.runs.x_places import XPlaces


@dataclass(frozen=True, slots=True)
class AlongX:
    """The axis that is shown, and where the steps stand on it; None where they stand at their own numbers.

    ``missing`` is the axis that was chosen and cannot be shown, since the run has no numbers for it.
    """

    axis: XAxis = X_AXES[0]
    places: XPlaces | None = None
    missing: XAxis | None = None

    @classmethod
    def of(cls, name: str, known: Mapping[str, XPlaces]) -> AlongX:
        """Return the axis ``name`` of a run; the steps where the run has no numbers for it."""
        if name == STEP or name not in BY_NAME:
            return cls()
        return cls(BY_NAME[name], known[name]) if name in known else cls(missing=BY_NAME[name])

    @property
    def titles(self) -> list[str]:
        """The title of the axis and what it says where there is less room, the longest first."""
        lacking = [f"{self.axis.title} ({self.missing.title}: not recorded) →"] if self.missing is not None else []
        return [*lacking, f"{self.axis.title} →", f"{self.axis.brief} →"]

    def same_places(self, places: XPlaces | None) -> bool:
        """Whether all steps stand where they stand on ``places``."""
        return places is None if self.places is None else self.places.same_as(places)

    def columns(self, curves: Mapping[str, Curve]) -> dict[str, Curve]:
        """Return what stands at each step of the curves as a curve under its title; nothing where it is the step."""
        if self.places is None or not curves:
            return {}
        steps = np.unique(np.concatenate([curve.steps for curve in curves.values()]))
        return {self.axis.title: Curve(steps, self.places.of(steps))}

    def place(self, step: float) -> float:
        """Return where a step stands."""
        return step if self.places is None else float(self.places.of(np.asarray([step]))[0])

    def words(self, step: float) -> str:
        """Return what stands at a step, with its unit; "" where that is the step itself."""
        return "" if self.places is None else self.axis.words(self.place(step))
