"""Adding a page is one row: what a row promises is there, and no page is without its row."""

from __future__ import annotations

import ast
import importlib
import tomllib
from pathlib import Path

import pytest

from app.actions.catalog import CATALOG, MENUS, MODES
from app.actions.spec import EVERYWHERE
from app.main_window.page import Page
from app.places import BY_ID, PLACES, Place
from core.paths import resources_dir

ROOT = Path(__file__).resolve().parents[2]
ROWS = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.id)


def _pages() -> dict[str, Path]:
    """Return the files under ``app`` that define a page, by the name of their module."""
    found = {}
    for path in sorted((ROOT / "app").glob("*/page.py")):
        bases = [
            ast.unparse(b) for n in ast.parse(path.read_text()).body if isinstance(n, ast.ClassDef) for b in n.bases
        ]
        if "Page" in bases:
            found[f"app.{path.parent.name}.page"] = path
    return found


def _contract() -> list[str]:
    """Return the modules of the import-linter contract that keeps pages apart."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (modules,) = [c["modules"] for c in contracts if c["name"] == "pages do not import each other"]
    return modules


def test_that_every_page_has_a_row() -> None:
    missing = set(_pages()) - {place.module for place in PLACES}
    assert not missing, f"add a row to PLACES in app/places.py for {', '.join(sorted(missing))}"


@ROWS
def test_that_every_row_has_its_page(place: Place) -> None:
    assert place.module in _pages(), f"the row {place.id!r} of app/places.py names {place.module}, which has no page"
    page_class = getattr(importlib.import_module(place.module), place.page_class, None)
    assert page_class is not None, f"{place.module} has no class {place.page_class}, which app/places.py names"
    assert issubclass(page_class, Page), f"{place.page_class} is not a Page"
    assert page_class.place == place.id, f"set place = {place.id!r} in {place.page_class}, as its row says"


@ROWS
def test_that_every_row_has_its_icon(place: Place) -> None:
    icon = resources_dir() / "icons" / f"{place.icon}.svg"
    assert icon.is_file(), f"draw resources/icons/{icon.name}: the row {place.id!r} of app/places.py names it"


@ROWS
def test_that_every_row_has_an_action_that_goes_there(place: Place) -> None:
    (action,) = [spec for spec in CATALOG if spec.id == place.action_id]
    assert (action.title, action.shortcut, action.icon) == (place.title, place.key, place.icon)
    assert action.menu in MENUS and action.palette and place.key and place.about


def test_that_every_action_of_the_catalog_belongs_to_a_place() -> None:
    homeless = [spec.id for spec in CATALOG if spec.place not in (EVERYWHERE, *BY_ID, *MODES)]
    assert not homeless, f"add the place to app/places.py or correct the ids in app/actions/catalog.py: {homeless}"


def test_that_rows_are_told_apart() -> None:
    for name in ("id", "title", "icon", "key", "module"):
        values = [getattr(place, name) for place in PLACES]
        assert len(values) == len(set(values)), f"two rows of app/places.py have the same {name}"


@ROWS
def test_that_no_page_may_import_another(place: Place) -> None:
    covered = [entry for entry in _contract() if place.module == entry or place.module.startswith(f"{entry}.")]
    hint = f"add {place.module.rsplit('.', 1)[0]!r} to the contract 'pages do not import each other' in pyproject.toml"
    assert len(covered) == 1, hint


def test_that_the_contract_names_pages_only() -> None:
    modules = [place.module for place in PLACES]
    stale = [entry for entry in _contract() if not any(m == entry or m.startswith(f"{entry}.") for m in modules)]
    assert not stale, f"take {stale} out of the contract 'pages do not import each other' in pyproject.toml"
