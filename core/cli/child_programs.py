"""The programs that this one starts by name in processes of their own, and their start in a frozen application.

From source and from an installed wheel they are started as ``python -m NAME``. A frozen application has no other
executable than itself: ``pairwright worker ...`` is the worker of runs there, ``pairwright child NAME ...`` any other.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence

from core.runs.evaluations.control import WORKER as EVALUATION_WORKER
from core.runs.generations.control import WORKER as GENERATION_WORKER
from core.runs.hosting.hosts import RUN_WORKER

PROGRAMS = (
    RUN_WORKER,
    EVALUATION_WORKER,
    GENERATION_WORKER,
    "core.model_files.template_guard",
    "core.runs.child_processes.fork",
    "core.runs.child_processes.preflight_program",
    "core.runs.child_processes.proof_program",
    "core.runs.child_processes.reproduce_program",
    "core.runs.evaluations.inspection_program",
    "core.runs.evaluations.similarity_program",
    "core.runs.evaluations.threshold_program",
    "core.runs.evaluations.timing_program",
    "core.runs.generations.tried_program",
    "core.runs.talks.talk_program",
    "core.services.importing.hub_worker",
    "core.services.importing.process.worker",
    "core.services.models.export_worker",
    "core.services.models.worker",
    "core.services.releases.verify_program",
    "core.services.runs.log_export_worker",
    "core.store.sqlite.copy_check",
)
"""Every module that is a program of its own; a packager must take them in, because they are named in strings alone."""


def program_of(words: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return the program that a frozen application is started as, with its arguments; None for the application itself.

    >>> program_of(["worker", "runs/r1"])
    ('core.runs.worker', ['runs/r1'])
    >>> program_of(["child", "os"]) is None
    True
    """
    match list(words):
        case ["worker", *rest]:
            return RUN_WORKER, rest
        case ["child", name, *rest] if name in PROGRAMS:
            return name, rest
    return None


def run_program(name: str, arguments: Sequence[str]) -> None:
    """Run a program in this process as ``python -m`` would; it ends with ``SystemExit``."""
    sys.argv[1:] = arguments
    runpy.run_module(name, run_name="__main__", alter_sys=True)
