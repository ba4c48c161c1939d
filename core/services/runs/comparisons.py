"""Comparisons, reports and exported numbers of a workspace's runs, under the names and notes that they have today."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.domain.run_comparison import RunComparison, letter_of
from core.runs.child_processes.request import run_in_subprocess
from core.runs.hosting.hosts import worker_environment
from core.runs.reproduction import Reproduction
from core.runs.run_reader import RunReader
from core.services.pairs.service import PairsService
from core.services.runs.compared_samples import ComparedAnswers, compared_samples
from core.services.runs.comparison import compare_runs
from core.services.runs.log_export import ExportedLog, LogForm, export_log
from core.services.runs.registry import RunRegistry
from core.services.runs.report import Progress, reported, write_report
from core.services.runs.run_estimates import EstimatedSeries, RunEstimates
from core.services.runs.x_places import Places, x_places


@dataclass(frozen=True, slots=True)
class ComparedCurves:
    """A comparison with the held-out h of each run over its steps, and answers; both in the order of the runs.

    ``places`` has, for each run, where its steps stand on the other axes.
    """

    comparison: RunComparison
    curves: tuple[EstimatedSeries, ...]
    answers: tuple[ComparedAnswers, ...] = ()
    places: tuple[Places, ...] = ()


class RunComparisons:
    """Compares runs and writes reports. Its methods may be called from any thread."""

    def __init__(self, registry: RunRegistry, pairs: PairsService) -> None:
        self._registry, self._pairs = registry, pairs

    def compare(self, run_ids: Sequence[str], step: int | None = None, *, newest: bool = False) -> ComparedCurves:
        """Compare runs with the first of them; see :func:`core.services.runs.comparison.compare_runs`."""
        readers = [self._reader(run_id) for run_id in run_ids]
        names = [self._registry.info(run_id).name for run_id in run_ids]
        found = compare_runs(readers, step, names, newest=newest)
        curves = tuple(RunEstimates(reader).series(["dev.h"])["dev.h"] for reader in readers)
        places = tuple(x_places(reader, self._reader) for reader in readers)
        return ComparedCurves(found, curves, compared_samples(readers, found.step), places)

    def _reader(self, run_id: str) -> RunReader:
        return RunReader(self._registry.folder(run_id).path)

    def report(
        self,
        run_ids: Sequence[str],
        target: Path,
        *,
        replace: bool = False,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Path:
        """Write one HTML report of runs, the first as baseline; see :func:`core.services.runs.report.write_report`."""
        found = []
        for n, run_id in enumerate(run_ids):
            info = self._registry.info(run_id)
            reader, read = RunReader(self._registry.folder(run_id).path), self._pairs.judgements
            words = {"name": info.name, "tags": info.tags, "note": info.note}
            found.append(reported(reader, letter_of(n), judgements_of=read, **words))  # type: ignore[arg-type]
        return write_report(target, found, replace=replace, on_progress=on_progress, cancelled=cancelled)

    def export_log(
        self,
        run_id: str,
        target: Path,
        form: LogForm,
        *,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ExportedLog:
        """Write the numbers of a run for another tool; see :func:`core.services.runs.log_export.export_log`."""
        run, name = self._registry.folder(run_id), self._registry.info(run_id).name
        return export_log(run, target, form, name=name, on_progress=on_progress, cancelled=cancelled)

    def reproduce(
        self,
        run_id: str,
        *,
        steps: int = 0,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Reproduction:
        """Train a run again in a process of its own and compare it; see :func:`core.runs.reproduction.reproduce`.

        Args:
            run_id: of the run; nothing in its folder is changed.
            steps: how many are made again; 0 makes all.
            on_progress: gets (steps done, steps wanted, text).
            cancelled: polled; True ends the process at once.

        Raises:
            Cancelled: when ``cancelled`` became true; nothing is left behind.
        """
        folder = self._registry.folder(run_id).path
        made = RunReader(folder).status().step
        request = {"folder": str(folder), "steps": steps, "total": min(steps or made, made)}
        found = run_in_subprocess(
            "core.runs.child_processes.reproduce_program",
            request,
            environment=worker_environment(),
            on_progress=on_progress,
            cancelled=cancelled,
        )
        return Reproduction.from_plain(found)
