"""Counts that people read go through ``core/domain/counting.py``: one format of numbers, and no "1 pairs"."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator

import pytest

from tests.architecture.imports import ROOT, every_node, nodes_of

PLACES = ("app", "core/cli", "core/services")
NOUNS = "pairs|labels|judgements|rows|items|reviewers|answers|files|steps|runs|turns|values|prompts|tokens|problems"
_NOUN = re.compile(rf"^ (?:[a-z]+ )?(?:{NOUNS})\b")
_OTHER_SIGNS = re.compile(r"""replace\(\s*["'],["'],\s*["'](?: |\\u2009|\\u202f|\\xa0)["']""")


def bare_counts(nodes: Collection[ast.AST]) -> Iterator[tuple[int, str]]:
    """Yield line and text of each f-string of a file that puts a plural after a bare count.

    A choice between two sentences (``... if n == 1 else ...``, ``... if n > 1 else ""``), a constant and the message of
    an internal error are right as they are.
    """
    texts = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    if not texts:
        return
    fine = {id(inner) for node in nodes if _chooses(node) for inner in every_node(node)}
    for node in texts:
        if id(node) in fine:
            continue
        for count, words in zip(node.values, node.values[1:], strict=False):
            if isinstance(count, ast.FormattedValue) and isinstance(words, ast.Constant):
                noun = _NOUN.match(str(words.value))
                if noun and _is_count(count.value):
                    yield node.lineno, f"{{{ast.unparse(count.value)}}}{noun[0]}"


def _chooses(node: ast.AST) -> bool:
    internal = isinstance(node, ast.Raise) and "RuntimeError" in ast.unparse(node)
    return isinstance(node, ast.IfExp) or internal


def _is_count(value: ast.expr) -> bool:
    """Whether an expression is a number by its look: a length, a count of a report; no constant, no word."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in ("len", "sum", "number")
    name = value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""
    return bool(re.fullmatch(rf"n|n_\w+|count|total|\w*steps|{NOUNS}", name))


@pytest.mark.parametrize("place", PLACES)
def test_that_counts_and_their_nouns_are_written_by_the_helper(place: str) -> None:
    wrong = []
    for path in sorted((ROOT / place).rglob("*.py")):
        source, where = path.read_text(encoding="utf-8"), path.relative_to(ROOT)
        wrong += [f"{where}:{line}: {text}" for line, text in bare_counts(tuple(nodes_of(path)))]
        wrong += [f"{where}: {found[0]}" for found in _OTHER_SIGNS.finditer(source)]
    assert wrong == [], "write it with counted() or number() of core/domain/counting.py:\n" + "\n".join(wrong)


def test_that_the_check_sees_what_it_is_for() -> None:
    assert [text for _, text in _of('f"{len(rows)} rows; {report.pairs:,} stale pairs"')] == [
        "{len(rows)} rows",
        "{report.pairs} stale pairs",
    ]
    assert _of('f"{name} rows {counted(n, word)}" + (f"{n} rows" if n > 1 else "")') == []


def _of(source: str) -> list[tuple[int, str]]:
    return list(bare_counts(tuple(every_node(ast.parse(source)))))
