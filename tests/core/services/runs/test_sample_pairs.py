"""Samples of a run become generated pairs: once each, with how they were made, and what is no pair is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.cli.app import main
from core.domain.changes import Changes
from core.domain.errors import NotFound
from core.paths import resources_dir
from core.services.application import Application


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples") / "ws"
    shutil.copytree(resources_dir() / "demo" / "workspace", folder)
    return folder


def test_that_the_newest_samples_become_pairs_once_with_how_they_were_made(
    demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Application.open(demo) as app:
        run = app.runs.list()[0]
        samples = app.runs.reader(run.run_id).samples()
        newest = [one for one in samples if one.step == max(sample.step for sample in samples)]
        differ = [one for one in newest if one.policy != one.reference]
        before = app.pairs.count()
        found = app.sample_pairs.add(run.run_id).value
        assert (found.step, len(found.pair_ids)) == (newest[0].step, len(differ)) and differ
        assert len(found.left_out) == len(newest) - len(differ)
        assert app.pairs.count() == before + len(differ)
        pair = app.pairs.texts([found.pair_ids[0]])[found.pair_ids[0]]
        made = {answer.text: answer.generation for answer in (pair.a, pair.b)}
        assert set(made) == {differ[0].policy, differ[0].reference}
        ours, theirs = made[differ[0].policy], made[differ[0].reference]
        assert ours is not None and theirs is not None
        assert (ours.seed, ours.temperature, ours.extra["kind"]) == (differ[0].seed, 1.0, "policy")
        assert (ours.extra["checkpoint"], "checkpoint" in theirs.extra) == (f"step {found.step}", False)
        (source,) = (one for one in app.pairs.sources() if one.name == found.source)
        assert (source.kind, source.consent) == ("generated", "unknown")
        again = app.sample_pairs.add(run.run_id)
        assert (again.value.pair_ids, again.changes) == (found.pair_ids, Changes.NOTHING), "nothing is new"
        assert app.pairs.count() == before + len(differ)
        with pytest.raises(NotFound, match="no samples at step 12345"):
            app.sample_pairs.add(run.run_id, 12345)
        assert app.workspace.check().ok
    ws = str(demo)
    assert main(["runs", "samples", run.run_id, "--in", ws, "--to-pairs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pair_ids"] == list(found.pair_ids)
    assert main(["runs", "samples", run.run_id, "--in", ws, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(samples)
    assert main(["runs", "samples", run.folder, "--to-pairs"]) == 2
