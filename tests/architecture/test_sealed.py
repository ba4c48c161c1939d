"""No path leads the trainer, the annotation queue or the window to a sealed test; only the evaluator opens one."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.imports import Graph, import_graph, modules, nodes_of

SEALED = "core.evaluation.sealed_test"
MAY_KNOW_THE_FILE = (
    "core.services.datasets.sealing",
    "core.services.sealed",
    "core.services.workspace.folder_checks",
    "core.runs.evaluations",
)
MAY_OPEN_IT = ("core.evaluation.sealed_test", "core.runs.evaluations")
KEPT_AWAY = ("core.training", "core.generation", "core.store", "core.services.annotation", "core.services.importing")


@pytest.fixture(scope="module")
def graph() -> Graph:
    return import_graph("core", "app")


def _below(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def _reachable(graph: Graph, start: str) -> set[str]:
    found, waiting = {start}, [start]
    while waiting:
        new = graph.get(waiting.pop(), frozenset()) - found
        found |= new
        waiting += new
    return found


def test_that_only_the_sealing_service_and_the_evaluator_import_the_sealed_test(graph: Graph) -> None:
    importers = {name for name, targets in graph.items() if SEALED in targets}
    assert {name for name in importers if not _below(name, MAY_KNOW_THE_FILE)} == set()


def test_that_nothing_that_trains_or_hands_out_pairs_reaches_it_through_others(graph: Graph) -> None:
    kept_away = {name for name in graph if _below(name, KEPT_AWAY)}
    kept_away |= {name for name in graph if _below(name, ("core.runs",)) and not _below(name, MAY_KNOW_THE_FILE)}
    assert "core.runs.worker" in kept_away
    assert {name for name in kept_away if SEALED in _reachable(graph, name)} == set()


def test_that_only_the_evaluator_opens_a_sealed_test() -> None:
    users = {
        name
        for name, path in modules("core", "app").items()
        if "open_sealed" in path.read_text(encoding="utf-8")
        for node in nodes_of(path)
        if isinstance(node, ast.Name | ast.Attribute | ast.alias)
        and "open_sealed" in (getattr(node, "id", ""), getattr(node, "attr", ""), getattr(node, "name", ""))
    }
    assert {name for name in users if not _below(name, MAY_OPEN_IT)} == set()
