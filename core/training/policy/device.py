"""Choose the device and the dtype of a run."""

from __future__ import annotations

import os
from dataclasses import replace

import psutil
import torch

from core.domain.errors import UsageError
from core.domain.run_config import RunConfig

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}


def resolve_device(wanted: str = "auto") -> torch.device:
    """Return the device ``wanted`` names; "auto" takes CUDA, then MPS, then the CPU.

    Raises:
        UsageError: when the name is unknown or the machine has no such device.
    """
    if wanted == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps") if torch.backends.mps.is_available() else torch.device("cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise UsageError(f"There is no device {wanted!r}.", "Use auto, cpu, cuda, cuda:N or mps.") from error
    if device.type == "cuda":
        return _cuda(device)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UsageError("This machine has no MPS device.", "Set device to auto or cpu.")
    if device.type not in ("cpu", "mps"):
        raise UsageError(f"Device {wanted!r} is not supported.", "Use auto, cpu, cuda, cuda:N or mps.")
    return device


def resolve_dtype(config: RunConfig, device: torch.device) -> torch.dtype:
    """Return the dtype of weights and activations; "auto" is bfloat16 on a CUDA device that has it, else float32.

    Raises:
        UsageError: when the device cannot compute in it.
    """
    if config.dtype == "auto":
        narrow = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if narrow else torch.float32
    dtype = _DTYPES[config.dtype]
    if device.type == "mps" and dtype is torch.float64:
        raise UsageError("MPS has no float64.", "Set dtype to float32, or device to cpu.")
    if device.type == "cuda" and dtype is torch.bfloat16 and not torch.cuda.is_bf16_supported():
        raise UsageError("This GPU has no bfloat16.", "Set dtype to float32.")
    return dtype


def with_dtype(config: RunConfig, device: torch.device) -> RunConfig:
    """Return the settings with the dtype that they leave open; a run that was created has fixed it already."""
    if config.dtype != "auto":
        return config
    return replace(config, dtype=str(resolve_dtype(config, device)).removeprefix("torch."))


def set_threads(count: int) -> int:
    """Set the number of torch's CPU threads and return it.

    0 takes OMP_NUM_THREADS where it is set, else one thread a physical core.
    """
    count = count or _threads_wanted_outside()
    if count <= 0:
        count = psutil.cpu_count(logical=False) or 1
    torch.set_num_threads(count)
    return torch.get_num_threads()


def _threads_wanted_outside() -> int:
    """Return OMP_NUM_THREADS as a number, 0 where it is none; of a list for nested levels the first number."""
    text = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(text) if text.isdecimal() else 0


def _cuda(device: torch.device) -> torch.device:
    if not torch.cuda.is_available():
        raise UsageError("This machine has no usable CUDA device.", "Set device to auto or cpu.")
    index = torch.cuda.current_device() if device.index is None else device.index
    if index >= torch.cuda.device_count():
        raise UsageError(
            f"There is no device cuda:{index}; this machine has {torch.cuda.device_count()}.", "Set device to auto."
        )
    return torch.device("cuda", index)
