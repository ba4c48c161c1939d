"""The run queue as a value: runs that wait in an order, the one that was taken, and those that did not go well.

Pure functions; :mod:`core.runs.queue_file` keeps the value in a file, :mod:`core.runs.queue_runner` works it off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, TypeVar

from core.domain.errors import NotFound, UsageError

ToldKind = Literal["refused", "failed", "interrupted"]
_TOLD_KEPT = 50
"""How many runs that did not go well are kept; the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class WaitingRun:
    """A run that waits.

    Attributes:
        run_id: of the run. added_ms: when it was added, UTC milliseconds.
        attempt: attempts that it had then; with a later one it was started by hand, and waits no more.
        tries: how often it was taken from the queue and its process died.
        step: optimizer steps that it had when it was taken last.
    """

    run_id: str
    added_ms: int
    attempt: int = 0
    tries: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True)
class TakenRun:
    """The run that was taken last and has not been concluded.

    Attributes:
        waited: what stood in the queue, with the attempts and steps that the run had when it was taken.
        pid, started, machine: the process that works on it, or that is about to start one; as in ``worker.json``.
    """

    waited: WaitingRun
    pid: int
    started: float
    machine: str


@dataclass(frozen=True, slots=True)
class ToldRun:
    """A run that left the queue without having ended well.

    Attributes:
        kind: "refused" was not started, "failed" ended with an error, "interrupted" its process died again and again.
        reason, hint: why, and what helps. at_ms: when, UTC milliseconds.
    """

    run_id: str
    kind: ToldKind
    reason: str
    hint: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class RunQueue:
    """All of the queue; every method returns a changed copy.

    Attributes:
        paused: whether nothing is taken for the time being.
        waiting: in the order in which they are taken.
        taken: the run that is worked on for the queue, None where there is none.
        told: runs that did not go well, the oldest first.
    """

    paused: bool = False
    waiting: tuple[WaitingRun, ...] = ()
    taken: TakenRun | None = None
    told: tuple[ToldRun, ...] = ()

    def place_of(self, run_id: str) -> int:
        """Return the place of a waiting run, from 0.

        Raises:
            NotFound: when it does not wait.
        """
        for place, one in enumerate(self.waiting):
            if one.run_id == run_id:
                return place
        raise NotFound(f"Run {run_id} is not in the queue; nothing was changed.", "See it with: runs queue WS")

    def holds(self, run_id: str) -> bool:
        """Return whether the run waits."""
        return any(one.run_id == run_id for one in self.waiting)

    def with_added(self, one: WaitingRun, place: int | None = None) -> RunQueue:
        """Return the queue with a run at ``place`` (from 0), or at the end; what was told of it is dropped.

        Raises:
            UsageError: when it waits already.
        """
        if self.holds(one.run_id):
            raise UsageError("This run is in the queue already; nothing was changed.", "Move it with: runs queue move")
        at = len(self.waiting) if place is None else max(0, min(place, len(self.waiting)))
        waiting = (*self.waiting[:at], one, *self.waiting[at:])
        return replace(self, waiting=waiting, told=tuple(told for told in self.told if told.run_id != one.run_id))

    def without(self, run_id: str) -> RunQueue:
        """Return the queue without a waiting run.

        Raises:
            NotFound: when it does not wait.
        """
        at = self.place_of(run_id)
        return replace(self, waiting=(*self.waiting[:at], *self.waiting[at + 1 :]))

    def with_moved(self, run_id: str, place: int) -> RunQueue:
        """Return the queue with a waiting run at ``place`` (from 0); a place outside is the nearest end.

        Raises:
            NotFound: when it does not wait.
        """
        one = self.waiting[self.place_of(run_id)]
        return self.without(run_id).with_added(one, max(0, place))

    def with_told(self, told: ToldRun) -> RunQueue:
        """Return the queue with a run that did not go well; it waits no more."""
        kept = [one for one in self.told if one.run_id != told.run_id][-_TOLD_KEPT + 1 :]
        waiting = tuple(one for one in self.waiting if one.run_id != told.run_id)
        return replace(self, waiting=waiting, told=(*kept, told))

    def without_told(self, run_id: str = "") -> RunQueue:
        """Return the queue without what was told of a run, or of all of them for ""."""
        return replace(self, told=tuple(one for one in self.told if run_id not in ("", one.run_id)))

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for the file."""
        return {"format": 1, **asdict(self)}

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> RunQueue:
        """Return the queue written by :meth:`to_plain`; fields of a newer version are left out.

        Raises:
            KeyError, TypeError, ValueError: when a field is missing or of the wrong kind.
        """
        taken = row.get("taken")
        return cls(
            paused=bool(row["paused"]),
            waiting=tuple(_read(WaitingRun, one) for one in row["waiting"]),
            taken=None if taken is None else _read(TakenRun, {**taken, "waited": _read(WaitingRun, taken["waited"])}),
            told=tuple(_read(ToldRun, one) for one in row["told"]),
        )


Entry = TypeVar("Entry", WaitingRun, TakenRun, ToldRun)


def _read(kind: type[Entry], row: Mapping[str, Any]) -> Entry:
    made = kind(**{f.name: row[f.name] for f in fields(kind) if f.name in row})
    for f in fields(kind):
        value = getattr(made, f.name)
        expected = {"int": int, "float": (int, float), "str": str}.get(str(f.type))
        if expected is not None and (not isinstance(value, expected) or isinstance(value, bool)):
            raise TypeError(f.name)
    return made
