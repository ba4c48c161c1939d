from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.domain.errors import BadInput
from core.services.importing.files.kinds import FileKind
from core.services.importing.files.parquet import ParquetRows
from core.services.importing.files.readers import RowReader
from core.services.importing.limits import Limits, Unusable


def test_that_rows_come_out_as_plain_values_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    rows = [{"prompt": [{"role": "user", "content": f"q{i}"}], "n": i, "none": None} for i in range(2500)]
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=700)
    with RowReader(path, FileKind("parquet"), Limits()) as reader:
        found = list(reader)
        assert reader.position == reader.size
    assert [row.values for row in found] == rows
    assert found[-1].line == 2500


def test_that_text_which_is_not_utf8_rejects_its_row_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    raw = pa.array([b"good", b"\xff\xfe", b"fine"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"a": raw}), path)
    found = list(ParquetRows(path, Limits()))
    assert [row.values for row in found] == [{"a": "good"}, {"a": Unusable("text that is not UTF-8")}, {"a": "fine"}]


def test_that_a_damaged_page_keeps_the_rows_before_it(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [str(i) * 20 for i in range(4000)]}), path, row_group_size=1000, compression="none")
    data = bytearray(path.read_bytes())
    meta = pq.ParquetFile(path).metadata
    at = meta.row_group(2).column(0).data_page_offset
    data[at : at + 40] = b"\xff" * 40
    path.write_bytes(bytes(data))
    found = list(ParquetRows(path, Limits()))
    (lost,) = [row for row in found if row.values is None]
    assert lost.line == 2001
    assert "1,000 rows from here on are lost" in lost.problem
    assert [row.line for row in found] == [*range(1, 2002), *range(3001, 4001)]


def test_that_the_footer_is_looked_at_before_a_row_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [str(i) for i in range(1000)]}), path)
    with pytest.raises(BadInput, match="row groups expands"):
        ParquetRows(path, Limits(row_group_bytes=100))
    with pytest.raises(BadInput, match="expands to more than"):
        ParquetRows(path, Limits(expanded_bytes=100))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadInput, match="no readable Parquet"):
        ParquetRows(path, Limits())


def test_that_a_dictionary_of_one_huge_text_takes_memory_once(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    huge = pa.DictionaryArray.from_arrays(pa.array([0] * 5000, pa.int32()), pa.array(["x" * (4 << 20)]))
    pq.write_table(pa.table({"text": huge}), path, compression="zstd")
    assert path.stat().st_size < 100_000
    rows = [row.values for row in ParquetRows(path, Limits())]
    assert len(rows) == 5000
    assert len({id(row["text"]) for row in rows[:1000] if row}) < 20


def test_that_text_which_repeats_is_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    texts = [f"{i % 7} " + "the same honest answer " * 40 for i in range(30_000)]
    pq.write_table(pa.table({"text": texts}), path, use_dictionary=False, compression="zstd")
    assert sum(1 for _ in ParquetRows(path, Limits())) == 30_000


ODD = {
    "nanoseconds": pa.array([1, 2, None], pa.timestamp("ns")),
    "durations": pa.array([1, 2, None], pa.duration("ns")),
    "decimals": pa.array([None, 1, 2], pa.decimal128(20, 3)),
    "halves": pa.array([1.5, None, float("nan")], pa.float16()),
    "maps": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    "large lists of structs": pa.array([[{"a": "x"}], None, []], pa.large_list(pa.struct([("a", pa.string())]))),
    "dictionaries": pa.array(["a", None, "a"]).dictionary_encode(),
    "broken text": pa.array([b"a", b"\xff", None], pa.binary()).view(pa.string()),
    "late dates": pa.array([10**12, 0, None], pa.int64()).cast(pa.timestamp("s")),
    "views": pa.array(["a", None, "b"], pa.string_view()),
}


@pytest.mark.parametrize("kind", ODD)
def test_that_a_column_of_an_odd_type_which_nobody_uses_costs_no_row(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"prompt": ["p", "q", "r"], "odd": ODD[kind]}), path, row_group_size=1)
    assert [row.values["prompt"] for row in ParquetRows(path, Limits()) if row.values] == ["p", "q", "r"]


def test_that_text_stored_as_binary_is_text(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": pa.array(["schön".encode(), b"\xff", None], pa.binary())}), path)
    found = [row.values["a"] for row in ParquetRows(path, Limits()) if row.values]
    assert found == ["schön", Unusable("binary data, not text"), None]


def test_that_a_file_without_rows_says_so_and_names_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"prompt": pa.array([], pa.string()), "chosen": pa.array([], pa.string())}), path)
    with pytest.raises(BadInput, match=r"has no rows \(columns: prompt, chosen\)"):
        ParquetRows(path, Limits())
