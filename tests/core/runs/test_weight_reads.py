"""How often the weights are read from the first preflight to a started run: counted, with the real engine."""

from __future__ import annotations

import io
import os
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from transformers import modeling_utils

from core.domain.run_config import RunConfig
from core.domain.run_events import Finished
from core.runs.child_processes.preflight_program import examine
from core.runs.creation import NewRun, create_run
from core.runs.folder import PAIRS, RunFolder, pairs_text
from core.runs.hosting.driver import HostOptions, drive
from core.training.engine import train
from tests.tiny_models import save_tiny, tiny_pairs

CONFIG = RunConfig(
    lora_r=2, lora_alpha=4, device="cpu", steps=1, batch_size=2, eval_every=0, kl_every=0, sample_every=0, threads=1
)
MADE_NS = 10**18
"""A time long ago: hashes of files that were just written are not remembered."""


class Reads:
    """Counts how many times a safetensors file was read whole to be hashed, and how many times it was loaded."""

    def __init__(self) -> None:
        self.hashed: Counter[Path] = Counter()
        self.loaded: Counter[Path] = Counter()

    def forget(self) -> None:
        """Start counting again."""
        self.hashed.clear()
        self.loaded.clear()


class CountedFile(io.FileIO):
    """A file that reports when as many bytes were read from it as it holds."""

    def __init__(self, path: Path, reads: Reads) -> None:
        super().__init__(path, "rb")
        self._path, self._reads, self._left = path, reads, path.stat().st_size

    def readinto(self, buffer: Any, /) -> int | None:
        count = super().readinto(buffer)
        self._left -= count or 0
        if count and self._left <= 0:
            self._reads.hashed[self._path] += 1
        return count


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """Count what Python's ``open`` reads, and what transformers loads, which maps the file into memory."""
    counted, real_open, real_load = Reads(), io.open, modeling_utils.safe_open

    def open_counted(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if mode == "rb" and str(file).endswith(".safetensors"):
            return io.BufferedReader(CountedFile(Path(file), counted))
        return real_open(file, mode, *arguments, **options)

    def load_counted(file: Any, *arguments: Any, **options: Any) -> Any:
        counted.loaded[Path(file)] += 1
        return real_load(file, *arguments, **options)

    monkeypatch.setattr(io, "open", open_counted)
    monkeypatch.setattr("builtins.open", open_counted)
    monkeypatch.setattr(modeling_utils, "safe_open", load_counted)
    return counted


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return aged(save_tiny(tmp_path / "model"))


def aged(folder: Path) -> Path:
    """Set the modification time of every file to long ago."""
    for file in folder.iterdir():
        os.utime(file, ns=(MADE_NS, MADE_NS))
    return folder


def start(folder: RunFolder) -> Finished:
    """Work on the run in this process, with the real engine."""
    last = drive(folder.path, HostOptions(host="thread", engine=train))
    assert isinstance(last, Finished), last
    return last


def test_that_starting_a_run_reads_the_weights_once_more_than_loading_them(
    tmp_path: Path, model: Path, reads: Reads
) -> None:
    weights = model / "model.safetensors"
    folder = create_run(tmp_path / "run", NewRun(CONFIG, model, tiny_pairs(4)))
    assert (reads.hashed[weights], reads.loaded[weights]) == (1, 0)
    reads.forget()
    start(folder)
    assert (reads.hashed[weights], reads.loaded[weights]) == (1, 1)


def test_that_a_starting_adapter_is_hashed_once_at_creation_and_once_at_the_start(
    tmp_path: Path, model: Path, reads: Reads
) -> None:
    first = start(create_run(tmp_path / "first", NewRun(CONFIG, model, tiny_pairs(4))))
    adapter = aged(shutil.copytree(first.adapter_path, tmp_path / "adapter"))
    weights = adapter / "adapter_model.safetensors"
    reads.forget()
    folder = create_run(tmp_path / "second", NewRun(replace(CONFIG, init_adapter=str(adapter)), model, tiny_pairs(4)))
    assert reads.hashed[weights] == 1
    assert reads.hashed[model / "model.safetensors"] == 0, "the first run has hashed it"
    start(folder)
    assert reads.hashed[weights] == 2


def test_that_preflight_and_creation_read_the_weights_once_between_them(
    tmp_path: Path, model: Path, reads: Reads
) -> None:
    (tmp_path / PAIRS).write_text(pairs_text(tiny_pairs(4)), encoding="utf-8")
    request = {
        "config": CONFIG.to_plain(),
        "model_dir": str(model),
        "pairs_dir": str(tmp_path),
        "place": str(tmp_path),
    }
    examine(request, lambda *_: None, lambda _: None)
    create_run(tmp_path / "run", NewRun(CONFIG, model, tiny_pairs(4)))
    assert reads.hashed[model / "model.safetensors"] == 1
