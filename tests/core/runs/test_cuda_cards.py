from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.domain.run_config import RunConfig
from core.runs import cuda_cards
from core.runs.cuda_cards import CudaCard, cards_of, driver_cards, with_precision

HOPPER, VOLTA = CudaCard("H200", 9), CudaCard("V100", 7)


@dataclass
class Driver:
    """A driver library whose calls answer as CUDA's do: through pointers, with 0 for success."""

    cards: tuple[CudaCard, ...] = (HOPPER, VOLTA)
    fails: str = ""
    asked: list[int] = field(default_factory=list)

    def cuInit(self, flags: int) -> int:
        return self._code("cuInit") if flags == 0 else 1

    def cuDeviceGetCount(self, count: Any) -> int:
        count._obj.value = len(self.cards)
        return self._code("cuDeviceGetCount")

    def cuDeviceGet(self, handle: Any, number: int) -> int:
        handle._obj.value = 10 + number
        return self._code("cuDeviceGet")

    def cuDeviceGetAttribute(self, value: Any, attribute: int, handle: Any) -> int:
        self.asked.append(attribute)
        value._obj.value = self.cards[handle.value - 10].major
        return self._code("cuDeviceGetAttribute")

    def cuDeviceGetName(self, text: Any, size: int, handle: Any) -> int:
        text.value = self.cards[handle.value - 10].name.encode()[: size - 1]
        return self._code("cuDeviceGetName")

    def _code(self, name: str) -> int:
        return 999 if name == self.fails else 0


def test_that_cards_are_read_from_the_driver() -> None:
    driver = Driver()
    assert cards_of(driver) == (HOPPER, VOLTA)  # type: ignore[arg-type]
    assert set(driver.asked) == {75}


@pytest.mark.parametrize("call", ["cuInit", "cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetAttribute"])
def test_that_a_driver_that_fails_shows_no_card(call: str) -> None:
    assert cards_of(Driver(fails=call)) == ()  # type: ignore[arg-type]


def test_that_a_machine_without_a_driver_has_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert driver_cards() == ()


@pytest.mark.parametrize(
    ("device", "cards", "dtype"),
    [
        ("auto", (HOPPER,), "bfloat16"),
        ("cuda:1", (VOLTA, HOPPER), "bfloat16"),
        ("auto", (VOLTA, HOPPER), "float32"),
        ("cpu", (HOPPER,), "float32"),
        ("auto", (), "float32"),
    ],
)
def test_that_auto_is_bfloat16_on_a_card_that_computes_in_it(
    monkeypatch: pytest.MonkeyPatch, device: str, cards: tuple[CudaCard, ...], dtype: str
) -> None:
    monkeypatch.setattr(cuda_cards, "usable_cards", lambda: cards)
    assert with_precision(RunConfig(device=device)).dtype == dtype


def test_that_a_precision_that_was_chosen_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_cards, "usable_cards", lambda: (HOPPER,))
    assert with_precision(RunConfig(dtype="float64")).dtype == "float64"


@pytest.mark.parametrize(("built", "found"), [("libtorch_cuda.so", (HOPPER,)), ("libtorch_cpu.so", ())])
def test_that_a_torch_built_for_the_cpu_uses_no_card(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, built: str, found: tuple[CudaCard, ...]
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / built).touch()

    @dataclass
    class Spec:
        origin: str = str(tmp_path / "__init__.py")

    monkeypatch.setattr(cuda_cards.importlib.util, "find_spec", lambda name: Spec())
    monkeypatch.setattr(cuda_cards, "driver_cards", lambda: (HOPPER,))
    assert cuda_cards.usable_cards() == found
