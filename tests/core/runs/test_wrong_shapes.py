"""Files of a run folder that hold something else than they should are named in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core import durable
from core.domain.errors import BadInput, UserError
from core.runs.folder import RunFolder
from core.runs.forking import saved_steps
from core.runs.heartbeat import read_worker
from core.runs.run_control import list_runs
from core.runs.status import read_status
from core.runs.verify_run import problems

DEEP = "[" * 100_000
TEXTS = ["null", "[]", "7", '"x"', "{}", "", DEEP, '{"a":' * 50_000, '{"config":null}', "\x00", "{" * 9]
RECORDS = [*TEXTS, '{"config":{},"run_id":5}', '{"config":[],"run_id":"a"}', '{"run_id":"a","run_id":"b"}']
PAIRS = [b"\xff\xfe\n", b"null\n", b"[]\n", b"{}\n", DEEP.encode() + b"\n", b'{"pair_id":"a","prompt":7}\n']


@pytest.mark.parametrize("text", RECORDS, ids=range(len(RECORDS)))
def test_that_a_record_of_another_shape_is_named(make_run: Callable[..., RunFolder], text: str) -> None:
    run = make_run()
    run.run_json.write_text(text)
    with pytest.raises(UserError, match=r"run\.json"):
        run.record()
    assert list_runs(run.path.parent) == []
    assert any("run.json" in one for one in problems(run))


@pytest.mark.parametrize("content", PAIRS, ids=range(len(PAIRS)))
def test_that_pairs_of_another_shape_are_named_by_line(make_run: Callable[..., RunFolder], content: bytes) -> None:
    run = make_run()
    run.pairs_file.write_bytes(content)
    with pytest.raises(BadInput, match=r"Line 1 of .*pairs\.jsonl"):
        run.pairs()


@pytest.mark.parametrize("text", [*TEXTS, '{"files":[],"identity":{}}', '{"files":{"a":1},"identity":{}}'])
def test_that_a_manifest_of_another_shape_is_named(make_run: Callable[..., RunFolder], text: str) -> None:
    run = make_run()
    (run.path / durable.MANIFEST).write_text(text)
    with pytest.raises(BadInput, match=r"MANIFEST\.json"):
        run.verify_inputs()


def test_that_a_manifest_cannot_reach_out_of_its_folder(make_run: Callable[..., RunFolder]) -> None:
    run = make_run()
    (run.path / durable.MANIFEST).write_text('{"files":{"../x":{"size":0,"sha256":""}},"identity":{}}')
    with pytest.raises(BadInput, match="outside"):
        run.verify_inputs()


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_that_other_files_of_another_shape_count_as_missing(make_run: Callable[..., RunFolder], text: str) -> None:
    run = make_run()
    run.worker.write_text(text)
    run.control.write_text(text)
    assert read_worker(run.worker) is None
    assert read_status(run).state in ("created", "interrupted")
    assert saved_steps(run) == []
    assert isinstance(run.path, Path)
