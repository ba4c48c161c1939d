"""What must not stand in the source, because it once went wrong somewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.architecture.imports import ROOT, nodes_of

BANNED_CALLS = {
    "eval": "runs text as code",
    "exec": "runs text as code",
    "torch.load": "unpickles",
    "torch.save": "pickles",
    "pickle.load": "runs code",
    "pickle.loads": "runs code",
    "os.system": "goes through a shell",
    "qtbot.wait": "waits for a time instead of an event",
    "time.sleep": "waits for a time instead of an event",
}
BANNED_METHODS = {"extractall": "writes where an archive says", "setHtml": "text from outside goes through SafeText"}
BANNED_IMPORTS = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
ALLOWED = {
    ("app/widgets/safe_text.py", "setHtml"),
    ("tests/e2e/old_files.py", "extractall"),  # our own archive, with the filter that keeps it inside its folder
}
SLEEP_ALLOWED = ("core/", "packaging/")
INSERT_OR_REPLACE = re.compile(r"insert\s+or\s+replace", re.IGNORECASE)
OFFSET = re.compile(r"\boffset\s+[?:%\d]", re.IGNORECASE)


Node = ast.Call | ast.Import | ast.ImportFrom | ast.Constant


def _files(*folders: str) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """Return each source file with the nodes that the tests look at."""
    for folder in folders:
        yield from _nodes_below(folder)


@cache
def _nodes_below(folder: str) -> tuple[tuple[str, tuple[Node, ...]], ...]:
    paths = [path for path in sorted((ROOT / folder).rglob("*.py")) if "__pycache__" not in path.parts]
    return tuple((str(path.relative_to(ROOT)), tuple(_nodes(path))) for path in paths)


def _nodes(path: Path) -> Iterator[Node]:
    return (node for node in nodes_of(path) if isinstance(node, Node))


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _is(keyword: ast.keyword, name: str) -> bool:
    return keyword.arg == name and isinstance(keyword.value, ast.Constant) and keyword.value.value is True


def _sleeps(file: str, name: str) -> bool:
    return name == "time.sleep" and file.startswith(SLEEP_ALLOWED)


def _offences() -> Iterator[str]:
    for file, nodes in _files("app", "core", "packaging", "tests"):
        for node in nodes:
            if isinstance(node, ast.Call):
                yield from _call_offences(file, node)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                if file.startswith("tests/"):
                    continue  # tests may make hostile files
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                yield from (f"{file}:{node.lineno} imports {n}" for n in names if n.split(".")[0] in BANNED_IMPORTS)


def _call_offences(file: str, node: ast.Call) -> Iterator[str]:
    name = _name(node.func)
    last = name.rsplit(".", 1)[-1]
    if name in BANNED_CALLS and not _sleeps(file, name):
        yield f"{file}:{node.lineno} {name}: {BANNED_CALLS[name]}"
    if last in BANNED_METHODS and isinstance(node.func, ast.Attribute) and (file, last) not in ALLOWED:
        yield f"{file}:{node.lineno} {last}: {BANNED_METHODS[last]}"
    for keyword in node.keywords:
        if _is(keyword, "shell") or _is(keyword, "trust_remote_code"):
            yield f"{file}:{node.lineno} {keyword.arg}=True"


def test_that_nothing_banned_is_called_or_imported() -> None:
    assert list(_offences()) == []


def test_that_no_statement_replaces_rows_or_pages_by_offset() -> None:
    found = []
    for file, nodes in _files("core", "app"):
        if "migrations" in file or file.endswith(("guards.py", "schema.py")):
            continue
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = node.value
                sql = re.search(r"\b(select|insert|update|delete)\b", words, re.IGNORECASE) and "\n\n" not in words[:20]
                if sql and (INSERT_OR_REPLACE.search(words) or OFFSET.search(words)):
                    found.append(f"{file}:{node.lineno}")
    assert found == []


def test_that_no_label_reads_text_as_html() -> None:
    wrong = []
    for file, nodes in _files("app"):
        for node in nodes:
            if isinstance(node, ast.Call) and _name(node.func) == "QLabel" and node.args:
                argument = node.args[0]
                if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
                    wrong.append(f"{file}:{node.lineno} QLabel(text): use text_label or ElideLabel")
    assert wrong == []


def test_that_no_page_sets_colours_by_hand() -> None:
    colour = re.compile(r"#[0-9A-Fa-f]{6}\b")
    wrong = [
        f"{file}:{node.lineno} {node.value}"
        for file, nodes in _files("app")
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and colour.fullmatch(node.value)
    ]
    assert wrong == []


WHOLE_READS = ("read_text", "read_bytes")
OWN_FILES = (  # files of the program and of the system, and a run's own
    "app/__main__.py",
    "app/errors.py",
    "app/theme/",
    "app/background/watchdog.py",
    "core/cli/sweep.py",
    "core/services/demo/",
    "core/services/judging/cases_file.py",
    "core/services/suites/built_in.py",
)


def test_that_files_of_users_are_read_within_limits() -> None:
    wrong = [
        f"{file}:{node.lineno} reads a whole file, which may be a pipe or endless: use core/bounded.py"
        for file, nodes in _files("app", "core/cli", "core/services")
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WHOLE_READS
        if _name(node.func.value) != "bounded" and not file.startswith(OWN_FILES)
    ]
    assert wrong == []
