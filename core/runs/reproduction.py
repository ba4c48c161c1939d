"""Training a run again from its folder, and saying by how much every number differs. It imports torch as it trains.

On one machine with the same libraries a CPU gives the same bits; other machines, threads and cards give others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.domain.counting import counted
from core.domain.errors import BadInput, UserError
from core.domain.ids import sha256_json
from core.domain.run_events import Failed, RunEvent, StepDone
from core.runs.control_file import request
from core.runs.creation import NewRun, create_run
from core.runs.folder import RunFolder
from core.runs.hosting.driver import HostOptions, drive
from core.runs.moved_model import base_model_place
from core.runs.run_reader import RunReader
from core.unfinished import temporary_folder

OnEvent = Callable[[RunEvent], None]


@dataclass(frozen=True, slots=True)
class Reproduction:
    """How a run that was trained again differs from the run.

    Attributes:
        run_id: of the run. steps: that both made. visits: pairs of these steps, each as often as it was trained on.
        order_sha256: of which pairs each of these steps took. same_order: whether it is that of the run.
        max_loss: largest |Δ loss| of a step, nats. max_margin: largest |Δ margin| of a pair in a step.
    """

    run_id: str
    steps: int
    visits: int
    order_sha256: str
    same_order: bool
    max_loss: float
    max_margin: float

    @property
    def largest(self) -> float:
        """The largest difference; infinite where other pairs were trained on."""
        return max(self.max_loss, self.max_margin) if self.same_order else math.inf

    def to_plain(self) -> dict[str, Any]:
        """Return plain values; a difference that is no number is None."""
        plain = asdict(self)
        return {key: None if isinstance(one, float) and not math.isfinite(one) else one for key, one in plain.items()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Reproduction:
        """Read what :meth:`to_plain` made; None is an infinite difference."""
        found = cls(**plain)
        lost = {name: math.inf for name in ("max_loss", "max_margin") if plain[name] is None}
        return replace(found, **lost)

    def sentence(self) -> str:
        """Return what came of it in words."""
        words = f"{counted(self.steps, 'step')} with {counted(self.visits, 'pair')} trained again"
        if not self.same_order:
            return f"{words}: a step took other pairs than in the run."
        if self.largest == 0:
            return f"{words}: the same pairs in every step, and all numbers equal (max |delta| 0)."
        return f"{words}: the same pairs, max |delta| {self.max_loss:.3g} of loss and {self.max_margin:.3g} of margin."


def reproduce(run_dir: Path, *, steps: int = 0, on_event: OnEvent | None = None) -> Reproduction:
    """Train the run again in a folder of its own, which is removed, and compare what both measured.

    Args:
        run_dir: of the run; nothing in it is changed.
        steps: how many are made again; 0 makes all.
        on_event: gets the events.

    Raises:
        NotFound, ModelRefused: when the base model is gone or was altered.
        BadInput: when the run has no steps, or goes on from another one.
        UserError: when it could not be trained again.
    """
    folder = RunFolder(run_dir)
    record, known = folder.record(), _measured(folder)
    if not known:
        raise BadInput("This run has made no step yet; there is nothing to compare.", "Start it first.")
    base = base_model_place(folder.path, record.model_dir)
    new = NewRun(record.config, base, folder.pairs(), record.name, dict(record.dataset))
    if record.parent_run:
        raise BadInput("This run goes on from a checkpoint of another one.", "Name the run that it continues.")
    last = min(steps or max(known), max(known))
    with temporary_folder(prefix="pairwright-reproduce-") as scratch:
        again = create_run(scratch / "run", new, created_ms=record.created_ms)

        def tell(event: RunEvent) -> None:
            if on_event is not None:
                on_event(event)
            if isinstance(event, StepDone) and event.step >= last:
                request(again.control, "stop_now")

        ended = drive(again.path, HostOptions(host="terminal", on_event=tell, reset=True))
        if isinstance(ended, Failed):
            raise UserError(f"The run could not be trained again: {ended.message}", ended.hint)
        found = _measured(again)
    return _compared(record.run_id, known, found)


_Step = tuple[float, Mapping[str, float]]
"""Loss of a step, and the margins of its pairs."""


def _measured(folder: RunFolder) -> dict[int, _Step]:
    reader = RunReader(folder.path)
    steps = reader.steps()
    margins: dict[int, dict[str, float]] = {}
    for visit in reader.pairs_of_range(0, max((one.step for one in steps), default=0)):
        margins.setdefault(visit.step, {})[visit.pair_id] = visit.row.margin
    return {one.step: (one.loss, margins.get(one.step, {})) for one in steps}


def _compared(run_id: str, known: Mapping[int, _Step], found: Mapping[int, _Step]) -> Reproduction:
    both = sorted(known.keys() & found.keys())
    orders = [sha256_json([[step, sorted(side[step][1])] for step in both]) for side in (known, found)]
    pairs = [(known[step][1][id_], found[step][1].get(id_, math.nan)) for step in both for id_ in known[step][1]]
    return Reproduction(
        run_id,
        len(both),
        len(pairs),
        orders[1],
        bool(both) and orders[0] == orders[1],
        _largest([(known[step][0], found[step][0]) for step in both]),
        _largest(pairs),
    )


def _largest(pairs: list[tuple[float, float]]) -> float:
    """Return the largest |difference|; NaN on both sides is none, on one side an infinite one."""
    gaps = [
        0.0 if one == other or (math.isnan(one) and math.isnan(other)) else abs(one - other) for one, other in pairs
    ]
    return max((math.inf if math.isnan(gap) else gap for gap in gaps), default=math.inf)
