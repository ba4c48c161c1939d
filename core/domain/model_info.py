"""A model as people see it in a list."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ModelKind = Literal["folder", "gguf", "starter", "download"]


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that can be trained.

    Attributes:
        id: its row in the workspace; 0 for one that is on this machine but in no workspace.
        path: its folder. kind: where it came from.
        sha256: names weights and architecture; "" when unknown.
        parameters: numbers in its weights. weight_bytes: their size on disk.
        context: longest sequence in tokens. has_template: whether it knows chat turns.
        available: whether the folder is still there.
    """

    id: int
    name: str
    path: Path
    kind: ModelKind = "folder"
    sha256: str = ""
    model_type: str = ""
    parameters: int = 0
    weight_bytes: int = 0
    context: int = 0
    has_template: bool = False
    licence: str = ""
    origin: str = ""
    created_ms: int = 0
    available: bool = True

    @property
    def size_text(self) -> str:
        """The number of parameters for display, such as 135M; "" when unknown."""
        for unit, letter in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
            if self.parameters >= unit:
                value = self.parameters / unit
                return f"{value:.1f}{letter}" if value < 10 else f"{value:.0f}{letter}"
        return str(self.parameters) if self.parameters else ""
