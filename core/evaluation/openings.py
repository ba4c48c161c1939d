"""Notes of who opened a sealed test: one file for each opening, written before anything is decrypted.

The process that opens a sealed test has no database. It leaves a note beside the sealed file, synced to the disk, and
only then decrypts. Each note is a file of its own, so that several processes may open at once, no line is ever torn and
nothing has to be locked. The workspace takes the notes into its event log; a note that is there already is known by
its id, so that taking them twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core import bounded, durable
from core.domain.clock import now_ms
from core.domain.errors import BadInput, UsageError
from core.domain.ids import new_uid
from core.domain.names import cleaned_name
from core.private_files import make_private_folder

EVERY_ROW = "all"
FOLDER_END = ".openings"
_NOTE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class OpeningNote:
    """Who opened a sealed test, when, why, which rows of it and for which policy.

    Attributes:
        uid: names the opening.
        at_ms: UTC milliseconds since 1970.
        person: who asked for it.
        reason: why, in words.
        policy: whose answers are measured.
        rows: how many rows were asked for.
        which: ``all``, ``first N``, or the ids of the rows, with blanks between.
        evaluation: id of the evaluation; openings of one evaluation for one policy are one look.
        title, root_sha256: of the dataset version.
        contents_sha256: of the items that the file was said to hold.
    """

    uid: str
    at_ms: int
    person: str
    reason: str
    policy: str
    rows: int
    which: str = EVERY_ROW
    evaluation: str = ""
    title: str = ""
    root_sha256: str = ""
    contents_sha256: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as written and as they stand in the event log."""
        return asdict(self)

    @classmethod
    def from_plain(cls, row: dict[str, Any]) -> OpeningNote:
        """Return the note of :meth:`to_plain`; fields that a later version added are left out.

        Raises:
            BadInput: when it lacks a field or one is of another kind.
        """
        try:
            texts = {name: str(row.get(name, "")) for name in _TEXTS}
            return cls(at_ms=int(row["at_ms"]), rows=int(row["rows"]), **texts)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"A note of an opening lacks {error}.", "Restore the folder from a copy.") from error

    @property
    def look(self) -> tuple[str, str]:
        """Equal for the openings that are one look: an evaluation that is resumed opens its file again."""
        return (self.evaluation, self.policy) if self.evaluation else (self.uid, "")


_TEXTS = ("uid", "person", "reason", "policy", "which", "evaluation", "title", "root_sha256", "contents_sha256")


def count_looks(notes: Iterable[OpeningNote]) -> int:
    """Return how many looks these openings are; see :attr:`OpeningNote.look`."""
    return len({note.look for note in notes})


def new_note(*, person: str, reason: str, policy: str, rows: int, **known: str) -> OpeningNote:
    """Return the note of an opening now.

    Args:
        person: who opens it; must say something, as reason and policy must.
        reason: why.
        policy: whose answers are measured.
        rows: how many rows are asked for.
        known: further fields of :class:`OpeningNote`.

    Raises:
        UsageError: naming what is missing.
    """
    given = {"person": person, "reason": reason, "policy": policy}
    for name, text in given.items():
        if not text.strip():
            raise UsageError(
                f"A sealed test is opened with a {name}, and none was given. Nothing was opened.", f"Name the {name}."
            )
    said = {name: cleaned_name(text, "-") for name, text in given.items()}
    return OpeningNote(uid=new_uid(), at_ms=now_ms(), rows=rows, **said, **known)


def notes_folder(sealed: Path) -> Path:
    """Return the folder of the notes of a sealed file."""
    return sealed.with_name(sealed.stem + FOLDER_END)


def write_note(sealed: Path, note: OpeningNote) -> None:
    """Write a note so that it survives a crash; when this returns, it is on the disk.

    Raises:
        StorageFull, UserError: it could not be written; the caller must not open the file then.
    """
    folder = notes_folder(sealed)
    with durable.clear_errors(folder):
        make_private_folder(folder)
    durable.write_json(folder / f"{note.uid}.json", note.to_plain())


def read_notes(sealed: Path) -> list[OpeningNote]:
    """Return the notes beside a sealed file, oldest first. A damaged one counts as an opening without its details."""
    return [_read(path, sealed) for path in sorted(notes_folder(sealed).glob("*.json"))]


def _read(path: Path, sealed: Path) -> OpeningNote:
    try:
        note = OpeningNote.from_plain(bounded.read_object(path, _NOTE_BYTES))
    except BadInput:
        at_ms = int(path.lstat().st_mtime * 1000)
        note = OpeningNote("", at_ms, "not known", "The note of this opening is damaged.", "not known", 0, "not known")
    # The names of the files decide, so that a note that was changed stays one opening of this file.
    return replace(note, uid=path.stem, root_sha256=sealed.stem)
