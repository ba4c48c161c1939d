"""Estimates of a run, read from its ledger pair by pair."""

from __future__ import annotations

import json
import math
import sqlite3
from pathlib import Path
from typing import Any, cast

import pytest

from core.domain.insight import Insight
from core.domain.run_config import RunConfig
from core.domain.run_events import EvalDone
from core.evaluation.statistics import wilson
from core.paths import resources_dir
from core.runs.creation import NewRun, create_run
from core.runs.hosting.driver import HostOptions, drive
from core.runs.run_reader import RunReader
from core.services.pairs.service import PairsService
from core.services.runs.insights import insights_of
from core.services.runs.lineage import RunLineage
from core.services.runs.run_estimates import RunEstimates, plain_estimates
from tests.core.runs.conftest import make_pairs
from tests.fakes import scripted_engine


@pytest.fixture
def demo() -> RunReader:
    (folder,) = (resources_dir() / "demo" / "workspace" / "runs").iterdir()
    return RunReader(folder)


@pytest.fixture
def driven(tmp_path: Path) -> RunReader:
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    config = RunConfig().with_values({"steps": 10, "batch_size": 4, "eval_every": 5})
    folder = create_run(tmp_path / "run", NewRun(config, model, make_pairs()), run_id="run")
    drive(folder.path, HostOptions(host="terminal", engine=scripted_engine.train))
    return RunReader(folder.path)


def ledger_rows(reader: RunReader, kind: str, step: int) -> list[tuple[float, float]]:
    """Read margin and h of a probe with SQL of this test's own."""
    with sqlite3.connect(f"file:{reader.folder.ledger}?mode=ro&immutable=1", uri=True) as db:
        return db.execute("SELECT margin, h FROM pair_rows WHERE kind = ? AND step = ?", (kind, step)).fetchall()


def test_that_the_last_probe_of_the_demo_equals_its_ledger(demo: RunReader) -> None:
    probe = RunEstimates(demo).last("dev")
    assert probe is not None and (probe.step, probe.n) == (40, 16)
    rows = ledger_rows(demo, "dev", 40)
    right = sum(margin > 0 for margin, _ in rows)
    assert right == 15
    assert (probe.values["accuracy"].low, probe.values["accuracy"].high) == pytest.approx(wilson(15, 16))
    assert probe.values["margin"].value == pytest.approx(sum(m for m, _ in rows) / 16, abs=1e-12)
    assert probe.values["h"].value == pytest.approx(sum(h for _, h in rows) / 16, abs=1e-12)
    assert probe.values["h"].low < probe.values["h"].value < probe.values["h"].high
    assert probe.values["h"].unit == "nats"


def test_that_curves_carry_an_interval_at_each_point(demo: RunReader) -> None:
    found = RunEstimates(demo).series(["dev.margin", "train.accuracy", "kl.kl", "loss", "dev.kl_chosen"])
    assert sorted(found) == ["dev.kl_chosen", "dev.margin", "kl.kl", "train.accuracy"]
    margin = found["dev.margin"]
    assert margin.steps == [0, 10, 20, 30, 40]
    assert margin.n == [16] * 5
    assert all(low <= value <= high for low, value, high in zip(margin.low, margin.values, margin.high, strict=True))
    kl = found["kl.kl"]
    assert (kl.steps, kl.n) == ([0, 20, 40], [8, 8, 8])
    assert kl.high[-1] - kl.values[-1] == pytest.approx(1.959964 * 0.7324476670310072, abs=1e-6)
    assert all(n == 16 for n in found["dev.kl_chosen"].n)


def test_that_a_probe_whose_rows_are_gone_keeps_the_interval_that_was_stored(driven: RunReader) -> None:
    with sqlite3.connect(driven.folder.ledger) as db:
        db.execute("DELETE FROM pair_rows WHERE kind = 'dev' AND step = 10 AND pair_id = 'p12'")
    probe = RunEstimates(driven).last("dev")
    assert probe is not None
    stored = driven.evals("dev")[-1]
    assert (probe.values["accuracy"].low, probe.values["accuracy"].high) == (stored.accuracy_low, stored.accuracy_high)
    assert not probe.values["margin"].has_interval and probe.values["margin"].n == 4


