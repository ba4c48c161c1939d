"""Closing the window while something is going on: asked once, and what goes on without it is said."""

from __future__ import annotations

import logging

from app.background.run_watch import RunWatch
from app.context import AppContext

log = logging.getLogger(__name__)
KEEP, STOP, CANCEL = "Keep training", "Stop and save", "Cancel"


def may_close(context: AppContext, watch: RunWatch) -> bool:
    """Ask about runs and jobs that are going on; returns whether the window may close."""
    return _runs_settled(context, watch) and _jobs_settled(context)


def _runs_settled(context: AppContext, watch: RunWatch) -> bool:
    live = watch.live
    if not live or not context.has_workspace:
        return True
    names = ", ".join(str(getattr(run, "name", "") or getattr(run, "run_id", "")) for run in live)
    wish = context.settings.get("train.on_close")
    answer = {"keep": KEEP, "stop": STOP}.get(wish) or context.dialogs.ask(
        "A run is going on",
        f"{names} is still training.",
        (KEEP, STOP, CANCEL),
        detail="It can go on without this window and be watched again later. Stopping writes a checkpoint first.",
    )
    if answer == STOP:
        for run in live:
            context.services.runs.stop(run.run_id, save=True)
    return answer in (KEEP, STOP)


def _jobs_settled(context: AppContext) -> bool:
    running = [job for job in context.tasks.jobs if job.running]
    if not running:
        return True
    titles = ", ".join(job.title for job in running)
    return context.dialogs.confirm(
        "Work is under way", f"{titles} is not done yet. Closing cancels it; what is stored stays stored.", "Close"
    )
