"""Small run folders on a fake model folder, which the scripted engine never opens."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.conversation import Prompt
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.runs.creation import NewRun, create_run
from core.runs.folder import RunFolder


def make_pairs(train: int = 12, dev: int = 4) -> list[TrainingPair]:
    """Return pairs p0, p1, ... of which the last ``dev`` are held out."""
    return [
        TrainingPair(
            f"p{i}", Prompt.from_text(f"Question {i}?"), f"Good {i}.", f"Bad {i}.", "train" if i < train else "dev"
        )
        for i in range(train + dev)
    ]


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


@pytest.fixture
def make_run(tmp_path: Path, model_dir: Path) -> Callable[..., RunFolder]:
    def make(name: str = "run", *, train: int = 12, dev: int = 4, **settings: object) -> RunFolder:
        values = {"steps": 20, "batch_size": 4, "eval_every": 5, "checkpoint_every": 5, **settings}
        new = NewRun(RunConfig().with_values(values), model_dir, make_pairs(train, dev))
        return create_run(tmp_path / name, new, run_id=name)

    return make
