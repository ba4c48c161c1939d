"""``pairs``: lists, tags, and the list of tags."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fakes.workspaces import opened


def test_that_commands_put_tags_on_list_and_filter_by_them(tmp_path: Path, call: Callable[..., Any]) -> None:
    with opened(tmp_path / "ws", pairs=3):
        pass
    words = ("pairs", "tag", tmp_path / "ws", 1, 3, "--tag", "hard", "--by", "Ann", "--json")
    assert call(*words).json() == {
        "changed": 2, "pairs": [{"pair": 1, "tags": ["hard"]}, {"pair": 3, "tags": ["hard"]}],
    }  # fmt: skip
    assert [row["id"] for row in call("pairs", tmp_path / "ws", "--tag", "hard", "--json").json()["pairs"]] == [1, 3]
    assert call("pairs", "tags", tmp_path / "ws", "--json").json() == [{"tag": "hard", "pairs": 2}]
    said = call("pairs", "tag", tmp_path / "ws", 1, "--remove", "hard", "--by", "Ann")
    assert said.out.splitlines() == ["pair 1: no tag", "1 pair changed."]
    assert [row["tags"] for row in call("pairs", tmp_path / "ws", "--json").json()["pairs"]] == [[], [], ["hard"]]
    nothing = call("pairs", "tag", tmp_path / "ws", 1, "--by", "Ann")
    assert (nothing.code, "No tag was given; nothing was changed." in nothing.err) == (2, True)
