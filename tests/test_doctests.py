"""The examples in the docstrings of ``app`` and ``core`` do what they say.

``--doctest-modules`` would import every module of both packages to look for examples; here only the modules that hold
one are imported.
"""

from __future__ import annotations

import doctest
import importlib
import linecache
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLE = re.compile(r"^\s*>>> ", re.MULTILINE)


def modules_with_examples() -> list[str]:
    """Return the names of the modules with an example."""
    paths = [path for package in ("app", "core") for path in sorted((ROOT / package).rglob("*.py"))]
    with_examples = [path for path in paths if EXAMPLE.search(path.read_text(encoding="utf-8"))]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in with_examples]


@pytest.mark.parametrize("name", modules_with_examples())
def test_that_the_examples_of_the_module_hold(name: str) -> None:
    linecache.clearcache()  # doctest looks at every file in it, and the libraries fill it with thousands
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0


def test_that_there_are_examples_to_run() -> None:
    assert len(modules_with_examples()) > 10
