from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.actions.catalog import CATALOG
from app.theme.style_sheet import render_style_sheet
from app.theme.theme_file import Tokens, contrast, load_tokens
from core.paths import resources_dir

THEMES = sorted((resources_dir() / "themes").glob("*.json"))
TEXT_ON = [
    ("text", "surface"), ("text", "window"), ("text", "sunken"), ("text2", "surface"), ("text2", "window"),
    ("text2", "sunken"), ("text3", "surface"), ("text3", "window"), ("on_accent", "accent"), ("accent", "surface"),
    ("accent", "accent_soft"), ("ok", "ok_soft"), ("warn", "warn_soft"), ("bad", "bad_soft"), ("bad", "surface"),
    ("text", "diff_a"), ("text", "diff_b"), ("text", "find"), ("code_keyword", "sunken"), ("code_string", "sunken"),
    ("code_comment", "sunken"), ("code_number", "sunken"), ("code_name", "sunken"), ("code_operator", "sunken"),
]  # fmt: skip
DRAWN_ON = [
    ("border_strong", "surface"), ("border_strong", "window"), ("focus", "window"), ("focus", "surface"),
    ("plot_chosen", "surface"), ("plot_rejected", "surface"), ("plot_margin", "surface"), ("plot_kl", "surface"),
    ("plot_loss", "surface"), ("plot_accuracy", "surface"), ("plot_held_out", "surface"),
]  # fmt: skip


@pytest.fixture(params=THEMES, ids=lambda path: path.stem)
def tokens(request: pytest.FixtureRequest) -> Tokens:
    return load_tokens(request.param)


@pytest.mark.parametrize(("front", "back"), TEXT_ON, ids=lambda name: name)
def test_that_text_has_a_contrast_of_four_and_a_half(tokens: Tokens, front: str, back: str) -> None:
    assert contrast(tokens[front], tokens[back]) >= 4.5


@pytest.mark.parametrize(("front", "back"), DRAWN_ON, ids=lambda name: name)
def test_that_borders_and_plot_lines_have_a_contrast_of_three(tokens: Tokens, front: str, back: str) -> None:
    assert contrast(tokens[front], tokens[back]) >= 3.0


def test_that_black_on_white_has_the_contrast_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)


def test_that_the_style_sheet_leaves_no_placeholder(tokens: Tokens) -> None:
    template = (resources_dir() / "themes" / "base.qss").read_text()
    sheet = render_style_sheet(template, tokens, 1.0, {"mono": '"M"', "sans": '"S"'})
    assert "@" not in sheet
    assert "zpx" not in sheet


def test_that_lengths_grow_with_the_zoom_and_borders_do_not() -> None:
    light = load_tokens(resources_dir() / "themes" / "light.json")
    assert (
        render_style_sheet("a { font-size: 12zpx; border: 1px; }", light, 1.5) == "a { font-size: 18px; border: 1px; }"
    )


def test_that_a_theme_file_with_a_missing_token_is_refused(tmp_path: Path) -> None:
    text = (resources_dir() / "themes" / "light.json").read_text()
    broken = tmp_path / "light.json"
    broken.write_text(re.sub(r'"grid": "#\w+"', '"gird": "#FFFFFF"', text))
    with pytest.raises(ValueError, match="gird"):
        load_tokens(broken)


def test_that_every_icon_named_by_the_catalog_is_drawn() -> None:
    drawn = {path.stem for path in (resources_dir() / "icons").glob("*.svg")}
    assert {spec.icon for spec in CATALOG if spec.icon} - drawn == set()
