"""Messages between the process that stores and the one that parses: two lengths, JSON, and the texts of a batch.

The texts of a batch follow the JSON as one text, which the JSON says how to cut: escaping each of them and finding the
escapes again would cost as much as parsing the file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import accumulate, chain, islice
from operator import itemgetter
from typing import IO, Any

from core.services.importing.limits import printable
from core.services.importing.process.batches import Batch
from core.services.importing.rows import Reject
from core.store.import_rows import NewLabel, NewPair, NewRow

_LENGTH = 8
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
_FIELDS = NewPair._fields
_NUMBERS = ("turns", "text_flags", "prompt_same", "prompt_words")
_TEXTS = tuple(name for name in _FIELDS if name not in _NUMBERS and name != "labels")
_texts_of = itemgetter(*map(_FIELDS.index, _TEXTS))
_numbers_of = itemgetter(*map(_FIELDS.index, _NUMBERS))
_in_order = itemgetter(*((*_TEXTS, *_NUMBERS, "labels").index(name) for name in _FIELDS))


def write_frame(out: IO[bytes], value: Any, texts: str = "") -> None:
    """Write one message; what cannot be written as UTF-8 becomes a question mark."""
    data, raw = (text.encode("utf-8", errors="replace") for text in (_ENCODER.encode(value), texts))
    out.write(len(data).to_bytes(_LENGTH, "little") + len(raw).to_bytes(_LENGTH, "little"))
    out.write(data)
    out.write(raw)
    out.flush()


def read_frame(source: IO[bytes]) -> Any:
    """Return the next message, or None when the other side has ended; the texts are its entry ``texts``.

    Raises:
        ValueError: when what was read is no message.
    """
    head = source.read(2 * _LENGTH)
    if len(head) < 2 * _LENGTH:
        return None
    size, more = (int.from_bytes(part, "little") for part in (head[:_LENGTH], head[_LENGTH:]))
    data, raw = source.read(size), source.read(more)
    if len(data) < size or len(raw) < more:
        return None
    value = json.loads(data)
    return {**value, "texts": raw.decode("utf-8")} if more else value


def batch_to_plain(batch: Batch) -> tuple[dict[str, Any], str]:
    """Return a batch as plain values, and its texts."""
    pairs = [pair for row in batch.rows for pair in row.pairs]
    texts = list(chain.from_iterable(map(_texts_of, pairs)))
    labels: dict[tuple[NewLabel, ...], int] = {}
    plain = {
        "rows": [(row.line, row.records, len(row.pairs)) for row in batch.rows],
        "sizes": list(map(len, texts)),
        "numbers": list(chain.from_iterable(map(_numbers_of, pairs))),
        "labelled": [labels.setdefault(pair.labels, len(labels)) for pair in pairs],
        "labels": list(labels),
        "rejects": [(entry.line, printable(entry.reason)) for entry in batch.rejects],
        "position": batch.position,
        "stored": batch.stored,
    }
    return plain, "".join(texts)


def batch_from_plain(plain: dict[str, Any], texts: str) -> Batch:
    """Return the batch of :func:`batch_to_plain`."""
    ends = list(accumulate(plain["sizes"]))
    cut = [texts[start:end] for start, end in zip(chain((0,), ends), ends, strict=False)]
    labels = [tuple(map(NewLabel._make, found)) for found in plain["labels"]]
    fields = zip(
        *_columns(cut, len(_TEXTS)),
        *_columns(plain["numbers"], len(_NUMBERS)),
        map(labels.__getitem__, plain["labelled"]),
        strict=True,
    )
    pairs = map(NewPair._make, map(_in_order, fields))
    rows = [NewRow(line, tuple(islice(pairs, count)), records) for line, records, count in plain["rows"]]
    rejects = [Reject(line, reason) for line, reason in plain["rejects"]]
    return Batch(rows, rejects, plain["position"], plain["stored"])


def _columns(values: Sequence[Any], width: int) -> list[Sequence[Any]]:
    """Return the columns of a table that is given as its rows, one behind the other."""
    return [values[place::width] for place in range(width)]
