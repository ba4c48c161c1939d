"""A workspace with a finished evaluation: answers without a trace of their arm, some equal, some empty, some sealed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.domain.dataset import FreezePolicy
from core.domain.evaluation_record import SEALED, Arm, EvaluatedSuite, EvaluationRecord
from core.domain.suite import Suite, SuiteItem
from core.runs.evaluations.folder import publish
from core.runs.folder import RunFolder
from core.services.application import Application
from tests.app.evaluate.fakes import CONFIG, ScriptedModel, ask, finish, make_run

EVALUATION = "e" * 32
IN_DATA = 12
"""Pairs of the workspace that are not made for votes."""
BETTER, WORSE = "Oil the chain, then wipe it.", "Wipe the chain and be done"
"""How the answers of the policy and of the reference begin."""


class PlainModel(ScriptedModel):
    """Says what the item asks for: equal or empty answers where its id says so."""

    def _text(self, arm: Arm, item: SuiteItem) -> str:
        if item.id.startswith("same"):
            return "Both say this."
        if item.id.startswith("empty"):
            return " " if arm.is_policy else ""
        return f"{BETTER if arm.is_policy else WORSE} Number {item.id}."


def chain_suite(count: int = 10) -> Suite:
    items = [
        SuiteItem(f"ask-{n}", ask(f"Chain {n}?"), "open", {"part": "odd" if n % 2 else "even"}) for n in range(count)
    ]
    items += [SuiteItem("same-1", ask("Same?"), "open"), SuiteItem("empty-1", ask("Empty?"), "open")]
    items.append(SuiteItem("twice", ask("chain 0?"), "open"))
    return Suite("chains", 1, tuple(items))


def write_evaluation(workspace: Path, sealed: EvaluatedSuite) -> None:
    run, suite = RunFolder(workspace / "runs" / "r1"), chain_suite()
    own: dict[str, Any] = {"run_dir": str(run.path), "run_id": "r1"}
    count = len(suite.items)
    record = EvaluationRecord(
        evaluation_id=EVALUATION,
        name="night run",
        created_ms=1,
        run={"run_id": "r1", "name": "night run", "step": 0, "model": "tiny", "folder": str(run.path)},
        run_config=run.record().config.to_plain(),
        arms=(Arm("reference", "reference", **own), Arm("aligned", "aligned", **own)),
        suites=(EvaluatedSuite(suite.title, suite.sha256, count, count, count, 0), sealed),
        config=CONFIG,
    )
    folder = publish(workspace / "evaluations" / EVALUATION, record, {suite.title: suite.items})
    finish(folder, PlainModel)


def import_labelled(app: Application, folder: Path) -> None:
    """Bring six pairs in with their labels; only these enter the sealed test."""
    asked = ("Which river", "What mountain", "Whose castle", "How many islands", "Why that desert", "When the harbour")
    rows = [
        {"prompt": f"{words} do you mean?", "response1": f"This {n}.", "response2": f"That {n}.", "annotator1": 1}
        for n, words in enumerate(asked)
    ]
    path = folder / "labelled.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    app.imports.run(path, fmt="table:one_based", consent="granted")


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = tmp_path_factory.mktemp("votes") / "ws"
    make_run(workspace)
    with Application.open(workspace) as app:
        import_labelled(app, workspace.parent)
        version = app.datasets.freeze("d", FreezePolicy(splits=(0.0, 0.0, 1.0))).value
        place = app.sealed.seal_version(version.id)
        sealed = EvaluatedSuite(
            f"{SEALED}{version.title}", place.sha256, 6, 6, 6, 6, sealed=str(place.path), keys=str(place.keys),
            person="Ann", reason="release",
        )  # fmt: skip
    write_evaluation(workspace, sealed)
    return workspace


@pytest.fixture
def app(evaluated: Path, tmp_path: Path) -> Iterator[Application]:
    with Application.open(Path(shutil.copytree(evaluated, tmp_path / "ws"))) as opened:
        yield opened
