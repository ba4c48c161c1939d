"""The imports of the source tree as a graph, read from the code itself.

Imports inside functions and under ``TYPE_CHECKING`` count like all others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
Graph = Mapping[str, frozenset[str]]


def modules(*packages: str) -> dict[str, Path]:
    """Return the modules of the packages by dotted name."""
    found = {}
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "__pycache__" not in path.parts:
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                found[name.removesuffix(".__init__")] = path
    return found


def import_graph(*packages: str) -> Graph:
    """Return, for each module, the modules of the same packages that it imports."""
    known = modules(*packages)
    graph = {}
    for name, path in known.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        graph[name] = frozenset(target for target in _imported(tree, known) if target != name)
    return graph


def circles(graph: Graph) -> list[list[str]]:
    """Return the groups of modules that import each other in a circle (Tarjan 1972), each group sorted."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(graph.get(node, ())):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def rooms(graph: Graph, room_of: Mapping[str, str]) -> set[tuple[str, str]]:
    """Return the arrows between rooms; ``room_of`` maps a module's prefix to its room, the longest prefix counts."""
    arrows = set()
    for name, targets in graph.items():
        for target in targets:
            here, there = _room(name, room_of), _room(target, room_of)
            if here and there and here != there:
                arrows.add((here, there))
    return arrows


def without_shortcuts(arrows: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Leave out each arrow that a longer way replaces (transitive reduction of a graph without circles)."""
    below: dict[str, set[str]] = {}
    for here, there in arrows:
        below.setdefault(here, set()).add(there)

    def reaches(here: str, there: str) -> bool:
        return there in below.get(here, ()) or any(reaches(step, there) for step in below.get(here, ()))

    return {(a, b) for a, b in arrows if not any(reaches(step, b) for step in below[a] if step != b)}


def _room(name: str, room_of: Mapping[str, str]) -> str:
    fitting = [prefix for prefix in room_of if name == prefix or name.startswith(f"{prefix}.")]
    return room_of[max(fitting, key=len)] if fitting else ""


def _imported(tree: ast.Module, known: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in known:
                    yield inner
                elif node.module in known:
                    yield node.module
