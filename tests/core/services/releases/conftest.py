"""A workspace with a finished evaluation of a tiny run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from core.domain.conversation import Prompt
from core.domain.suite import Constraint, Suite, SuiteItem
from core.runs.evaluations.driver import evaluate
from core.runs.evaluations.hosting import EvaluationHost
from core.runs.folder import RunFolder
from core.services.application import Application
from core.services.evaluations.requests import EvaluationRequest
from tests.core.runs.evaluations.conftest import SMALL, preference_suite, trained_run
from tests.fakes.fresh import fresh

__all__ = ["trained_run"]


def checked_suite() -> Suite:
    items = [
        SuiteItem(f"c{n}", Prompt.from_text(f"Say {n}."), "check", {}, (Constraint("contains", "never said"),))
        for n in range(2)
    ]
    return Suite("checked", 1, tuple(items))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, trained_run: RunFolder) -> Iterator[Application]:
    """Return a workspace with a finished evaluation, which each module may change."""
    evaluated = _evaluated(tmp_path_factory.getbasetemp() / "evaluated", trained_run)
    with Application.open(Path(shutil.copytree(evaluated, tmp_path_factory.mktemp("releases") / "ws"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def evaluation(app: Application) -> str:
    """Return the id of the finished evaluation."""
    return app.evaluations.list()[-1].evaluation_id


@cache
def _evaluated(folder: Path, run: RunFolder) -> Path:
    """Make the workspace, once for all modules; no test opens it."""
    with fresh(folder) as app:
        for suite in (preference_suite(), checked_suite()):
            app.suites.add(suite)
        request = EvaluationRequest(run=run.path, suites=("rankings", "checked"), config=SMALL)
        made = app.evaluations.create(request).value
        path = app.evaluations.find(made.evaluation_id).path
        assert evaluate(path, EvaluationHost(host="terminal")).event == "finished"
    return folder
