from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from app import __main__ as program
from app.errors import ErrorReporter, start_logging
from core.domain.errors import StorageFull, UserError
from core.services.demo import opening
from tests.app.running import ScriptedDialogs


def test_that_what_the_operating_system_refused_is_a_sentence_and_no_bug(qtbot: Any) -> None:
    dialogs, told = ScriptedDialogs(), list[UserError]()
    reporter = ErrorReporter(dialogs, told.append)
    reporter.take(OSError(errno.ENOSPC, "No space left on device", "/somewhere/x"))
    qtbot.waitUntil(lambda: bool(told))
    assert told[0].message.startswith("The operating system refused: No space left on device (/somewhere/x).")
    assert (dialogs.asked, len(reporter.shown)) == ([], 1)


def test_that_a_folder_of_logs_that_cannot_be_made_keeps_no_window_from_opening(tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("")
    assert start_logging(tmp_path / "in the way" / "logs") is None


def test_that_a_demo_that_cannot_be_copied_ends_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*, reset: bool) -> Path:
        raise StorageFull("There is no room left to write demo.", "Free some space and try again.")

    monkeypatch.setattr(opening, "open_demo", full)
    monkeypatch.setattr("sys.argv", ["pairwright", "demo"])
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "Error: There is no room left to write demo.\nFree some space and try again.\n"
