"""What the palette finds: commands, pairs by number (#), runs (@) and rubrics (:)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.actions.catalog import PLACE_TITLES
from app.actions.command_palette import Provider
from app.actions.ranking import Entry
from app.actions.registry import ActionRegistry
from app.actions.spec import EVERYWHERE
from app.background.task_runner import TaskRunner
from app.context import Navigate
from app.places import BY_ID
from core.domain.changes import Changes

if TYPE_CHECKING:
    from core.services.application import Application
    from core.services.rubrics.service import RubricSummary
    from core.services.runs.views import RunInfo

PAIR, RUN, RUBRIC = "#", "@", ":"
LEAST_LETTERS = 2
"""Letters after which runs and rubrics are offered without their sign, and the actions of other places."""
_ELSEWHERE = 25.0
"""Points by which these stand behind what can be done here: more than a title that begins as typed is worth."""


class ObjectSearch(QObject):
    """Gives the palette its providers; keeps the names of the open workspace's rubrics, read in the background."""

    def __init__(self, tasks: TaskRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._services: Application | None = None
        self._rubrics: list[RubricSummary] = []

    def set_workspace(self, services: Application | None) -> None:
        """Search another workspace, or none."""
        self._services, self._rubrics = services, []
        self._read()

    def handle_changes(self, changes: Changes) -> None:
        """Read the rubrics again when they changed."""
        if changes & Changes.RUBRICS:
            self._read()

    def providers(
        self,
        actions: ActionRegistry,
        runs: Callable[[], Sequence[RunInfo]],
        navigate: Navigate,
        run_elsewhere: Callable[[str], object],
    ) -> list[Provider]:
        """Return what the palette asks for lines: commands always, objects while a workspace is open."""
        if self._services is None:
            return [command_provider(actions)]
        rubrics = rubric_provider(lambda: self._rubrics, navigate)
        commands = (command_provider(actions), elsewhere_provider(actions, run_elsewhere))
        return [*commands, pair_provider(navigate), run_provider(runs, navigate), rubrics]

    def _read(self) -> None:
        if self._services is not None:
            self._tasks.query(self._services.rubrics.list, self._take, owner=self, key="rubrics")

    def _take(self, rubrics: list[RubricSummary]) -> None:
        self._rubrics = rubrics


def command_provider(actions: ActionRegistry) -> Provider:
    """Return a provider of all actions that can run now."""

    def provide(query: str) -> list[Entry]:
        if query[:1] in (PAIR, RUN, RUBRIC):
            return []
        return [
            Entry(
                spec.id,
                spec.title,
                PLACE_TITLES[spec.place] if spec.place != EVERYWHERE else "",
                actions.key_text(spec.id),
                spec.icon,
                partial(actions.run, spec.id),
                spec.tooltip,
            )
            for spec in actions.available()
        ]

    return provide


def elsewhere_provider(actions: ActionRegistry, run_elsewhere: Callable[[str], object]) -> Provider:
    """Return a provider of the actions of other places; such a line says where it is, leads there and runs it."""

    def provide(query: str) -> list[Entry]:
        if query[:1] in (PAIR, RUN, RUBRIC) or len(query.strip()) < LEAST_LETTERS:
            return []
        return [
            Entry(
                f"elsewhere:{spec.id}",
                spec.title,
                f"in {BY_ID[spec.place].title}",
                "",
                spec.icon,
                partial(run_elsewhere, spec.id),
                spec.tooltip,
                _ELSEWHERE,
            )
            for spec in actions.elsewhere()
            if spec.place in BY_ID
        ]

    return provide


def pair_provider(navigate: Navigate) -> Provider:
    """Return a provider that turns ``#123`` into "Pair 123"."""

    def provide(query: str) -> list[Entry]:
        digits = query[1:].replace(" ", "") if query.startswith(PAIR) else ""
        if not digits.isdigit():
            return []
        number = int(digits)
        show = partial(navigate, "data", pair_id=number)
        return [Entry(f"pair:{number}", f"Pair {number}", "Data", "", "data", show)]

    return provide


def run_provider(runs: Callable[[], Sequence[RunInfo]], navigate: Navigate) -> Provider:
    """Return a provider of the workspace's runs, for ``@name`` or when letters were typed."""

    def provide(query: str) -> list[Entry]:
        return [_run_entry(run, navigate) for run in runs()] if _wanted(query, RUN) else []

    return provide


def rubric_provider(rubrics: Callable[[], Sequence[RubricSummary]], navigate: Navigate) -> Provider:
    """Return a provider of rubrics, for ``:name`` or when letters were typed."""

    def provide(query: str) -> list[Entry]:
        return [_rubric_entry(rubric, navigate) for rubric in rubrics()] if _wanted(query, RUBRIC) else []

    return provide


def _wanted(query: str, sign: str) -> bool:
    return query[:1] == sign or len(query) >= LEAST_LETTERS


def _run_entry(run: RunInfo, navigate: Navigate) -> Entry:
    show = partial(navigate, "runs", run_id=run.run_id)
    return Entry(f"run:{run.run_id}", run.name or run.run_id, f"run · {run.state}", "", "runs", show, run.run_id)


def _rubric_entry(rubric: RubricSummary, navigate: Navigate) -> Entry:
    show = partial(navigate, "rubrics", rubric_id=rubric.id)
    return Entry(f"rubric:{rubric.id}", rubric.name, "rubric", "", "rubrics", show)
