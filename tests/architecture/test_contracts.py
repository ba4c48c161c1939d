"""The layers, the tree and the style rules that a machine can check."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import app
import core
from tests.architecture.imports import ROOT, module_of

LONGEST_FILE = 350
NEEDS_GPU_LIBRARIES = ("bitsandbytes", "triton")


def _modules() -> list[str]:
    found = [m.name for package in (app, core) for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [name for name in found if not name.endswith("__main__") and ".migrations" not in name]


def _sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (p for p in sorted((ROOT / folder).rglob("*.py")) if "__pycache__" not in p.parts)


def test_that_the_layers_hold() -> None:
    command = [
        str(Path(sys.executable).with_name("lint-imports")),
        "--config",
        str(ROOT / "pyproject.toml"),
        "--no-cache",
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]


def test_that_every_module_imports() -> None:
    for name in _modules():
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name not in NEEDS_GPU_LIBRARIES:
                raise


def test_that_the_packaging_folder_is_no_package() -> None:
    assert not (ROOT / "packaging" / "__init__.py").exists()


def test_that_the_top_level_holds_only_what_belongs_there() -> None:
    allowed = {"pyproject.toml", "README.md", "LICENSE", "app", "core", "resources", "tests", "packaging"}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    if not any(listed):
        pytest.skip("not a git checkout")
    top = {line.split("/", 1)[0] for line in listed if line}
    assert {name for name in top if not name.startswith(".")} <= allowed


def test_that_no_file_is_longer_than_350_lines() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in _sources("app", "core", "packaging")}
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def test_that_every_tests_folder_is_a_package() -> None:
    folders = {path.parent for path in _sources("tests")}
    assert [str(f) for f in folders if not (f / "__init__.py").exists() and f.name != "golden"] == []


def test_that_future_annotations_are_everywhere_but_in_the_tables() -> None:
    missing = []
    for path in _sources("app", "core"):
        text = path.read_text()
        has_code = any(not isinstance(node, ast.Expr) for node in module_of(path).body)
        exempt = "tables" in path.parts or "migrations" in path.parts
        if has_code and not exempt and "from __future__ import annotations" not in text:
            missing.append(str(path.relative_to(ROOT)))
    assert missing == []


def test_that_the_window_opens_without_torch_or_the_database_libraries() -> None:
    code = (
        "import os, sys; os.environ['QT_QPA_PLATFORM'] = 'offscreen'\n"
        "from app import bootstrap\n"
        "a = bootstrap.make_application([]); d = bootstrap.build(a); d.window.show(); a.processEvents()\n"
        "heavy = {'torch', 'transformers', 'peft', 'sqlmodel', 'sqlalchemy', 'pyqtgraph', 'numpy', 'typer'}\n"
        "heavy |= {'scipy', 'sklearn', 'statsmodels', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules))); d.close()\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.stdout.strip().endswith("[]"), result.stdout + result.stderr[-2000:]
