"""The part of the import command that names a dataset of the Hugging Face hub: list its files, download some."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from core.cli.output import say, say_json, say_note, table
from core.domain.counting import counted
from core.domain.errors import BadInput, UsageError

if TYPE_CHECKING:
    from core.services.importing.hub import HubDataset
    from core.services.importing.service import ImportsService

_LISTED = 100


@dataclass(frozen=True, slots=True)
class HubWords:
    """What the options say: the dataset (empty for none), its revision, the files, and whether only to list them."""

    repo: str
    revision: str
    files: Sequence[str]
    only_list: bool

    def check(self, places: Sequence[Path]) -> None:
        """Refuse options that do not go together.

        Raises:
            UsageError: saying which.
        """
        if not self.repo and (self.files or self.only_list or self.revision != "main"):
            raise UsageError(
                "--revision, --file and --list-files belong to --hub.", "Name the dataset: --hub owner/name."
            )
        if not self.repo and not places:
            raise UsageError("FILES is missing.", "Name files, or a dataset of the hub: --hub owner/name.")
        if self.repo and places:
            raise UsageError("--hub and files of this machine are two imports.", "Import one, then the other.")


def fetched(imports: ImportsService, words: HubWords, *, as_json: bool, dry_run: bool = False) -> list[Path]:
    """Return where the files of the dataset lie once they are downloaded.

    ``dry_run`` is said before: it downloads too, because it shows what the files hold.

    Raises:
        typer.Exit: when the files were only to be listed.
        UsageError: when several files could be meant and none is named.
        UserError: see ``ImportsService.download``.
    """
    dataset = imports.hub_dataset(words.repo, words.revision)
    if words.only_list:
        _say_listing(dataset, as_json=as_json)
        raise typer.Exit(0)
    if not dataset.readable:
        raise BadInput(
            f"{dataset.repo} holds {counted(len(dataset.files), 'file')} and none that the import reads; none "
            "was fetched.",
            "--list-files shows them. A dataset made by a script is exported by another program first.",
        )
    paths = list(words.files) or [file.path for file in dataset.readable]
    if not words.files and len(paths) > 1:
        if not as_json:
            _say_listing(dataset, as_json=False)
        named = ", ".join(paths[:20]) + (f" and {len(paths) - 20:,} more" if len(paths) > 20 else "")
        raise UsageError(
            f"{dataset.repo} holds {counted(len(paths), 'file')} that can be imported: {named}.",
            f"Name one or more, each with --file, such as --file {paths[0]}.",
        )
    size = sum(file.size for file in dataset.chosen(paths))
    where = f"{dataset.repo} at {dataset.commit[:12]} from {dataset.endpoint}"
    if dry_run:
        say_note(
            "a dry run shows how the files are read and needs them here: they are downloaded into the workspace's "
            "downloads folder and stay there; no pair is stored. --list-files fetches none"
        )
    say_note(f"downloading {', '.join(paths)} ({size:,} bytes) of {where}")
    return imports.download(dataset, paths, on_progress=_in_tenths(say_note))


def _say_listing(dataset: HubDataset, *, as_json: bool) -> None:
    files = [{"path": file.path, "size": file.size, "readable": file.readable} for file in dataset.files]
    if as_json:
        head = {"repo": dataset.repo, "revision": dataset.commit, "licence": dataset.licence, "gated": dataset.gated}
        say_json({**head, "files": files})
        return
    say(f"{dataset.repo} at {dataset.commit} from {dataset.endpoint}, licence {dataset.licence or 'not named'}.")
    if dataset.gated:
        say("It is gated: its files are given only to those who accepted its terms.")
    rows = [[file["path"], f"{file['size']:,}", "yes" if file["readable"] else "no"] for file in files[:_LISTED]]
    say(table(rows, ["file", "bytes", "can be imported"]))
    if len(files) > _LISTED:
        say(f"{counted(len(files) - _LISTED, 'more file')}; --json lists all.")


def _in_tenths(tell: Callable[[str], None]) -> Callable[[int, int, str], None]:
    """Return a function that tells each tenth of a download once."""
    told = 0

    def on_progress(done: int, total: int, path: str) -> None:
        nonlocal told
        if total and (tenth := done * 10 // total) > told:
            told = tenth
            tell(f"{tenth * 10} % of {total:,} bytes have arrived ({path})")

    return on_progress