def test_that_new_probes_are_read_while_known_ones_are_kept(driven: RunReader, monkeypatch: pytest.MonkeyPatch) -> None:
    estimates, asked = RunEstimates(driven), list[tuple[int, int]]()
    read = driven.pairs_of_range

    def watched(first: int, last: int, kind: str = "train", **words: Any) -> Any:
        asked.append((first, last))
        return read(first, last, kind, **words)

    monkeypatch.setattr(driven, "pairs_of_range", watched)
    assert [probe.step for probe in estimates.probes("dev")] == [0, 5, 10]
    estimates.probes("dev")
    assert asked == [(0, 10)]


def test_that_pairs_that_cannot_be_read_are_groups_of_their_own(driven: RunReader) -> None:
    driven.folder.pairs_file.unlink()
    probe = RunEstimates(driven).last("dev")
    assert probe is not None and probe.values["margin"].groups == 4


def test_that_an_old_probe_has_a_token_kl_without_interval_and_a_new_one_with(driven: RunReader) -> None:
    estimates = RunEstimates(driven)
    first = estimates.last("dev")
    assert first is not None and not first.values["kl_chosen"].has_interval
    with sqlite3.connect(driven.folder.ledger) as db:
        db.execute("UPDATE evals SET kl_chosen_se = 0.002 WHERE step = 10")
    newer = estimates.last("dev")
    assert newer is not None
    assert newer.values["kl_chosen"].high == pytest.approx(0.01 + 1.959964 * 0.002, abs=1e-6)


def test_that_plain_estimates_are_strict_json(demo: RunReader, tmp_path: Path) -> None:
    plain: Any = json.loads(json.dumps(plain_estimates(RunEstimates(demo), demo.kls()), allow_nan=False))
    assert (plain["held_out"]["accuracy"]["value"], plain["held_out"]["accuracy"]["n"]) == (0.9375, 16)
    assert (plain["kl"]["horizon"], plain["kl"]["share_cut"], plain["kl"]["n"]) == (32, 0.75, 8)
    assert plain["train_probe"]["n"] == 16


def test_that_an_event_with_a_missing_number_is_kept_once(driven: RunReader) -> None:
    with sqlite3.connect(driven.folder.ledger) as db:
        db.execute("UPDATE evals SET loss = NULL WHERE step = 10 AND split = 'dev'")
    estimates = RunEstimates(driven)
    for _ in range(3):
        estimates.probes("dev")
    assert len(estimates._known) == 3
    assert isinstance(driven.evals("dev")[-1], EvalDone)


def test_that_an_insight_lists_its_own_pairs_measured_or_not(driven: RunReader, tmp_path: Path) -> None:
    insight = Insight("c", 1, "t", "w", "try", ("p12", "p3", "p99"), pairs_kind="dev", pairs_steps=(5, 5))
    lineage = RunLineage(cast(PairsService, None), driven)
    rows = lineage.of_insight(insight)
    assert [row.pair_id for row in rows] == ["p12", "p3", "p99"]
    assert (rows[0].kind, rows[0].step) == ("dev", 5)
    assert rows[1].kind in ("train", "probe_train"), "a training pair is shown by its own last row"
    assert math.isnan(rows[2].margin) and rows[2].prompt == ""


def test_that_the_newest_probe_is_all_at_one_step(driven: RunReader) -> None:
    assert {visit.step for visit in driven.newest_probe("dev")} == {10}
    assert len(driven.newest_probe("dev")) == 4
    assert driven.newest_probe("no such kind") == []


def test_that_the_pairs_of_the_demos_insights_are_in_its_ledger(demo: RunReader) -> None:
    found = insights_of(demo)
    assert any(insight.pair_ids for insight in found)
    for insight in found:
        assert {v.pair_id for v in demo.last_visits(insight.pair_ids)} == set(insight.pair_ids)
