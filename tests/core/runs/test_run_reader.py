from __future__ import annotations

import math
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.errors import BadInput, NotFound, StorageFull
from core.domain.run_events import EvalDone, KlDone, PairMetrics, RunStarted, StepDone, Warned
from core.runs.folder import RunFolder
from core.runs.hosting.driver import HostOptions, drive
from core.runs.ledger.open_read_only import open_ledger
from core.runs.ledger.timeline import Timeline
from core.runs.ledger.writer import LedgerWriter
from core.runs.run_reader import RunReader
from tests.fakes.scripted_engine import make_row, train

Make = Callable[..., RunFolder]


@pytest.fixture
def finished(make_run: Make) -> RunReader:
    folder = make_run(steps=9)
    drive(folder.path, HostOptions(host="thread", engine=train))
    return RunReader(folder.path)


def step(number: int, loss: float = 0.5, rows: tuple[PairMetrics, ...] = ()) -> StepDone:
    return StepDone(number, 0.1, loss, 0, 0, 0.5, 0, 0, -1, -2, 0, 0, 0.5, 1, 1e-5, 10, 4, 0, 0.1, rows=rows)


def started(resumed_from: int = 0) -> RunStarted:
    return RunStarted("r", 10, 1, 4, 0, "cpu", "float32", "f", resumed_from)


def row(pair_id: str, margin: float) -> PairMetrics:
    return PairMetrics(pair_id, 0.6, -1, -2, -1, -2, margin * 10, margin, 0.5, 3, 4)


def test_that_the_pairs_of_a_step_come_worst_margin_first(finished: RunReader) -> None:
    visits = finished.pairs_of_step(3)
    config = finished.config()
    assert {v.pair_id for v in visits} == {"p8", "p9", "p10", "p11"}
    assert [v.row for v in visits] == sorted((make_row(config, v.pair_id, 3) for v in visits), key=lambda r: r.margin)


def test_that_a_range_holds_every_visit_of_its_steps(finished: RunReader) -> None:
    visits = finished.pairs_of_range(2, 4)
    assert len(visits) == 12
    assert {v.step for v in visits} == {2, 3, 4}
    assert finished.pairs_of_range(2, 4, limit=3) == visits[:3]


def test_that_a_pairs_history_covers_training_and_probes(finished: RunReader) -> None:
    assert [(v.step, v.kind) for v in finished.pair_history("p0")] == [
        (0, "probe_train"),
        (1, "train"),
        (4, "train"),
        (5, "probe_train"),
        (7, "train"),
        (9, "probe_train"),
    ]
    assert [v.step for v in finished.pair_history("p12", "dev")] == [0, 5, 9]
    assert finished.pair_history("nobody") == []


