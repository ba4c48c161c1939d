"""A format is one function and one row: these tests name what was forgotten."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from core.services.importing import formats
from core.services.importing.formats.registry import FAMILIES, FORMATS, format_infos, format_of
from core.services.importing.formats.row_format import FormatInfo
from tests.core.services.importing.formats.test_documented_formats import CASES as DOCUMENTED
from tests.core.services.importing.formats.test_formats import CASES, CODED

MODULES = [
    importlib.import_module(f"{formats.__name__}.{found.name}") for found in pkgutil.iter_modules(formats.__path__)
]


def test_that_every_family_is_in_the_registry() -> None:
    missing = [
        m.__name__ for m in MODULES if "FAMILIES" not in vars(m) and vars(m).get("FORMATS", ()) not in (*FAMILIES, ())
    ]
    assert not missing, f"Add the FORMATS of {', '.join(missing)} to FAMILIES in formats/registry.py."


def test_that_every_bind_function_has_a_row() -> None:
    rows = {row.bind for row in FORMATS}
    missing = [
        f"{module.__name__}.{name}"
        for module in MODULES
        for name, value in vars(module).items()
        if name.startswith("bind_") and value.__module__ == module.__name__ and value not in rows
    ]
    assert not missing, f"Add a RowFormat with bind={missing[0].rsplit('.', 1)[1]} to FORMATS in its module: {missing}."


@pytest.mark.parametrize("info", format_infos(), ids=lambda info: info.key)
def test_that_every_format_and_option_has_a_sample(info: FormatInfo) -> None:
    samples = {key for _, key, _ in (*CASES.values(), *DOCUMENTED.values())} | {f"table:{coding}" for coding in CODED}
    assert info.key in samples, (
        f"Add a record of {info.key!r}, and what it gives, to CASES or CODED in test_formats.py."
    )


def test_that_keys_are_told_apart_and_found() -> None:
    keys = [row.key for row in FORMATS]
    assert len(set(keys)) == len(keys)
    assert all(":" not in key for key in keys)
    assert [format_of(key) for key in keys] == list(FORMATS)
    assert format_of("xml") is None


def test_that_certainties_are_shares_and_texts_are_there() -> None:
    for row in FORMATS:
        assert 0 < row.certainty <= 1
        assert row.title
        assert row.description
