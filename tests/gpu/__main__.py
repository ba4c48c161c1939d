"""Make every check on a card and print a table; ends with 1 where one is not as it should be.

``python -m tests.gpu`` takes cuda; ``python -m tests.gpu cpu`` shows that the checks themselves work. Checks that would
begin after the limit of seconds are left out.
"""

from __future__ import annotations

import sys
import time

import torch

from tests.gpu.checks import CHECKS, Outcome, made

LIMIT_S = 480


def main(device: str) -> int:
    """Print the table and return the exit code."""
    if device != "cpu" and not torch.cuda.is_available():
        print("No CUDA GPU is usable here; nothing was checked.")
        return 2
    name = torch.cuda.get_device_name() if device != "cpu" else "the CPU"
    print(f"{name}, torch {torch.__version__}\n\n| check | | measured | s |\n|---|---|---|---|")
    begun, failed = time.monotonic(), 0
    for check in CHECKS:
        since = time.monotonic()
        late = since - begun > LIMIT_S
        found = Outcome(None, "left out: no time") if late else made(check, device)
        mark = {True: "ok", False: "FAILED", None: "not made"}[found.ok]
        print(f"| {check.__name__} | {mark} | {found.text} | {time.monotonic() - since:.0f} |", flush=True)
        failed += found.ok is False
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "cuda"))
