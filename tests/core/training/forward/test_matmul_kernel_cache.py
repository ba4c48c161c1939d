"""The measured choice of a matrix kernel is made once a machine, not once a process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from core.generation import matmul_kernels
from core.generation.matmul_kernels import ONEDNN, TORCH, LinearKernel
from core.training.forward import matmul_kernel_cache
from core.training.forward.matmul_kernel_cache import FILE, preferred_kernel


@pytest.fixture
def ratios(monkeypatch: pytest.MonkeyPatch):
    """Let measurements return what a test puts in this list, each as another process would."""
    values: list[float] = []
    right = LinearKernel(ONEDNN, lambda x, w: x @ w.t())
    monkeypatch.setattr(matmul_kernels, "onednn_kernel", lambda: right)
    monkeypatch.setattr(matmul_kernels, "is_clearly_faster", lambda: values.pop(0) >= matmul_kernels.CLEARLY_FASTER)
    return values


def test_that_a_second_process_takes_what_the_first_measured(ratios: list[float], tmp_path: Path) -> None:
    ratios += [1.2, 1.0]
    assert [preferred_kernel(tmp_path), preferred_kernel(tmp_path)] == [ONEDNN, ONEDNN]
    assert ratios == [1.0], "the second answer needs no measurement"


def test_that_of_two_processes_that_measure_at_once_the_first_answer_holds(
    ratios: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure_while_another_does(*_: object, **__: object) -> LinearKernel:
        monkeypatch.undo()
        matmul_kernel_cache._store(tmp_path / FILE, ONEDNN)
        return LinearKernel(TORCH, torch.nn.functional.linear)

    monkeypatch.setattr(matmul_kernel_cache, "choose_kernel", measure_while_another_does)
    assert preferred_kernel(tmp_path) == ONEDNN
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_that_another_processor_or_torch_is_measured_anew(ratios: list[float], tmp_path: Path) -> None:
    ratios += [1.2, 1.0]
    preferred_kernel(tmp_path)
    found = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**found, "processor": "another"}))
    assert preferred_kernel(tmp_path) == TORCH
    assert json.loads((tmp_path / FILE).read_text())["torch"] == torch.__version__


@pytest.mark.parametrize("content", ["", "{", "[]", '{"kernel": "rm"}', "\x00\xff"])
def test_that_a_damaged_memory_is_measured_anew(ratios: list[float], tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    ratios += [1.2]
    assert preferred_kernel(tmp_path) == ONEDNN


def test_that_a_folder_that_cannot_be_written_only_costs_the_memory(ratios: list[float], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    ratios += [1.2, 1.0]
    assert [preferred_kernel(tmp_path / "cache") for _ in range(2)] == [ONEDNN, TORCH]


def test_that_without_a_cache_nothing_is_written(ratios: list[float], tmp_path: Path) -> None:
    ratios += [1.2]
    assert preferred_kernel(None) == ONEDNN
    assert not list(tmp_path.iterdir())


def test_that_the_processor_has_a_name() -> None:
    assert matmul_kernel_cache.machine()["processor"]
