"""What changed between two cycles, and to which change the differences belong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.bought import Bought
from core.domain.dataset import DatasetDiff
from core.domain.errors import NotFound
from core.domain.estimate import Estimate
from core.domain.evaluation_record import Arm, EvaluatedSuite, EvaluationRecord
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.run_config import RunConfig
from core.runs.evaluations.driver import evaluate
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.hosting import EvaluationHost
from core.services.application import Application
from core.services.evaluations.requests import EvaluationRequest
from core.services.releases.cycle import CREDIT, Cycle, CycleSide, cycle_of
from tests.core.runs.evaluations.conftest import SMALL

CONFIG = RunConfig().to_plain()
RECORD = EvaluationRecord(
    "e1", "one", 1,
    {"name": "dpo-1", "fingerprint": "f" * 64, "dataset": {"title": "kind v1", "root_sha256": "1" * 64}},
    CONFIG, (Arm("aligned", "aligned", inputs={"policy": "a" * 64}),),
    (EvaluatedSuite("asks v1", "s" * 64, 9, 9, 9, 0),), EvaluationConfig(),
)  # fmt: skip
DIFF = DatasetDiff("kind v1", "kind v2", (7, 8), (1,), (2, 3), (), ((4, "dev", "train"),), 30)
NUMBER = Estimate(0.1, 0.0, 0.2, 9, "", "mean")


def side(record: EvaluationRecord = RECORD, **more: object) -> CycleSide:
    return CycleSide("evaluation", record.name, record.evaluation_id, EvaluationFolder(Path("none")), record, **more)  # type: ignore[arg-type]


def with_run(record: EvaluationRecord, **run: object) -> EvaluationRecord:
    return replace(record, run={**record.run, **run})


def words(cycle: Cycle, part: str) -> dict[str, tuple[str, str]]:
    return {change.what: (change.old, change.new) for change in getattr(cycle, part)}


def test_that_settings_data_and_measurement_are_told_apart() -> None:
    newer = replace(RECORD, run_config={**CONFIG, "beta": 0.3}, suites=(replace(RECORD.suites[0], title="asks v2"),))
    newer = with_run(newer, name="dpo-2", fingerprint="e" * 64, dataset={"title": "kind v2", "root_sha256": "2" * 64})
    newer = replace(newer, config=EvaluationConfig().with_values({"max_new_tokens": 32}))
    cycle = cycle_of(side(thresholds=("harm v1 at 0.5",)), side(newer, thresholds=("harm v2 at 0.7",)), DIFF, ())
    beta = next(name for name, pair in words(cycle, "policy").items() if pair == ("0.1", "0.3"))
    assert beta.casefold().startswith("beta") and words(cycle, "policy")["run"] == ("dpo-1", "dpo-2")
    data = words(cycle, "data")
    assert data["dataset version"] == (f"kind v1 {'1' * 12}", f"kind v2 {'2' * 12}")
    assert data["pairs added"][1] == "2 pairs" and data["pairs removed"][1] == "1 pair"
    assert data["pairs relabelled"][1] == "2 pairs" and data["pairs in another split"][1] == "1 pair"
    measured = words(cycle, "measurement")
    assert measured["asks v1"][1] == "–" and measured["asks v2"][0] == "–"
    assert measured["max new tokens"][1] == "32" and measured["thresholds"] == ("harm v1 at 0.5", "harm v2 at 0.7")
    assert cycle.credit == CREDIT[True, True] and "tells them apart" in cycle.credit
    plain = json.loads(json.dumps(cycle.to_plain(), allow_nan=False))
    assert plain["data"]["pairs"] == {
        "added": [7, 8], "removed": [1], "relabelled": [2, 3], "of_another_strength": [], "in_another_split": [4],
        "same": 30,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "data"), [(settings, data) for settings in (True, False) for data in (True, False)]
)
def test_that_the_credit_goes_to_what_changed_alone(settings: bool, data: bool) -> None:
    newer = with_run(RECORD, name="dpo-2", fingerprint="e" * 64)  # another name and hash are no setting
    newer = replace(newer, run_config={**CONFIG, "lr": 1e-4}) if settings else newer
    newer = with_run(newer, dataset={"title": "kind v2", "root_sha256": "2" * 64}) if data else newer
    assert cycle_of(side(), side(newer), None, ()).credit == CREDIT[settings, data]


def test_that_another_detector_is_a_change_of_the_measurement() -> None:
    row = Bought("asks v1", "asks v1", "over_refusal", NUMBER, NUMBER, NUMBER, 0.5, by_detector=NUMBER)
    cycle = cycle_of(side(), side(), None, (row,))
    assert "over_refusal" in words(cycle, "measurement")["detector"][1]
    assert cycle.to_plain()["bought"][0]["by_items"] is None
    assert cycle_of(side(), side(), None, (), ("one",)).notes[0].startswith("The answers of one are gone")


def test_that_two_evaluations_of_the_workspace_are_compared_on_the_same_items(
    app: Application, evaluation: str, trained_run: object
) -> None:
    config = SMALL.with_values({"max_new_tokens": 4})
    request = EvaluationRequest(run=Path(trained_run.path), suites=("rankings",), config=config, name="shorter")  # type: ignore[attr-defined]
    made = app.evaluations.create(request).value
    with pytest.raises(NotFound, match="not finished"):
        app.releases.cycle(evaluation, "shorter")
    assert evaluate(app.evaluations.find(made.evaluation_id).path, EvaluationHost(host="terminal")).event == "finished"
    cycle = app.releases.cycle(evaluation, "shorter")
    assert cycle.policy == () and cycle.data == () and cycle.credit == CREDIT[False, False]
    assert set(words(cycle, "measurement")) == {"checked v1", "max new tokens"}
    rows = {row.metric: row for row in cycle.bought}
    assert {row.suite for row in cycle.bought} == {"rankings v1"}
    accuracy, length = rows["ranking_accuracy"], rows["length"]
    assert accuracy.same_items is not None and accuracy.same_items.value == 0
    assert length.same_items is not None and length.same_items.value < 0
    assert length.reference is not None and length.reference.value < 0  # the measurement changed, not the policy
