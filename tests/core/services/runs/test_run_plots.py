"""The plots of all pairs of a run equal its ledger, and follow it while it grows."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from core.cli.app import build_app
from core.paths import resources_dir
from core.runs.run_reader import RunReader
from core.services.runs.run_estimates import RunEstimates
from core.services.runs.run_plots import PLOT_NAMES, RunPlots, spectrum_at


@pytest.fixture(scope="module")
def folder() -> Path:
    (found,) = (resources_dir() / "demo" / "workspace" / "runs").iterdir()
    return found


def _rows(folder: Path, kind: str, step: int, columns: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{folder / 'ledger.sqlite'}?mode=ro&immutable=1", uri=True) as db:
        query = f"SELECT {columns} FROM pair_rows WHERE kind = ? AND step = ? ORDER BY id"
        return db.execute(query, (kind, step)).fetchall()


def test_that_the_plots_of_the_demo_equal_its_ledger(folder: Path) -> None:
    reader = RunReader(folder)
    plots = RunPlots(reader, RunEstimates(reader)).read()
    h = [row[0] for row in _rows(folder, "dev", 40, "h")]
    heat = plots.heat
    assert heat is not None
    assert heat.first.tolist() == [0, 10, 20, 30, 40]
    for bin_, count in enumerate(heat.counts[-1]):
        assert count == sum(heat.edges[bin_] <= value < heat.edges[bin_ + 1] for value in h), heat.words_of(bin_)
    part = plots.pairs.at(40)
    wanted = _rows(folder, "dev", 40, "pair_id, logp_chosen - ref_chosen, logp_rejected - ref_rejected")
    found = zip(plots.pairs.pair_ids[part], plots.pairs.chosen[part], plots.pairs.rejected[part], strict=True)
    assert list(found) == wanted
    down = sum(chosen < 0 and rejected < 0 for _, chosen, rejected in wanted)
    assert plots.both_down() == plots.both_down(40) == (down, 16)
    weights = [row[0] for row in _rows(folder, "probe_train", 40, "weight")]
    effective = sum(weights) ** 2 / sum(w * w for w in weights)
    assert spectrum_at(plots.weights, 40).effective == pytest.approx(effective)
    assert plots.curves["pull.effective"].values[-1] == pytest.approx(effective)
    assert sum(c.newest.n for c in plots.slices if c.name.startswith(("chosen", "equal"))) == 16
    assert [(p.step, p.h_step) for p in plots.phase] == [(0, 0), (20, 20), (40, 40)]
    gap, probes = plots.curves["gap.accuracy"], RunEstimates(reader)
    assert gap.values[-1] == pytest.approx(
        probes.probes("train")[-1].values["accuracy"].value - probes.probes("dev")[-1].values["accuracy"].value
    )


def test_that_only_what_is_asked_for_is_read(folder: Path) -> None:
    reader = RunReader(folder)
    plots = RunPlots(reader, RunEstimates(reader)).read(("phase",))
    assert plots.phase
    assert (plots.heat, plots.pairs.pair_ids, plots.slices, dict(plots.curves)) == (None, (), (), {})


def test_that_a_later_attempt_replaces_a_probe_at_the_same_step(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    copy.mkdir()
    for name in ("ledger.sqlite", "run.json", "pairs.jsonl"):
        if (folder / name).exists():
            (copy / name).write_bytes((folder / name).read_bytes())
    reader = RunReader(copy)
    before = reader.pair_columns("dev")
    with sqlite3.connect(copy / "ledger.sqlite") as db:
        db.execute("UPDATE pair_rows SET id = id")  # nothing new
        columns = [row[1] for row in db.execute("PRAGMA table_info(pair_rows)")]
        copied = ", ".join({"id": "NULL", "attempt": "2", "h": "7.0"}.get(name, f'"{name}"') for name in columns)
        db.execute("INSERT INTO attempts VALUES (2, 0, 20)")
        db.execute(f"INSERT INTO pair_rows SELECT {copied} FROM pair_rows WHERE kind = 'dev' AND step = 20")
    db.close()
    after = reader.pair_columns("dev")
    assert before.looks == [0, 10, 20, 30, 40]
    assert after.looks == [0, 10, 20], "what came after the resumed step belongs to weights that are gone"
    assert set(after.h[after.at(20)]) == {7.0}
    assert len(after.pair_ids[after.at(20)]) == 16


def test_that_the_command_prints_each_plot_and_says_which_looks_there_are(folder: Path) -> None:
    run = CliRunner().invoke
    app = build_app()
    for name in PLOT_NAMES:
        answer = run(app, ["runs", "plot", str(folder), name, "--json"])
        assert answer.exit_code == 0, answer.output
        assert json.loads(answer.output)["plot"] == name
        assert " n" in run(app, ["runs", "plot", str(folder), name]).output or name == "displacement"
    assert run(app, ["runs", "plot", str(folder), "curves"]).exit_code != 0
    assert run(app, ["runs", "plot", str(folder), "weights", "--step", "3"]).exit_code != 0


def test_that_the_command_tells_what_was_seen_up_to_each_step(folder: Path) -> None:
    run, app = CliRunner().invoke, build_app()
    seen, tokens = 0, 0
    for step, pairs, rate, seconds in _steps(folder):
        seen, tokens = seen + pairs, tokens + round(rate * seconds)
        assert _tokens_of_rows(folder, step) == round(rate * seconds)
    text = run(app, ["runs", "plot", str(folder), "gap", "--x", "pairs"]).output.splitlines()
    assert text[0].split("  ")[1].strip() == "pairs seen"
    assert text[5].split()[:2] == ["40", str(seen)]
    plain = json.loads(run(app, ["runs", "plot", str(folder), "slices", "--x", "tokens", "--json"]).output)["x"]
    assert (plain["name"], plain["steps"][-1], plain["places"][-1]) == ("tokens", 40, tokens)
    refused = run(app, ["runs", "plot", str(folder), "--x", "hours"])
    assert refused.exit_code != 0 and "hours" in str(refused.exception)


def _steps(folder: Path) -> list[tuple[int, int, float, float]]:
    with sqlite3.connect(f"file:{folder / 'ledger.sqlite'}?mode=ro&immutable=1", uri=True) as db:
        return db.execute("SELECT step, pairs, tokens_per_s, seconds FROM steps ORDER BY step").fetchall()


def _tokens_of_rows(folder: Path, step: int) -> int:
    return sum(row[0] for row in _rows(folder, "train", step, "tokens_chosen + tokens_rejected"))