def test_that_worst_judges_each_pair_by_its_last_visit(finished: RunReader) -> None:
    config = finished.config()
    last_visit = {f"p{i}": 7 + i // 4 for i in range(12)}
    expected = sorted((make_row(config, p, s).margin for p, s in last_visit.items()))[:5]
    assert [v.row.margin for v in finished.worst(5)] == expected
    early = finished.worst(12, last=3)
    assert {v.step for v in early} == {1, 2, 3}
    held_out = finished.worst(4, kind="dev")
    assert {v.pair_id: v.row.margin for v in held_out} == {
        p: make_row(config, p, 9).margin for p in ("p12", "p13", "p14", "p15")
    }


def test_that_every_listed_series_has_values_and_an_unknown_one_is_refused(finished: RunReader) -> None:
    names = finished.series_names()
    assert {"loss", "margin", "extra.nll", "dev.kl_chosen", "train.accuracy", "kl.kl", "kl.se"} <= set(names)
    assert "entropy" not in names
    for name in names:
        steps, values = finished.series(name)
        assert len(steps) == len(values) > 0
    assert [list(column) for column in finished.series("extra.of_another_loss")] == [[], []]
    with pytest.raises(NotFound):
        finished.series("dev.nonsense")


def test_that_a_series_continues_while_the_run_works(make_run: Make) -> None:
    folder = make_run()
    reader = RunReader(folder.path)
    writer = LedgerWriter(folder.ledger, "run")
    writer.append(started())
    writer.append(step(1, 0.7))
    assert [list(a) for a in reader.series("loss")] == [[1], [0.7]]
    writer.append(step(2, math.nan))
    steps, values = reader.series("loss")
    assert list(steps) == [1, 2]
    assert math.isnan(values[1])
    writer.close()


def test_that_steps_after_the_checkpoint_of_a_resume_no_longer_count(make_run: Make) -> None:
    folder = make_run()
    reader = RunReader(folder.path)
    first = LedgerWriter(folder.ledger, "run")
    for event in (started(), *(step(n, 1.0, (row("a", n),)) for n in range(1, 7))):
        first.append(event)
    assert list(reader.series("loss")[0]) == [1, 2, 3, 4, 5, 6]
    first.close()
    second = LedgerWriter(folder.ledger, "run")
    assert second.attempt == 2
    for event in (started(4), step(5, 2.0, (row("a", 50.0),))):
        second.append(event)
    second.close()
    steps, values = reader.series("loss")
    assert list(steps) == [1, 2, 3, 4, 5]
    assert list(values) == [1.0, 1.0, 1.0, 1.0, 2.0]
    assert [v.row.margin for v in reader.pair_history("a")] == [1, 2, 3, 4, 50.0]
    assert reader.pairs_of_step(6) == []
    assert [v.row.margin for v in reader.worst(3)] == [50.0]


def test_that_a_probe_made_twice_at_one_step_counts_once(make_run: Make) -> None:
    folder = make_run()
    for attempt, margin in ((0, 1.0), (5, 2.0)):
        writer = LedgerWriter(folder.ledger, "run")
        writer.append(started(attempt))
        probe = EvalDone(5, "dev", 1, 0.5, margin, 0, 1, 0, 1, 0.5, 0, 0, -1, -2, 0, 0, rows=(row("a", margin),))
        writer.append(probe)
        writer.append(KlDone(5, margin, 0.1, 0, 0, 0, 4, 48, 0))
        writer.close()
    reader = RunReader(folder.path)
    assert [e.margin for e in reader.evals("dev")] == [2.0]
    assert [k.kl for k in reader.kls()] == [2.0]
    assert [v.row.margin for v in reader.pair_history("a")] == [2.0]
    assert [v.row.margin for v in reader.pairs_of_step(5, "dev")] == [2.0]
    assert list(reader.series("dev.margin")[1]) == [2.0]


@pytest.mark.parametrize(
    ("attempts", "shown", "hidden"),
    [
        ([(1, 0)], [(1, 99)], []),
        ([(1, 0), (2, 50)], [(1, 50), (2, 51)], [(1, 51)]),
        ([(1, 0), (2, 50), (3, 40)], [(1, 40), (3, 41)], [(1, 41), (2, 51)]),
        ([(1, 0), (2, 0)], [(2, 0)], [(1, 0), (1, 1)]),
    ],
    ids=["one", "resumed", "resumed further back", "begun again"],
)
def test_that_the_timeline_follows_the_weights(
    attempts: list[tuple[int, int]], shown: list[tuple[int, int]], hidden: list[tuple[int, int]]
) -> None:
    timeline = Timeline.of(attempts)
    assert all(timeline.shows(*place) for place in shown)
    assert not any(timeline.shows(*place) for place in hidden)


def test_that_a_closed_ledger_is_one_plain_file(finished: RunReader) -> None:
    names = {p.name for p in finished.folder.path.iterdir()}
    assert "ledger.sqlite-wal" not in names
    assert finished.folder.ledger.read_bytes()[18] == 1


def test_that_a_ledger_left_open_by_a_kill_is_read_with_its_last_steps(make_run: Make, tmp_path: Path) -> None:
    folder = make_run()
    writer = LedgerWriter(folder.ledger, "run")
    writer.append(started())
    writer.append(step(1))
    copy = tmp_path / "copy"
    shutil.copytree(folder.path, copy)
    (copy / "ledger.sqlite-shm").unlink()
    assert list(RunReader(copy).series("loss")[0]) == [1]
    writer.close()


def test_that_a_wal_ledger_on_read_only_media_is_read_from_a_copy(
    make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run()
    writer = LedgerWriter(folder.ledger, "run")
    writer.append(started())
    writer.append(step(1))
    real = sqlite3.connect

    class Refusing(sqlite3.Connection):
        def execute(self, *args):
            if str(folder.path) in refused["path"]:
                raise sqlite3.OperationalError("unable to open database file")
            return super().execute(*args)

    refused = {"path": ""}

    def connect(place: str, **options):
        refused["path"] = place
        return real(place, factory=Refusing, **options)

    monkeypatch.setattr("core.runs.ledger.open_read_only.sqlite3.connect", connect)
    assert list(RunReader(folder.path).series("loss")[0]) == [1]
    writer.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_that_a_finished_run_is_read_from_a_read_only_folder(finished: RunReader) -> None:
    finished.folder.path.chmod(0o500)
    try:
        assert finished.status().state == "finished"
    finally:
        finished.folder.path.chmod(0o700)


def test_that_a_damaged_ledger_is_reported_and_left_alone(make_run: Make) -> None:
    folder = make_run()
    folder.ledger.write_bytes(b"not a database at all" * 100)
    for look in (RunReader(folder.path).poll, lambda: LedgerWriter(folder.ledger, "run")):
        with pytest.raises(BadInput, match="damaged"):
            look()
    assert folder.ledger.read_bytes() == b"not a database at all" * 100


def test_that_a_ledger_of_another_run_is_not_continued(make_run: Make) -> None:
    folder = make_run()
    LedgerWriter(folder.ledger, "run").close()
    with pytest.raises(BadInput, match="another run"):
        LedgerWriter(folder.ledger, "other")


def test_that_readers_cannot_write(finished: RunReader) -> None:
    with open_ledger(finished.folder.ledger) as db:
        assert db is not None
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            db.execute("DELETE FROM steps")


def test_that_a_full_disk_keeps_earlier_steps_and_the_step_can_be_repeated(make_run: Make) -> None:
    folder = make_run()
    writer = LedgerWriter(folder.ledger, "run")
    writer.append(started())
    writer.append(step(1))
    db = writer._db
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StorageFull):
        writer.append(step(2, rows=tuple(row(f"p{i}" * 50, i) for i in range(400))))
    db.execute("PRAGMA max_page_count=1000000")
    writer.append(step(2))
    assert list(RunReader(folder.path).series("loss")[0]) == [1, 2]
    writer.close()


def test_that_a_ledger_of_an_older_version_gains_the_new_columns(make_run: Make) -> None:
    folder = make_run()
    LedgerWriter(folder.ledger, "run").close()
    with sqlite3.connect(folder.ledger) as db:
        db.execute("ALTER TABLE steps DROP COLUMN entropy")
    db.close()
    writer = LedgerWriter(folder.ledger, "run")
    writer.append(started())
    writer.append(replace(step(1), entropy=2.5))
    writer.close()
    assert list(RunReader(folder.path).series("entropy")[1]) == [2.5]


def test_that_an_event_of_a_newer_version_is_passed_over(make_run: Make) -> None:
    folder = make_run()
    writer = LedgerWriter(folder.ledger, "run")
    writer.append(started())
    newer = "INSERT INTO events VALUES (99, 1, 0, 'novelty', '{}')"
    writer._db.execute(newer)
    writer.close()
    assert [type(e).__name__ for e in RunReader(folder.path).poll()] == ["RunStarted"]


def test_that_only_steps_and_progress_skip_the_disk(make_run: Make) -> None:
    folder = make_run()
    writer = LedgerWriter(folder.ledger, "run")
    levels = []
    for event in (started(), step(1), Warned("x", "y")):
        writer.append(event)
        levels.append(writer._db.execute("PRAGMA synchronous").fetchone()[0])
    writer.close()
    assert levels == [2, 1, 2]


def test_that_a_log_that_lost_its_last_bytes_keeps_all_whole_records_and_goes_on(
    make_run: Make, tmp_path: Path
) -> None:
    folder = make_run()
    writer = LedgerWriter(folder.ledger, "run")
    for event in (started(), step(1), step(2), step(3)):
        writer.append(event)
    copy = tmp_path / "copy"
    shutil.copytree(folder.path, copy)  # as a kill leaves it: the newest records stand in the log beside the file
    writer.close()
    log = copy / "ledger.sqlite-wal"
    log.write_bytes(log.read_bytes()[:-7])
    (copy / "ledger.sqlite-shm").unlink(missing_ok=True)
    assert list(RunReader(copy).series("loss")[0]) == [1, 2]
    second = LedgerWriter(copy / "ledger.sqlite", "run")
    second.append(started(2))
    second.append(step(3))
    second.close()
    assert list(RunReader(copy).series("loss")[0]) == [1, 2, 3]


def test_that_a_record_cut_off_in_the_file_is_told_as_damage(finished: RunReader) -> None:
    db = sqlite3.connect(finished.folder.ledger)
    db.execute("UPDATE events SET json = substr(json, 1, length(json) - 7) WHERE event = 'finished'")
    db.commit()
    db.close()
    with pytest.raises(BadInput, match="is damaged; it was not changed") as caught:
        RunReader(finished.folder.path).status()
    assert "The checkpoints and the result beside it are files of their own" in caught.value.hint
