"""Print how far every golden trajectory is from TRL's numbers: ``python -m tests.core.training.parity_table``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.core.training.golden_runs import FIELDS, allowed, run_golden, trajectories


def deviations(name: str, folder: Path) -> tuple[dict[str, float], float]:
    """Return the largest relative difference of each field over all steps, and the largest share of what is allowed.

    Rewards are relative to at least beta * 1 nat: they are small differences of large sums.
    """
    golden = trajectories()[name]
    beta = golden["settings"]["beta"]
    worst = dict.fromkeys(FIELDS, 0.0)
    share = 0.0
    for index, (step, logged) in enumerate(zip(run_golden(name, folder), golden["steps"], strict=True)):
        for field, ours in FIELDS.items():
            gap = abs(getattr(step, ours) - logged[field])
            floor = beta if field.startswith("rewards/") else 1e-12
            worst[field] = max(worst[field], gap / max(abs(logged[field]), floor))
            share = max(share, gap / max(allowed(name, field, beta, logged[field], index), 1e-12))
    return worst, share


def main() -> int:
    """Print the table; 1 when any value is further off than allowed."""
    print(f"{'trajectory':18}" + "".join(f"{field:>18}" for field in FIELDS) + f"{'of allowed':>12}")
    good = True
    for name in trajectories():
        with tempfile.TemporaryDirectory() as folder:
            worst, share = deviations(name, Path(folder) / "run")
        good &= share <= 1
        print(f"{name:18}" + "".join(f"{value:18.1e}" for value in worst.values()) + f"{share:12.0%}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
