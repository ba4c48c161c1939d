"""The report of a preflight: the checks made before a run starts, and what they measured."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from core.domain.look_plan import LooksPlanned
from core.domain.run_events import GateReport, TokenReport
from core.domain.run_events import from_plain as event_from_plain
from core.domain.token_proof import TokenProof

Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    ``key`` names it: refusals, model, tokens, template, answers, kl, looks, precision, gate, memory, disk or time.
    """

    key: str
    level: Level
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class PreflightReport:
    """Whether a run would work on this machine, with the numbers behind it.

    Attributes:
        checks: in the order in which they were made.
        tokens: what tokenising does to all pairs. gate: the truth gate on a dry step.
        proof: of some pairs, what is trained.
        total_steps: optimizer steps of the run.
        step_seconds: of the dry step, scaled to pairs of mean length. reference_seconds: for all pairs.
        look_seconds: of one measurement of each kind ("eval", "kl", "sample"), answers as long as a few that it wrote.
        start_seconds: of what the measurements need once, before the first step and at the first of them.
        looks: how often the run would measure.
        eta_s: reference, training and all measurements together. eta_low_s, eta_high_s: the interval that holds it with
            80 % probability, from the spread of work that was timed once.
        memory_bytes: what the run will take at its peak. memory_parts: its parts by purpose. memory_free_bytes:
            of what the device has. micro_batch: pairs of a forward pass that this allows.
        disk_bytes, disk_free_bytes: for checkpoints and the result.
        device, forward: what it would run on, and by which forward pass.
    """

    checks: tuple[Check, ...] = ()
    tokens: TokenReport | None = None
    gate: GateReport | None = None
    proof: TokenProof | None = None
    total_steps: int = 0
    step_seconds: float = 0.0
    reference_seconds: float = 0.0
    look_seconds: dict[str, float] = field(default_factory=dict)
    start_seconds: float = 0.0
    looks: LooksPlanned | None = None
    eta_s: float = 0.0
    eta_low_s: float = 0.0
    eta_high_s: float = 0.0
    memory_bytes: int = 0
    memory_parts: tuple[tuple[str, int], ...] = ()
    memory_free_bytes: int = 0
    micro_batch: int = 0
    disk_bytes: int = 0
    disk_free_bytes: int = 0
    device: str = ""
    forward: str = ""

    @property
    def ok(self) -> bool:
        """Whether no check says that the run would fail."""
        return all(check.level != "bad" for check in self.checks)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, row: dict[str, Any]) -> PreflightReport:
        """Return the report written by :meth:`to_plain`."""
        values = {f.name: row[f.name] for f in fields(cls) if f.name in row}
        values["checks"] = tuple(Check(**check) for check in row.get("checks", ()))
        values["memory_parts"] = tuple((name, size) for name, size in row.get("memory_parts", ()))
        if row.get("proof"):
            values["proof"] = TokenProof.from_plain(row["proof"])
        if row.get("looks"):
            values["looks"] = LooksPlanned(**row["looks"])
        for name in ("tokens", "gate"):
            if row.get(name):
                values[name] = event_from_plain({"event": name, **row[name]})
        return cls(**values)
