"""The table of families, family by family: losses of a plain loop, a KL, an export that reads back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.training.family_table import family_row
from tests.tiny_families import FAMILIES

OFF = {"minimax": 3e-2}
"""Where more than rounding separates two right passes: the router of minimax ties, and rounding decides."""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", FAMILIES)
def test_that_a_family_trains_as_a_plain_loop_does_with_a_kl_and_an_export(name: str, tmp_path: Path) -> None:
    row = family_row(name, tmp_path)
    assert row.forward in ("lean", "shared", "separate"), row
    assert row.deviation < OFF.get(name, 2e-5), row
    assert float(row.kl) >= 0, row
