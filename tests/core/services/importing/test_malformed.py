"""Damaged files never raise anything but a sentence, and every record is either used or rejected."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.domain.errors import BadInput
from core.services.importing.detect import detect
from core.services.importing.files.kinds import sniff
from core.services.importing.files.readers import RowReader
from core.services.importing.limits import Limits, RowRejected
from core.services.importing.prepare import prepare
from core.services.importing.reading import Choices
from core.services.importing.survey import survey

LIMITS = Limits(line_bytes=1 << 20, field_bytes=1 << 17)
ROWS = [{"prompt": f"question {i}", "chosen": f"yes {i}", "rejected": f"no {i}"} for i in range(30)]
JSONL = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)
CSV = b"prompt,chosen,rejected\n" + b"".join(f'"q, {i}",yes {i},no {i}\n'.encode() for i in range(30))


def parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), buffer, row_group_size=10)
    return buffer.getvalue()


SEEDS: dict[str, Callable[[], bytes]] = {
    "jsonl": lambda: JSONL,
    "json": lambda: json.dumps(ROWS, indent=1).encode(),
    "csv": lambda: CSV,
    "gz": lambda: gzip.compress(JSONL, mtime=0),
    "parquet": parquet,
}
WORDS = (
    b"NaN",
    b"Infinity",
    b"1e999",
    b"\\ud800",
    b"\x00",
    b"\xff",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b"\\",
    b"\n",
    b",",
    b"\r",
    b"[" * 3000,
)


def use(path: Path) -> tuple[int, int, int]:
    """Read a file as the import does and return (records, usable, rejected)."""
    kind = sniff(path, LIMITS)
    with RowReader(path, kind, LIMITS) as reader:
        sample = survey(reader, Choices()).sample
    if not sample.rows:
        raise BadInput(f"{path.name} holds no readable row.")
    bound = detect(path, sample, LIMITS).bound
    records = usable = rejected = 0
    with RowReader(path, kind, LIMITS) as reader:
        for row in reader:
            records += 1
            try:
                if row.values is None:
                    raise RowRejected(row.problem)
                for pair in bound.convert(row.values):
                    prepare(pair)
                usable += 1
            except RowRejected as error:
                rejected += bool(error.reason)
    return records, usable, rejected


def mutate(data: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data) + 1)
        choice = rng.randrange(4)
        if choice == 0:
            data = data[:at] + rng.choice(WORDS) + data[at:]
        elif choice == 1:
            data = data[:at] + data[at + rng.randint(1, 40) :]
        elif choice == 2:
            data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        else:
            data = data[:at] if rng.random() < 0.2 else data + data[at : at + 200]
    return data


def survive(path: Path) -> None:
    try:
        records, usable, rejected = use(path)
    except BadInput:
        return
    assert records == usable + rejected


@pytest.mark.parametrize("kind", SEEDS)
def test_that_mutated_files_never_crash_the_reading(tmp_path: Path, kind: str) -> None:
    seed, rng, path = SEEDS[kind](), random.Random(kind), tmp_path / f"m.{kind}"
    for _ in range(60):
        path.write_bytes(mutate(seed, rng))
        survive(path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SEEDS)
def test_that_thousands_of_mutated_files_never_crash_the_reading(tmp_path: Path, kind: str) -> None:
    seed, rng, path = SEEDS[kind](), random.Random(f"long {kind}"), tmp_path / f"m.{kind}"
    for _ in range(4000):
        path.write_bytes(mutate(seed, rng))
        survive(path)


LINE = b'{"prompt": "q", "chosen": "x", "rejected": "y"}\n'
NAMED: dict[str, tuple[bytes, int]] = {
    "byte order mark": (b"\xef\xbb\xbf" + LINE, 0),
    "lone surrogate": (LINE + LINE.replace(b"x", b"\\udfff"), 1),
    "nul": (LINE + LINE.replace(b'"x"', b'"x\\u0000"'), 1),
    "nan": (LINE + LINE.replace(b'"x"', b"NaN"), 1),
    "nan in an unused field": (LINE + LINE.replace(b"{", b'{"s": NaN, '), 0),
    "repeated key in an unused field": (LINE + LINE.replace(b"{", b'{"s": 1, "s": 2, '), 0),
    "deep nesting in an unused field": (LINE + LINE.replace(b"{", b'{"s": ' + b"[" * 5000 + b"]" * 5000 + b", "), 0),
    "huge number in an unused field": (LINE + LINE.replace(b"{", b'{"s": ' + b"9" * 10_000 + b", "), 0),
    "half a pair in an unused field": (LINE + LINE.replace(b"{", b'{"s": "\\ud800", '), 0),
    "duplicate key": (LINE + LINE.replace(b"{", b'{"chosen": "z", '), 1),
    "deep nesting": (LINE + b"[" * 100_000 + b"\n", 1),
    "deep nesting in a field": (LINE + LINE.replace(b'"x"', b"[" * 50_000 + b"]" * 50_000), 1),
    "long line": (LINE + LINE.replace(b"x", b"x" * (2 << 20)) + LINE, 1),
    "long field": (LINE + LINE.replace(b"x", b"x" * (1 << 18)), 1),
    "html instead of data": (LINE + b"<html><body>502 Bad Gateway</body></html>\n", 1),
    "carriage returns": (LINE.replace(b"\n", b"\r\n") * 2, 0),
    "no final line break": (LINE.rstrip(), 0),
    "blank lines": (b"\n\n" + LINE + b"  \n\n" + LINE, 0),
    "scalars": (LINE + b"7\nnull\n" + b'"text"\n' + b"[1]\n", 4),
    "equal answers": (LINE + LINE.replace(b'"y"', b'"x"'), 1),
    "empty object": (LINE + b"{}\n", 1),
    "numbers for texts": (LINE + LINE.replace(b'"y"', b"3"), 1),
    "huge number": (LINE + LINE.replace(b'"y"', b"9" * 10_000), 1),
    "latin-1 bytes in a file that is UTF-8": (LINE + LINE.replace(b"q", b"\xe9") + LINE.replace(b"q", "é".encode()), 1),
    "overlong utf-8": (LINE + LINE.replace(b"q", b"\xc0\x80") + LINE.replace(b"q", "é".encode()), 1),
    "half a record": (LINE + LINE[:20], 1),
}


@pytest.mark.parametrize("name", NAMED)
def test_that_each_known_damage_rejects_exactly_its_rows(tmp_path: Path, name: str) -> None:
    data, bad = NAMED[name]
    path = tmp_path / "named.jsonl"
    path.write_bytes(data)
    records, usable, rejected = use(path)
    assert rejected == bad
    assert records == usable + rejected
    assert usable >= 1
