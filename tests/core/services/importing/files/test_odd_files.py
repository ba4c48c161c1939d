"""Files as people have them: other encodings, other layouts, damage. Each is read as it was meant, or told truly."""

# ruff: noqa: E501
from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import re
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import BadInput
from core.services.importing.files.kinds import sniff
from core.services.importing.files.readers import RowReader
from core.services.importing.limits import Limits
from core.services.importing.rows import RawRow

ROWS: list[dict[str, Any]] = [
    {"prompt": f"Frage {i}: wie schön?", "chosen": f"gut {i}", "rejected": "nö"} for i in range(3)
]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
CSV = "prompt,chosen,rejected\r\n" + "".join(f'"{r["prompt"]}",{r["chosen"]},{r["rejected"]}\r\n' for r in ROWS)
LIST = json.dumps(ROWS)
PRETTY = "\n".join(json.dumps(row, indent=2) for row in ROWS)
BY_ID = {f"x{i}": row for i, row in enumerate(ROWS)}
COLUMNS = {name: [row[name] for row in ROWS] for name in ROWS[0]}
PANDAS = {name: {str(i): row[name] for i, row in enumerate(ROWS)} for name in ROWS[0]}
SPLIT = {"columns": list(ROWS[0]), "index": [0, 1, 2], "data": [list(row.values()) for row in ROWS]}
VIEWER = {"features": [{"name": "prompt"}], "rows": [{"row_idx": i, "row": row} for i, row in enumerate(ROWS)]}
DEEP = {"meta": {"by": "us"}, "result": {"pages": [{"n": 1}], "items": ROWS}}


def read(path: Path, limits: Limits | None = None, **choices: str) -> list[RawRow]:
    limits = limits or Limits()
    with RowReader(path, sniff(path, limits, **choices), limits) as reader:
        return list(reader)


def put(folder: Path, data: bytes | str, name: str = "odd.data") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


