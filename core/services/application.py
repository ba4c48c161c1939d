"""One open workspace and its use-cases: what the window, the command line and tests hold on to.

Every service is made when it is first asked for, so that a command that only lists runs never loads the rest.
A service gets the application and takes from it the store, the folder and, where it needs them, other services.
"""

from __future__ import annotations

from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from core.store.sqlite.database import Store
from core.store.sqlite.identity import DB_FILE

if TYPE_CHECKING:
    from core.services.annotation.service import AnnotationService
    from core.services.datasets.service import DatasetsService
    from core.services.importing.service import ImportsService
    from core.services.models.service import ModelsService
    from core.services.pairs.service import PairsService
    from core.services.reviewers.service import ReviewersService
    from core.services.rubrics.service import RubricsService
    from core.services.runs.service import RunsService
    from core.services.workspace.service import WorkspaceService


class Application:
    """An open workspace. Use it as a context manager or call :meth:`close`; all services are thread-safe."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @classmethod
    def open(cls, path: Path, *, create: bool = False, read_only: bool = False, name: str = "") -> Application:
        """Open the workspace at ``path``, a workspace folder or the ``workspace.db`` in it.

        Args:
            path: where it lies.
            create: make a workspace when there is none.
            read_only: take no lock, write nothing; works beside a window that has it open.
            name: what a new workspace is called; the folder's name when empty.

        Raises:
            NotFound: there is none and ``create`` is False.
            WorkspaceInUse: another process has it open for writing.
            WorkspaceNewer, WorkspaceDamaged: nothing was written to it.
        """
        path = Path(path)
        folder = path.parent if path.name == DB_FILE and not path.is_dir() else path
        return cls(Store.open(folder, create=create, read_only=read_only, name=name, version=version()))

    @property
    def folder(self) -> Path:
        """The workspace folder."""
        return self.store.folder

    @property
    def read_only(self) -> bool:
        """True when nothing can be written."""
        return self.store.read_only

    def close(self) -> None:
        """Finish what is queued and give the workspace back. Calling it again does nothing."""
        self.store.close()

    def __enter__(self) -> Application:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def workspace(self) -> WorkspaceService:
        """The workspace as a whole: counts, check, backup, activity."""
        from core.services.workspace.service import WorkspaceService

        return WorkspaceService(self)

    @cached_property
    def reviewers(self) -> ReviewersService:
        """Who judges."""
        from core.services.reviewers.service import ReviewersService

        return ReviewersService(self)

    @cached_property
    def rubrics(self) -> RubricsService:
        """Rubrics and their versions."""
        from core.services.rubrics.service import RubricsService

        return RubricsService(self)

    @cached_property
    def annotation(self) -> AnnotationService:
        """Queues, commits, undo."""
        from core.services.annotation.service import AnnotationService

        return AnnotationService(self)

    @cached_property
    def pairs(self) -> PairsService:
        """Pairs: pages, filters, one pair's history."""
        from core.services.pairs.service import PairsService

        return PairsService(self)

    @cached_property
    def imports(self) -> ImportsService:
        """Files to pairs and labels."""
        from core.services.importing.service import ImportsService

        return ImportsService(self)

    @cached_property
    def datasets(self) -> DatasetsService:
        """Frozen dataset versions."""
        from core.services.datasets.service import DatasetsService

        return DatasetsService(self)

    @cached_property
    def models(self) -> ModelsService:
        """Models on this machine."""
        from core.services.models.service import ModelsService

        return ModelsService(self)

    @cached_property
    def runs(self) -> RunsService:
        """Training runs."""
        from core.services.runs.service import RunsService

        return RunsService(self)


def version() -> str:
    """Return this program's version, as stored with judgements and runs."""
    try:
        return metadata.version("pairwright")
    except metadata.PackageNotFoundError:
        return "source"
