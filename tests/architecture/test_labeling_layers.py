"""The layers of the labelling page: state and form, controllers, views, page. Each is imported only from above."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.imports import ROOT, nodes_of

FOLDER = ROOT / "app" / "annotate"
STATE = (
    "adjudicate_state",
    "judgement_form",
    "labeling_state",
    "labelling_block",
    "press_guard",
    "queue_choice",
    "team_batch_form",
    "verdict_scale",
)
CONTROLLERS = (
    "adjudicate_controller",
    "audit_controller",
    "draft_saver",
    "history_navigation",
    "judgement_commits",
    "judgement_editor",
    "labeling_controller",
    "labeling_part",
    "labeling_signals",
    "presentation_controller",
    "queue_controller",
    "reviewer_status",
)
DIALOGS = (
    "edit_dialog",
    "questions",
    "queue_dialog",
    "storing_dialog",
    "team_batch_dialog",
    "team_bundles_dialog",
    "team_hand_over_dialog",
    "team_quiz_dialog",
    "team_reviewers_dialog",
)
"""Questions in dialogs: controllers ask through ``questions`` and know no dialog."""
PAGE = "page"
MODES = (
    "adjudicate_mode",
    "audit_mode",
    "quiz_mode",
    "team_batches",
    "team_bundle_watch",
    "team_part",
    "team_lead_tools",
)
"""What connects views and controllers: of the page, and of what takes its place."""


def imports_of(name: str) -> set[str]:
    """Return every module that a module of the folder imports, those for type checking included."""
    found: set[str] = set()
    for node in nodes_of(FOLDER / f"{name}.py"):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def modules() -> list[str]:
    """Return the modules of the folder."""
    return [path.stem for path in sorted(FOLDER.glob("*.py")) if path.stem != "__init__"]


def views() -> list[str]:
    """Return the modules that hold widgets, the page and the dialogs left out."""
    return [name for name in modules() if name not in (*STATE, *CONTROLLERS, *DIALOGS, PAGE, *MODES)]


@pytest.mark.parametrize("name", modules())
def test_that_no_part_of_the_page_imports_the_page(name: str) -> None:
    assert "app.annotate.page" not in imports_of(name)


@pytest.mark.parametrize("name", STATE)
def test_that_state_and_form_import_no_qt_and_no_other_part_of_the_window(name: str) -> None:
    outside = {module for module in imports_of(name) if module.startswith(("PySide6", "app."))}
    assert {module for module in outside if not module.startswith(tuple(f"app.annotate.{s}" for s in STATE))} == set()


@pytest.mark.parametrize("name", CONTROLLERS)
def test_that_controllers_import_no_widgets(name: str) -> None:
    imported = imports_of(name)
    assert not {
        module for module in imported if module.startswith(("PySide6.QtWidgets", "PySide6.QtGui", "app.widgets"))
    }
    assert not imported & {f"app.annotate.{view}" for view in views()}


@pytest.mark.parametrize("name", views())
def test_that_views_import_neither_the_context_nor_controllers(name: str) -> None:
    allowed = ("app.annotate.reviewer_status",)
    controllers = {f"app.annotate.{c}" for c in CONTROLLERS} - set(allowed)
    assert not imports_of(name) & ({"app.context", "core.services.application"} | controllers)
