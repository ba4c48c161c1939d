from __future__ import annotations

import pytest
import torch

from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.training.policy import device as device_module
from core.training.policy.device import resolve_device, resolve_dtype, set_threads, with_dtype


def test_that_auto_takes_the_cpu_where_there_is_nothing_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert resolve_device("auto") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "tpu", "meta", ""])
def test_that_unknown_devices_are_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError):
        resolve_device(name)


def test_that_a_missing_cuda_device_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no usable CUDA"):
        resolve_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UsageError, match="no device cuda:3"):
        resolve_device("cuda:3")


def test_that_dtypes_the_device_lacks_are_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_dtype(RunConfig(dtype="bfloat16"), torch.device("cpu")) is torch.bfloat16
    with pytest.raises(UsageError, match="no float64"):
        resolve_dtype(RunConfig(dtype="float64"), torch.device("mps"))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    with pytest.raises(UsageError, match="no bfloat16"):
        resolve_dtype(RunConfig(dtype="bfloat16"), torch.device("cuda", 0))


@pytest.mark.parametrize(("native", "name"), [(True, "bfloat16"), (False, "float32")])
def test_that_auto_is_bfloat16_where_a_gpu_computes_in_it_itself_and_float32_elsewhere(
    monkeypatch: pytest.MonkeyPatch, native: bool, name: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *, including_emulation: native or including_emulation)
    assert with_dtype(RunConfig(), torch.device("cuda", 0)) == RunConfig(dtype=name)
    assert with_dtype(RunConfig(dtype="float64"), torch.device("cuda", 0)).dtype == "float64"
    for kind in ("cpu", "mps"):
        assert with_dtype(RunConfig(), torch.device(kind)).dtype == "float32"


def test_that_threads_are_set_and_chosen() -> None:
    before = torch.get_num_threads()
    try:
        assert set_threads(1) == 1
        assert set_threads(0) >= 1
    finally:
        torch.set_num_threads(before)


def test_that_every_dtype_of_the_settings_is_known() -> None:
    assert set(device_module._DTYPES) == {"float32", "bfloat16", "float64"}


@pytest.mark.parametrize(("text", "threads"), [("1", 1), ("2,1", 2), ("", 0), ("many", 0)])
def test_that_the_number_of_threads_wanted_outside_holds(
    monkeypatch: pytest.MonkeyPatch, text: str, threads: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    before = torch.get_num_threads()
    try:
        found = set_threads(0)
        assert found == threads or (threads == 0 and found >= 1)
    finally:
        torch.set_num_threads(before)
