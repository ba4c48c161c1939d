"""The generation folder: the names of its files, how it is created, and how its manifest is written at the end.

Its request (``generation.json`` and ``prompts.jsonl``) is published with a manifest and never changes. When every
prompt is answered, the process that works on it writes ``pairs.jsonl``: every pair that was made, with all reasons to
leave it out. Nothing in that file says when or under which id it was made, so the same request gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from core import durable
from core.domain.conversation import Prompt
from core.domain.errors import BadInput, NotFound
from core.domain.generated_pairs import GeneratedPair
from core.domain.generation import AnsweringSide, PairGeneration
from core.runs.evaluations.moved import beside
from core.runs.folder import WorkFolder, lines_text, publish_new

GENERATION_JSON, PROMPTS, PAIRS = "generation.json", "prompts.jsonl", "pairs.jsonl"
PLACE = "generations"
"""Folder of a workspace that holds its generations."""
_RESTORE = "Restore the generation folder from a copy."
T = TypeVar("T")


class GenerationFolder(WorkFolder):
    """Names and reads the parts of a generation folder."""

    @property
    def request(self) -> Path:
        """The frozen request."""
        return self.path / GENERATION_JSON

    @property
    def prompts_file(self) -> Path:
        """The prompts that are answered, one a line."""
        return self.path / PROMPTS

    @property
    def pairs_file(self) -> Path:
        """Every pair that was made; there once all prompts are answered."""
        return self.path / PAIRS

    def exists(self) -> bool:
        """Return whether this is a generation folder."""
        return self.request.is_file()

    def record(self) -> PairGeneration:
        """Return the frozen request, with the runs of its workspace where they lie now.

        Raises:
            NotFound: when the folder holds no generation.
            BadInput: when ``generation.json`` is damaged.
        """
        if not self.exists():
            raise NotFound(f"{self.path} holds no generation.", "Name a generation folder.")
        try:
            record = PairGeneration.from_plain(durable.read_json(self.request))
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"{self.request} lacks {error}.", _RESTORE) from error
        place = self.path.resolve().parent
        return _placed_in(record, place.parent) if place.name == PLACE else record

    def prompts(self) -> list[Prompt]:
        """Return the prompts in their order.

        Raises:
            BadInput: naming the line that cannot be read.
        """
        file = self.prompts_file
        return [_read(file, number, lambda row: Prompt.from_plain(row["prompt"]), row) for number, row in self._rows()]

    def pairs(self) -> list[GeneratedPair]:
        """Return every pair that was made, in the order of the prompts.

        Raises:
            BadInput: when there are none yet, or a line cannot be read.
        """
        file = self.pairs_file
        rows = self.rows_of(file, "Go on with it first: generate resume.")
        return [_read(file, number, GeneratedPair.from_plain, row) for number, row in rows]

    def pairs_sha256(self) -> str:
        """Return the hash of the pairs, by which a second landing finds the source of the first.

        Raises:
            BadInput: when the file was altered since it was written.
        """
        self.verify()
        return durable.file_sha256(self.pairs_file)

    def verify(self) -> dict[str, Any]:
        """Check the files against the manifest and return its identity.

        Raises:
            BadInput: naming the file that is missing or was altered.
        """
        return durable.verify_folder(self.path)

    def _rows(self) -> Iterable[tuple[int, dict[str, Any]]]:
        return self.rows_of(self.prompts_file, _RESTORE)


def _read(file: Path, number: int, read: Callable[[dict[str, Any]], T], row: dict[str, Any]) -> T:
    try:
        return read(row)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadInput(f"Line {number} of {file} is damaged.", _RESTORE) from error


def publish(path: Path, record: PairGeneration, prompts: Sequence[Prompt]) -> GenerationFolder:
    """Make the folder of a new generation appear complete, or not at all.

    Raises:
        UsageError: when ``path`` exists and is not an empty folder.
        StorageFull: when there is no room; nothing is left behind.
    """

    def fill(folder: Path) -> None:
        durable.write_text(folder / PROMPTS, lines_text({"prompt": prompt.to_plain()} for prompt in prompts))
        durable.write_json(folder / GENERATION_JSON, record.to_plain())

    publish_new(path, fill, {"generation_id": record.generation_id}, "generation")
    return GenerationFolder(path)


def write_pairs(folder: GenerationFolder, pairs: Iterable[GeneratedPair], generation_id: str) -> None:
    """Write the pairs and the manifest over all files that no longer change."""
    durable.write_text(folder.pairs_file, lines_text(pair.to_plain() for pair in pairs))
    durable.write_manifest(folder.path, (GENERATION_JSON, PROMPTS, PAIRS), {"generation_id": generation_id})


def _placed_in(record: PairGeneration, workspace: Path) -> PairGeneration:
    return replace(record, a=_beside(record.a, workspace), b=_beside(record.b, workspace))


def _beside(side: AnsweringSide, workspace: Path) -> AnsweringSide:
    return replace(side, run_dir=beside(side.run_dir, "runs", workspace))
