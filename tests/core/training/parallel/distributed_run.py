"""One of several processes that train together: writes its events to a file. Started by the distributed tests."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from core.domain.run_events import to_plain
from core.training.control_protocol import NoControl
from core.training.engine import train
from tests.core.training.golden_runs import GOLDEN, golden_config, golden_pairs


def main(name: str, folder: str, settings: str) -> None:
    """Run the trajectory ``name`` and write one event a line to ``folder/events-RANK.jsonl``.

    A run that left checkpoints in the folder is taken up again.
    """
    import os

    torch.set_num_threads(1)
    rank = os.environ.get("RANK", "0")
    with open(Path(folder) / f"events-{rank}.jsonl", "w", encoding="utf-8") as out:
        out.writelines(
            json.dumps(to_plain(event)) + "\n"
            for event in train(
                golden_config(name, **json.loads(settings)),
                golden_pairs(),
                model_dir=GOLDEN / "model",
                run_dir=Path(folder) / "run",
                control=NoControl(),
                resume=(Path(folder) / "run/checkpoints").is_dir(),
            )
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
