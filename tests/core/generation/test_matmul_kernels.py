from __future__ import annotations

import pytest
import torch

from core.generation import matmul_kernels
from core.generation.matmul_kernels import ONEDNN, TORCH, LinearKernel, agrees, choose_kernel, onednn_kernel


@pytest.fixture(autouse=True)
def measured_anew():
    matmul_kernels.is_clearly_faster.cache_clear()
    yield
    matmul_kernels.is_clearly_faster.cache_clear()


def test_that_a_kernel_that_is_wrong_is_never_taken(monkeypatch):
    wrong = LinearKernel(ONEDNN, lambda x, w: x @ w.t() * 1.001)
    monkeypatch.setattr(matmul_kernels, "onednn_kernel", lambda: wrong)
    monkeypatch.setattr(matmul_kernels, "speed_ratio", lambda kernel: 10.0)
    assert choose_kernel(torch.float32).name == TORCH
    assert choose_kernel(torch.float32, wanted=ONEDNN).name == TORCH


def test_that_without_the_private_operator_torchs_own_is_taken(monkeypatch):
    monkeypatch.setattr(matmul_kernels, "onednn_kernel", lambda: None)
    assert choose_kernel(torch.float32).name == TORCH


@pytest.mark.parametrize(("ratio", "name"), [(1.05, TORCH), (1.3, ONEDNN)])
def test_that_only_a_clear_gain_is_taken(monkeypatch, ratio, name):
    right = LinearKernel(ONEDNN, lambda x, w: x @ w.t())
    monkeypatch.setattr(matmul_kernels, "onednn_kernel", lambda: right)
    monkeypatch.setattr(matmul_kernels, "speed_ratio", lambda kernel: ratio)
    assert choose_kernel(torch.float32).name == name
    assert choose_kernel(torch.bfloat16).name == TORCH


def test_that_a_resumed_run_gets_the_kernel_it_had(monkeypatch):
    right = LinearKernel(ONEDNN, lambda x, w: x @ w.t())
    monkeypatch.setattr(matmul_kernels, "onednn_kernel", lambda: right)
    monkeypatch.setattr(matmul_kernels, "speed_ratio", lambda kernel: 1.0)
    assert choose_kernel(torch.float32, wanted=ONEDNN).name == ONEDNN
    monkeypatch.setattr(matmul_kernels, "speed_ratio", lambda kernel: 9.0)
    matmul_kernels.is_clearly_faster.cache_clear()
    assert choose_kernel(torch.float32, wanted=TORCH).name == TORCH


def test_that_the_operator_of_this_build_agrees_with_float64():
    kernel = onednn_kernel()
    if kernel is None:
        pytest.skip("this build of torch has no such operator")
    assert agrees(kernel)


def test_that_the_choice_is_measured_once_a_process(monkeypatch):
    right = LinearKernel(ONEDNN, lambda x, w: x @ w.t())
    monkeypatch.setattr(matmul_kernels, "onednn_kernel", lambda: right)
    ratios = iter([1.5, 1.0])
    monkeypatch.setattr(matmul_kernels, "speed_ratio", lambda kernel: next(ratios))
    assert [choose_kernel(torch.float32).name for _ in range(3)] == [ONEDNN] * 3
