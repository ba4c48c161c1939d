"""The imports of the source tree as a graph, read from the code itself.

Imports inside functions and under ``TYPE_CHECKING`` count like all others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
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
    return {
        name: frozenset(target for node in _imports(path) for target in _targets(node, known) if target != name)
        for name, path in known.items()
    }


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


@cache
def _imports(path: Path) -> tuple[ast.Import | ast.ImportFrom, ...]:
    return tuple(node for node in nodes_of(path) if isinstance(node, ast.Import | ast.ImportFrom))


def nodes_of(path: Path) -> Iterable[ast.AST]:
    """Return every node of a file, its module first.

    The files of the program are parsed once for all tests of a process, for that takes longer than any look at them;
    those of the tests are not kept, because few tests look at them.
    """
    if path.is_relative_to(ROOT / "tests"):
        return every_node(ast.parse(path.read_bytes()))
    return _kept_nodes(path)


def module_of(path: Path) -> ast.Module:
    """Return the tree of a file of the program."""
    tree = _kept_nodes(path)[0]
    assert isinstance(tree, ast.Module)
    return tree


@cache
def _kept_nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(every_node(ast.parse(path.read_bytes())))


def every_node(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree from its root, in no special order; a third of the time of ``ast.walk``."""
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        yield node
        for value in vars(node).values():
            if isinstance(value, ast.AST):
                left.append(value)
            elif isinstance(value, list):
                left.extend(item for item in value if isinstance(item, ast.AST))


def _targets(node: ast.Import | ast.ImportFrom, known: Mapping[str, Path]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
    elif node.module:
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            if inner in known:
                yield inner
            elif node.module in known:
                yield node.module
