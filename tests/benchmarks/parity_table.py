"""Print how far every loss is from TRL's golden trajectory, as the table in ``core/README.md``.

``python -m tests.benchmarks.parity_table``: the largest relative difference over the first 5 and over all 18 steps in
loss, log-probs and gradient norm, and the largest absolute one in margin (nats times beta).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.core.training.golden_runs import FIELDS, run_golden, trajectories

RELATIVE = ("loss", "logps/chosen", "grad_norm")


def differences(name: str, folder: Path) -> dict[str, list[float]]:
    """Return per field the difference of every step, relative to the golden value but for margins."""
    golden = trajectories()[name]["steps"]
    found: dict[str, list[float]] = {field: [] for field in (*RELATIVE, "rewards/margins")}
    for step, logged in zip(run_golden(name, folder), golden, strict=True):
        for field, values in found.items():
            off = abs(getattr(step, FIELDS[field]) - logged[field])
            values.append(off / max(abs(logged[field]), 1e-12) if field in RELATIVE else off)
    return found


def main() -> None:
    """Print one row a trajectory."""
    print("| trajectory | loss, 5 steps | loss, 18 | log-prob, 18 | gradient norm, 18 | margin, 18 (absolute) |")
    print("|---|---|---|---|---|---|")
    for name in trajectories():
        with tempfile.TemporaryDirectory() as folder:
            off = differences(name, Path(folder))
        columns = [max(off["loss"][:5]), *(max(off[field]) for field in (*RELATIVE, "rewards/margins"))]
        print(f"| {name} | " + " | ".join(f"{value:.0e}" for value in columns) + " |", flush=True)


if __name__ == "__main__":
    main()
