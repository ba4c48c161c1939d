"""The checks of a run before it starts, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.cli.output import say, say_json
from core.domain.counting import counted
from core.domain.preflight_report import Check, PreflightReport
from core.runs.event_lines import finite

_LEVELS = {"ok": "ok   ", "warn": "WARN ", "bad": "BAD  "}

OnCheck = Callable[[Check], None]


def show_preflight(examine: Callable[[OnCheck | None], PreflightReport], *, as_json: bool) -> int:
    """Make the checks with ``examine``, print each as soon as it is known, and return the exit code.

    Returns:
        0 when nothing says that the run would fail, 1 otherwise.
    """
    early: list[Check] = []

    def show(check: Check) -> None:
        early.append(check)
        say(line_of(check))

    report = examine(None if as_json else show)
    if as_json:
        say_json(finite(_plain(report)))
        return 0 if report.ok else 1
    for check in report.checks:
        if check not in early:
            say(line_of(check))
    if report.total_steps:
        say(f"{counted(report.total_steps, 'step')} on {report.device}. Nothing was trained or kept.")
    return 0 if report.ok else 1


def line_of(check: Check) -> str:
    """Return a check as one line."""
    return f"{_LEVELS[check.level]} {check.key:7} {check.text} {check.hint}".rstrip()


def _plain(report: PreflightReport) -> dict[str, Any]:
    return {"ok": report.ok, **report.to_plain()}
