"""The settings page: generated rows that take effect, are searched and go back to their defaults."""

from __future__ import annotations

from app.settings.schema import BY_KEY


def row_of(page, key):
    """Return the row of a setting."""
    return next(row for row in page.rows if row.row.key == key)


def test_that_every_setting_has_a_row_and_a_name(main_window, tmp_path):
    running = main_window(workspace=tmp_path / "ws", create=True)
    page = running.page("settings")
    assert {row.row.key for row in page.rows} == set(BY_KEY)
    assert all(row.editor.accessibleName() for row in page.rows)


def test_that_searching_shows_only_what_fits(main_window, tmp_path):
    running = main_window(workspace=tmp_path / "ws", create=True)
    page = running.page("settings")
    page.show_matching("double words nobody wrote")
    assert page._nothing.isVisible()
    page.show_matching("repeated keys")
    assert [row.row.key for row in page.rows if row.isVisible()] == ["annotate.guard_ms"]
    page.show_matching("")
    assert all(row.isVisible() for row in page.rows)


def test_that_a_changed_setting_can_be_reset(main_window, tmp_path):
    running = main_window(workspace=tmp_path / "ws", create=True)
    page, settings = running.page("settings"), running.context.settings
    row = row_of(page, "annotate.auto_advance")
    row.editor.click()
    assert settings.get("annotate.auto_advance") is True and row._reset.isVisible()
    row._reset.click()
    assert settings.get("annotate.auto_advance") is False and not row._reset.isVisible()
