"""The checks of :mod:`tests.gpu.checks` as tests: on a card with ``-m gpu``, one of them on the CPU always."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.gpu.__main__ import main
from tests.gpu.checks import CHECKS, Outcome, golden_parity, made


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no usable CUDA GPU")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_that_a_card_gives_what_it_should(check: Callable[[str, Path], Outcome]) -> None:
    found = made(check, "cuda")
    if found.ok is None:
        pytest.skip(found.text)
    assert found.ok, found.text


def test_that_a_check_says_what_it_measured_and_an_error_is_its_outcome() -> None:
    found = made(golden_parity, "cpu")
    assert found.ok, found.text
    assert "forward lean" in found.text

    def broken(_device: str, _folder: Path) -> Outcome:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    assert made(broken, "cuda") == Outcome(False, "RuntimeError: CUDA error: an illegal memory access was encountered")


def test_that_the_script_says_where_there_is_no_card(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main("cuda") == 2
    assert "nothing was checked" in capsys.readouterr().out
