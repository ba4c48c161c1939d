"""A workspace with a finished evaluation of a tiny run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.conversation import Prompt
from core.domain.suite import Constraint, Suite, SuiteItem
from core.runs.evaluations.driver import evaluate
from core.runs.evaluations.hosting import EvaluationHost
from core.services.application import Application
from core.services.evaluations.requests import EvaluationRequest
from tests.core.runs.evaluations.conftest import SMALL, preference_suite, trained_run

__all__ = ["trained_run"]


def checked_suite() -> Suite:
    items = [
        SuiteItem(f"c{n}", Prompt.from_text(f"Say {n}."), "check", {}, (Constraint("contains", "never said"),))
        for n in range(2)
    ]
    return Suite("checked", 1, tuple(items))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    with Application.open(tmp_path_factory.mktemp("releases") / "ws", create=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def evaluation(app: Application, trained_run: object) -> str:
    """Return the id of a finished evaluation."""
    for suite in (preference_suite(), checked_suite()):
        app.suites.add(suite)
    request = EvaluationRequest(run=Path(trained_run.path), suites=("rankings", "checked"), config=SMALL)  # type: ignore[attr-defined]
    made = app.evaluations.create(request).value
    assert evaluate(app.evaluations.find(made.evaluation_id).path, EvaluationHost(host="terminal")).event == "finished"
    return made.evaluation_id
