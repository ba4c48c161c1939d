"""No module imports itself through others."""

from __future__ import annotations

import pytest

from tests.architecture.imports import circles, import_graph


@pytest.mark.parametrize("packages", [("app", "core"), ("tests",), ("packaging",)])
def test_that_no_modules_import_each_other_in_a_circle(packages: tuple[str, ...]) -> None:
    assert circles(import_graph(*packages)) == []


def test_that_a_circle_is_found_wherever_it_begins() -> None:
    graph = {
        "a": frozenset({"b"}),
        "b": frozenset({"c", "d"}),
        "c": frozenset({"b"}),
        "d": frozenset(),
    }
    assert circles(graph) == [["b", "c"]]
