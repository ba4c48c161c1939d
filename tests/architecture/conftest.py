"""The trees of the source that these tests keep are no garbage: later collections leave them out."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def kept_trees() -> Iterator[None]:
    yield
    gc.freeze()
