"""Controls that the mouse wheel changes unasked are not used: the program has classes of its own for them."""

from __future__ import annotations

import ast

from tests.architecture.imports import ROOT, nodes_of

OURS = "app/widgets/controls.py"
KEPT_OUT = {
    "QComboBox": "ComboBox",
    "QSpinBox": "SpinBox",
    "QDoubleSpinBox": "DoubleSpinBox",
    "QSlider": "Slider",
    "QTabBar": "TabBar",
    "QTabWidget": "TabWidget",
    "QDateEdit": "a class of its own in app/widgets/controls.py",
    "QDateTimeEdit": "a class of its own in app/widgets/controls.py",
    "QTimeEdit": "a class of its own in app/widgets/controls.py",
    "QDial": "a class of its own in app/widgets/controls.py",
    "QInputDialog": "app/dialogs.py:Dialogs.text",
}


def _used(node: ast.AST) -> list[ast.expr]:
    """Return the classes that a call makes or a class derives from."""
    return [node.func] if isinstance(node, ast.Call) else node.bases if isinstance(node, ast.ClassDef) else []


def test_that_no_control_of_the_source_is_changed_by_the_wheel_without_the_focus() -> None:
    """Neither made nor derived from elsewhere: ``QComboBox()`` and ``class Mine(QComboBox)`` are found."""
    found = [
        f"{path.relative_to(ROOT)}:{part.lineno}: {part.id}; use {KEPT_OUT[part.id]}"
        for path in sorted((ROOT / "app").rglob("*.py"))
        if str(path.relative_to(ROOT)) != OURS
        for node in nodes_of(path)
        for part in _used(node)
        if isinstance(part, ast.Name) and part.id in KEPT_OUT
    ]
    assert not found, "\n".join(found)
