from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from core.domain.errors import BadInput
from core.services.importing.files.kinds import plain_name, sniff
from core.services.importing.files.readers import RowReader
from core.services.importing.limits import Limits
from core.services.importing.rows import RawRow

LIMITS = Limits()


def read(path: Path, limits: Limits = LIMITS, **choices: str) -> list[RawRow]:
    with RowReader(path, sniff(path, limits, **choices), limits) as reader:
        return list(reader)


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_that_lines_are_numbered_and_bad_ones_do_not_stop_the_reading(tmp_path: Path) -> None:
    rows = read(write(tmp_path, "a.jsonl", b'\xef\xbb\xbf{"a": 1}\n\n{"a": \n[1]\n{"a": 2}'))
    assert [(row.line, row.values) for row in rows] == [(1, {"a": 1}), (3, None), (4, None), (5, {"a": 2})]
    assert "not JSON" in rows[1].problem
    assert rows[2].problem == "it is a list, not an object with named fields"


def test_that_a_line_above_the_limit_is_one_rejected_row(tmp_path: Path) -> None:
    limits = Limits(line_bytes=100)
    data = b'{"a": 1}\n{"a": "' + b"x" * 1_000_000 + b'"}\n{"a": 2}\n'
    rows = read(write(tmp_path, "a.jsonl", data), limits)
    assert [row.line for row in rows if row.values is None] == [2]
    assert len(rows) == 3


def test_that_gzip_is_told_by_its_bytes_and_not_by_the_name(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", gzip.compress(b'{"a": 1}\n{"a": 2}\n'))
    assert sniff(path, LIMITS).title == "JSON Lines, gzip"
    assert [row.values for row in read(path)] == [{"a": 1}, {"a": 2}]


def test_that_a_cut_gzip_keeps_what_came_before_and_rejects_the_rest_once(tmp_path: Path) -> None:
    lines = b"".join(json.dumps({"a": i, "x": f"{i * 7919}"}).encode() + b"\n" for i in range(50_000))
    packed = gzip.compress(lines)
    rows = read(write(tmp_path, "a.jsonl.gz", packed[: len(packed) // 2]))
    assert 1000 < len(rows) < 50_000
    assert [row for row in rows if row.values is None] == rows[-1:]
    assert "the rest of the file is lost" in rows[-1].problem


def test_that_a_decompression_bomb_is_stopped(tmp_path: Path) -> None:
    bomb = gzip.compress(b'{"a": "' + b"0" * (20 << 20) + b'"}\n')
    path = write(tmp_path, "bomb.jsonl.gz", bomb)
    with pytest.raises(BadInput, match="200 times its size"):
        read(path, Limits(ratio_floor=1 << 20))


def test_that_a_list_is_cut_into_its_elements_wherever_the_chunks_end(tmp_path: Path) -> None:
    rows = [{"text": 'br[a]ck{e}ts, "quotes" \\ and \n', "n": [i, {"m": "]"}]} for i in range(8_000)]
    path = write(tmp_path, "a.json", json.dumps(rows, indent=1).encode())
    found = read(path)
    assert [row.values for row in found] == rows
    assert [row.line for row in found] == list(range(1, 8_001))


def test_that_one_bad_element_of_a_list_is_one_rejected_row(tmp_path: Path) -> None:
    found = read(write(tmp_path, "a.json", b'[{"a": 1}, {"a": tru}, 7, {"a": 2}]'))
    assert [row.values for row in found] == [{"a": 1}, None, None, {"a": 2}]


@pytest.mark.parametrize(
    "data",
    [
        b'{"version": 1, "data": [{"a": 1}, {"a": 2}]}',
        b'{\n "data": [\n  {"a": 1},\n  {"a": 2}\n ]\n}',
        b'{\n "a": 1\n}\n{\n "a": 2\n}\n',
        b'{"a": 1}\r\n{"a": 2}\r\n',
        b'[{"a": 1}\n,{"a": 2}]  ',
    ],
)
def test_that_every_usual_way_to_write_json_records_is_read(tmp_path: Path, data: bytes) -> None:
    found = read(write(tmp_path, "a.json", data))
    assert [row.values for row in found] == [{"a": 1}, {"a": 2}]


def test_that_a_list_that_is_cut_short_says_so(tmp_path: Path) -> None:
    found = read(write(tmp_path, "a.json", b'[{"a": 1}, {"a": "hal'))
    assert found[0].values == {"a": 1}
    assert found[1].problem == "the file is cut off in the middle of this record, after 10 bytes of it"


def test_that_csv_cells_may_hold_line_breaks_quotes_and_commas(tmp_path: Path) -> None:
    data = '\ufeffprompt,answer\r\n"a, ""b""\nc",d\r\n\r\ne,f\r\n'.encode()
    found = read(write(tmp_path, "a.csv", data))
    assert [row.values for row in found] == [{"prompt": 'a, "b"\nc', "answer": "d"}, {"prompt": "e", "answer": "f"}]
    assert [row.line for row in found] == [2, 5]


@pytest.mark.parametrize("mark", [b";", b"\t", b"|"])
def test_that_other_separators_are_told_from_the_header(tmp_path: Path, mark: bytes) -> None:
    found = read(write(tmp_path, "a.csv", mark.join([b"x", b"y"]) + b"\n" + mark.join([b"1,5", b"2"]) + b"\n"))
    assert found[0].values == {"x": "1,5", "y": "2"}


def test_that_a_csv_row_with_too_few_cells_is_rejected_alone(tmp_path: Path) -> None:
    found = read(write(tmp_path, "a.csv", b"x,y\n1\n2,3\n4,5,6\n"))
    assert [row.problem for row in found] == [
        "it has 1 cell, the header has 2",
        "",
        "it has 3 cells, the header has 2",
    ]


def test_that_a_csv_row_with_broken_quotes_or_bytes_is_rejected_alone(tmp_path: Path) -> None:
    found = read(write(tmp_path, "a.csv", b'x,y\n"a"b,c\n\xff,1\n2,3\n'), encoding="utf-8")
    assert [row.values for row in found] == [None, None, {"x": "2", "y": "3"}]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"  \n \n", "nothing but blanks"),
        (b"PK\x03\x04abc", "zip archive"),
        (b"a" + bytes(range(9)) * 30, "not a text file"),
        (b"\x1f\x8b\x08broken", "cannot be unpacked"),
        (b"PAR1 no parquet", "no readable Parquet"),
        (b"a,a\n1,2\n", "Two columns are called"),
    ],
)
def test_that_what_is_no_preference_file_is_refused_in_a_sentence(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = write(tmp_path, "strange.jsonl", data)
    with pytest.raises(BadInput, match=sentence):
        read(path)


def test_that_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        sniff(tmp_path / "none.jsonl", LIMITS)
    with pytest.raises(BadInput, match="not a file"):
        sniff(tmp_path, LIMITS)


def test_that_a_file_above_the_size_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="are refused"):
        sniff(write(tmp_path, "a.jsonl", b'{"a": 1}\n' * 10), Limits(file_bytes=50))


def test_that_format_endings_do_not_belong_to_the_name() -> None:
    assert plain_name(Path("x/hh.v2.jsonl.gz")) == "hh.v2"
    assert plain_name(Path("pairs.parquet")) == "pairs"
