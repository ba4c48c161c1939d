"""Models to train: the starter model, folders and GGUF files of this machine, and downloads on request."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from core.domain.changes import Changes, Outcome
from core.domain.choices import choice_hint
from core.domain.errors import BadInput, NotFound, UserError
from core.domain.model_info import ModelInfo, ModelKind
from core.domain.names import checked_name
from core.hub import check_repo
from core.model_files.gguf_file import check_gguf
from core.model_files.model_info import describe
from core.model_files.starter import has_starter, starter_gguf
from core.paths import starter_model_dir
from core.runs.child_processes.request import Progress
from core.services.models.conversion import IsCancelled, make_in_child, starter_model
from core.store import events, models
from core.store.sqlite.database import Store

STARTER_NAME = "SmolLM2-135M-Instruct (starter)"
_FOLDER = "models"


class ModelsService:
    """The models that a workspace lists. Their files are never changed, and taking one off the list deletes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder = store.folder / _FOLDER

    def list(self) -> list[ModelInfo]:
        """Return the registered models by name, with the starter model in front once it is converted."""
        with self._store.read() as session:
            known = models.listed(session)
        starter = starter_model_dir()
        if has_starter(starter) and not any(info.path == starter for info in known):
            known.insert(0, ModelInfo(0, STARTER_NAME, starter, "starter", model_type="llama", has_template=True))
        return known

    def get(self, model_id: int) -> ModelInfo:
        """Return one registered model.

        Raises:
            NotFound: when there is none with this id.
        """
        with self._store.read() as session:
            return models.get(session, model_id)

    def find(self, text: str) -> ModelInfo:
        """Return the model of this name or path.

        Raises:
            NotFound: when none matches.
        """
        known = self.list()
        for info in known:
            if text in (info.name, str(info.path)) or (text == "starter" and info.kind == "starter"):
                return info
        names = choice_hint(text, [info.name for info in known]) if known else ""
        raise NotFound(f"There is no model called {text}.", f"{names} A folder can be added.".strip())

    def check(self, path: Path) -> ModelInfo:
        """Check a folder or GGUF file and return its facts; nothing is stored or loaded.

        Raises:
            BadInput: when it does not exist.
            ModelRefused: when it is unsafe, damaged or not a causal language model.
        """
        path = Path(path).expanduser().resolve()
        facts = describe(path)
        return ModelInfo(
            id=0,
            name=path.stem if path.is_file() else path.name,
            path=path,
            kind="gguf" if path.is_file() else "folder",
            sha256=facts.sha256,
            model_type=facts.check.model_type,
            parameters=facts.parameters,
            weight_bytes=facts.check.weight_bytes,
            context=facts.context,
            has_template=facts.check.has_template,
            licence=facts.licence,
        )

    def add_folder(self, path: Path, name: str = "") -> Outcome[ModelInfo]:
        """Register a Hugging Face folder where it lies.

        Raises:
            BadInput: when it does not exist.
            ModelRefused: when it is unsafe, damaged or no causal language model.
        """
        path = Path(path).expanduser()
        if path.is_file():
            raise BadInput(f"{path.name} is a file.", "Add a .gguf file as a GGUF file, or name the model's folder.")
        return self._register(path, "folder", name)

    def add_gguf(
        self,
        path: Path,
        name: str = "",
        on_progress: Progress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Outcome[ModelInfo]:
        """Convert a GGUF file to safetensors in the workspace, once, and register that.

        Raises:
            BadInput: when the file does not exist or the name is taken.
            ModelRefused: when it cannot be read as a language model.
        """
        path = Path(path).expanduser().resolve()
        check_gguf(path)
        target = self._place(name or path.stem)
        make_in_child("gguf", path=str(path), target=str(target), on_progress=on_progress, cancelled=cancelled)
        return self._register(target, "gguf", name or path.stem, origin=path.name)

    def starter_offer(self) -> ModelInfo | None:
        """Return the starter model where it is not there yet but can be made from its installed package."""
        starter = starter_model_dir()
        if has_starter(starter) or starter_gguf() is None:
            return None
        return ModelInfo(0, STARTER_NAME, starter, "starter", model_type="llama", has_template=True)

    def ensure_starter(
        self, on_progress: Progress | None = None, cancelled: IsCancelled | None = None
    ) -> Outcome[ModelInfo]:
        """Convert the starter model if need be, and register it.

        Raises:
            NotFound: when the package with its weights is not installed.
        """
        return self._register(starter_model(on_progress, cancelled), "starter", STARTER_NAME)

    def download(
        self,
        repo: str,
        name: str = "",
        *,
        revision: str = "main",
        on_progress: Progress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Outcome[ModelInfo]:
        """Download a model from the hub into the workspace; only this and the import of a dataset use the network.

        Call it only when a person named ``repo`` and asked for the download.

        Raises:
            BadInput: when ``repo`` is not a model of the hub, or the name is taken.
            UserError: when the hub cannot be reached.
            ModelRefused: when what arrived is not safe to load.
        """
        check_repo(repo, "model")
        target = self._place(name or repo.split("/")[1])
        make_in_child(
            "download",
            online=True,
            repo=repo,
            revision=revision,
            target=str(target),
            on_progress=on_progress,
            cancelled=cancelled,
        )
        return self._register(target, "download", name or repo.split("/")[1], origin=repo)

    def forget(self, model_id: int) -> Outcome[ModelInfo]:
        """Remove a model from the list; its files and its runs stay.

        Raises:
            NotFound: when there is none with this id.
        """
        context = self._store.write_context()

        def job(session: models.Session) -> ModelInfo:
            info = models.forget(session, model_id)
            events.log(session, context, "model.forget", f"Took {info.name} off the list", subject="model")
            return info

        return Outcome(self._store.write(job, "forgetting a model"), Changes.MODELS)

    def _place(self, name: str) -> Path:
        """Return a free folder of the workspace for a model called ``name``."""
        if self._store.read_only:
            raise UserError("The workspace is open for reading only.", "Open it for writing to add a model.")
        slug = re.sub(r"[^\w.-]+", "-", name).strip("-. ")[:80]
        if not slug:
            raise BadInput("A model needs a name.", "Use letters and digits.")
        target = self._folder / slug
        if target.exists():
            raise BadInput(f"There is already a model folder called {slug}.", "Choose another name.")
        return target

    def _register(self, path: Path, kind: ModelKind, name: str = "", origin: str = "") -> Outcome[ModelInfo]:
        checked = self.check(path)
        info = replace(checked, kind=kind, name=checked_name(name or checked.name, "model"), origin=origin)
        context = self._store.write_context()

        def job(session: models.Session) -> ModelInfo:
            made = models.add(session, info, context)
            events.log(session, context, "model.add", f"Added {made.name}", subject="model", subject_id=made.id)
            return made

        return Outcome(self._store.write(job, "adding a model"), Changes.MODELS)
