"""The charter atop a run: what was meant, and whether it is the one that was locked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QLabel

from app.runs.charter_strip import CharterStrip, lock_chip
from core.domain.charter import Charter
from core.domain.run_config import RunConfig
from core.domain.run_record import RunRecord

WRITTEN = Charter(
    "Answers as steps", "over_refusal", variable="dev.accuracy", examples=("dev",), counts={"dev": 40}, margin=0.03,
    test="not_worse", benign_suite="look-alikes v1", regression_suite="look-alikes v1",
)  # fmt: skip
RECORD = RunRecord(
    "r1", "kind", 1, RunConfig(), "/models/tiny", "abcdef0123456789", 90, 40, charter=WRITTEN,
    charter_sha256=WRITTEN.lock("abcdef0123456789"),
)  # fmt: skip


def test_that_the_lock_is_told_by_state_and_hash() -> None:
    assert lock_chip(RECORD, "created") == ("locked at Start", "neutral")
    assert lock_chip(RECORD, "running") == ("locked with abcdef012345", "ok")
    assert lock_chip(replace(RECORD, charter=replace(WRITTEN, margin=0.5)), "finished")[1] == "bad"
    assert lock_chip(replace(RECORD, charter_sha256=""), "finished") == ("never locked", "neutral")


def test_that_the_five_answers_stand_under_the_target(qtbot: Any, theme: Any) -> None:
    strip = CharterStrip(theme)
    qtbot.addWidget(strip)
    strip.show_record(RECORD, "running")
    assert strip.target.text() == "Answers as steps" and not strip.is_open
    words = [label.text() for label in strip.content.findChildren(QLabel)]
    assert words[words.index("Examples:") + 1] == "dev (40 examples)"
    assert words[words.index("Loss or rule:") + 1] == "loss sigmoid, beta 0.1"
    assert "margin 0.03" in words[words.index("Regression metric:") + 1]
    strip.show_record(replace(RECORD, charter=Charter("Kind answers")), "running")
    assert strip.target.text() == "Kind answers" and strip.lock.text() == "altered after it was locked"