WHOLE: dict[str, bytes] = {
    "UTF-16 with a mark": LINES.encode("utf-16"),
    "UTF-16 big endian": CSV.encode("utf-16-be"),
    "UTF-16 without a mark": CSV.encode("utf-16-le"),
    "UTF-32": LINES.encode("utf-32"),
    "two marked files joined": "".join(f"\ufeff{line}" for line in LINES.splitlines(True)).encode(),
    "old Mac JSON lines": LINES.replace("\n", "\r").encode(),
    "old Mac CSV": CSV.replace("\r\n", "\r").encode(),
    "old Mac CSV with a line feed in a cell": CSV.replace("\r\n", "\r").replace("chosen,", "chosen,\"no\nte\",", 1).replace("gut 0", "gut 0,\"a\nb\"").replace("gut 1", "gut 1,").replace("gut 2", "gut 2,").encode(),
    "CSV whose header alone ends in a return": CSV.replace("\r\n", "\n").replace("\n", "\r", 1).encode(),
    "CSV with a return in a name": CSV.replace("\r\n", "\n").replace("chosen", "cho\rsen").encode(),
    "CSV with returns doubled": CSV.replace("\r\n", "\r\r\n").encode(),
    "CSV with sep=": ("sep=;\n" + CSV.replace(",", ";").replace("\r", "")).encode(),
    "CSV with blank names": ("prompt,chosen,rejected,,\n" + "".join(f'"{r["prompt"]}",{r["chosen"]},{r["rejected"]},,\n' for r in ROWS)).encode(),
    "list for each column": json.dumps(COLUMNS).encode(),
    "list for each column, printed": json.dumps(COLUMNS, indent=1).encode(),
    "pandas columns": json.dumps(PANDAS).encode(),
    "pandas split": json.dumps(SPLIT).encode(),
    "pandas split, data first": json.dumps(dict(reversed(SPLIT.items()))).encode(),
    "records by id": json.dumps(BY_ID, indent=1).encode(),
    "records by id in one line": json.dumps(BY_ID).encode(),
    "pages of the viewer": json.dumps(VIEWER).encode(),
    "list two levels down": json.dumps(DEEP).encode(),
    "list two levels down, printed": json.dumps(DEEP, indent=1).encode(),
    "JSON in JSON texts": "".join(json.dumps(json.dumps(row)) + "\n" for row in ROWS).encode(),
    "list of JSON texts": json.dumps([json.dumps(row) for row in ROWS]).encode(),
    "a list a line below names": "".join(json.dumps(line) + "\n" for line in [list(ROWS[0]), *SPLIT["data"]]).encode(),
    "a list of records a line": f"{json.dumps(ROWS[:2])}\n{json.dumps(ROWS[2:])}\n".encode(),
    "lists one after the other": f"{json.dumps(ROWS[:1])}{json.dumps(ROWS[1:])}".encode(),
    "trailing commas": LIST.replace('"}', '",}').replace("}]", "},]").encode(),
    "comments": f'// made "by" hand\n[ /* first [ */ {LIST[1:-1]} // {{ end\n]\n'.encode(),
    "objects one after the other": PRETTY.encode(),
    "objects with commas between": PRETTY.replace("\n}\n{", "\n},\n{").encode(),
    "bzip2": bz2.compress(LINES.encode()),
    "xz": lzma.compress(LINES.encode()),
    "two gzip members": gzip.compress(LINES[:40].encode()) + gzip.compress(LINES[40:].encode()),
    "objects of a line each with commas behind": LINES.replace("}\n", "},\n").encode(),
    "CSV with two byte order marks": b"\xef\xbb\xbf" * 2 + CSV.encode(),
    "gzip padded with zeros": gzip.compress(LINES.encode()) + b"\0" * 512,
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_that_a_file_is_read_as_it_was_meant(tmp_path: Path, name: str) -> None:
    found = read(put(tmp_path, WHOLE[name]))
    assert [{key: row.values.get(key) if row.values else row.problem for key in ROWS[0]} for row in found] == ROWS


def test_that_a_zstandard_file_is_read(tmp_path: Path) -> None:
    import pyarrow

    packed = pyarrow.compress(LINES.encode(), codec="zstd", asbytes=True)
    assert [row.values for row in read(put(tmp_path, packed * 2))] == ROWS * 2
    rows = [{"text": os.urandom(20).hex()} for _ in range(20_000)]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    packed = pyarrow.compress(lines, codec="zstd", asbytes=True)
    cut = read(put(tmp_path, packed[: len(packed) // 2]))
    assert [row.values for row in cut[:-1]] == rows[: len(cut) - 1]
    assert len(cut) > 5000
    assert "the zstandard content is cut short" in cut[-1].problem


REFUSED: dict[str, tuple[bytes, str]] = {
    "Windows-1252": (CSV.encode("cp1252"), r"byte 18 of line 2 is 0xF6, and 3 lines are affected. In Windows-1252 that byte is 'ö'.*--encoding cp1252"),
    "Latin-1 lines": (LINES.encode("latin-1"), r"line 1 is 0xF6.*--encoding cp1252"),
    "web page": (b"\n<!DOCTYPE html><html><body>403</body></html>", "is an HTML page, not data"),
    "LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 123456\n", "Git LFS pointer.*123,456 bytes.*git lfs pull"),
    "encrypted Parquet": (b"PARE" + bytes(99), "is an encrypted Parquet file"),
    "zip archive": (b"PK\x03\x04" + bytes(99), "is a zip archive, which.*import the files inside"),
    "zip with a password": (b"PK\x03\x04\x14\x00\x01" + bytes(99), "zip archive with a password.*with its password"),
    "workbook": (b"PK\x03\x04" + bytes(26) + b"xl/workbook.xml", "is an Excel workbook.*Save the sheet as CSV"),
    "spreadsheet": (b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "is an OpenDocument spreadsheet"),
    "NumPy archive": (b"PK\x03\x04" + bytes(26) + b"a.npy\x93NUMPY", "is a NumPy archive"),
    "pickle of protocol 2": (b"\x80\x02]q\x00.", "is a Python pickle.*could run any program"),
    "pickle of protocol 5": (b"\x80\x05\x95\x01", "is a Python pickle"),
    "safetensors": (b"\x40\x00\x00\x00\x00\x00\x00\x00" + b'{"w":{"dtype":"F32"}}', "is a model file .safetensors."),
    "GGUF": (b"GGUF\x03\x00\x00\x00", "is a model file .GGUF."),
    "Feather": (b"FEA1" + bytes(40), "is a Feather file"),
    "LZ4": (b"\x04\x22\x4d\x18" + bytes(40), "is a file packed with LZ4"),
    "error of a server": (b'{"error": "The dataset does not exist.", "status": 404}', 'error message of a server and no data: "The dataset does not exist"'),
    "nested error of a server": (b'{"error": {"message": "Rate limit", "code": 429}}', 'no data: "Rate limit"'),
    "refusal of a server": (b'{"detail": "Not authenticated"}\n', 'no data: "Not authenticated".*login'),
    "line of a server": (b"404: Not Found", 'no data: "404: Not Found"'),
    "restricted dataset": (b"Access to dataset x/y is restricted. You must be authenticated.", "error message of a server"),
    "error in XML": (b"<Error><Code>AccessDenied</Code></Error>", "error message of a server.*AccessDenied"),
    "model that loads": (b'{"error": "Model x is loading", "estimated_time": 20.0}', 'no data: "Model x is loading"'),
    "quotes behind backslashes": (b'prompt,chosen,rejected\n"q","a \\"x\\" b","c"\n', "stands behind a backslash; CSV writes it twice"),
    "JSON5": (b"[{prompt: 'q', chosen: 'x'}]", "names stand without quotes, as in JavaScript"),
    "empty list": (b"[]", "holds no rows: its list is empty"),
    "only a header": (b"prompt,chosen,rejected\n", "holds no rows below its header"),
    "lists without names": (b'["q", "a", "b"]\n["r", "c", "d"]\n', "list of 3 values without names"),
    "no list": (b'{"a": {"b": 1}, "c": 2}', "is one object with the keys a, c; no list of records"),
    "too many columns": (b",".join(b"c%d" % i for i in range(100_000)) + b"\n1\n", "has 100,000 columns; more than 4,096"),
    "a quote in the header": (b'prompt,"chosen,rejected\n1,2,3\n', "first line .*is no header"),
    "nothing readable": (b'{"a": tru}\n{"b": }\n', r"None of the 2 rows of odd.data can be read. Line 1: it is not JSON"),
    "zero bytes": (bytes(5000), "its content was never written"),
    "YAML": (b"- prompt: q\n  chosen: x\n", "is a YAML document"),
    "Shift-JIS": ("prompt,chosen,rejected\n川は?,信濃川です,知りません\n山は?,富士山,さあ\n".encode("shift_jis"), "is not UTF-8.*--encoding shift_jis|shift_jis or"),
    "packed twice": (gzip.compress(gzip.compress(LINES.encode())), "packed twice: gzip inside gzip"),
    "one Python dictionary": (b"{'prompt': 'q', 'chosen': 'x'}\n", "single quotes, as Python prints.*json.dumps"),
    "a title above the header": (b"Export of May\n\nprompt,chosen,rejected\nq,x,y\n", "header has 1.*delete a title"),
    "Markdown": (b"| prompt | chosen |\n|:---|---|\n| q | a |\n", "is a Markdown table"),
    "JSON null": (b"null\n", "holds null and no records"),
    "Python dictionaries": (b"{'prompt': 'q'}\n{'prompt': 'r'}\n", "names stand in single quotes"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_that_a_file_which_cannot_be_read_is_refused_with_its_true_reason(tmp_path: Path, name: str) -> None:
    data, sentence = REFUSED[name]
    with pytest.raises(BadInput) as caught:
        read(put(tmp_path, data))
    assert re.search(sentence, f"{caught.value.message} {caught.value.hint}", re.DOTALL), caught.value


def test_that_zeros_at_the_end_of_a_file_cost_no_row_before_them(tmp_path: Path) -> None:
    found = read(put(tmp_path, LINES.encode() + bytes(700)))
    assert [row.values for row in found[:3]] == ROWS
    assert [row.problem for row in found[3:]] == ["it holds zero bytes only: this part of the file was never written"]


def test_that_lines_of_remarks_before_json_lines_are_rejected_rows_of_their_own(tmp_path: Path) -> None:
    found = read(put(tmp_path, f"# exported today\n# by us\n{LINES}".encode()))
    assert [row.values for row in found[2:]] == ROWS
    assert all(row.problem.startswith("it is not JSON") for row in found[:2])


def test_that_lines_of_a_log_and_marks_of_a_merge_cost_no_record(tmp_path: Path) -> None:
    first, *others = LINES.splitlines()
    lines = ["<<<<<<< HEAD", "WARNING: no tokenizer", first, "=======", *others, ">>>>>>> theirs"]
    found = read(put(tmp_path, "\n".join(lines).encode()))
    assert [row.values for row in found if row.values] == ROWS
    assert [row.line for row in found if not row.values] == [1, 2, 4, 7]


def test_that_the_encoding_can_be_chosen(tmp_path: Path) -> None:
    path = put(tmp_path, CSV.encode("cp1252"))
    assert [row.values for row in read(path, encoding="cp1252")] == ROWS
    assert [row.problem for row in read(put(tmp_path, LINES.encode() + LINES.encode("cp1252")), encoding="utf-8")][
        3:
    ] == ["it is not UTF-8 text (byte 29 is 0xF6)"] * 3
    with pytest.raises(BadInput, match="no text encoding 'klingon'"):
        sniff(path, Limits(), encoding="klingon")


def test_that_a_bad_byte_in_a_file_that_is_utf8_costs_its_row_alone(tmp_path: Path) -> None:
    found = read(put(tmp_path, CSV.encode() + b'q,"a\nb",\xff\n'))
    assert [row.values for row in found[:3]] == ROWS
    assert [row.problem for row in found[3:]] == ["line 6 is not UTF-8 text (byte 4 is 0xFF)"]


@pytest.mark.parametrize("lines", [LINES, CSV])
def test_that_one_zero_byte_does_not_cost_the_file(tmp_path: Path, lines: str) -> None:
    found = read(put(tmp_path, lines.replace("gut 1", "gut\x001")))
    assert len(found) == 3
    assert found[0].values == ROWS[0] and found[2].values == ROWS[2]


def test_that_the_lists_of_a_wrapper_are_named_and_one_can_be_chosen(tmp_path: Path) -> None:
    path = put(tmp_path, json.dumps({"version": 2, "train": ROWS[:2], "test": ROWS[2:], "fields": [{"a": 1}]}))
    kind = sniff(path, Limits())
    assert kind.notes[0] == "The records stand in the list train (2)."
    assert kind.notes[1].startswith("Not read: the list test (1);")
    assert [(part.name, part.count) for part in kind.json.others] == [("test", 1)]
    assert [row.values for row in read(path)] == ROWS[:2]
    assert [row.values for row in read(path, part="test")] == ROWS[2:]
    assert [row.values for row in read(path, part="all")] == ROWS
    with pytest.raises(BadInput, match="holds no list 'dev'"):
        read(path, part="dev")


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": [{"role": "user", "content": "q"}], "chosen": [{"role": "assistant", "content": "a"}]},
        {"prompt": "q", "responses": ["a", "b"], "scores": [1, 2]},
        {"instruction": "q", "completions": [{"text": "a"}, {"text": "b"}]},
        {"anfrage": "q", "gut": "a", "schlecht": "b"},
        {
            "input": {"messages": [{"role": "user", "content": "q"}], "tools": []},
            "preferred_output": [{"role": "assistant", "content": "a"}],
        },
    ],
)
def test_that_a_file_with_one_record_is_no_wrapper(tmp_path: Path, record: dict[str, Any]) -> None:
    for text in (json.dumps(record), json.dumps(record, indent=1)):
        assert [row.values for row in read(put(tmp_path, text))] == [record]


def test_that_what_stands_behind_the_list_is_named(tmp_path: Path) -> None:
    found = read(put(tmp_path, LIST + '\n {"more": 1}\n'))
    assert [row.values for row in found[:-1]] == ROWS
    assert found[-1].problem == "12 bytes behind the end of the list are not read; they begin with '{\"more\": 1}\\n'"


@pytest.mark.parametrize(
    ("data", "whole", "problem"),
    [
        (LINES[:-20], 2, r"the file is cut off in the middle of this record, after \d+ bytes of it"),
        (LIST[:-20], 2, r"the file is cut off in the middle of this record"),
        (LIST[:-1], 3, "its list is not closed, and what followed record 3 is lost"),
        (LIST[:-1] + ", ", 3, "its list is not closed"),
        (LINES[: LINES.rindex("ö")].encode() + "ö".encode()[:1], 2, "cut off in the middle of this record"),
        (CSV[:-5].encode() + b'"', 2, "."),
        (json.dumps({"data": ROWS})[:-30], 2, "cut off in the middle of this record"),
    ],
)
def test_that_a_file_that_is_cut_off_keeps_its_whole_rows(
    tmp_path: Path, data: bytes | str, whole: int, problem: str
) -> None:
    found = read(put(tmp_path, data))
    assert [row.values for row in found[:whole]] == ROWS[:whole]
    (rest,) = found[whole:]
    assert re.search(problem, rest.problem), rest


@pytest.mark.parametrize("packing", ["gzip", "bzip2", "xz"])
def test_that_packed_content_that_is_cut_short_keeps_all_whole_rows(tmp_path: Path, packing: str) -> None:
    rows = [{"n": i, "text": os.urandom(20).hex()} for i in range(30_000)]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    packed = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}[packing](lines)
    found = read(put(tmp_path, packed[: len(packed) * 3 // 4]))
    assert [row.values for row in found[:-1]] == rows[: len(found) - 1]
    assert len(found) > (20_000 if packing == "gzip" else 10_000)
    assert re.search(rf"the rest of the file is lost: the {packing} file is cut short; [\d,]+ bytes", found[-1].problem)


def test_that_a_wrong_checksum_keeps_the_rows_and_is_told(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(LINES.encode()))
    packed[-7] ^= 1
    found = read(put(tmp_path, bytes(packed)))
    assert [row.values for row in found[:3]] == ROWS
    assert found[3].problem.startswith("the end of the file is reached, and the checksum of the gzip file is wrong")


def test_that_rubbish_behind_gzip_content_is_told(tmp_path: Path) -> None:
    found = read(put(tmp_path, gzip.compress(LINES.encode()) + b"rubbish"))
    assert [row.values for row in found[:3]] == ROWS
    assert "behind the gzip content stands something else" in found[3].problem


def csv_of(*cells: str) -> str:
    return "prompt,chosen,rejected\n" + "".join(f"{line}\n" for line in cells)


@pytest.mark.parametrize(
    ("lines", "good", "bad"),
    [
        (["q1,a,b", '"open,a,b', "q2,a,b", "q3,a,b"], [2, 4, 5], {3: "a quote opens in line 3 and is not closed"}),
        (["q1,a,b", '"open,a,b', 'q2,"a",b', "q3,a,b"], [2, 4, 5], {3: "a quote opens in line 3"}),
        (['q1,"a,b', "q2,a,b", 'q3,"x\ny",b', "q4,a,b"], [3, 4, 6], {2: "a quote opens in line 2"}),
        (["q1,a,b", 'q2,"a" x,b', "q3,a,b"], [2, 4], {3: "it is not CSV"}),
        (['"open,a,b', "q2,a,b", 'q3,a,b"', "q4,a,b"], [3, 4, 5], {2: "a quote opens in line 2"}),
        (["q1,a,b", "q2,a,b", '"q3,a'], [2, 3], {4: "a quote opens in line 4 and is never closed"}),
        (['q1,"a\nb,c', 'd",b', "q2,a,b"], [2, 5], {}),
        (["q1,a,b", "prompt,chosen,rejected", "q2,a,b"], [2, 4], {3: "it repeats the header"}),
        (["q1,a\rx,b", "q2,a,b"], [3], {2: "a carriage return stands in a cell without quotes"}),
    ],
)
def test_that_a_stray_quote_costs_one_row(
    tmp_path: Path, lines: list[str], good: list[int], bad: dict[int, str]
) -> None:
    found = read(put(tmp_path, csv_of(*lines)))
    assert [row.line for row in found if row.values is not None] == good
    problems = {row.line: row.problem for row in found if row.values is None}
    assert problems.keys() == bad.keys()
    assert all(sentence in problems[line] for line, sentence in bad.items()), problems


def test_that_quotes_which_never_close_cannot_make_the_reading_quadratic(tmp_path: Path) -> None:
    limits = Limits(line_bytes=2000)
    found = read(put(tmp_path, csv_of("q,a,b", *['a","x""'] * 20_000)), limits)
    assert found[0].values is not None
    assert "too many quotes in it are not closed" in found[-1].problem


def test_that_a_column_wise_file_above_the_limit_says_how_to_write_it_row_by_row(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds a list for each column") as caught:
        read(put(tmp_path, json.dumps(COLUMNS)), Limits(column_wise_bytes=50))
    assert 'orient="records", lines=True' in caught.value.hint


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders")
def test_that_a_pipe_beside_a_table_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "odd.csv.manifest.json")
    assert [row.values for row in read(put(tmp_path, CSV, "odd.csv"))] == ROWS
    with pytest.raises(BadInput, match="is not a file"):
        sniff(tmp_path / "odd.csv.manifest.json", Limits())


@pytest.mark.parametrize(
    "record", [{"prompt": "q", "error": "x", "chosen": "a", "rejected": "b"}, {"message": "q", "good": "a", "bad": "b"}]
)
def test_that_a_record_with_a_column_called_error_is_no_error_of_a_server(
    tmp_path: Path, record: dict[str, str]
) -> None:
    assert [row.values for row in read(put(tmp_path, json.dumps(record)))] == [record]


LONG = json.dumps({"prompt": "q2", "chosen": "x" * 300, "rejected": "y"})
AROUND = [json.dumps({"prompt": q, "chosen": "a", "rejected": "b"}) for q in ("q1", "q3")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (f"{AROUND[0]}\n{LONG}\n{AROUND[1]}\n".encode(), f"the row has {len(LONG) + 1} bytes"),
        (gzip.compress(f"{AROUND[0]}\n{LONG}\n{AROUND[1]}".encode()), f"the row has {len(LONG) + 1} bytes"),
        (f"[{AROUND[0]},{LONG},{AROUND[1]}]".encode(), f"the row has {len(LONG)} bytes"),
        (f"[\n{AROUND[0]},\n{LONG},\n{AROUND[1]}\n]".encode(), f"the row has {len(LONG) + 1} bytes"),
        (b"prompt,chosen,rejected\nq1,a,b\nq2," + b"x" * 300 + b",y\nq3,a,b\n", "the line has 306 bytes"),
    ],
)
def test_that_a_row_above_the_limit_is_refused_with_its_size_and_its_neighbours_are_read(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    one, long, other = read(put(tmp_path, content), Limits(line_bytes=200))
    assert [row.values and row.values["prompt"] for row in (one, long, other)] == ["q1", None, "q3"]
    assert long.problem == f"{reason}, more than the 200 bytes allowed"
    assert one.line < long.line < other.line
