"""Writing a dataset version as files that TRL, Hugging Face datasets and this program read.

A folder appears complete or not at all, with ``train``, ``dev`` and, unsealed, ``test`` files, the judgements
behind them, a card, and a manifest of hashes. Only the card tells of this workspace (names, dates); the data
files hold content alone, so that importing them elsewhere, freezing under the same policy and exporting again
gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core import durable
from core.domain.dataset import DatasetVersion, FrozenItem
from core.domain.errors import BadInput
from core.domain.judgement import Judgement
from core.domain.pair import Pair, Response
from core.services.datasets import card
from core.store import datasets as repository

FORMATS = ("jsonl", "parquet")
JUDGEMENTS_FILE = "judgements.jsonl"
CARD_FILE = "README.md"
_ROW_GROUP = 1000
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DatasetExport:
    """What was written.

    Attributes:
        files: file name -> rows, counted in the written file.
        manifest_sha256: names the whole folder's content.
        sealed: items of the test split that stayed inside.
    """

    folder: str
    fmt: str
    files: dict[str, int] = field(default_factory=dict)
    manifest_sha256: str = ""
    sealed: int = 0


def export_dataset(
    session: repository.Session, version: DatasetVersion, folder: Path, fmt: str, splits: Sequence[str]
) -> DatasetExport:
    """Write the splits of a version into a new folder, all from the one snapshot of ``session``.

    Raises:
        BadInput: the folder exists, or the format is unknown.
        StorageFull, UserError: nothing was left at ``folder``.
    """
    if fmt not in FORMATS:
        raise BadInput(f"There is no export format {fmt!r}.", f"Use {' or '.join(FORMATS)}.")
    folder = Path(folder).expanduser().absolute()
    if folder.exists():
        raise BadInput(f"{folder} exists already; nothing was written.", "Name a folder that does not exist yet.")
    files: dict[str, int] = {}
    write, count = (_write_jsonl, _count_jsonl) if fmt == "jsonl" else (_write_parquet, _count_parquet)
    present = [split for split in splits if version.counts.get(split)]

    def fill(tmp: Path) -> None:
        for split in present:
            name = f"{split}.{fmt}"
            write(tmp / name, (item_line(*entry) for entry in repository.with_texts(session, version.id, [split])))
            files[name] = _checked(count, tmp / name, version.counts[split])
        write_judgements = _judgement_lines(session, version, present)
        files[JUDGEMENTS_FILE] = _write_jsonl(tmp / JUDGEMENTS_FILE, write_judgements)
        text = card.write(session, version, {s: f"{s}.{fmt}" for s in present}, sealed)
        (tmp / CARD_FILE).write_text(text, encoding="utf-8")

    sealed = version.counts.get("test", 0) if "test" not in splits else 0
    identity = {
        "kind": "pairwright-dataset",
        "title": version.title,
        "root_sha256": version.root_sha256,
        "counts": {split: version.counts.get(split, 0) for split in present},
        "sealed": sealed,
    }
    sha = durable.publish_folder(folder, fill, identity=identity)
    return DatasetExport(str(folder), fmt, files, sha, sealed)


def item_line(item: FrozenItem, pair: Pair, strengths: Sequence[int]) -> Line:
    """Return one line: TRL's conversational preference columns, then what Pairwright adds.

    ``strengths`` are the labels behind the item, 3..-3 with positive for the chosen answer, strongest first.
    """
    chosen, rejected = (pair.a, pair.b) if item.chosen == "A" else (pair.b, pair.a)
    sign = -1 if item.chosen == "A" else 1
    return {
        "prompt": pair.prompt.to_plain(),
        "chosen": [{"role": "assistant", "content": chosen.text}],
        "rejected": [{"role": "assistant", "content": rejected.text}],
        "strength": abs(item.strength),
        "strengths": sorted((sign * value for value in strengths), reverse=True),
        "weight": item.weight,
        "target": item.target,
        "is_tie": item.is_tie,
        "chosen_generation": _generation(chosen),
        "rejected_generation": _generation(rejected),
        "pair_sha256": item.pair_sha256,
    }


def _generation(response: Response) -> str:
    plain = response.generation.to_plain() if response.generation else {}
    return json.dumps(plain, sort_keys=True, ensure_ascii=False) if plain else ""


def _judgement_lines(session: repository.Session, version: DatasetVersion, splits: Sequence[str]) -> Iterator[Line]:
    """Yield every judgement behind the exported items, by the reviewers' pseudonyms."""
    if not splits:
        return
    hashes = {item.pair_id: item.pair_sha256 for item in repository.items(session, version.id, splits=splits)}
    for part in repository.judgements(session, version.id, splits):
        for judgement in part:
            yield _judgement_line(judgement, hashes[judgement.pair_id])


def _judgement_line(judgement: Judgement, pair_sha256: str) -> Line:
    draft = judgement.draft
    assert draft is not None  # a frozen item never stands on a retraction
    return {
        "pair_sha256": pair_sha256,
        "reviewer": judgement.reviewer.name,
        "reviewer_kind": judgement.reviewer.kind.value,
        "rubric": judgement.rubric_title,
        "task": judgement.task.value,
        "verdict": draft.verdict.value,
        "strength": draft.strength,
        "criteria": draft.criteria,
        "left_is": judgement.left_is,
        "flags": list(draft.flags),
        "rationale": draft.rationale,
        "at_ms": judgement.at_ms,
    }


def _write_jsonl(path: Path, lines: Iterator[Line]) -> int:
    count = 0
    with open(path, "w", encoding="utf-8", newline="\n") as handle:
        for line in lines:
            handle.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
            count += 1
    return count


def _count_jsonl(path: Path) -> int:
    with open(path, encoding="utf-8", newline="\n") as handle:
        return sum(1 for line in handle if json.loads(line))


def _write_parquet(path: Path, lines: Iterator[Line]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    count = 0
    with pq.ParquetWriter(path, _schema(), compression="zstd") as writer:
        part: list[Line] = []
        for line in lines:
            part.append(line)
            if len(part) == _ROW_GROUP:
                count += len(part)
                writer.write_table(pa.Table.from_pylist(part, schema=_schema()))
                part = []
        if part:
            writer.write_table(pa.Table.from_pylist(part, schema=_schema()))
    return count + len(part)


def _schema() -> Any:
    import pyarrow as pa

    messages = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    return pa.schema(
        [
            ("prompt", messages),
            ("chosen", messages),
            ("rejected", messages),
            ("strength", pa.float64()),
            ("strengths", pa.list_(pa.int8())),
            ("weight", pa.float64()),
            ("target", pa.float64()),
            ("is_tie", pa.bool_()),
            ("chosen_generation", pa.string()),
            ("rejected_generation", pa.string()),
            ("pair_sha256", pa.string()),
        ]
    )


def _count_parquet(path: Path) -> int:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return sum(batch.num_rows for batch in file.iter_batches(columns=["pair_sha256"]))


def _checked(count: Callable[[Path], int], path: Path, expected: int) -> int:
    """Count the rows in the file as it lies there; a difference to the workspace must never leave the house."""
    found = count(path)
    if found != expected:
        raise RuntimeError(f"{path.name} holds {found} rows, the dataset version {expected}")
    return found
