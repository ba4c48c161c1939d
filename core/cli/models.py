"""``model``: the starter model, the models of a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json, table
from core.cli.workspace_access import open_workspace
from core.services.models.conversion import starter_model

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]


def build() -> typer.Typer:
    """Return the command group."""
    group = typer.Typer(help="Models: `model starter`, `model list WS`, `model add WS PATH`.")
    group.command("starter", help="Convert the starter model once; print its folder.")(starter)
    group.command("list", help="List the models a workspace knows.")(list_models)
    group.command("add", help="Add a Hugging Face folder or a GGUF file.")(add)
    return group


def starter(as_json: _Json = False) -> None:
    """Make the starter model ready."""
    folder = starter_model()
    say_json({"path": str(folder)}) if as_json else say(str(folder))


def list_models(workspace: _Ws, as_json: _Json = False) -> None:
    """List models."""
    with open_workspace(workspace, read_only=True) as app:
        rows = [{"name": m.name, "path": str(m.path)} for m in app.models.list()]
    say_json(rows) if as_json else say(table([[r["name"], r["path"]] for r in rows], ("name", "path")))


def add(
    workspace: _Ws, path: Annotated[Path, typer.Argument(help="Folder or GGUF file.")], as_json: _Json = False
) -> None:
    """Add a model to a workspace."""
    with open_workspace(workspace) as app:
        made = app.models.add_gguf(path, path.stem) if path.suffix == ".gguf" else app.models.add_folder(path)
    value = made.value
    say_json({"name": value.name, "path": str(value.path)}) if as_json else say(f"{value.name}: {value.path}")
