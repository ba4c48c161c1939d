"""Closing the window while runs or jobs are live: the user decides what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from app.background.run_watch import RunWatch
from app.background.task import TaskControl
from app.context import AppContext

if TYPE_CHECKING:
    from core.services.runs.views import RunInfo

KEEP, STOP, CANCEL = "Keep training", "Stop and save", "Cancel"


def may_close(context: AppContext, watch: RunWatch, close: Callable[[], object]) -> bool:
    """Ask about live runs and jobs; returns whether the window may close now.

    When the user chooses to stop the runs, they are stopped in the background and ``close`` is called once they have
    saved.
    """
    return _runs_allow(context, watch, close) and _jobs_allow(context)


def _runs_allow(context: AppContext, watch: RunWatch, close: Callable[[], object]) -> bool:
    live = watch.live if context.has_workspace else []
    if not live:
        return True
    answer = _answer(context, live)
    if answer == STOP:
        _stop_then(context, live, close)
    return answer == KEEP


def _answer(context: AppContext, live: Sequence[RunInfo]) -> str:
    """Return what to do with the runs: the setting, or else the user's answer.

    A run in this window's own thread cannot be kept.
    """
    can_keep = all(run.status.host != "thread" for run in live)
    preset = {"keep": KEEP if can_keep else "", "stop": STOP}.get(context.settings.get("train.on_close"), "")
    if preset:
        return preset
    names = ", ".join(run.name or run.run_id for run in live)
    first = (
        "It can continue without this window, and another window can watch it."
        if can_keep
        else "It runs in this window."
    )
    buttons = (KEEP, STOP, CANCEL) if can_keep else (STOP, CANCEL)
    detail = f"{first} Stopping writes a checkpoint first."
    return context.dialogs.ask("A run is training", f"{names} is still training.", buttons, detail=detail)


def _stop_then(context: AppContext, live: Sequence[RunInfo], close: Callable[[], object]) -> None:
    runs = context.services.runs

    def work(_control: TaskControl) -> None:
        for run in live:
            runs.stop(run.run_id, save=True)
        for run in live:
            runs.wait(run.run_id)

    context.tasks.job("Stopping and saving", work, partial(_close_after, context, close))


def _close_after(context: AppContext, close: Callable[[], object], _result: object) -> None:
    """Remove the runs that have ended from the watch, then close."""
    context.watch.runs = [run for run in context.watch.runs if not run.live]
    close()


def _jobs_allow(context: AppContext) -> bool:
    running = [job for job in context.tasks.jobs if job.running]
    if not running:
        return True
    titles = ", ".join(job.title for job in running)
    return context.dialogs.confirm(
        "Jobs are running", f"{titles} is not done yet. Closing cancels it; what is stored stays stored.", "Close"
    )
