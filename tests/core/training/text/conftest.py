"""Templates that are known to do no harm are tried in this process; the guard itself is a subject of its own tests."""

from __future__ import annotations

import pytest

from core.model_files import template_guard


@pytest.fixture
def templates_tried_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Render the guard's conversations here: a process for each of a hundred templates takes longer than the tests."""

    def error(template: str, specials: tuple[tuple[str, str], ...] = ()) -> str:
        try:
            template_guard._render(template, dict(specials))
        except Exception as problem:  # noqa: BLE001 (a template may raise anything)
            return f"it fails: {problem}"
        return ""

    monkeypatch.setattr("core.training.text.chat_template.guard_error", error)
