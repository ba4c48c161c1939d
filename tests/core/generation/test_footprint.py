from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from core.generation.footprint import KEPT_PRIMITIVES, cuda_peak_bytes, limit_primitive_caches, resident_bytes

MANY_SHAPES = """
import torch
from core.generation.matmul_kernels import onednn_kernel

def anonymous():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024

torch.set_num_threads(1)
kernel = onednn_kernel()
if kernel is not None:
    weight = torch.ones(256, 256)
    kernel.linear(torch.ones(64, 256), weight)
    before = anonymous()
    for rows in range(65, 565):
        kernel.linear(torch.ones(rows, 256), weight)
    print(anonymous() - before)
"""


def growth(**limits: str) -> float:
    """Megabytes that products of 500 shapes leave behind in a process of its own."""
    names = ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY")
    env = {name: value for name, value in os.environ.items() if name not in names}
    command = [sys.executable, "-c", MANY_SHAPES]
    root = Path(__file__).parents[3]
    out = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root, env={**env, **limits}).stdout
    if not out:
        pytest.skip("this build of torch has no such operator")
    return float(out)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read as Linux counts it")
def test_that_rows_of_many_lengths_do_not_fill_the_memory_with_compiled_products():
    as_torch_ships = growth(LRU_CACHE_CAPACITY="1024", ONEDNN_PRIMITIVE_CACHE_CAPACITY="1024")
    assert growth() < 0.5 * as_torch_ships


def test_that_a_limit_set_outside_is_kept(monkeypatch):
    monkeypatch.setenv("LRU_CACHE_CAPACITY", "7")
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", raising=False)
    limit_primitive_caches()
    assert os.environ["LRU_CACHE_CAPACITY"] == "7"
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == KEPT_PRIMITIVES


def test_that_the_peak_of_a_card_is_read_from_that_card_and_another_device_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 100 + device.index)
    assert cuda_peak_bytes(torch.device("cuda", 1)) == 101
    assert cuda_peak_bytes(torch.device("cpu")) is None


def test_that_the_memory_of_the_process_grows_by_what_it_takes() -> None:
    before = resident_bytes()
    held = bytearray(b"\1") * (64 << 20)
    after = resident_bytes()
    assert before is not None and after is not None and after - before > len(held) // 2
