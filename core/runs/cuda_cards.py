"""What the NVIDIA driver says of its cards, asked without torch, and the precision that a new run takes by itself.

Runs are created where torch is not imported: the window and the command line must stay fast. What a run computes in is
part of its fingerprint, so it is fixed there and not on the first step. Only the driver's own library is asked; no
context is made on a card.
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from core.domain.run_config import RunConfig

_MAJOR = 75
"""The driver's number of the attribute "major compute capability"."""
_FIRST_WITH_BFLOAT16 = 8
"""Major compute capability of the first cards that compute in bfloat16 (Ampere)."""


@dataclass(frozen=True, slots=True)
class CudaCard:
    """A card of this machine: its number is its place in the list."""

    name: str
    major: int

    @property
    def has_bfloat16(self) -> bool:
        """Whether it computes in bfloat16 itself."""
        return self.major >= _FIRST_WITH_BFLOAT16


def with_precision(config: RunConfig) -> RunConfig:
    """Return the settings with the dtype of a run created now: that which ``auto`` is on this machine's device."""
    if config.dtype != "auto":
        return config
    return replace(config, dtype=precision_on(config.device, usable_cards()))


def precision_on(device: str, cards: tuple[CudaCard, ...]) -> str:
    """Return bfloat16 for a device that is a card which computes in it, else float32.

    >>> cards = (CudaCard("A100", 8), CudaCard("V100", 7))
    >>> [precision_on(device, cards) for device in ("auto", "cuda", "cuda:1", "cuda:2", "cpu", "mps")]
    ['bfloat16', 'bfloat16', 'float32', 'float32', 'float32', 'float32']
    """
    kind, _, number = device.partition(":")
    place = int(number) if number.isdecimal() else 0
    used = cards[place : place + 1] if kind in ("auto", "cuda") else ()
    return "bfloat16" if any(card.has_bfloat16 for card in used) else "float32"


def usable_cards() -> tuple[CudaCard, ...]:
    """Return the cards that the installed torch could compute on; none for a build for the CPU."""
    return driver_cards() if _torch_has_cuda() else ()


def driver_cards() -> tuple[CudaCard, ...]:
    """Return the cards that the driver shows to this process; none where there is no driver."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return ()
    return cards_of(driver)


def cards_of(driver: ctypes.CDLL) -> tuple[CudaCard, ...]:
    """Return the cards of a loaded driver; none where one of its calls fails."""
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return ()
    found: list[CudaCard] = []
    for number in range(count.value):
        handle, major, name = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(256)
        failed = driver.cuDeviceGet(ctypes.byref(handle), number)
        failed = failed or driver.cuDeviceGetAttribute(ctypes.byref(major), _MAJOR, handle)
        if failed or driver.cuDeviceGetName(name, len(name), handle):
            return ()
        found.append(CudaCard(name.value.decode(errors="replace"), major.value))
    return tuple(found)


def _torch_has_cuda() -> bool:
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    return any((Path(spec.origin).parent / "lib").glob("*torch_cuda*"))
