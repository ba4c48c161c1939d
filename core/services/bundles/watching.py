"""A shared folder into which desks send: which files of it are new or changed since the last look."""

from __future__ import annotations

from pathlib import Path

from core.domain.errors import NotFound, UserError
from core.services.bundles.bundle_file import bundle_kind


class BundleWatch:
    """Remembers what it saw of a folder. It reads no more of a file than its first line."""

    def __init__(self, folder: Path) -> None:
        """Args: folder: it need not be there at every look; a network drive comes and goes."""
        self.folder = Path(folder)
        self._seen: dict[Path, tuple[int, int]] = {}

    def fresh(self) -> list[Path]:
        """Return the returned bundles that are new or changed since the last call, by name.

        Raises:
            NotFound: the folder is not there now.
            UserError: it cannot be read.
        """
        if not self.folder.is_dir():
            raise NotFound(f"{self.folder} is not there now.", "Is the drive connected? It is looked for again.")
        try:
            files = sorted(path for path in self.folder.iterdir() if path.is_file())
            return [path for path in files if self._changed(path)]
        except OSError as error:
            raise UserError(f"{self.folder} cannot be read now ({error.strerror}).", "It is tried again.") from error

    def _changed(self, path: Path) -> bool:
        about = path.stat()
        mark = (about.st_mtime_ns, about.st_size)
        if self._seen.get(path) == mark or bundle_kind(path) != "return":
            return False
        self._seen[path] = mark
        return True
