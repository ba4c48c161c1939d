"""Writing a dataset version as files that TRL, Hugging Face datasets and this program read.

The folder appears complete or not at all, with ``train``, ``dev`` and, when unsealed, ``test`` files, the judgements
behind them, a card, and a manifest of hashes. Only the card names this workspace and its dates. The data files hold
content only: importing them elsewhere, freezing under the same policy and exporting again gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core import durable
from core.domain.dataset import DatasetVersion
from core.domain.errors import BadInput
from core.domain.judgement import Judgement
from core.services.datasets import card
from core.services.datasets.export_forms import ExportForm, Line, form_of
from core.store import datasets as repository
from core.store import overview
from core.store.chain_head import chain_head

FORMATS = ("jsonl", "parquet")
JUDGEMENTS_FILE = "judgements.jsonl"
CARD_FILE = "README.md"


@dataclass(frozen=True, slots=True)
class DatasetExport:
    """What was written.

    Attributes:
        files: file name -> rows, counted in the written file.
        manifest_sha256: of the manifest, which names the whole content.
        sealed: items of the test split that were not written.
    """

    folder: str
    fmt: str
    files: dict[str, int] = field(default_factory=dict)
    manifest_sha256: str = ""
    sealed: int = 0


def export_dataset(
    session: repository.Session,
    version: DatasetVersion,
    folder: Path,
    fmt: str,
    splits: Sequence[str],
    form: str = "trl",
) -> DatasetExport:
    """Write the splits of a version into a new folder, all from the one snapshot of ``session``.

    Args:
        session: the snapshot.
        version: the dataset version.
        folder: to write; it must not exist.
        fmt: of the files.
        splits: to write.
        form: of the lines, a key of ``FORMS``.

    Raises:
        BadInput: the folder exists, or the format or form is unknown, or the form has no such format.
        StorageFull, UserError: nothing was left at ``folder``.
    """
    if fmt not in FORMATS:
        raise BadInput(f"There is no export format {fmt!r}.", f"Use {' or '.join(FORMATS)}.")
    shape = form_of(form, fmt)
    folder = Path(folder).expanduser().absolute()
    if folder.exists():
        raise BadInput(f"{folder} exists already; nothing was written.", "Name a folder that does not exist yet.")
    files: dict[str, int] = {}
    write, count = _functions(fmt)
    present = [split for split in splits if version.counts.get(split)]

    def fill(tmp: Path) -> None:
        for split in present:
            name = f"{split}.{fmt}"
            write(tmp / name, _lines(session, version, split, shape))
            files[name] = _checked(count, tmp / name, version.counts[split])
        _write_jsonl(tmp / JUDGEMENTS_FILE, _judgement_lines(session, version, present))
        files[JUDGEMENTS_FILE] = _count_jsonl(tmp / JUDGEMENTS_FILE)
        text = card.write(session, version, {s: f"{s}.{fmt}" for s in present}, sealed, shape.about)
        (tmp / CARD_FILE).write_text(text, encoding="utf-8")

    sealed = version.counts.get("test", 0) if "test" not in splits else 0
    identity = {
        "kind": "pairwright-dataset",
        "title": version.title,
        "root_sha256": version.root_sha256,
        "workspace": overview.meta(session)["uuid"],
        "chain_head": chain_head(session).words,
        "counts": {split: version.counts.get(split, 0) for split in present},
        "sealed": sealed,
    }
    sha = durable.publish_folder(folder, fill, identity=identity)
    return DatasetExport(str(folder), fmt, files, sha, sealed)


def _lines(session: repository.Session, version: DatasetVersion, split: str, shape: ExportForm) -> Iterator[Line]:
    said: dict[int, list[Judgement]] = {}
    for part in repository.judgements(session, version.id, [split]) if shape.needs_judgements else ():
        for judgement in part:
            said.setdefault(judgement.pair_id, []).append(judgement)
    for item, pair, strengths in repository.with_texts(session, version.id, [split]):
        yield shape.line(item, pair, strengths, said.get(item.pair_id, []))


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
    assert draft is not None  # a frozen item has no retraction behind it
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


def _write_jsonl(path: Path, lines: Iterator[Line]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        for line in lines:
            handle.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")


def _count_jsonl(path: Path) -> int:
    with path.open(encoding="utf-8", newline="\n") as handle:
        return sum(1 for line in handle if json.loads(line))


def _functions(fmt: str) -> tuple[Callable[[Path, Iterator[Line]], None], Callable[[Path], int]]:
    """Return what writes and what counts the rows of a file."""
    if fmt == "jsonl":
        return _write_jsonl, _count_jsonl
    from core.services.datasets import parquet_file  # loads pyarrow, which no other export needs

    return parquet_file.write, parquet_file.count


def _checked(count: Callable[[Path], int], path: Path, expected: int) -> int:
    """Count the rows of the written file; a file that differs from the workspace is never published."""
    found = count(path)
    if found != expected:
        raise RuntimeError(f"{path.name} holds {found} rows, the dataset version {expected}")
    return found
