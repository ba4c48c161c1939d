from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core import durable
from core.domain.errors import BadInput, NotFound, StorageFull, UsageError
from core.domain.run_config import RunConfig
from core.domain.run_record import RunRecord
from core.model_files.identity import pairs_sha256, run_inputs
from core.runs import cuda_cards
from core.runs.creation import NewRun, create_run
from core.runs.cuda_cards import CudaCard
from core.runs.folder import RunFolder
from core.training.preparing import split_pairs
from tests.core.runs.conftest import make_pairs


def test_that_run_json_and_pairs_come_back_as_written(make_run: Callable[..., RunFolder]) -> None:
    folder = make_run(beta=0.3)
    record = folder.record()
    assert RunRecord.from_plain(record.to_plain()) == record
    assert record.config.beta == 0.3
    assert folder.pairs() == make_pairs()
    assert (record.n_train, record.n_dev) == (12, 4)
    assert set(record.inputs) == {"pairs", "model", "tokenizer", "adapter"}
    assert set(record.model_files) == {"config.json", "model.safetensors"}
    folder.verify_inputs()


def test_that_the_fingerprint_changes_with_data_and_objective_but_not_with_cadence(
    make_run: Callable[..., RunFolder],
) -> None:
    base = make_run("a").record().fingerprint
    assert make_run("b").record().fingerprint == base
    assert make_run("c", eval_every=3, threads=2).record().fingerprint == base
    assert make_run("d", beta=0.2).record().fingerprint != base
    assert make_run("e", train=11).record().fingerprint != base


def test_that_sealed_test_pairs_never_reach_the_run_folder(tmp_path: Path, model_dir: Path) -> None:
    pairs = [*make_pairs(3, 1), replace(make_pairs(1, 0)[0], pair_id="secret", split="test")]
    folder = create_run(tmp_path / "r", NewRun(RunConfig(), model_dir, pairs))
    assert "secret" not in folder.pairs_file.read_text()


def test_that_an_existing_run_is_not_overwritten(make_run: Callable[..., RunFolder]) -> None:
    make_run()
    with pytest.raises(UsageError, match="exists already"):
        make_run()


def test_that_a_missing_model_adapter_or_train_split_is_refused(tmp_path: Path, model_dir: Path) -> None:
    with pytest.raises(NotFound, match="no model"):
        create_run(tmp_path / "r", NewRun(RunConfig(), tmp_path, make_pairs()))
    with pytest.raises(BadInput, match="no adapter at"):
        create_run(tmp_path / "r", NewRun(RunConfig(init_adapter=str(tmp_path)), model_dir, make_pairs()))
    with pytest.raises(BadInput, match="no pair to train on"):
        create_run(tmp_path / "r", NewRun(RunConfig(), model_dir, make_pairs(0, 2)))
    assert not (tmp_path / "r").exists()


def test_that_a_full_disk_leaves_no_half_run(tmp_path: Path, model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.fsync, [0]

    def run_with_failure_at(n: int) -> bool:
        calls[0] = 0

        def fsync(handle: int) -> None:
            calls[0] += 1
            if calls[0] == n:
                raise OSError(28, "No space left on device")
            real(handle)

        monkeypatch.setattr(durable.os, "fsync", fsync)
        try:
            create_run(tmp_path / "runs" / "r", NewRun(RunConfig(), model_dir, make_pairs()))
        except StorageFull:
            return True
        return False

    n = 1
    while run_with_failure_at(n):
        published = (tmp_path / "runs" / "r").exists()
        assert not published or RunFolder(tmp_path / "runs" / "r").verify_inputs() is None
        if published:
            break
        assert [p.name for p in (tmp_path / "runs").iterdir()] == []
        n += 1
    assert n > 5


@pytest.mark.parametrize("loss", ["sigmoid", "davidson"])
def test_that_run_json_names_the_inputs_of_the_pairs_that_the_engine_trains_on(
    tmp_path: Path, model_dir: Path, loss: str
) -> None:
    config = RunConfig(loss=loss, dtype="float32")
    pairs = [replace(pair, is_tie=i == 2) for i, pair in enumerate(make_pairs())]
    record = create_run(tmp_path / "run", NewRun(config, model_dir, pairs)).record()
    train = split_pairs(pairs, config).train
    assert record.inputs == run_inputs(train, config, model_dir)
    assert record.inputs["pairs"] == pairs_sha256(train)
    assert record.fingerprint == config.fingerprint(**record.inputs)


def test_that_the_precision_of_the_card_is_fixed_when_the_run_is_created(
    make_run: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert make_run("before").record().config.dtype == "float32"
    monkeypatch.setattr(cuda_cards, "usable_cards", lambda: (CudaCard("A100", 8),))
    record = make_run("with a card").record()
    assert record.config.dtype == "bfloat16"
    assert record.fingerprint == make_run("as chosen", dtype="bfloat16").record().fingerprint
    assert make_run("on the CPU", device="cpu").record().config.dtype == "float32"
