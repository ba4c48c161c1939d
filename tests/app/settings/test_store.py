from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.settings.store import KEPT_ASIDE, Settings

KEY = "look.zoom"


def other(settings: Settings) -> int:
    """Return a value that is not the default."""
    return 125 if settings.get(KEY) != 125 else 150


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, '{"look.zoom": 1' + "0" * 5000 + "}", "\x00"])
def test_that_a_damaged_file_gives_defaults_and_is_kept_aside(qtbot: QtBot, tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.json").write_text(text)
    settings = Settings(tmp_path)
    assert settings.is_default(KEY) and settings.unreadable
    settings.set(KEY, value := other(settings))
    assert (tmp_path / KEPT_ASIDE).read_text() == text
    assert json.loads((tmp_path / "settings.json").read_text()) == {KEY: value}
    assert (Settings(tmp_path).get(KEY), Settings(tmp_path).unreadable) == (value, "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_that_a_pipe_in_place_of_the_file_is_not_waited_for(qtbot: QtBot, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "settings.json")
    assert "not a regular file" in Settings(tmp_path).unreadable


def test_that_a_refused_write_is_told_once_and_the_value_holds(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("")
    settings, said = Settings(tmp_path / "in the way"), list[str]()
    settings.not_written.connect(said.append)
    settings.set(KEY, other(settings))
    settings.set("look.theme", "dark" if settings.get("look.theme") != "dark" else "light")
    assert len(said) == 1 and not settings.is_default(KEY)
