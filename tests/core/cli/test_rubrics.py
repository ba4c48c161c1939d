"""`rubric publish` by command: what it does to labels is told, with --dry-run before anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.services.annotation.views import QueueSettings
from core.services.rubrics import yaml_format
from tests.core.cli.conftest import Said
from tests.fakes.workspaces import BODY, opened, prefer


@pytest.fixture
def ws(tmp_path: Path) -> Path:
    """Two pairs labelled under Helpful 1.0.0, and a next version of it as a file."""
    with opened(tmp_path / "ws") as app:
        for shown in app.annotation.next(app.annotation.open_queue(QueueSettings(1, 1)), 2):
            app.annotation.commit(shown.presentation_uid, prefer(1))
    (tmp_path / "next.yaml").write_text(yaml_format.dump("Helpful", replace(BODY, purpose="Which is kinder?")))
    return tmp_path / "ws"


def test_that_the_effect_is_told_first_and_again_when_it_is_published(call: Callable[..., Said], ws: Path) -> None:
    file = ws.parent / "next.yaml"
    said = call("rubric", "publish", ws, file, "--dry-run")
    assert said.out == "Helpful 2.0.0 would do this: 2 of 2 labels become stale.\n" and said.code == 0
    told = call("rubric", "publish", ws, file, "--dry-run", "--json").json()
    assert (told["number"], told["stale"], told["labels"], told["lost"], told["datasets"]) == ("2.0.0", 2, 2, 0, 0)
    assert len(call("rubric", "list", ws, "--json").json()) == 1
    done = call("rubric", "publish", ws, file, "--note", "kindness", "--json").json()
    assert done["title"] == "Helpful 2.0.0" and done["effect"]["stale"] == 2
