"""Logs say where and what kind; they never repeat the user's text."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from app.errors import ReportFormatter
from core.cli import failures
from core.error_report import error_report
from core.paths import log_dir
from core.store.tables import SettingRow
from tests.fakes.workspaces import opened

SECRET = "the patient is called Erika"


def caught(error: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except Exception as raised:  # noqa: BLE001 - any kind
        return raised


@pytest.mark.parametrize(
    "error",
    [
        ValueError(SECRET),
        KeyError(SECRET),
        sqlite3.OperationalError(f"Could not decode to UTF-8: '{SECRET}'"),
    ],
    ids=["ValueError", "KeyError", "decoding"],
)
def test_that_a_report_holds_no_text(error: Exception) -> None:
    report = error_report(caught(RuntimeError(SECRET), caught(error)))
    assert SECRET not in report
    assert type(error).__name__ in report
    assert "test_error_report.py" in report


def test_that_a_report_keeps_what_the_system_says() -> None:
    assert "No space left" in error_report(caught(OSError(28, "No space left on device")))
    assert "no such table: x" in error_report(caught(sqlite3.OperationalError("no such table: x")))
    assert "has no attribute 'y'" in error_report(caught(AttributeError("'X' object has no attribute 'y'")))


def test_that_the_logs_of_command_line_and_window_hold_no_parameters(tmp_path: Path) -> None:
    def twice(session: object) -> None:
        for _ in range(2):
            session.add(SettingRow(key="k", value=SECRET))  # type: ignore[attr-defined]
            session.flush()  # type: ignore[attr-defined]
            session.expunge_all()  # type: ignore[attr-defined]

    with opened(tmp_path / "ws") as app, pytest.raises(IntegrityError) as raised:
        app.store.write(twice, "putting")
    assert SECRET not in str(raised.value)
    failures.bug(raised.value)
    (log,) = log_dir().glob("error-*.log")
    assert SECRET not in log.read_text()
    assert "UNIQUE constraint failed" in log.read_text()
    record = logging.LogRecord("x", logging.ERROR, "f.py", 1, "failed", (), (ValueError, ValueError(SECRET), None))
    assert SECRET not in ReportFormatter().format(record)
