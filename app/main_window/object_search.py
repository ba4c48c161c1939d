"""What the palette finds beside commands: pairs by number (#), runs (@) and rubrics (:)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from app.actions.catalog import PLACE_TITLES
from app.actions.ranking import Entry
from app.actions.registry import ActionRegistry
from app.background.run_watch import RunWatch

if TYPE_CHECKING:
    from core.services.rubrics.service import RubricSummary
    from core.services.runs.views import RunInfo

Navigate = Callable[..., None]


def command_provider(actions: ActionRegistry) -> Callable[[str], Sequence[Entry]]:
    """Return a provider of all actions that can run now."""

    def provide(query: str) -> list[Entry]:
        if query[:1] in ("#", "@", ":"):
            return []
        return [
            Entry(
                spec.id,
                spec.title,
                PLACE_TITLES[spec.place] if spec.place != "global" else "",
                actions.key_text(spec.id),
                spec.icon,
                lambda name=spec.id: actions.run(name),
                spec.tooltip,
            )
            for spec in actions.available()
        ]

    return provide


def pair_provider(navigate: Navigate) -> Callable[[str], Sequence[Entry]]:
    """Return a provider that turns ``#123`` into "Pair 123"."""

    def provide(query: str) -> list[Entry]:
        digits = query[1:].replace(" ", "") if query.startswith("#") else ""
        if not digits.isdigit():
            return []
        number = int(digits)
        show = partial(navigate, "data", pair_id=number)
        return [Entry(f"pair:{number}", f"Pair {number}", "Data", "", "data", show)]

    return provide


def run_provider(watch: RunWatch, navigate: Navigate) -> Callable[[str], Sequence[Entry]]:
    """Return a provider of the workspace's runs, for ``@name`` or when letters were typed."""

    def provide(query: str) -> list[Entry]:
        if query[:1] not in ("@",) and len(query) < 2:
            return []
        return [_run_entry(run, navigate) for run in watch.runs]

    return provide


def rubric_provider(
    rubrics: Callable[[], Sequence[RubricSummary]], navigate: Navigate
) -> Callable[[str], Sequence[Entry]]:
    """Return a provider of rubrics, for ``:name`` or when letters were typed."""

    def provide(query: str) -> list[Entry]:
        if query[:1] not in (":",) and len(query) < 2:
            return []
        return [
            Entry(
                f"rubric:{rubric.id}",
                rubric.name,
                "rubric",
                "",
                "rubrics",
                lambda key=rubric.id: navigate("rubrics", rubric_id=key),
            )
            for rubric in rubrics()
        ]

    return provide


def _run_entry(run: RunInfo, navigate: Navigate) -> Entry:
    show = partial(navigate, "runs", run_id=run.run_id)
    return Entry(f"run:{run.run_id}", run.name or run.run_id, f"run · {run.state}", "", "runs", show, run.run_id)
