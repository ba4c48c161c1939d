"""The architecture page names files, functions and arrows that exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.draw import README, with_picture
from tests.architecture.imports import ROOT, module_of

DECISIONS = sorted((ROOT / "core" / "decisions").glob("*.md"))
HEADINGS = ["## Status", "## Context", "## Decision", "## Consequences"]
PAGES = [README, ROOT / "app" / "README.md", ROOT / "core" / "training" / "README.md", ROOT / "README.md"]
WHERE, ADD = "## Where is", "## To add"
CONCEPTS, ADDITIONS = 25, 5
SCREENS, LINES_A_SCREEN = 2, 70


def _section(text: str, heading: str) -> str:
    return text.split(heading, 1)[1].split("\n## ", 1)[0]


def _names(tree: ast.Module) -> Iterator[str]:
    """Yield what a module defines: functions, classes, methods as ``Class.method``, and assigned names."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef))
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def _missing(page: Path) -> Iterator[str]:
    """Yield each path, or path with name, in backticks that does not exist."""
    for path, name in re.findall(r"`((?:app|core|tests|packaging|resources)/[\w/.]*)(?::([\w.]+))?`", page.read_text()):
        file = ROOT / path
        if not file.exists():
            yield path
        elif name and name not in _names(module_of(file)):
            yield f"{path}:{name}"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.exists()], ids=lambda page: str(page.relative_to(ROOT))
)
def test_that_every_file_and_name_on_the_page_exists(page: Path) -> None:
    assert list(_missing(page)) == []


def test_that_the_picture_shows_the_imports_of_today() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == with_picture(text), "run: python -m tests.architecture.draw --write"


def test_that_the_page_leads_to_every_concept_and_addition() -> None:
    text = README.read_text(encoding="utf-8")
    where = [line for line in _section(text, WHERE).splitlines() if line.startswith("| ") and "`" in line]
    add = [line for line in _section(text, ADD).splitlines() if line.startswith("- **")]
    assert (len(where) >= CONCEPTS, len(add) >= ADDITIONS) == (True, True)


def test_that_the_page_fits_two_screens() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= SCREENS * LINES_A_SCREEN


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_that_a_decision_has_its_four_parts(page: Path) -> None:
    found = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("## ")]
    assert found == HEADINGS
