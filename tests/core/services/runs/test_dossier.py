"""The dossier of a pair: each number of its loss, the same pair over runs, and what can be done with it."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.cli.app import main
from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.pair_dossier import loss_of_pair
from core.domain.prompt_inspection import InspectionRequest, NearPair, PromptInspection
from core.domain.run_events import PairMetrics
from core.paths import resources_dir
from core.services.application import Application
from tests.fakes.workspaces import opened

ROW = PairMetrics("1131", 0.925, -52.7, -41.2, -50.8, -43.5, -4.2, -0.42, 0.603, 37, 27)
"""The pair of the design's picture."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dossier") / "ws"
    shutil.copytree(resources_dir() / "demo" / "workspace", folder)
    return folder


def test_that_the_formula_has_the_numbers_of_the_pair_and_another_loss_says_so() -> None:
    exact = replace(ROW, loss=math.log1p(math.exp(0.42)), weight=1 / (1 + math.exp(-0.42)))
    found = loss_of_pair(exact, 0.1, "sigmoid", [0.1, exact.weight, 0.3])
    texts = {figure.name: figure.text for figure in found.figures}
    assert texts["h_w, nats"] == "−52.70 + 50.80 = −1.90"
    assert texts["h_l, nats"] == "−41.20 + 43.50 = +2.30"
    assert texts["z = β h"] == "0.1 · −4.20 = −0.42"
    assert texts["weight at this step"] == "largest of 3"
    factor = next(figure for figure in found.figures if "factor" in figure.name)
    assert factor.value == pytest.approx(-0.1 * exact.weight)
    assert "−log σ(0.1 × [(−1.90) − 2.30]) = 0.925, above ln 2 = 0.693" in found.words
    smoothed = loss_of_pair(replace(exact, loss=0.8), 0.1, "sigmoid", [0.9, exact.weight])
    assert "with its smoothing and weights" in smoothed.words
    assert [figure.text for figure in smoothed.figures if "step" in figure.name] == ["rank 2 of 2"]
    assert loss_of_pair(exact, 0.1, "ipo", [1.0]).tex == ""


def test_that_a_pair_is_found_over_all_runs_that_have_the_same_texts(
    demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Application.open(demo) as app:
        run = app.runs.list()[0]
        worst = app.runs.reader(run.run_id).newest_probe("dev")[0]
        found = app.dossier.of(run.run_id, worst.pair_id)
        assert (found.kind, found.step, found.metrics) == ("dev", worst.step, worst.row)
        mates = sorted(visit.row.h for visit in app.runs.reader(run.run_id).newest_probe("dev"))
        middle = len(mates) // 2
        only = found.runs[0]
        assert (len(found.runs), only.h, only.pairs, only.same_fingerprint) == (1, worst.row.h, len(mates), True)
        assert only.median_h == pytest.approx((mates[middle - 1] + mates[middle]) / 2)
        assert found.below == int(worst.row.margin < 0)
        assert len(found.weights) == len(mates)
        with pytest.raises(NotFound, match="did not measure the pair 999999"):
            app.dossier.of(run.run_id, "999999")
        asked: list[InspectionRequest] = []

        def inspect(request: InspectionRequest, **_: object) -> PromptInspection:
            asked.append(request)
            near = tuple(NearPair(one, 0.5, "p", "c", "r") for one in (worst.pair_id, "none"))
            return PromptInspection({}, 0.1, request.prompt, 1, "", nearest=near)  # type: ignore[arg-type]

        monkeypatch.setattr(app.prompts, "inspect", inspect)
        scored = app.dossier.tokens(run.run_id, worst.pair_id)
        assert [one.name for one in asked[0].given] == ["chosen", "rejected"]
        assert [one.pair_id for one in scored.inspection.nearest] == ["none"], "the pair itself is no neighbour"
        assert scored.margins == {}


def test_that_a_pair_is_left_out_by_a_draft_and_noted_by_a_bookmark_and_both_can_be_taken_back(tmp_path: Path) -> None:
    with opened(tmp_path / "ws", pairs=2) as app:
        ann = app.reviewers.list()[0]
        title = app.dossier.leave_out(1, ann.id, ann.name, "repeats itself").value
        draft = app.changesets.get(title)
        assert (draft.state, [(e.op, e.pair_id, e.reason) for e in draft.entries]) == (
            "draft", [("remove", 1, "repeats itself")],
        )  # fmt: skip
        assert app.dossier.leave_out(2, ann.id, ann.name, "too short").value == title, "one draft takes all"
        with pytest.raises(BadInput):
            app.dossier.leave_out(1, ann.id, ann.name, "again")
        app.dossier.take_back(1, title)
        assert [entry.pair_id for entry in app.changesets.get(title).entries] == [2]
        with pytest.raises(NotFound):
            app.dossier.take_back(1, title)
        assert app.dossier.note(1, ann.id) is None
        app.dossier.set_note(1, ann.id, " Ask Mira. ")
        assert app.dossier.note(1, ann.id) == "Ask Mira."
        app.dossier.set_note(1, ann.id, "")
        assert app.dossier.note(1, ann.id) is None


def test_that_a_reason_that_is_empty_leaves_no_draft_behind(tmp_path: Path) -> None:
    with opened(tmp_path / "ws", pairs=1) as app:
        ann = app.reviewers.list()[0]
        with pytest.raises(UsageError, match="needs a reason"):
            app.dossier.leave_out(1, ann.id, ann.name, " ")
        assert app.changesets.list() == []


def test_that_the_command_tells_the_dossier(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Application.open(demo, read_only=True) as app:
        run = app.runs.list()[0]
        pair_id = app.runs.reader(run.run_id).newest_probe("dev")[0].pair_id
    assert main(["dossier", str(demo), run.name, pair_id]) == 0
    shown = capsys.readouterr().out
    assert "L = −log σ(β [h_w − h_l])" in shown and "median h of the look" in shown
    assert main(["dossier", str(demo), run.name, pair_id, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert (plain["event"], plain["pair_id"], len(plain["runs"])) == ("dossier", pair_id, 1)
    assert main(["dossier", str(demo), run.name, "999999"]) == 1
