"""Imports stand at the top of a file; the few inside functions say why.

A command of the command line imports the workspace's libraries itself, so that ``--help`` and the commands that need
no workspace start quickly and run on a server without them. That is the rule of ``core/cli``, and its one reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.imports import ROOT, every_node, modules, nodes_of

INDENTED = re.compile(r"\s+(from|import)\b|.*[:;]\s*(from|import)\s")
"""A line that may hold an import inside something."""


def test_that_each_import_inside_a_function_gives_its_reason() -> None:
    files = [path for name, path in modules("app", "core").items() if not name.startswith("core.cli.")]
    assert [place for path in files for place in _without_reason(path)] == []


def test_that_a_command_imports_late_only_services_and_runs() -> None:
    files = [path for name, path in modules("core/cli").items()]
    late = {node.module or "" for path in files for node in _inner(path) if isinstance(node, ast.ImportFrom)}
    assert {name for name in late if not name.startswith(("core.services", "core.runs"))} == set()


def _inner(path: Path) -> set[ast.Import | ast.ImportFrom]:
    """Return the imports inside functions."""
    return {
        node
        for function in nodes_of(path)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in every_node(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }


def _without_reason(path: Path) -> Iterator[str]:
    """Yield the function-level imports that have no comment: at the end of the line, or on the line above the group."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not any(INDENTED.match(line) for line in lines):
        return
    inner = _inner(path)
    starts = {node.lineno: node for node in inner}
    for number in sorted(starts):
        first = number
        while first - 1 in {node.end_lineno for node in inner}:
            first = next(node.lineno for node in inner if node.end_lineno == first - 1)
        above, own = lines[first - 2].strip(), lines[number - 1]
        if not above.startswith("#") and "  # " not in own:
            yield f"{path.relative_to(ROOT)}:{number}"
