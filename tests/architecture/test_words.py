"""One word for one thing: identifiers keep to the glossary, and no class name is used twice."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.imports import ROOT, nodes_of

FOLDERS = ("app", "core", "packaging")
ALLOWED: dict[tuple[str, str], str] = {
    ("packaging/bootstrap.py", "project"): "the [project] table of pyproject.toml",
    ("core/durable.py", "retry"): "a rename that Windows refuses for a moment is tried again; no attempt of a run",
    ("packaging/bootstrap.py", "stamp"): "the file whose content says that the set-up is complete",
    ("app/widgets/containers.py", "stretch"): "the word of Qt's layouts for the share of free space",
    ("core/store/tables/pairs.py", "voice"): "a column of the first schema; a class of a table has its columns' names",
}
"""(file, word) -> why the word has another, true meaning there."""


@cache
def words_of(name: str) -> str:
    """Return the words of a snake_case or CamelCase name in lower case, each between spaces.

    >>> words_of("_newRowHTML_text")
    ' new row html text '
    """
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3_\2", name)
    return f" {' '.join(word.lower() for word in spaced.split('_') if word)} "


def kept_out() -> dict[str, str]:
    """Return word -> the glossary's word for the same thing, from the column "not in code"."""
    found = {}
    for line in (ROOT / "core" / "GLOSSARY.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and cells[0] not in ("word", "---"):
            found.update({word.strip(): cells[0] for word in cells[3].split(",") if word.strip()})
    return found


def _files() -> Iterator[tuple[str, Iterable[ast.AST]]]:
    """Yield the name and the nodes of each file."""
    paths = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    return ((path.relative_to(ROOT).as_posix(), nodes_of(path)) for path in paths)


def _identifiers(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    """Yield every name that the module gives to something of its own, with its line."""
    for node in nodes:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node.lineno
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.alias(asname=str(name)):
                yield name, node.lineno


def _carries(name: str, word: str) -> bool:
    words = words_of(name)
    return f" {word} " in words or f" {word}s " in words


@cache
def _misnamed() -> list[tuple[str, int, str, str]]:
    """Return file, line, identifier and word of all that carry a word kept out."""
    wanted, found = kept_out(), []
    carried = cache(lambda name: [word for word in wanted if _carries(name, word)])
    for file, nodes in _files():
        module = (Path(file).stem, 1)
        for name, line in [module, *_identifiers(nodes)]:
            found += [(file, line, name, word) for word in carried(name)]
    return found


def test_that_no_identifier_carries_a_word_that_the_glossary_keeps_out() -> None:
    instead = kept_out()
    wrong = [
        f"{file}:{line}: {name} says {word!r}; the glossary's word is {instead[word]!r}"
        for file, line, name, word in _misnamed()
        if (file, word) not in ALLOWED
    ]
    assert wrong == [], "\n".join(wrong)


def test_that_nothing_is_allowed_that_no_identifier_needs() -> None:
    assert ALLOWED.keys() <= {(file, word) for file, _, _, word in _misnamed()}


def test_that_the_glossary_has_words_to_keep_out() -> None:
    assert kept_out()["annotator"] == "reviewer"
    assert len(kept_out()) > 30


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("annotator_name", "annotator"),
        ("_Annotators", "annotator"),
        ("soft_labels", "soft label"),
        ("SoftLabel", "soft label"),
    ],
)
def test_that_a_word_is_found_in_every_spelling(name: str, word: str) -> None:
    assert _carries(name, word)


@pytest.mark.parametrize(("name", "word"), [("strapped", "trap"), ("label_soft", "soft label"), ("devote", "vote")])
def test_that_a_part_of_another_word_is_no_word(name: str, word: str) -> None:
    assert not _carries(name, word)


def test_that_every_class_name_is_used_once() -> None:
    places = defaultdict(list)
    for file, nodes in _files():
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{file}:{node.lineno}")
    twice = [f"{name} is a class of {' and of '.join(found)}" for name, found in places.items() if len(found) > 1]
    assert twice == [], "\n".join(twice)
