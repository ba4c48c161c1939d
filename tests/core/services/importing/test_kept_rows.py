from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.services.importing.kept_rows import MEMORY, KeptRows
from core.services.importing.limits import Limits
from core.services.importing.process.batches import Batch, ParsedHere
from core.services.importing.reading import Choices
from core.services.importing.rows import RawRow


class Given(list[RawRow]):
    position = 7


def row(number: int, cell: object = "x") -> RawRow:
    return RawRow(number, {"a": cell})


def write(folder: Path) -> Path:
    rows = [{"prompt": f"q {n}", "chosen": f"yes {n}", "rejected": f"no {n}"} for n in range(40)]
    lines = [json.dumps(one) for one in rows]
    lines[3:3] = ["{", '{"prompt": "q", "chosen": "same", "rejected": "same"}', ""]
    path = folder / "pairs.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def parse(path: Path, skip: int = 0) -> tuple[list[Batch], bool, tuple[str, ...]]:
    source = ParsedHere(path, Choices(), Limits())
    source.found()
    assert source._look is not None
    kept = source._look.kept.complete
    return list(source.batches(10, skip)), kept, source.remarks()


@pytest.mark.parametrize("skip", [0, 13])
def test_that_kept_records_give_the_batches_of_a_second_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, skip: int
) -> None:
    path = write(tmp_path)
    kept, was_kept, remarks = parse(path, skip)
    monkeypatch.setattr("core.services.importing.look.MEMORY", 0)
    again, kept_again, remarks_again = parse(path, skip)
    assert (was_kept, kept_again) == (True, False)
    assert [(one.rows, one.rejects, one.stored) for one in kept] == [
        (one.rows, one.rejects, one.stored) for one in again
    ]
    assert kept[-1].position == again[-1].position == path.stat().st_size
    assert remarks == remarks_again


def test_that_records_pass_unchanged_and_are_kept_once_all_were_seen() -> None:
    rows = Given([row(1), RawRow(2, None, "damaged"), row(3, 4)])
    kept = KeptRows()
    passing = kept.through(rows)
    assert next(passing) is rows[0]
    assert not kept.complete
    assert list(passing) == rows[1:]
    assert kept.complete
    assert (list(kept), kept.position) == (rows, 7)


@pytest.mark.parametrize("cell", [["a list"], {"an": "object"}, "x" * 3000])
def test_that_nothing_is_kept_of_nested_or_large_records(cell: object) -> None:
    kept = KeptRows(MEMORY if not isinstance(cell, str) else 3000)
    assert len(list(kept.through(Given([row(1), row(2, cell)])))) == 2
    assert not kept.complete
